package store

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// stateOf names what a state is read of.
type stateOf struct {
	account    string
	policyHash string
	now        time.Time
	group      *sg.GroupRef // what is about this group alone; nil: all of the account
}

// within is the condition for rows about what the state is of.
func (of *stateOf) within() (condition string, args []any) {
	if of.group == nil {
		return "", nil
	}
	return " AND region = ? AND group_id = ?", []any{of.group.Region, of.group.Group}
}

// cloneState gives a state that the caller may do with as it likes.
func cloneState(s *decision.State) *decision.State {
	c := *s
	c.Clocks, c.Past, c.Open = maps.Clone(s.Clocks), maps.Clone(s.Past), maps.Clone(s.Open)
	c.FirstSeen = maps.Clone(s.FirstSeen)
	return &c
}

// reports tells whether a complete sweep reported by a set of policies about what the latest sweep is of: the same
// account, in the same regions, under the same guards.
func reports(complete, latest *SweepRecord, policyHash string) bool {
	return complete.AccountID == latest.AccountID && complete.PolicyHash == policyHash &&
		complete.GuardsHash == latest.GuardsHash && sameRegions(complete.Regions, latest.Regions)
}

// sameRegions tells whether two scopes are of the same regions, in whatever order the config has them.
func sameRegions(a, b []string) bool {
	sorted := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return slices.Equal(sorted(a), sorted(b))
}

// finish fills in what is known of a sweep when it is committed.
func (s *SweepRecord) finish(r *sweep.Result, revocations int) {
	s.Finished, s.Complete = stored(r.Finished), r.Complete()
	s.Findings, s.Revocations = len(r.Findings), revocations
	for i := range r.Regions {
		s.Groups += r.Regions[i].Groups
		s.Rules += r.Regions[i].Rules
	}
	for i := range r.Problems {
		if i == MaxProblems {
			break
		}
		s.Problems = append(s.Problems, problemText(&r.Problems[i]))
	}
}

func commitEvents(s *SweepRecord, c *sweep.Commit) []event {
	events := []event{sweepEvent(s, len(c.Clocks))}
	for i := range c.Revocations {
		events = append(events, revocationEvent(&c.Revocations[i]))
	}
	return events
}

// groupNames gives the names that groups had in a sweep, by region and ID.
func groupNames(r *sweep.Result) map[decision.ContentRef]string {
	names := map[decision.ContentRef]string{}
	for i := range r.Findings {
		g := r.Findings[i].Group
		names[decision.ContentRef{Region: g.Region, Group: g.ID}] = g.Name
	}
	return names
}

func groupRef(r *revoker.Revocation) decision.ContentRef {
	return decision.ContentRef{Region: r.Ref.Region, Group: r.Ref.Group}
}

func findingPolicies(f *decision.Finding) []FindingPolicy {
	list := make([]FindingPolicy, 0, len(f.Violations))
	for i := range f.Violations {
		v := &f.Violations[i]
		p := FindingPolicy{Name: v.Policy.Name, Severity: string(v.Policy.Severity), Because: v.Because}
		if i < len(f.Decision.Policies) {
			p.Verdict = f.Decision.Policies[i].String()
		}
		list = append(list, p)
	}
	return list
}

// problemText says what could not be read, and where.
func problemText(p *scanner.Problem) string {
	var text strings.Builder
	for _, part := range []struct{ what, name string }{
		{"region", p.Region}, {"group", p.Group}, {"list", p.List}, {"rule", p.Rule},
	} {
		if part.name != "" {
			text.WriteString(part.what + " " + part.name + ": ")
		}
	}
	return text.String() + p.Err.Error()
}
