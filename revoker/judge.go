package revoker

import (
	"fmt"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// verdict is what a check makes of a revocation.
type verdict int

const (
	held   verdict = iota // nothing can be done or said now
	ended                 // as the ending says
	stands                // it is to be carried out, and may be
)

// gone ends a revocation whose rule is proven not to be there.
func (s *settlement) gone(v *Revocation) (Ending, bool) {
	if !s.sight.proven[v.ID] {
		return Ending{}, false
	}
	calls := trail(s.work.Calls).of(v.ID)
	e := Ending{Revocation: v.ID, At: s.r.o.Now()}
	switch {
	case calls.succeeded():
		e.Outcome, e.Attribution = Confirmed, Answered
	case calls.maySent():
		e.Outcome, e.Attribution = Confirmed, Presumed
		e.Detail = "the rule is gone; that our call removed it is not certain, for its answer is not known"
	default:
		e.Outcome, e.Detail = AlreadyAbsent, "the rule was gone before a call of ours could have removed it"
	}
	return e, true
}

// judge says what becomes of a revocation after a check. While a call that carries it may still take effect it has no
// end but that the rule is gone: anything else might turn out wrong.
func (s *settlement) judge(v *Revocation, check *Check) (verdict, Ending) {
	if e, ok := s.gone(v); ok {
		return ended, e
	}
	calls, now := trail(s.work.Calls).of(v.ID), s.r.o.Now()
	outcome, detail := Outcome(""), ""
	rule, ok := s.sight.rule(v)
	switch {
	case ok && s.checked[v.ID]:
		if outcome, detail = s.objection(v, rule, check, calls, now); outcome == "" {
			return stands, Ending{}
		}
	case now.Sub(v.Created) > GiveUpAfter: // one listing of two lacks it, again and again
		outcome, detail = Failed, "listings of the group contradict one another about the rule"
	}
	if outcome == "" || calls.inFlight(now) {
		return held, Ending{}
	}
	return ended, Ending{Revocation: v.ID, Outcome: outcome, Detail: detail, At: now}
}

// objection gives the outcome that keeps a revocation, whose rule is there, from being carried out, if there is one.
func (s *settlement) objection(
	v *Revocation, rule *sg.Rule, check *Check, calls trail, now time.Time,
) (outcome Outcome, detail string) {
	if rule.Fingerprint() != v.Rule.Fingerprint() {
		return Changed, "the rule is not the one any more that was decided on"
	}
	if why, ok := check.Withdrawn[v.ID]; ok {
		return Withdrawn, why
	}
	if c, ok := calls.refusedAs(sg.ClassProtected); ok {
		return Withdrawn, "the group is managed by a cloud service: " + describe(c.Answer)
	}
	if c, ok := calls.refusedAs(sg.ClassIdempotency); ok {
		return Failed, "the cloud knows the token of our call from another one: " + describe(c.Answer)
	}
	if c, ok := calls.refusedAs(sg.ClassInvalid); ok && len(c.Carries) == 1 {
		return Failed, "the cloud refuses the call as wrong: " + describe(c.Answer)
	}
	switch n := calls.tried(); {
	case s.settled.Stop != "":
		return Failed, s.settled.Stop
	case n >= MaxCalls:
		return Failed, fmt.Sprintf("the rule is still there after %d calls; the last one: %s", n, calls.last())
	case now.Sub(v.Created) > GiveUpAfter:
		return Failed, fmt.Sprintf("the rule is still there %s after it was decided on; the last call: %s",
			GiveUpAfter, calls.last())
	case v.Rule.ID == "":
		return s.flatObjection(v)
	}
	return "", ""
}

// flatObjection keeps back what the flat form cannot name beyond doubt.
func (s *settlement) flatObjection(v *Revocation) (outcome Outcome, detail string) {
	if n := s.sight.equals[v.Rule.ContentKey()]; n > 1 {
		return Failed, fmt.Sprintf("%d rules of the group say the same, and the rule has no ID to tell it by", n)
	}
	if _, err := NewFlatCall("preview", v); err != nil {
		return Failed, err.Error()
	}
	return "", ""
}

// alone tells whether a revocation must have a call of its own, since one that carried it with others was refused for
// a reason that may be that of any of them.
func (s *settlement) alone(v *Revocation, standing map[string]bool) bool {
	calls := trail(s.work.Calls).of(v.ID)
	for i := range calls {
		c := &calls[i]
		if len(c.Carries) == 1 || c.State != CallRefused {
			continue
		}
		if c.Answer.Class == sg.ClassInvalid || c.Answer.Class == sg.ClassGone && all(c.Carries, standing) {
			return true
		}
	}
	return false
}

func all(ids []string, in map[string]bool) bool {
	for _, id := range ids {
		if !in[id] {
			return false
		}
	}
	return true
}
