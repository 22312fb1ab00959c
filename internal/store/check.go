package store

import (
	"errors"
	"fmt"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// What both implementations refuse before they write anything.

func checkStart(s *sweep.Start) error {
	if s.ID == "" || s.Account.Name == "" || s.At.IsZero() {
		return errors.New("sweep without an ID, an account or a time")
	}
	return nil
}

// checkOngoing refuses the result of a sweep that is not under way.
func checkOngoing(s *SweepRecord, r *sweep.Result) error {
	switch {
	case s.Interrupted:
		return fmt.Errorf("sweep %s was given up as interrupted", s.ID)
	case !s.Finished.IsZero():
		return fmt.Errorf("sweep %s has finished before", s.ID)
	case s.Account != r.Account.Name:
		return fmt.Errorf("sweep %s is of account %s, not of %s", s.ID, s.Account, r.Account.Name)
	case r.Finished.IsZero():
		return fmt.Errorf("sweep %s has no time at which it finished", s.ID)
	}
	return nil
}

// checkCommit refuses revocations that cannot be told apart, belong elsewhere, or are open already.
func checkCommit(s *SweepRecord, c *sweep.Commit, open map[decision.RuleRef]bool) error {
	if c == nil {
		return fmt.Errorf("sweep %s: nothing was decided", s.ID)
	}
	if len(c.Revocations) > 0 && !s.Acting {
		return fmt.Errorf("sweep %s may not act, but asks for %d revocations", s.ID, len(c.Revocations))
	}
	for ref, at := range c.FirstSeen {
		if at.IsZero() {
			return fmt.Errorf("sweep %s: content of group %s first seen at no time", s.ID, ref.Group)
		}
	}
	seen := map[decision.RuleRef]bool{}
	for i := range c.Revocations {
		r := &c.Revocations[i]
		ref := ruleRef(r)
		switch {
		case r.ID == "" || r.Created.IsZero() || len(r.Policies) == 0:
			return fmt.Errorf("revocation %q of rule %s: no ID, no time or no policy", r.ID, ref.Key)
		case r.Sweep != s.ID || r.Ref.Account != s.Account:
			return fmt.Errorf("revocation %s is of sweep %s and account %s, not of sweep %s and account %s",
				r.ID, r.Sweep, r.Ref.Account, s.ID, s.Account)
		case r.Outcome != "":
			return fmt.Errorf("revocation %s has ended (%s) before it began", r.ID, r.Outcome)
		case open[ref] || seen[ref]:
			return fmt.Errorf("revocation %s: rule %s of group %s has an open revocation", r.ID, ref.Key, ref.Group)
		}
		seen[ref] = true
	}
	return nil
}

func ruleRef(r *revoker.Revocation) decision.RuleRef {
	return decision.RuleRef{Region: r.Ref.Region, Group: r.Ref.Group, Key: r.Rule.Key()}
}

func checkCall(c *revoker.Call) error {
	switch {
	case c.ID == "":
		return errors.New("call without an ID")
	case c.Action != revoker.ActionRevoke && c.Action != revoker.ActionAuthorize:
		return fmt.Errorf("call %s: unknown action %q", c.ID, c.Action)
	case len(c.Carries) == 0:
		return fmt.Errorf("call %s carries nothing", c.ID)
	case c.Action == revoker.ActionAuthorize && len(c.Carries) > 1:
		return fmt.Errorf("call %s carries %d restores, expected 1", c.ID, len(c.Carries))
	case c.State != "" && c.State != revoker.CallRecorded:
		return fmt.Errorf("call %s is %s before it is recorded", c.ID, c.State)
	}
	for i, item := range c.Carries {
		if slices.Contains(c.Carries[:i], item) {
			return fmt.Errorf("call %s carries %s twice", c.ID, item)
		}
	}
	return nil
}

// checkItem refuses a call for something that is not there, has ended, or belongs to another group.
func checkItem(c *revoker.Call, item string, found *itemState) error {
	switch {
	case found == nil:
		return fmt.Errorf("call %s carries %s, which is not recorded", c.ID, item)
	case found.outcome != "":
		return fmt.Errorf("call %s carries %s, which has ended (%s)", c.ID, item, found.outcome)
	case found.account != c.Ref.Account || found.region != c.Ref.Region || found.group != c.Ref.Group:
		return fmt.Errorf("call %s for group %s of %s in %s carries %s, which is of group %s of %s in %s", c.ID,
			c.Ref.Group, c.Ref.Account, c.Ref.Region, item, found.group, found.account, found.region)
	}
	return nil
}

// itemState is what is known of a revocation or a restore that something is about to be done with.
type itemState struct {
	account, region, group string
	outcome                string
}

func checkAnswer(call string, state revoker.CallState, a *revoker.Answer) error {
	if state != revoker.CallRecorded {
		return fmt.Errorf("call %s has its answer (%s)", call, state)
	}
	switch a.State {
	case revoker.CallSucceeded, revoker.CallRefused, revoker.CallUnknown, revoker.CallUnsent:
		return nil
	case revoker.CallRecorded:
	}
	return fmt.Errorf("answer of call %s: state %q is none of an answer", call, a.State)
}

// checkEnding refuses an outcome for a revocation that is not recorded or has one.
func checkEnding(e *revoker.Ending, found *itemState) error {
	switch {
	case found == nil:
		return fmt.Errorf("revocation %s is not recorded", e.Revocation)
	case !slices.Contains(revoker.Outcomes(), e.Outcome):
		return fmt.Errorf("revocation %s: unknown outcome %q", e.Revocation, e.Outcome)
	case found.outcome != "":
		return fmt.Errorf("revocation %s has ended (%s), so it cannot end again (%s)", e.Revocation, found.outcome, e.Outcome)
	case e.Outcome != revoker.Confirmed && e.Attribution != "":
		return fmt.Errorf("revocation %s: outcome %s cannot be attributed", e.Revocation, e.Outcome)
	}
	return nil
}

// checkAmendment refuses every change of an outcome but the one that later knowledge can force: the rule is gone.
func checkAmendment(e *revoker.Ending, found *itemState) error {
	switch {
	case found == nil:
		return fmt.Errorf("revocation %s is not recorded", e.Revocation)
	case e.Outcome != revoker.Confirmed:
		return fmt.Errorf("revocation %s: an outcome can be amended to %s only, not to %s",
			e.Revocation, revoker.Confirmed, e.Outcome)
	case found.outcome != string(revoker.Withdrawn) && found.outcome != string(revoker.Failed):
		return fmt.Errorf("revocation %s cannot be amended: its outcome is %q", e.Revocation, found.outcome)
	}
	return nil
}

// checkRestore refuses a restore of what was not revoked, or is being restored.
func checkRestore(r *revoker.Restore, undone *itemState, open bool) error {
	switch {
	case r.ID == "" || r.Created.IsZero() || r.Outcome != "":
		return fmt.Errorf("restore %q of revocation %s: no ID, no time, or ended before it began", r.ID, r.Revocation)
	case undone == nil:
		return fmt.Errorf("restore %s: revocation %s is not recorded", r.ID, r.Revocation)
	case undone.outcome == "":
		return fmt.Errorf("restore %s: revocation %s is still open", r.ID, r.Revocation)
	case undone.account != r.Ref.Account || undone.region != r.Ref.Region || undone.group != r.Ref.Group:
		return fmt.Errorf("restore %s is for group %s of %s in %s, but revocation %s is of group %s of %s in %s", r.ID,
			r.Ref.Group, r.Ref.Account, r.Ref.Region, r.Revocation, undone.group, undone.account, undone.region)
	case open:
		return fmt.Errorf("restore %s: another restore of revocation %s is open", r.ID, r.Revocation)
	}
	return nil
}

func checkRestored(r *revoker.Restore, found *itemState) error {
	switch r.Outcome {
	case revoker.Restored, revoker.AlreadyThere, revoker.RestoreFailed:
	default:
		return fmt.Errorf("restore %s: unknown outcome %q", r.ID, r.Outcome)
	}
	switch {
	case found == nil:
		return fmt.Errorf("restore %s is not recorded", r.ID)
	case found.outcome != "":
		return fmt.Errorf("restore %s has ended (%s), so it cannot end again (%s)", r.ID, found.outcome, r.Outcome)
	}
	return nil
}

// counts tells whether a revocation counts for limits. What was given up before anything was sent does not, nor does what
// failed without a call that may have had an effect: else one account that is denied everything would use up the limit of
// all. The same is the condition [counted].
func counts(o revoker.Outcome, calls func() []revoker.Call) bool {
	switch o {
	case revoker.Withdrawn, revoker.Changed, revoker.AlreadyAbsent:
		return false
	case revoker.Failed:
		work := revoker.Work{Calls: calls()}
		return work.Sent()
	case revoker.Confirmed, "":
	}
	return true
}
