package decision_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

const (
	hour = time.Hour
	day  = 24 * hour
)

// patient is a policy with three days of grace.
func patient(apply func(*policy.Policy)) *policy.Policy {
	return revoking(func(p *policy.Policy) {
		p.Grace = 3 * day
		if apply != nil {
			apply(p)
		}
	})
}

// watch is a rule that is swept again and again.
type watch struct {
	t       *testing.T
	terms   *decision.Terms
	state   *decision.State
	finding *decision.Finding
}

func newWatch(t *testing.T) *watch {
	t.Helper()
	return &watch{t: t, terms: acting(), state: knowing(nil), finding: candidate(func(f *decision.Finding) {
		f.Violations[0].Policy = patient(nil)
	})}
}

// sweep decides at a time and keeps the clocks. Without a finding the rule was away, unless it is present.
func (w *watch) sweep(now time.Time, apply func(*decision.Subject)) decision.Verdict {
	w.t.Helper()
	s := &decision.Subject{Findings: []decision.Finding{*w.finding}, Complete: true, Now: now}
	if apply != nil {
		apply(s)
	}
	w.state.Clocks = w.terms.Decide(s, w.state)
	if len(s.Findings) == 0 {
		return decision.Verdict{}
	}
	return s.Findings[0].Decision.Verdict
}

func (w *watch) expect(now time.Time, want string) {
	w.t.Helper()
	if got := w.sweep(now, nil); got.String() != want {
		w.t.Errorf("at %s: got %s (%s), want %s", now, got, got.Detail, want)
	}
}

func (w *watch) clock() decision.Clock {
	return w.state.Clocks[decision.ClockKey{ContentRef: contentOf(w.finding), Policy: "p"}]
}

func TestGraceIsOverAfterItsTimeAndThreeSweeps(t *testing.T) {
	w := newWatch(t)
	want := decision.Verdict{
		Action: decision.Pending, Reason: decision.ReasonGrace, Until: noon(3),
		Detail: "72h of grace since 2027-01-01T12:00:00Z",
	}
	if diff := cmp.Diff(want, w.sweep(noon(0), nil)); diff != "" {
		t.Errorf("first sweep (-want +got):\n%s", diff)
	}
	w.expect(noon(1), "pending: grace")
	w.expect(noon(2), "pending: grace")
	w.expect(noon(3).Add(-time.Nanosecond), "pending: grace")
	w.expect(noon(3), "revoke")
	if diff := cmp.Diff(decision.Clock{Since: noon(0), LastSeen: noon(3), Sweeps: 5}, w.clock()); diff != "" {
		t.Errorf("clock (-want +got):\n%s", diff)
	}
}

