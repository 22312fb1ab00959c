package decision_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/policy"
)

// reaching is a reach that says of each finding what a function says, given the batch.
type reaching struct {
	of    func(i int, batch []bool) reach.Class
	asked [][]bool
}

// Effects implements [decision.Reach].
func (r *reaching) Effects(findings []decision.Finding, batch []bool) ([]*reach.Effect, []decision.Batch) {
	r.asked = append(r.asked, slices.Clone(batch))
	effects := make([]*reach.Effect, len(findings))
	for i := range effects {
		effects[i] = &reach.Effect{Scope: reach.ScopeGroup, Class: r.of(i, batch)}
	}
	return effects, nil
}

func always(class reach.Class) *reaching {
	return &reaching{of: func(int, []bool) reach.Class { return class }}
}

// ifCloses is a policy with `only-if: closes`.
func ifCloses(apply func(*policy.Policy)) *policy.Policy {
	return revoking(func(p *policy.Policy) {
		p.OnlyIfCloses = true
		if apply != nil {
			apply(p)
		}
	})
}

func verdicts(s *decision.Subject) []string {
	var list []string
	for i := range s.Findings {
		list = append(list, s.Findings[i].Decision.String())
	}
	return list
}

func TestAPolicyThatGoesByEffectsLeavesAloneWhatClosesNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		reach decision.Reach
		want  string
	}{
		{"it closes", always(reach.Closes), "revoke"},
		{"it closes and opens", always(reach.Mixed), "revoke"},
		{"it changes nothing", always(reach.None), "report: no-effect"},
		{"it opens", always(reach.Opens), "report: no-effect"},
		{"nobody can tell", always(reach.Unknown), "hold: effect-unknown"},
		{"nobody was asked", nil, "hold: effect-unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &decision.Subject{Findings: rules("sg-1", 1, ifCloses(nil)), Now: noon(0), Reach: test.reach}
			acting().Decide(s, nil)
			if got := verdicts(s)[0]; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if !s.Findings[0].Decision.Batch {
				t.Error("what only-if leaves alone left the batch, so it changes the effects of others")
			}
		})
	}
}

func TestEffectsChangeNothingForOtherPolicies(t *testing.T) {
	t.Parallel()
	for _, class := range []reach.Class{reach.None, reach.Unknown, reach.Opens} {
		s := &decision.Subject{Findings: rules("sg-1", 3, nil), Now: noon(0), Reach: always(class)}
		acting().Decide(s, nil)
		if diff := cmp.Diff([]string{"revoke", "revoke", "revoke"}, verdicts(s)); diff != "" {
			t.Errorf("class %s (-want +got):\n%s", class, diff)
		}
		if s.Findings[0].Effect == nil || s.Findings[0].Effect.Class != class {
			t.Errorf("the finding has the effect %v, want %s", s.Findings[0].Effect, class)
		}
	}
}

// Of two rules that are redundant only because of each other, each closes something once the other is in the batch.
func twins() *reaching {
	return &reaching{of: func(i int, batch []bool) reach.Class {
		if batch[1-i] {
			return reach.Closes
		}
		return reach.None
	}}
}

func TestTwoRulesThatCloseOnlyTogetherAreRemovedTogether(t *testing.T) {
	t.Parallel()
	s := &decision.Subject{Findings: rules("sg-1", 2, ifCloses(nil)), Now: noon(0), Reach: twins()}
	acting().Decide(s, nil)
	if diff := cmp.Diff([]string{"revoke", "revoke"}, verdicts(s)); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

func TestAClockRunsOnlyWhileSomethingWouldBeClosed(t *testing.T) {
	t.Parallel()
	patient := ifCloses(func(p *policy.Policy) { p.Grace = time.Hour })
	clocks := func(r decision.Reach, old map[decision.ClockKey]decision.Clock) (int, []string) {
		s := &decision.Subject{Findings: rules("sg-1", 2, patient), Complete: true, Now: noon(0), Reach: r}
		kept := acting().Decide(s, knowing(func(state *decision.State) { state.Clocks = old }))
		return len(kept), verdicts(s)
	}
	// Both are pending, and would close something together: their clocks run. Alone neither closes anything yet.
	n, got := clocks(twins(), nil)
	if diff := cmp.Diff([]string{"report: no-effect", "report: no-effect"}, got); n != 2 || diff != "" {
		t.Errorf("twins: %d clocks, want 2; decisions (-want +got):\n%s", n, diff)
	}
	running := map[decision.ClockKey]decision.Clock{}
	for _, f := range rules("sg-1", 2, patient) {
		running[decision.ClockKey{ContentRef: contentOf(&f), Policy: "p"}] = decision.Clock{
			Since: noon(-9), LastSeen: noon(-1), Sweeps: 9,
		}
	}
	if n, got = clocks(always(reach.None), running); n != 0 {
		t.Errorf("nothing would be closed, and %d clocks go on: %v", n, got)
	}
	if n, got = clocks(always(reach.Unknown), running); n != 2 {
		t.Errorf("it is not known what would be closed, and %d clocks are kept, want 2: %v", n, got)
	}
	if n, got = clocks(twins(), running); n != 2 || got[0] != "revoke" || got[1] != "revoke" {
		t.Errorf("twins whose grace is over: %d clocks, %v; want 2 and both revoked", n, got)
	}
}

func TestNobodyAsksTwiceWithoutAPolicyThatGoesByEffects(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		policy *policy.Policy
		want   int
	}{{nil, 1}, {ifCloses(nil), 2}} {
		r := always(reach.Closes)
		s := &decision.Subject{Findings: rules("sg-1", 2, test.policy), Now: noon(0), Reach: r}
		acting().Decide(s, nil)
		if len(r.asked) != test.want {
			t.Errorf("effects were asked for %d times, want %d", len(r.asked), test.want)
		}
	}
}
