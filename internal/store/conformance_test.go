package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

func TestBothStoresConform(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		conform(t, func(_ *testing.T, c *clock) twin { return store.NewMemory(c.now) })
	})
	t.Run("sqlite", func(t *testing.T) {
		conform(t, func(t *testing.T, c *clock) twin { t.Helper(); return openAt(t, storePath(t), c) })
	})
}

// conform is the suite that every store must pass. Each part gets a store that is new but armed.
func conform(t *testing.T, open func(*testing.T, *clock) twin) {
	t.Helper()
	t.Run("a new store is not armed, and resume arms it", func(t *testing.T) { newStoreIsNotArmed(t, open) })
	for _, part := range []struct {
		name string
		test func(*testing.T, twin, *clock)
	}{
		{"a sweep comes back as it was recorded", sweepComesBack},
		{"a sweep is committed once, and only if it was started", commitsOnce},
		{"a decision that fails records nothing", failingDecision},
		{"the state has what was before", stateHasThePast},
		{"what a removal does is on record", effectIsOnRecord},
		{"a state that decide spoils does no harm", spoiledState},
		{"clocks are replaced as a whole", clocksAreReplaced},
		{"the window counts over accounts and into the future", windowCounts},
		{"what failed counts if a call may have had an effect", failedCounts},
		{"a report is of one account in the same regions", reportedInScope},
		{"an account that gets another name keeps its past", renamed},
		{"a name that was never swept has the past of the name", neverSwept},
		{"what was given up is doubted unless a later revocation explains it", doubts},
		{"a rule has one open revocation", oneOpenRevocation},
		{"a sweep that may not act revokes nothing", actingOnly},
		{"open work is grouped and has its calls", openWork},
		{"a call is for open revocations of its group, once", recordRefuses},
		{"nothing is recorded while paused but restores", pauseHolds},
		{"a call has one answer", oneAnswer},
		{"a revocation has one outcome", oneOutcome},
		{"several outcomes are all recorded or none", outcomesTogether},
		{"an outcome is amended to confirmed only", amends},
		{"a restore is opened, carried out and ended once", restores},
		{"a recheck knows the rest of its sweep", recheckShares},
		{"the last start is the last recorded that was not interrupted", lastStart},
		{"history is filtered, newest first", filters},
		{"totals count", totals},
		{"a copy of a feed comes back and replaces the earlier one", feedCopies},
		{"a copy that cannot be kept is refused", feedRefusals},
		{"uses of sets are compared and kept", setUses},
		{"an accepted set is in the audit log with what it was", acceptedSets},
		{"files of policies are kept once by their hash", policyFiles},
		{"the latest policies are those of the last sweep by schedule", latestPolicies},
		{"first sightings only move back", firstSightings},
		{"every change is in the audit log", auditHasAll},
		{"one account is locked once", locksOnce},
	} {
		t.Run(part.name, func(t *testing.T) {
			c := newClock()
			s := open(t, c)
			must(t, s.Resume(t.Context(), "ann", "start"))
			part.test(t, s, c)
			v := got[*store.Verification](t)(s.Verify(t.Context()))
			if v.Broken != "" {
				t.Errorf("the audit log does not verify: %s", v.Broken)
			}
		})
	}
}

func newStoreIsNotArmed(t *testing.T, open func(*testing.T, *clock) twin) {
	t.Helper()
	c := newClock()
	s := open(t, c)
	w := got[store.Switches](t)(s.Switches(t.Context()))
	if w.Armed || !strings.Contains(w.Hold(), "not armed") || !strings.Contains(w.Hold(), "resume") {
		t.Errorf("a new store has %+v and holds by %q", w, w.Hold())
	}
	if state := one("s1", c.tick()).do(t, s); state.Paused != w.Hold() {
		t.Errorf("decisions see %q, want %q", state.Paused, w.Hold())
	}
	must(t, s.Resume(t.Context(), "ann", "looked at the report"))
	same(t, "switches", store.Switches{Armed: true, Actor: "ann", Reason: "looked at the report", Since: c.now()},
		got[store.Switches](t)(s.Switches(t.Context())))
	c.tick()
	must(t, s.Pause(t.Context(), "bob", "incident 7"))
	w = got[store.Switches](t)(s.Switches(t.Context()))
	want := "paused by bob at 2026-11-23T12:00:02Z: incident 7; `egress-janitor resume --reason ...` ends it"
	if w.Hold() != want {
		t.Errorf("got %q, want %q", w.Hold(), want)
	}
}

