package sweep_test

import (
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// ratchet is a policy against the bad that tolerates what was there before February.
func ratchet() string {
	return noBad("0s") + "    baseline: 2026-02-01\n"
}

func TestWhatABaselineToleratesStaysToleratedWhenItIsAddedAgain(t *testing.T) {
	b := newBench(t)
	b.set = load(t, ratchet())
	b.cloud.add("sg-1", nil, "198.51.100.1/32", "198.51.100.2/32") // created in January
	verdicts := func() map[string]string {
		got := map[string]string{}
		for _, f := range b.sweep("").Findings {
			got[f.Rule.ID] = f.Decision.String()
		}
		return got
	}
	expect := func(when string, want map[string]string) {
		t.Helper()
		got := verdicts()
		for id, verdict := range want {
			if got[id] != verdict {
				t.Errorf("%s: rule %s: got %q, want %q", when, id, got[id], verdict)
			}
		}
	}
	expect("at first", map[string]string{"sgr-1": "report: baseline", "sgr-2": "report: baseline"})

	again := func(id, to string) sg.Rule {
		return rule(id, func(f *sg.Fields) { f.CIDR4, f.Created = to, "2026-03-01T00:00:00Z" })
	}
	b.cloud.rules["sg-1"] = []sg.Rule{again("sgr-again", "198.51.100.1/32"), again("sgr-new", "198.51.100.3/32")}
	expect("added again", map[string]string{"sgr-again": "report: baseline", "sgr-new": "revoke"})
	b.settle()
	if got := b.outcomes(); len(got) != 1 || got["sgr-new"] != "confirmed" {
		t.Errorf("got %v, want the new rule gone and nothing else", got)
	}
}

// The re-check goes by first sightings, too: the rule that was decided on may have been another one's twin.
func TestTheRecheckKnowsFirstSightings(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32") // created in January
	b.set = load(t, ratchet())
	b.sweep("")
	b.set = load(t, noBad("0s"))
	b.cloud.rules["sg-1"] = []sg.Rule{rule("sgr-again", func(f *sg.Fields) {
		f.CIDR4, f.Created = "198.51.100.1/32", "2026-03-01T00:00:00Z"
	})}
	b.decide()
	b.set = load(t, ratchet())
	b.settle()
	const want = "withdrawn: the decision is now report: baseline: it was created at 2026-03-01T00:00:00Z, but its content was " +
		"there at 2026-01-01T00:00:00Z"
	if got := b.outcomes()["sgr-again"]; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
