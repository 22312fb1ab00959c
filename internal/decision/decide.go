package decision

import (
	"fmt"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Decide decides about all findings of the subject, in place, and gives the clocks of grace as they are after it: all
// that are to be kept. A nil state says that there is no store; there are no clocks then. When open revocations are
// checked again ([Subject.Again]) clocks are only read, and are given back as they were.
//
// The order of the findings does not matter to any decision.
func (t *Terms) Decide(s *Subject, state *State) map[ClockKey]Clock {
	d := newDecider(t, s, state)
	for i := range s.Findings {
		d.judge(i)
	}
	d.foresee()
	clocks := d.runClocks()
	for i := range s.Findings {
		d.wait(i, clocks)
	}
	d.reach()
	for i := range s.Findings {
		d.settle(i)
	}
	d.limit()
	return clocks
}

// decider is one decision about a subject, with what is asked of each finding more than once.
type decider struct {
	*Terms
	*Subject

	state    *State // nil without a store
	contents []ContentRef
	open     []bool   // a revocation of this rule instance is open
	ranks    [][]rank // by finding and violation
	// outlook is what a policy that goes by effects makes of each finding, were all grace over: rankNoEffect,
	// rankEffectUnknown or rankCandidate. Nil if no policy does.
	outlook []rank
}

func newDecider(t *Terms, s *Subject, state *State) *decider {
	d := &decider{Terms: t, Subject: s, state: state, ranks: make([][]rank, len(s.Findings))}
	if state == nil {
		return d
	}
	d.contents, d.open = make([]ContentRef, len(s.Findings)), make([]bool, len(s.Findings))
	for i := range s.Findings {
		f := &s.Findings[i]
		d.contents[i] = contentOf(f)
		d.open[i] = state.Open[RuleRef{Region: f.Group.Region, Group: f.Group.ID, Key: f.Rule.Key()}]
	}
	return d
}

// contentOf names what a finding's rule says.
func contentOf(f *Finding) ContentRef {
	return ContentRef{Region: f.Group.Region, Group: f.Group.ID, Key: f.Rule.ContentKey()}
}

// judge gives a finding the verdicts of its policies, but for grace.
func (d *decider) judge(i int) {
	f := &d.Findings[i]
	f.Decision = Decision{Policies: make([]Verdict, len(f.Violations))}
	d.ranks[i] = make([]rank, len(f.Violations))
	var known time.Time
	if d.state != nil {
		known = d.state.FirstSeen[d.contents[i]]
	}
	for p := range f.Violations {
		f.Decision.Policies[p], d.ranks[i][p] = judge(&f.Violations[p], &f.Rule, known)
	}
}

// wait adds grace to the verdicts of the policies. What is a candidate then is in the batch.
func (d *decider) wait(i int, clocks map[ClockKey]Clock) {
	f := &d.Findings[i]
	for p := range f.Violations {
		if d.ranks[i][p] != rankCandidate {
			continue
		}
		if wait, waits := d.grace(i, p, clocks); waits {
			f.Decision.Policies[p], d.ranks[i][p] = wait, rankPending
			continue
		}
		f.Decision.Batch = true
	}
}

// settle finds the headline of the verdicts, and asks the guards if a policy still makes the rule a candidate.
func (d *decider) settle(i int) {
	f := &d.Findings[i]
	nearest := rank(-1)
	for p := range f.Violations {
		// Of several that wait, the one that is through first.
		near, verdict := d.ranks[i][p], f.Decision.Policies[p]
		if near > nearest || near == nearest && verdict.Until.Before(f.Decision.Until) {
			nearest, f.Decision.Verdict = near, verdict
		}
	}
	if nearest != rankCandidate {
		return
	}
	f.Decision.Verdict = d.object(i)
	f.Decision.Open = f.Decision.Action == Revoke && d.Again == nil && d.state != nil && d.open[i]
}

// object asks the guards in their order.
func (d *decider) object(i int) Verdict {
	f := &d.Findings[i]
	guards := []Verdict{
		{Action: Skip, Reason: ReasonManaged, Detail: managed(f.Group)},
		{Action: Skip, Reason: ReasonProtected, Detail: d.protected(f.Group)},
		{Action: Skip, Reason: ReasonIncomplete, Detail: incomplete(f)},
		{Action: Skip, Reason: ReasonUnreadable, Detail: f.Rule.Unreadable},
		{Action: Hold, Reason: ReasonNoRuleID, Detail: d.withoutID(&f.Rule)},
		{Action: Hold, Reason: ReasonNotRestorable, Detail: notRestorable(f)},
	}
	if d.state != nil {
		past := d.state.Past[d.contents[i]]
		guards = append(guards,
			restored(past, d.Now),
			Verdict{Action: Hold, Reason: ReasonRecurring, Detail: recurring(past)},
			Verdict{Action: Hold, Reason: ReasonNewPolicy, Detail: newPolicy(d.state)},
			Verdict{Action: Hold, Reason: ReasonNewPolicy, Detail: kept(f)},
			Verdict{Action: Hold, Reason: ReasonPaused, Detail: d.paused()},
		)
	}
	for _, guard := range guards {
		if guard.Detail != "" {
			return guard
		}
	}
	return Verdict{Action: Revoke}
}

func (d *decider) withoutID(r *sg.Rule) string {
	return withoutID(r, d.FlatForm)
}

// restored holds what somebody has put back, for the time that they were promised.
func restored(past Past, now time.Time) Verdict {
	if !now.Before(past.HeldUntil) {
		return Verdict{}
	}
	return Verdict{
		Action: Hold, Reason: ReasonRestored, Until: past.HeldUntil,
		Detail: fmt.Sprintf("it was restored and is left alone until %s", stamp(past.HeldUntil)),
	}
}

// maxRevocations is how often the same content is revoked before that is left to people: somebody, or some program,
// adds it again and again, and revoking it again would only break it once more.
const maxRevocations = 3

func recurring(past Past) string {
	if past.Revocations < maxRevocations {
		return ""
	}
	return fmt.Sprintf("the same rule was revoked %d times before, and at %d it is left to people: "+
		"find out who adds it again, or except it", past.Revocations, maxRevocations)
}

func newPolicy(state *State) string {
	if state.Reported {
		return ""
	}
	return "no complete sweep of the account under these policies was recorded before; the next one may act"
}

func (d *decider) paused() string {
	if d.state.Paused != "" {
		return d.state.Paused
	}
	return d.Paused
}

// stamp is a moment as details spell it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// span is a duration as details spell it: 72h for 72h0m0s.
func span(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