func sweepComesBack(t *testing.T, s twin, c *clock) {
	t.Helper()
	r := one("s1", c.tick())
	r.broken = true
	_, err := s.Start(t.Context(), r.start())
	must(t, err)
	want := store.SweepRecord{
		ID: "s1", Account: "prod", AccountID: "ID of prod", Regions: []string{"*"}, Origin: revoker.BySchedule,
		Actor: "daemon", Mode: "enforce", Acting: true, PolicyHash: "hash", Started: r.at,
	}
	same(t, "started", []store.SweepRecord{want}, got[[]store.SweepRecord](t)(s.Sweeps(t.Context(), store.SweepFilter{})))
	must(t, s.Commit(t.Context(), r.result(), func(*decision.State) (*sweep.Commit, error) {
		return &sweep.Commit{Revocations: r.revocations()}, nil
	}))
	want.Finished, want.Groups, want.Rules, want.Findings, want.Revocations = r.at.Add(time.Second), 1, 150, 1, 1
	want.Problems = []string{"region cn-a: group sg-9: page 2 is missing"}
	same(t, "finished", []store.SweepRecord{want}, got[[]store.SweepRecord](t)(s.Sweeps(t.Context(), store.SweepFilter{ID: "s1"})))
	same(t, "findings", []store.FindingRecord{{
		Region: "cn-a", Group: "sg-1", GroupName: "name of sg-1", Rule: rule("sgr-1", "22/22"), Action: "revoke", Detail: "in words",
		Policies: []store.FindingPolicy{
			{Name: "p1", Severity: "low", Verdict: "candidate", Because: []string{"it is so"}},
			{Name: "p2", Severity: "low", Verdict: "exempt: x"},
		},
	}}, got[[]store.FindingRecord](t)(s.Findings(t.Context(), "s1")))
}

func commitsOnce(t *testing.T, s twin, c *clock) {
	t.Helper()
	nothing := func(*decision.State) (*sweep.Commit, error) { return &sweep.Commit{}, nil }
	r := one("s1", c.tick())
	wantError(t, s.Commit(t.Context(), r.result(), nothing), "never started")
	r.do(t, s)
	wantError(t, s.Commit(t.Context(), r.result(), nothing), "finished before")
	_, err := s.Start(t.Context(), r.start())
	wantError(t, err, "s1")
	other := one("s2", c.tick())
	_, err = s.Start(t.Context(), other.start())
	must(t, err)
	if n := got[int](t)(s.Interrupted(t.Context(), "prod")); n != 1 {
		t.Errorf("%d sweeps interrupted, want 1", n)
	}
	wantError(t, s.Commit(t.Context(), other.result(), nothing), "interrupted")
}

