package decision

import (
	"fmt"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// FirstSeen gives what a store is to remember of findings, so that a policy with a baseline goes on to leave alone what
// it leaves alone today: for every rule to which such a policy objects, since when its content is known to have been
// there, if that is earlier than the state says.
//
// A rule that a tool deletes and adds again gets a new time of creation, and stays tolerated. A sighting only ever makes
// a rule older; without a store the times of creation alone count.
func FirstSeen(findings []Finding, state *State) map[ContentRef]time.Time {
	first := map[ContentRef]time.Time{}
	for i := range findings {
		f := &findings[i]
		if f.Rule.Created.IsZero() || !anyBaseline(f.Violations) {
			continue
		}
		ref := contentOf(f)
		known := earliest(state.FirstSeen[ref], first[ref])
		if known.IsZero() || f.Rule.Created.Before(known) {
			first[ref] = f.Rule.Created
		}
	}
	return first
}

func anyBaseline(violations []policy.Violation) bool {
	for i := range violations {
		if !violations[i].Policy.Baseline.IsZero() {
			return true
		}
	}
	return false
}

// tolerated says why a policy leaves a rule alone as older than its baseline, or nothing if it does not. Of a rule
// without a time of creation nobody knows whether it is new, whatever was seen of its content.
func tolerated(p *policy.Policy, rule *sg.Rule, known time.Time) string {
	first := earliest(rule.Created, known)
	switch {
	case p.Baseline.IsZero():
		return ""
	case rule.Created.IsZero():
		return "the cloud does not say when the rule was created, so nobody knows whether it is newer than the baseline " +
			stamp(p.Baseline)
	case !first.Before(p.Baseline):
		return ""
	case first.Equal(rule.Created):
		return fmt.Sprintf("it was created at %s, before the baseline %s", stamp(first), stamp(p.Baseline))
	}
	return fmt.Sprintf("it was created at %s, but its content was there at %s, before the baseline %s",
		stamp(rule.Created), stamp(first), stamp(p.Baseline))
}

// earliest gives the earlier of two times; a zero one is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
