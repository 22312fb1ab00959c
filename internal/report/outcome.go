package report

import (
	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// OutcomeOpen is how reports spell the outcome of a revocation that has none yet.
const OutcomeOpen = "open"

func outcomeName(o revoker.Outcome) string {
	if o == "" {
		return OutcomeOpen
	}
	return string(o)
}

// outcomeText says to people what became of a revocation, without the detail.
func outcomeText(r *revoker.Revocation) string {
	switch r.Outcome {
	case revoker.Confirmed:
		if r.Attribution == revoker.Presumed {
			return "removed, proven by re-reading; the answer to the call was lost, so presumably by us"
		}
		return "removed, proven by re-reading"
	case revoker.AlreadyAbsent:
		return "already absent: gone, but not by us"
	case revoker.Changed:
		return "changed: no longer the rule that was decided on, so left alone"
	case revoker.Withdrawn:
		return "withdrawn: no longer to be removed, so left alone"
	case revoker.Failed:
		return "FAILED: still there, and given up"
	case "":
		return "open: not proven removed yet"
	}
	return string(r.Outcome)
}

// outcomeOrder is the order in which tables sum up outcomes: what needs attention comes first.
func outcomeOrder() []revoker.Outcome {
	return []revoker.Outcome{
		revoker.Failed, "", revoker.Confirmed, revoker.AlreadyAbsent, revoker.Changed, revoker.Withdrawn,
	}
}

// executions finds the revocation of a finding among those of its sweep.
type executions map[decision.RuleRef]*revoker.Revocation

func (s *Sweep) executions() executions {
	found := make(executions, len(s.Revocations))
	for i := range s.Revocations {
		r := &s.Revocations[i]
		found[decision.RuleRef{Region: r.Ref.Region, Group: r.Ref.Group, Key: r.Rule.Key()}] = r
	}
	return found
}

// of gives nil for a finding that this sweep did not decide to revoke.
func (e executions) of(f *decision.Finding) *revoker.Revocation {
	if len(e) == 0 {
		return nil
	}
	return e[decision.RuleRef{Region: f.Group.Region, Group: f.Group.ID, Key: f.Rule.Key()}]
}

// notExecuted says why a decision to revoke is not carried out by this sweep. Empty: it is, or there is none.
func (s *Sweep) notExecuted(f *decision.Finding, of executions) string {
	switch {
	case f.Decision.Action != decision.Revoke || of.of(f) != nil:
		return ""
	case f.Decision.Open:
		return decision.AlreadyOpen
	}
	if s.Acting {
		return decision.NotSelected
	}
	return s.NotExecuted
}