func failingDecision(t *testing.T, s twin, c *clock) {
	t.Helper()
	r := one("s1", c.tick())
	_, err := s.Start(t.Context(), r.start())
	must(t, err)
	before := got[*store.Totals](t)(s.Totals(t.Context()))
	broken := errors.New("cannot decide")
	err = s.Commit(t.Context(), r.result(), func(*decision.State) (*sweep.Commit, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want what decide said", err)
	}
	same(t, "totals after a failing decision", before, got[*store.Totals](t)(s.Totals(t.Context())))
	r.commit(t, s)
}

// commit commits a sweep that was started.
func (r *run) commit(t *testing.T, s twin) {
	t.Helper()
	must(t, s.Commit(t.Context(), r.result(), func(*decision.State) (*sweep.Commit, error) {
		return &sweep.Commit{Revocations: r.revocations()}, nil
	}))
}

func stateHasThePast(t *testing.T, s twin, c *clock) {
	t.Helper()
	content := func() decision.ContentRef {
		x := rule("sgr-1", "22/22")
		return decision.ContentRef{Region: "cn-a", Group: "sg-1", Key: x.ContentKey()}
	}()
	broken := one("s0", c.tick())
	broken.broken, broken.revoke = true, false
	broken.do(t, s)
	state := one("s1", c.tick()).do(t, s)
	if state.Reported || state.Paused != "" || len(state.Open) != 0 || state.Window != 0 {
		t.Errorf("after an incomplete sweep: %+v", state)
	}
	must(t, s.Finish(t.Context(), []revoker.Ending{ending("s1-r1", revoker.Confirmed, c.tick())}))
	again := one("s2", c.tick())
	again.rules["sg-1"] = []sg.Rule{rule("sgr-2", "22/22")} // the same content
	state = again.do(t, s)
	same(t, "past", map[decision.ContentRef]decision.Past{content: {Revocations: 1}}, state.Past)
	if !state.Reported || state.Window != 1 || len(state.Open) != 0 {
		t.Errorf("after a complete sweep: %+v", state)
	}
	must(t, s.AddRestores(t.Context(), []revoker.Restore{restore("u1", "s1-r1", c.tick())}))
	other := one("s3", c.tick())
	other.hash, other.revoke = "another hash", false
	state = other.do(t, s)
	same(t, "held", map[decision.ContentRef]decision.Past{
		content: {Revocations: 1, HeldUntil: restore("", "", c.now().Add(-time.Second)).HoldUntil},
	}, state.Past)
	same(t, "open", map[decision.RuleRef]bool{{Region: "cn-a", Group: "sg-1", Key: "sgr-2"}: true}, state.Open)
	if state.Reported {
		t.Error("another set of policies was not reported before")
	}
}

func spoiledState(t *testing.T, s twin, c *clock) {
	t.Helper()
	one("s1", c.tick()).do(t, s)
	r := one("s2", c.tick())
	_, err := s.Start(t.Context(), r.start())
	must(t, err)
	err = s.Commit(t.Context(), r.result(), func(state *decision.State) (*sweep.Commit, error) {
		clear(state.Open)
		clear(state.Past)
		return &sweep.Commit{Revocations: r.revocations()}, nil
	})
	wantError(t, err, "has an open revocation")
}

func clocksAreReplaced(t *testing.T, s twin, c *clock) {
	t.Helper()
	key := func(group, policy string) decision.ClockKey {
		return decision.ClockKey{ContentRef: decision.ContentRef{Region: "cn-a", Group: group, Key: "k"}, Policy: policy}
	}
	commit := func(id, account string, clocks map[decision.ClockKey]decision.Clock) (seen map[decision.ClockKey]decision.Clock) {
		r := one(id, c.tick())
		r.account, r.revoke = account, false
		_, err := s.Start(t.Context(), r.start())
		must(t, err)
		must(t, s.Commit(t.Context(), r.result(), func(state *decision.State) (*sweep.Commit, error) {
			seen = state.Clocks
			return &sweep.Commit{Clocks: clocks}, nil
		}))
		return seen
	}
	first := map[decision.ClockKey]decision.Clock{
		key("sg-2", "p"): {Since: c.now(), LastSeen: c.now(), Sweeps: 1}, key("sg-1", "p"): {Since: c.now(), LastSeen: c.now(), Sweeps: 2},
		key("sg-1", "q"): {Sweeps: 1},
	}
	second := map[decision.ClockKey]decision.Clock{key("sg-1", "p"): {Since: c.now(), LastSeen: c.now(), Sweeps: 3}}
	commit("s1", "prod", first)
	commit("s2", "test", second)
	r := one("s3", c.tick())
	refs, err := s.Start(t.Context(), r.start())
	must(t, err)
	same(t, "contents with a clock", []decision.ContentRef{key("sg-1", "").ContentRef, key("sg-2", "").ContentRef}, refs)
	same(t, "clocks", first, commit("s4", "prod", second))
	same(t, "clocks that replaced them", second, commit("s5", "prod", nil))
	same(t, "no clocks", map[decision.ClockKey]decision.Clock{}, commit("s6", "prod", nil))
}

func windowCounts(t *testing.T, s twin, c *clock) {
	t.Helper()
	outcomes := []revoker.Outcome{
		revoker.Confirmed, revoker.Failed, revoker.Withdrawn, revoker.Changed, revoker.AlreadyAbsent, "",
	}
	for i, outcome := range outcomes {
		r := one("s"+string(outcome), c.now())
		r.account = []string{"prod", "test"}[i%2]
		r.do(t, s)
		if outcome != "" {
			must(t, s.Finish(t.Context(), []revoker.Ending{ending(r.id+"-r1", outcome, c.tick())}))
		}
	}
	for _, test := range []struct {
		after time.Duration
		want  int
	}{
		{0, 2}, // nothing was sent of the failed one
		{decision.Window - time.Minute, 2},
		{decision.Window + time.Minute, 0},
		{-time.Hour, 2}, // the clock has jumped back
	} {
		c.at = start.Add(test.after)
		again := got[*sweep.Recheck](t)(s.Recheck(t.Context(), ref("prod", "sg-1"), "hash"))
		if again.State.Window != test.want {
			t.Errorf("after %s: %d in the window, want %d", test.after, again.State.Window, test.want)
		}
		if n := got[*store.Totals](t)(s.Totals(t.Context())).WindowUsed; n != test.want {
			t.Errorf("after %s: totals say %d, want %d", test.after, n, test.want)
		}
	}
}

func oneOpenRevocation(t *testing.T, s twin, c *clock) {
	t.Helper()
	one("s1", c.tick()).do(t, s)
	for _, test := range []struct {
		name string
		make func() []revoker.Revocation
		want string
	}{
		{"one that is open", func() []revoker.Revocation { return one("s2", c.now()).revocations() }, "has an open revocation"},
		{"twice in one sweep", func() []revoker.Revocation {
			list := one("s2", c.now()).revocations()
			list[0].Rule = rule("sgr-2", "1/1")
			other := list[0]
			other.ID = "other"
			return append(list, other)
		}, "has an open revocation"},
		{"an ID twice", func() []revoker.Revocation {
			list := one("s2", c.now()).revocations()
			list[0].ID, list[0].Rule = "s1-r1", rule("sgr-3", "1/1")
			return list
		}, ""},
		{"of another sweep", func() []revoker.Revocation {
			list := one("s2", c.now()).revocations()
			list[0].Sweep, list[0].Rule = "s1", rule("sgr-3", "1/1")
			return list
		}, "of sweep s1"},
		{"without a policy", func() []revoker.Revocation {
			list := one("s2", c.now()).revocations()
			list[0].Policies, list[0].Rule = nil, rule("sgr-3", "1/1")
			return list
		}, "no policy"},
	} {
		r := one("s2", c.tick())
		r.id = "s2"
		if len(got[[]store.SweepRecord](t)(s.Sweeps(t.Context(), store.SweepFilter{ID: "s2"}))) == 0 {
			_, err := s.Start(t.Context(), r.start())
			must(t, err)
		}
		err := s.Commit(t.Context(), r.result(), func(*decision.State) (*sweep.Commit, error) {
			return &sweep.Commit{Revocations: test.make()}, nil
		})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want %q in it", test.name, err, test.want)
		}
	}
	if n := len(got[[]store.RevocationRecord](t)(s.Revocations(t.Context(), store.RevocationFilter{}))); n != 1 {
		t.Errorf("%d revocations are recorded, want the first alone", n)
	}
}

func actingOnly(t *testing.T, s twin, c *clock) {
	t.Helper()
	r := one("s1", c.tick())
	begin := r.start()
	begin.Acting = false
	_, err := s.Start(t.Context(), begin)
	must(t, err)
	wantError(t, s.Commit(t.Context(), r.result(), func(*decision.State) (*sweep.Commit, error) {
		return &sweep.Commit{Revocations: r.revocations()}, nil
	}), "may not act")
}

func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got error %v, want %q in it", err, text)
	}
}
