package sweep_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
)

// advanced makes a group advanced, which permits only what rules accept.
func (e *estate) advanced(group string) {
	g := e.groups[group]
	g.Type = sg.TypeEnterprise
	e.groups[group] = g
}

// closesOnly is the policy of the bench, but for what closes nothing.
func closesOnly() string { return noBad("0s") + "    only-if: closes\n" }

func TestAnEffectIsOnRecordWithItsRevocation(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-a", nil, "198.51.100.0/28")
	b.cloud.advanced("sg-a")
	b.cloud.add("sg-b", nil, "198.51.100.0/28")
	result := b.decide()
	got := map[string]string{}
	for _, r := range result.Revocations {
		got[r.Ref.Group] = r.Effect.Class
	}
	if got["sg-a"] != "closes" || got["sg-b"] != "none" {
		t.Errorf("effects on record: %v, want sg-a closes and sg-b none", got)
	}
	if result.Closing.IPv4 != 16 || result.Closing.IPv6 != 0 { // one port of 16 addresses
		t.Errorf("closed: %+v, want 16 pairs of IPv4", result.Closing)
	}
	if len(result.Batches) != 2 || result.Batches[0].Effect.Class != reach.Closes {
		t.Errorf("batches: %+v, want those of two groups, the first of which closes something", result.Batches)
	}
}

func TestWhatClosesNothingAnyMoreIsWithdrawnByAPolicyThatGoesByEffects(t *testing.T) {
	b := newBench(t)
	b.set = load(t, closesOnly())
	b.cloud.add("sg-a", nil, "198.51.100.0/28")
	b.cloud.advanced("sg-a")
	b.cloud.add("sg-basic", nil, "198.51.100.0/28") // its default permits everything
	if result := b.decide(); len(result.Revocations) != 1 || result.Findings[1].Decision.String() != "report: no-effect" {
		t.Fatalf("%d revocations and %s, want one, and no-effect for the basic group",
			len(result.Revocations), result.Findings[1].Decision)
	}
	b.cloud.create("sg-a", "0.0.0.0/0") // somebody permits everything, in between
	b.settle()
	if got := b.outcomes()["sgr-1"]; !strings.HasPrefix(got, "withdrawn: ") || !strings.Contains(got, "no-effect") {
		t.Errorf("the revocation ended as %q, want withdrawn for no-effect", got)
	}
}

func TestOnInterfacesTheRulesOfAllTheirGroupsCount(t *testing.T) {
	b := newBench(t)
	b.scope = reach.ScopeInterface
	b.set = load(t, closesOnly())
	for _, group := range []string{"sg-a", "sg-b", "sg-c"} {
		b.cloud.add(group, nil, "198.51.100.0/28")
		b.cloud.advanced(group)
	}
	b.cloud.add("sg-open", []sg.Tag{{Key: "keep"}}, "0.0.0.0/0")
	b.cloud.advanced("sg-open")
	b.cloud.cards = []sg.Interface{
		{ID: "eni-1", Instance: "i-1", Groups: []string{"sg-open", "sg-a"}}, {ID: "eni-2", Instance: "i-1", Groups: []string{"sg-b"}},
	}
	result := b.decide()
	got := map[string]string{}
	for i := range result.Findings {
		f := &result.Findings[i]
		got[f.Group.ID] = f.Decision.String()
		if f.Effect.Scope != reach.ScopeInterface {
			t.Errorf("the effect in %s speaks of a %s", f.Group.ID, f.Effect.Scope)
		}
	}
	// The other group of eni-1 permits it, eni-2 has no other, and no interface is in sg-c.
	if got["sg-a"] != "report: no-effect" || got["sg-b"] != "revoke" || got["sg-c"] != "report: no-effect" {
		t.Fatalf("decisions: %v", got)
	}
	b.cloud.cards[1].Groups = []string{"sg-b", "sg-open"} // somebody puts the interface into the open group, in between
	b.settle()
	if got := b.outcomes()["sgr-2"]; !strings.HasPrefix(got, "withdrawn: ") {
		t.Errorf("the revocation ended as %q, want withdrawn", got)
	}
}

