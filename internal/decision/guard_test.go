package decision_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
)

func TestGuardsOfTheStoreObjectInTheirOrder(t *testing.T) {
	f := candidate(nil)
	// Each objection is put on top of the ones before it in this list, and must win over them.
	objections := []struct {
		name  string
		apply func(*decision.Terms, *decision.State)
		want  string
	}{
		{"nothing", func(*decision.Terms, *decision.State) {}, "revoke"},
		{"no limit allows anything", func(terms *decision.Terms, _ *decision.State) {
			terms.Limits = decision.Limits{}
		}, "hold: limit per-group"},
		{"the config pauses", func(terms *decision.Terms, _ *decision.State) { terms.Paused = "by file" }, "hold: paused"},
		{"the store pauses", func(terms *decision.Terms, state *decision.State) {
			terms.Paused, state.Paused = "", "by command"
		}, "hold: paused"},
		{"the policies are new", func(_ *decision.Terms, state *decision.State) { state.Reported = false }, "hold: new-policy"},
		{"it comes back", func(_ *decision.Terms, state *decision.State) {
			state.Past[contentOf(f)] = decision.Past{Revocations: 3}
		}, "hold: recurring"},
		{"it was restored", func(_ *decision.Terms, state *decision.State) {
			state.Past[contentOf(f)] = decision.Past{Revocations: 3, HeldUntil: noon(1)}
		}, "hold: restored"},
		{"it cannot be restored", func(*decision.Terms, *decision.State) { f.Rule.Priority = 110 }, "hold: not-restorable"},
	}
	terms, state := acting(), knowing(nil)
	for _, o := range objections {
		o.apply(terms, state)
		s := &decision.Subject{Findings: []decision.Finding{*f}, Now: noon(0)}
		terms.Decide(s, state)
		if got := s.Findings[0].Decision; got.String() != o.want || !got.Batch {
			t.Errorf("%s: got %s (batch %t), want %s as part of the batch", o.name, got, got.Batch, o.want)
		}
	}
}

func TestDetailsOfTheGuardsOfTheStore(t *testing.T) {
	f := candidate(nil)
	for _, test := range []struct {
		name  string
		apply func(*decision.Terms, *decision.State)
		want  decision.Verdict
	}{
		{"restored", func(_ *decision.Terms, state *decision.State) {
			state.Past[contentOf(f)] = decision.Past{HeldUntil: noon(1)}
		}, decision.Verdict{
			Action: decision.Hold, Reason: decision.ReasonRestored, Until: noon(1),
			Detail: "it was restored and is left alone until 2027-01-02T12:00:00Z",
		}},
		{"the hold after a restore is over", func(_ *decision.Terms, state *decision.State) {
			state.Past[contentOf(f)] = decision.Past{HeldUntil: noon(0)}
		}, decision.Verdict{Action: decision.Revoke}},
		{"revoked twice before", func(_ *decision.Terms, state *decision.State) {
			state.Past[contentOf(f)] = decision.Past{Revocations: 2}
		}, decision.Verdict{Action: decision.Revoke}},
		{"revoked four times before", func(_ *decision.Terms, state *decision.State) {
			state.Past[contentOf(f)] = decision.Past{Revocations: 4}
		}, decision.Verdict{
			Action: decision.Hold, Reason: decision.ReasonRecurring,
			Detail: "the same rule was revoked 4 times before, and at 3 it is left to people: " +
				"find out who adds it again, or except it",
		}},
		{"the past of another group", func(_ *decision.Terms, state *decision.State) {
			other := contentOf(f)
			other.Group = "sg-2"
			state.Past[other] = decision.Past{Revocations: 3, HeldUntil: noon(1)}
		}, decision.Verdict{Action: decision.Revoke}},
		{"paused by the store", func(terms *decision.Terms, state *decision.State) {
			terms.Paused, state.Paused = "by file", "by command"
		}, decision.Verdict{Action: decision.Hold, Reason: decision.ReasonPaused, Detail: "by command"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			terms, state := acting(), knowing(nil)
			test.apply(terms, state)
			s := &decision.Subject{Findings: []decision.Finding{*f}, Now: noon(0)}
			terms.Decide(s, state)
			if diff := cmp.Diff(test.want, s.Findings[0].Decision.Verdict); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARuleWithoutAnIDMayBeRevokedInTheFlatForm(t *testing.T) {
	f := candidate(func(f *decision.Finding) { f.Rule.ID = "" })
	for _, flat := range []bool{false, true} {
		terms := acting()
		terms.FlatForm = flat
		s := &decision.Subject{Findings: []decision.Finding{*f}, Now: noon(0)}
		terms.Decide(s, knowing(nil))
		if revoked := s.Findings[0].Decision.Action == decision.Revoke; revoked != flat {
			t.Errorf("flat form %t: got %s", flat, s.Findings[0].Decision)
		}
	}
}

// A command that has no store must not say that everything is paused, or new, or in its grace.
func TestWithoutAStoreOnlyTheRuleAndTheLimitsCount(t *testing.T) {
	terms := acting()
	terms.Paused, terms.Limits.PerWindow = "by file", 0
	p := revoking(nil)
	p.Grace = 72 * hour
	s := &decision.Subject{Findings: rules("sg-1", 2, p), Now: noon(0)}
	if clocks := terms.Decide(s, nil); clocks != nil {
		t.Errorf("there are clocks: %v", clocks)
	}
	for i := range s.Findings {
		if got := s.Findings[i].Decision; got.String() != "revoke" || got.Open {
			t.Errorf("got %s (open %t), want revoke", got, got.Open)
		}
	}
}
