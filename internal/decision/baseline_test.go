package decision_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/policy"
)

// ratchet is a policy that leaves alone what was there before noon of day 10.
func ratchet(p *policy.Policy) { p.Baseline = noon(10) }

func TestBaselineLeavesAloneWhatWasThereBefore(t *testing.T) {
	for _, test := range []struct {
		name          string
		created, seen time.Time
		want, detail  string
	}{
		{
			"created before", noon(9),
			time.Time{},
			"report: baseline",
			"it was created at 2027-01-10T12:00:00Z, before the baseline 2027-01-11T12:00:00Z",
		},
		{"created later", noon(11), time.Time{}, "revoke", ""},
		{
			"added again later", noon(11), noon(8), "report: baseline",
			"it was created at 2027-01-12T12:00:00Z, but its content was there at 2027-01-09T12:00:00Z, " +
				"before the baseline 2027-01-11T12:00:00Z",
		},
		{"added again, and first seen later, too", noon(12), noon(11), "revoke", ""},
		{
			"created before it was first seen", noon(9), noon(11), "report: baseline",
			"it was created at 2027-01-10T12:00:00Z, before the baseline 2027-01-11T12:00:00Z",
		},
		{
			"created at no known time",
			time.Time{},
			noon(11), "report: baseline",
			"the cloud does not say when the rule was created, so nobody knows whether it is newer than the baseline " +
				"2027-01-11T12:00:00Z",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := candidate(func(f *decision.Finding) {
				f.Rule.Created = test.created
				f.Violations[0].Policy = revoking(ratchet)
			})
			state := knowing(func(s *decision.State) {
				if !test.seen.IsZero() {
					s.FirstSeen[contentOf(f)] = test.seen
				}
			})
			s := &decision.Subject{Findings: []decision.Finding{*f}, Complete: true, Now: noon(20)}
			acting().Decide(s, state)
			got := s.Findings[0].Decision
			if got.String() != test.want || got.Detail != test.detail {
				t.Errorf("got %s (%s)\nwant %s (%s)", got, got.Detail, test.want, test.detail)
			}
		})
	}
}

func TestClockOfGraceDoesNotRunBelowTheBaseline(t *testing.T) {
	w := newWatch(t)
	w.finding.Violations[0].Policy = patient(ratchet)
	w.finding.Rule.Created = noon(9)
	w.expect(noon(11), "report: baseline")
	if c := w.clock(); !c.Since.IsZero() {
		t.Errorf("a clock runs: %+v", c)
	}
	w.finding.Rule.Created = noon(12)
	w.expect(noon(12), "pending: grace")
	if c := w.clock(); !c.Since.Equal(noon(12)) {
		t.Errorf("got a clock since %s, want since %s", c.Since, noon(12))
	}
}

// A doubtful set says neither that the policy objects nor that it does not.
func TestClockOfGraceRestsWhileASetIsStale(t *testing.T) {
	w := newWatch(t)
	w.expect(noon(0), "pending: grace")
	w.finding.Violations[0].Stale = "it has doubled"
	w.expect(noon(1), "hold: stale-set")
	if got, want := w.clock(), (decision.Clock{Since: noon(0), LastSeen: noon(0), Sweeps: 1}); got != want {
		t.Errorf("got the clock %+v, want it as it was: %+v", got, want)
	}
	w.finding.Violations[0].Stale = ""
	w.expect(noon(2), "pending: grace")
	w.expect(noon(3), "revoke")
}

func TestFirstSeenKeepsTheEarliestOfWhatABaselineAsksFor(t *testing.T) {
	with := func(id, ports string, created time.Time, p *policy.Policy) decision.Finding {
		return *candidate(func(f *decision.Finding) {
			f.Rule.ID, f.Rule.Raw.PortRange, f.Rule.Created = id, ports, created
			f.Violations = []policy.Violation{{Policy: revoking(nil)}, {Policy: p}}
		})
	}
	strict := revoking(nil)
	findings := []decision.Finding{
		with("sgr-1", "1/1", noon(5), revoking(ratchet)),
		with("sgr-2", "2/2", noon(5), strict),
		with("sgr-3", "3/3", time.Time{}, revoking(ratchet)),
		with("sgr-4", "4/4", noon(5), revoking(ratchet)),
		with("sgr-5", "5/5", noon(5), revoking(ratchet)),
		with("sgr-6", "6/6", noon(7), revoking(ratchet)),
		with("sgr-7", "6/6", noon(6), revoking(ratchet)), // a twin
		with("sgr-8", "6/6", noon(8), revoking(ratchet)),
	}
	state := knowing(func(s *decision.State) {
		s.FirstSeen[contentOf(&findings[3])] = noon(4)
		s.FirstSeen[contentOf(&findings[4])] = noon(6)
	})
	want := map[decision.ContentRef]time.Time{
		contentOf(&findings[0]): noon(5), contentOf(&findings[4]): noon(5), contentOf(&findings[5]): noon(6),
	}
	if diff := cmp.Diff(want, decision.FirstSeen(findings, state)); diff != "" {
		t.Errorf("first seen (-want +got):\n%s", diff)
	}
}