func TestWithoutAListOfInterfacesNothingIsKnownOnThem(t *testing.T) {
	b := newBench(t)
	b.scope = reach.ScopeInterface
	b.set = load(t, closesOnly())
	b.cloud.add("sg-a", nil, "198.51.100.0/28")
	b.cloud.advanced("sg-a")
	b.cloud.noCard = errors.New("no interfaces today")
	result := b.sweep("")
	if got := result.Findings[0].Decision.String(); got != "hold: effect-unknown" || result.Complete() {
		t.Errorf("the decision is %s and the sweep complete: %t; want a hold, and not complete", got, result.Complete())
	}
}

// onCards sweeps advanced groups with the same rule in each, and a group that permits everything, on some interfaces. It
// gives the decisions by group and the sweep.
func onCards(t *testing.T, b *bench, groups []string, cards ...[]string) (map[string]string, *sweep.Result) {
	t.Helper()
	b.scope = reach.ScopeInterface
	b.set = load(t, closesOnly())
	for _, group := range groups {
		b.cloud.add(group, nil, "198.51.100.0/28")
		b.cloud.advanced(group)
	}
	b.cloud.add("sg-open", []sg.Tag{{Key: "keep"}}, "0.0.0.0/0")
	b.cloud.advanced("sg-open")
	for i, in := range cards {
		b.cloud.cards = append(b.cloud.cards, sg.Interface{ID: fmt.Sprint("eni-", i), Instance: "i-1", Groups: in})
	}
	result := b.decide()
	decisions := map[string]string{}
	for i := range result.Findings {
		decisions[result.Findings[i].Group.ID] = result.Findings[i].Decision.String()
	}
	return decisions, result
}

func TestTheBatchesOfAllGroupsOfAnInterfaceAreRemovedTogether(t *testing.T) {
	got, _ := onCards(t, newBench(t), []string{"sg-a", "sg-b"}, []string{"sg-a", "sg-b"})
	if got["sg-a"] != "revoke" || got["sg-b"] != "revoke" { // each is redundant only through the other
		t.Errorf("decisions %v, want both revoked", got)
	}
}

func TestEveryCombinationOfGroupsHasItsOwnRules(t *testing.T) {
	_, result := onCards(t, newBench(t), []string{"sg-a", "sg-b"}, []string{"sg-a", "sg-b"}, []string{"sg-a", "sg-open"})
	got := map[string]string{}
	for _, on := range result.Findings[0].Effect.Interfaces {
		got[strings.Join(on.Groups, " ")] = fmt.Sprint(on.Effect.Class)
		for _, by := range on.Effect.StillPermittedBy {
			got[strings.Join(on.Groups, " ")] += " for " + by.Group
		}
	}
	want := map[string]string{
		"sg-a sg-b":    "closes",
		"sg-a sg-open": "none for sg-open",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("effects on interfaces of sg-a (-want +got):\n%s", diff)
	}
}

// The effect is asked for with all that would be a candidate but for grace, and with what is one: the answers differ.
func TestARuleInGraceStillPermitsWhatItCovers(t *testing.T) {
	b := newBench(t)
	b.set = load(t, noBad("1h")+"    only-if: closes\n")
	b.cloud.add("sg-a", nil, "198.51.100.0/28")
	b.cloud.advanced("sg-a")
	b.decide()
	b.clock = b.clock.Add(2 * time.Hour)
	b.cloud.create("sg-a", "198.51.100.0/27")
	result := b.sweep("")
	if got := result.Findings[0].Decision.String(); got != "report: no-effect" {
		t.Errorf("the older rule: %s, want no-effect as long as the wider one is in grace", got)
	}
	b.clock = b.clock.Add(2 * time.Hour)
	b.sweep("") // grace takes three sweeps as well
	if result = b.sweep(""); len(result.Revocations) != 2 {
		t.Errorf("%d revocations once both are past grace, want 2", len(result.Revocations))
	}
}

func TestAGroupThatWasNotReadWholeHasUnknownEffects(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-a", nil, "198.51.100.0/28")
	b.cloud.advanced("sg-a")
	b.rules = &partial{estate: b.cloud}
	result := b.sweep("")
	if len(result.Findings) == 0 {
		t.Fatal("nothing was found")
	}
	for i := range result.Findings {
		if e := result.Findings[i].Effect; result.Findings[i].Incomplete != "" && e.Class != reach.Unknown {
			t.Errorf("the effect is %s, of a group that was not read whole", e.Class)
		}
	}
}