func TestGraceNeedsThreeCompleteSweeps(t *testing.T) {
	w := newWatch(t)
	w.expect(noon(0), "pending: grace")
	w.sweep(noon(1), func(s *decision.Subject) { s.Complete = false })
	got := w.sweep(noon(4), nil)
	want := decision.Verdict{
		Action: decision.Pending, Reason: decision.ReasonGrace, Until: noon(3),
		Detail: "72h of grace are over, but only 2 complete sweeps have seen it, and 3 must",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
	w.expect(noon(5), "revoke")
}

// An incomplete sweep may still decide about groups that were read whole; it only does not count.
func TestAnIncompleteSweepDecidesByTheSweepsBeforeIt(t *testing.T) {
	w := newWatch(t)
	for d := range 3 {
		w.expect(noon(d), "pending: grace")
	}
	if got := w.sweep(noon(3), func(s *decision.Subject) { s.Complete = false }); got.String() != "revoke" {
		t.Errorf("got %s, want revoke", got)
	}
}

func TestNoGraceIsDueAtOnceAndNeedsNoClock(t *testing.T) {
	w := newWatch(t)
	w.finding.Violations[0].Policy = revoking(nil)
	w.expect(noon(0), "revoke")
	if len(w.state.Clocks) != 0 {
		t.Errorf("there are clocks: %v", w.state.Clocks)
	}
}

// due is a watch whose grace is over.
func due(t *testing.T) *watch {
	t.Helper()
	w := newWatch(t)
	for d := range 3 {
		w.expect(noon(d), "pending: grace")
	}
	w.expect(noon(3), "revoke")
	return w
}

func TestGraceStartsAnew(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(w *watch) // what happens on the fourth day
	}{
		{"after an exemption", func(w *watch) {
			w.finding.Violations[0].Exempt = &policy.Exception{Name: "x"}
			w.expect(noon(4), "exempt: x")
			w.finding.Violations[0].Exempt = nil
		}},
		{"after a hold of the policy", func(w *watch) {
			w.finding.Violations[0].Collateral = true
			w.expect(noon(4), "hold: collateral")
			w.finding.Violations[0].Collateral = false
		}},
		{"after the policy only reported", func(w *watch) {
			w.finding.Violations[0].Policy = patient(func(p *policy.Policy) { p.Action = policy.Report })
			w.expect(noon(4), "report: policy")
			w.finding.Violations[0].Policy = patient(nil)
		}},
		{"after the mode let nothing act", func(w *watch) {
			w.terms.MayAct = false
			w.expect(noon(4), "pending: grace")
			w.terms.MayAct = true
		}},
		{"after the policy did not object", func(w *watch) {
			w.sweep(noon(4), func(s *decision.Subject) {
				s.Findings, s.Present = nil, map[decision.ContentRef]bool{contentOf(w.finding): true}
			})
		}},
		{"after the policy had no grace", func(w *watch) {
			w.finding.Violations[0].Policy = revoking(nil)
			w.expect(noon(4), "revoke")
			w.finding.Violations[0].Policy = patient(nil)
		}},
		{"when the content changes", func(w *watch) { w.finding.Rule.Raw.PortRange = "22/23" }},
		{"in another group", func(w *watch) { w.finding.Group.ID = "sg-2" }},
		{"for another policy", func(w *watch) {
			w.finding.Violations[0].Policy = patient(func(p *policy.Policy) { p.Name = "q" })
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := due(t)
			test.change(w)
			got := w.sweep(noon(5), nil)
			want := decision.Verdict{Action: decision.Pending, Reason: decision.ReasonGrace, Until: noon(8), Detail: got.Detail}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the next day (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGraceGoesOn(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(w *watch) // what happens on the fourth day
	}{
		{"when the rule is added again", func(w *watch) {
			w.finding.Rule.ID, w.finding.Rule.Description = "sgr-2", "added again"
			w.finding.Rule.Raw.Created = "2027-01-05T00:00:00Z"
		}},
		{"after the group was not read whole", func(w *watch) {
			before := w.clock()
			w.finding.Incomplete = "page 2"
			w.expect(noon(4), "skip: incomplete")
			if diff := cmp.Diff(before, w.clock()); diff != "" {
				t.Errorf("the clock changed (-before +after):\n%s", diff)
			}
			w.finding.Incomplete = ""
		}},
		{"after a list was not read that an exception needs", func(w *watch) {
			destination := w.finding.Rule.Destination
			w.finding.Incomplete = "the prefix list pl-1 was not read"
			w.finding.Violations[0].Unsure = &policy.Exception{Name: "x"}
			w.expect(noon(4), "hold: exception-unknown")
			w.finding.Rule.Destination, w.finding.Incomplete = destination, ""
			w.finding.Violations[0].Unsure = nil
		}},
		{"after a pause", func(w *watch) {
			w.state.Paused = "by command"
			w.expect(noon(4), "hold: paused")
			w.state.Paused = ""
		}},
		{"after the set of policies changed", func(w *watch) {
			w.state.Reported = false
			w.expect(noon(4), "hold: new-policy")
			w.state.Reported = true
		}},
		{"after a limit was in the way", func(w *watch) {
			limits := w.terms.Limits
			w.terms.Limits.PerSweep = 0
			w.expect(noon(4), "hold: limit per-sweep")
			w.terms.Limits = limits
		}},
		{"after it was away for 30 days", func(w *watch) {
			for d := 4; d <= 33; d++ {
				w.sweep(noon(d), func(s *decision.Subject) { s.Findings = nil })
			}
			w.expect(noon(33), "revoke")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := due(t)
			test.change(w)
			at := noon(5)
			if seen := w.clock().LastSeen; seen.After(at) {
				at = seen
			}
			w.expect(at, "revoke")
		})
	}
}

func TestAClockIsDroppedAfterThirtyDaysOfAbsence(t *testing.T) {
	w := due(t)
	absent := func(s *decision.Subject) { s.Findings = nil }
	w.sweep(noon(33), absent)
	if w.clock() == (decision.Clock{}) {
		t.Error("the clock is gone after 30 days, want it kept until then")
	}
	w.sweep(noon(33).Add(time.Second), absent)
	if w.clock() != (decision.Clock{}) {
		t.Errorf("the clock is still there after more than 30 days: %v", w.clock())
	}
}

// Between two sweeps there may be a long time; a clock that nobody dropped must not count then.
func TestAClockIsNotBelievedAfterThirtyDaysWithoutASweep(t *testing.T) {
	w := due(t)
	w.expect(noon(3).Add(30*day+time.Second), "pending: grace")
	if got := w.clock(); got.Sweeps != 1 || got.Since != got.LastSeen {
		t.Errorf("the clock did not start anew: %v", got)
	}
}

func TestGraceStartsAnewAfterAHoldOfARestore(t *testing.T) {
	for _, test := range []struct {
		name  string
		first int // day of the first sweep after the restore
		until time.Time
	}{
		{"swept while it is held", 4, noon(9)},
		{"swept only after that", 7, noon(10)},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := due(t)
			w.state.Past[contentOf(w.finding)] = decision.Past{Revocations: 1, HeldUntil: noon(6)}
			got := w.sweep(noon(test.first), nil)
			if got.String() != "pending: grace" || !got.Until.Equal(test.until) {
				t.Errorf("got %s until %s, want pending: grace until %s", got, got.Until, test.until)
			}
			if test.first < 6 && w.clock() != (decision.Clock{}) {
				t.Errorf("a clock runs during the hold: %v", w.clock())
			}
			for d := 7; d < 10; d++ {
				w.expect(noon(d), "pending: grace")
			}
			w.expect(noon(10), "revoke")
		})
	}
}

func TestAClockThatIsAwayDuringAHoldIsDropped(t *testing.T) {
	w := due(t)
	w.state.Past[contentOf(w.finding)] = decision.Past{HeldUntil: noon(6)}
	w.sweep(noon(4), func(s *decision.Subject) { s.Findings = nil })
	if w.clock() != (decision.Clock{}) {
		t.Errorf("the clock is still there: %v", w.clock())
	}
}

func TestATimeThatJumpsBackwardsNeverShortensGrace(t *testing.T) {
	w := newWatch(t)
	w.expect(noon(10), "pending: grace")
	w.expect(noon(9), "pending: grace")
	w.expect(noon(-20), "pending: grace")
	if got := w.clock().Since; !got.Equal(noon(10)) {
		t.Errorf("the clock began at %s, and after the jump it says %s", noon(10), got)
	}
	w.expect(noon(9), "pending: grace")
	w.expect(noon(12), "pending: grace")
	w.expect(noon(13), "revoke")
}

func TestTwoRulesOfOneContentShareAClock(t *testing.T) {
	exempt := &policy.Exception{Name: "x"}
	for _, test := range []struct {
		name string
		twin func(*decision.Finding)
		want string
	}{
		{"of the same standing", func(*decision.Finding) {}, "revoke"},
		{"one of them exempt by its description", func(f *decision.Finding) { f.Violations[0].Exempt = exempt }, "exempt: x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWatch(t)
			twin := *w.finding
			twin.Rule.ID, twin.Rule.Description = "sgr-2", "twin"
			twin.Violations = []policy.Violation{w.finding.Violations[0]}
			test.twin(&twin)
			both := func(s *decision.Subject) { s.Findings = append(s.Findings, twin) }
			for d := range 3 {
				w.sweep(noon(d), both)
			}
			if got := w.clock().Sweeps; got != 3 {
				t.Errorf("after three sweeps the clock counts %d", got)
			}
			s := &decision.Subject{Findings: []decision.Finding{twin, *w.finding}, Complete: true, Now: noon(3)}
			w.terms.Decide(s, w.state)
			if got := s.Findings[0].Decision.String(); got != test.want {
				t.Errorf("the twin: got %s, want %s", got, test.want)
			}
			if got := s.Findings[1].Decision.String(); got != "revoke" {
				t.Errorf("the rule: got %s, want revoke", got)
			}
		})
	}
}

func TestInAModeThatMayNotActGraceIsToldAndNoClockRuns(t *testing.T) {
	w := due(t)
	w.terms.MayAct = false
	got := w.sweep(noon(4), nil)
	want := decision.Verdict{
		Action: decision.Pending, Reason: decision.ReasonGrace, Until: noon(7),
		Detail: "the 72h of grace begin when the mode lets something be revoked",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
	if w.state.Clocks == nil || len(w.state.Clocks) != 0 {
		t.Errorf("clocks: got %v, want an empty map, which drops them all", w.state.Clocks)
	}
}

func TestGraceOfOnePolicyDoesNotProtectFromAnother(t *testing.T) {
	w := newWatch(t)
	impatient := revoking(func(p *policy.Policy) { p.Name = "q" })
	w.finding.Violations = append(w.finding.Violations, policy.Violation{Policy: impatient})
	s := &decision.Subject{Findings: []decision.Finding{*w.finding}, Complete: true, Now: noon(0)}
	w.terms.Decide(s, w.state)
	got := s.Findings[0].Decision
	verdicts := []string{got.String(), got.Policies[0].String(), got.Policies[1].String()}
	if diff := cmp.Diff([]string{"revoke", "pending: grace", "candidate"}, verdicts); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

func TestOfSeveralGracesTheHeadlineTellsTheFirstToEnd(t *testing.T) {
	w := newWatch(t)
	for _, name := range []string{"q", "r"} {
		p := patient(func(p *policy.Policy) { p.Name = name })
		if name == "q" {
			p.Grace = 2 * day
		}
		w.finding.Violations = append(w.finding.Violations, policy.Violation{Policy: p})
	}
	if got := w.sweep(noon(0), nil); !got.Until.Equal(noon(2)) {
		t.Errorf("got %s until %s, want the grace that ends at %s", got, got.Until, noon(2))
	}
}

func TestOfSeveralExemptionsTheHeadlineTellsThatOfTheFirstPolicy(t *testing.T) {
	w := newWatch(t)
	w.finding.Violations[0].Exempt = &policy.Exception{Name: "x"}
	w.finding.Violations = append(w.finding.Violations, policy.Violation{
		Policy: patient(func(p *policy.Policy) { p.Name = "q" }), Exempt: &policy.Exception{Name: "y"},
	})
	w.expect(noon(0), "exempt: x")
}

func TestPendingIsNearerToRevocationThanAHoldAndNotPartOfTheBatch(t *testing.T) {
	w := newWatch(t)
	w.finding.Group.ServiceManaged = true // no guard is asked while the policy waits
	held := revoking(func(p *policy.Policy) { p.Name = "q" })
	w.finding.Violations = append(w.finding.Violations, policy.Violation{Policy: held, Collateral: true})
	s := &decision.Subject{Findings: []decision.Finding{*w.finding}, Complete: true, Now: noon(0)}
	w.terms.Decide(s, w.state)
	if got := s.Findings[0].Decision; got.String() != "pending: grace" || got.Batch {
		t.Errorf("got %s (batch %t), want pending: grace outside of the batch", got, got.Batch)
	}
}

func TestACheckOfOpenRevocationsOnlyReadsClocks(t *testing.T) {
	w := due(t)
	w.state.Open[ruleOf(w.finding)] = true
	absent := decision.ClockKey{ContentRef: decision.ContentRef{Group: "sg-9", Key: "away"}, Policy: "p"}
	w.state.Clocks[absent] = decision.Clock{Since: noon(-90), LastSeen: noon(-60), Sweeps: 3}
	before := w.state.Clocks
	again := func(s *decision.Subject) { s.Again = &decision.Again{} }
	if got := w.sweep(noon(3).Add(time.Minute), again); got.String() != "revoke" {
		t.Errorf("got %s, want revoke", got)
	}
	if diff := cmp.Diff(before, w.state.Clocks); diff != "" {
		t.Errorf("clocks (-before +after):\n%s", diff)
	}
	delete(w.state.Clocks, decision.ClockKey{ContentRef: contentOf(w.finding), Policy: "p"})
	if got := w.sweep(noon(3).Add(time.Minute), again); got.String() != "pending: grace" {
		t.Errorf("without a clock: got %s, want pending: grace", got)
	}
}

// What a list holds is not part of a rule's content, and a list that was not read is no reason to forget.
func TestAListThatWasNotReadLeavesTheClockAlone(t *testing.T) {
	w := newWatch(t)
	list := &sg.PrefixList{ID: "pl-1"}
	w.finding.Rule.Destination = sg.Destination{Kind: sg.FromList, Text: "pl-1", List: list}
	for d := range 3 {
		w.expect(noon(d), "pending: grace")
	}
	w.finding.Rule.Destination.List = nil
	w.expect(noon(3), "skip: incomplete")
	w.finding.Rule.Destination.List = list
	w.expect(noon(4), "revoke")
}
