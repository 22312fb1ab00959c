package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// two is a sweep that revokes three rules of two groups: s-r1 of sg-1, s-r2 and s-r3 of sg-2.
func two(t *testing.T, s twin, c *clock) *run {
	t.Helper()
	r := one("s", c.tick())
	r.order = []string{"sg-1", "sg-2"}
	r.rules["sg-2"] = []sg.Rule{rule("sgr-2", "80/80"), rule("sgr-3", "443/443")}
	r.do(t, s)
	return r
}

func openWork(t *testing.T, s twin, c *clock) {
	t.Helper()
	r := two(t, s, c)
	first := call("c1", c.tick(), ref("prod", "sg-2"), "s-r3", "s-r2")
	second := call("c2", c.tick(), ref("prod", "sg-2"), "s-r2")
	must(t, s.Record(t.Context(), first))
	must(t, s.Record(t.Context(), second))
	answer := revoker.Answer{
		State: revoker.CallUnknown, Class: sg.ClassTransient, Code: "InternalError", RequestID: "q", Detail: "no idea", At: c.tick(),
	}
	must(t, s.Answer(t.Context(), "c1", answer))
	first.State, first.Answer = revoker.CallUnknown, answer
	list := r.revocations()
	same(t, "open work", []revoker.Work{
		{Ref: ref("prod", "sg-1"), Revocations: list[:1]},
		{Ref: ref("prod", "sg-2"), Revocations: list[1:], Calls: []revoker.Call{*first, *second}},
	}, got[[]revoker.Work](t)(s.Open(t.Context(), "prod")))
	same(t, "accounts", []string{"prod"}, got[[]string](t)(s.OpenAccounts(t.Context())))
	must(t, s.Finish(t.Context(), []revoker.Ending{
		ending("s-r1", revoker.Confirmed, c.tick()), ending("s-r2", revoker.Failed, c.now()),
	}))
	same(t, "what is left", []revoker.Work{
		{Ref: ref("prod", "sg-2"), Revocations: list[2:], Calls: []revoker.Call{*first}},
	}, got[[]revoker.Work](t)(s.Open(t.Context(), "prod")))
	same(t, "of another account", []revoker.Work{}, got[[]revoker.Work](t)(s.Open(t.Context(), "test")))
}

func recordRefuses(t *testing.T, s twin, c *clock) {
	t.Helper()
	two(t, s, c)
	must(t, s.Finish(t.Context(), []revoker.Ending{ending("s-r3", revoker.Withdrawn, c.tick())}))
	must(t, s.Record(t.Context(), call("c1", c.tick(), ref("prod", "sg-1"), "s-r1")))
	for _, test := range []struct {
		name  string
		apply func(*revoker.Call)
		want  string
	}{
		{"an ID twice", func(x *revoker.Call) { x.ID = "c1" }, "c1"},
		{"no ID", func(x *revoker.Call) { x.ID = "" }, "without an ID"},
		{"an unknown action", func(x *revoker.Call) { x.Action = "DeleteSecurityGroup" }, "unknown action"},
		{"nothing carried", func(x *revoker.Call) { x.Carries = nil }, "carries nothing"},
		{"a revocation twice", func(x *revoker.Call) { x.Carries = []string{"s-r2", "s-r2"} }, "twice"},
		{"a revocation that has ended", func(x *revoker.Call) { x.Carries = []string{"s-r2", "s-r3"} }, "has ended (withdrawn)"},
		{"a revocation that nobody knows", func(x *revoker.Call) { x.Carries = []string{"s-r9"} }, "not recorded"},
		{"a revocation of another group", func(x *revoker.Call) { x.Carries = []string{"s-r1"} }, "of group sg-1"},
		{"an answer before it is sent", func(x *revoker.Call) { x.State = revoker.CallSucceeded }, "before it is recorded"},
		{"a restore as a revocation", func(x *revoker.Call) { x.Action = revoker.ActionAuthorize }, "not recorded"},
	} {
		x := call("c2", c.tick(), ref("prod", "sg-2"), "s-r2")
		test.apply(x)
		t.Run(test.name, func(t *testing.T) { wantError(t, s.Record(t.Context(), x), test.want) })
	}
	must(t, s.Record(t.Context(), call("c2", c.tick(), ref("prod", "sg-2"), "s-r2")))
}

func pauseHolds(t *testing.T, s twin, c *clock) {
	t.Helper()
	two(t, s, c)
	must(t, s.Finish(t.Context(), []revoker.Ending{ending("s-r1", revoker.Confirmed, c.tick())}))
	must(t, s.AddRestores(t.Context(), []revoker.Restore{restore("u1", "s-r1", c.tick())}))
	must(t, s.Pause(t.Context(), "bob", "incident"))
	err := s.Record(t.Context(), call("c1", c.tick(), ref("prod", "sg-2"), "s-r2"))
	if !errors.Is(err, store.ErrOnHold) {
		t.Errorf("got %v, want that nothing may be revoked", err)
	}
	undo := call("c2", c.tick(), ref("prod", "sg-1"), "u1")
	undo.Action = revoker.ActionAuthorize
	must(t, s.Record(t.Context(), undo))
	must(t, s.Resume(t.Context(), "bob", "over"))
	must(t, s.Record(t.Context(), call("c1", c.tick(), ref("prod", "sg-2"), "s-r2")))
}

func oneAnswer(t *testing.T, s twin, c *clock) {
	t.Helper()
	two(t, s, c)
	ok := revoker.Answer{State: revoker.CallSucceeded, Class: sg.ClassOK, At: c.tick()}
	wantError(t, s.Answer(t.Context(), "c1", ok), "not recorded")
	must(t, s.Record(t.Context(), call("c1", c.tick(), ref("prod", "sg-1"), "s-r1")))
	wantError(t, s.Answer(t.Context(), "c1", revoker.Answer{State: revoker.CallRecorded}), "none of an answer")
	must(t, s.Answer(t.Context(), "c1", ok))
	wantError(t, s.Answer(t.Context(), "c1", ok), "has its answer (succeeded)")
}

func oneOutcome(t *testing.T, s twin, c *clock) {
	t.Helper()
	two(t, s, c)
	finish := func(e revoker.Ending) error { return s.Finish(t.Context(), []revoker.Ending{e}) }
	wantError(t, finish(ending("s-r9", revoker.Failed, c.now())), "not recorded")
	wantError(t, finish(ending("s-r1", "", c.now())), "unknown outcome")
	wantError(t, finish(ending("s-r1", "gone", c.now())), "unknown outcome")
	attributed := ending("s-r1", revoker.Failed, c.now())
	attributed.Attribution = revoker.Presumed
	wantError(t, finish(attributed), "cannot be attributed")
	must(t, finish(ending("s-r1", revoker.Confirmed, c.tick())))
	wantError(t, finish(ending("s-r1", revoker.Failed, c.now())), "has ended (confirmed)")
	r := got[[]store.RevocationRecord](t)(s.Revocations(t.Context(), store.RevocationFilter{ID: "s-r1"}))[0]
	same(t, "the end", ending("s-r1", revoker.Confirmed, c.now()), revoker.Ending{
		Revocation: r.ID, Outcome: r.Outcome, Attribution: r.Attribution, Detail: r.Detail, At: r.Ended,
	})
	// A rule whose revocation has ended can be revoked anew.
	again := one("s2", c.tick())
	again.do(t, s)
}

func outcomesTogether(t *testing.T, s twin, c *clock) {
	t.Helper()
	two(t, s, c)
	must(t, s.Finish(t.Context(), nil))
	for _, second := range []string{"s-r9", "s-r2"} {
		wantError(t, s.Finish(t.Context(), []revoker.Ending{
			ending("s-r2", revoker.Failed, c.now()), ending(second, revoker.Confirmed, c.now()),
		}), second)
	}
	if n := len(got[[]revoker.Work](t)(s.Open(t.Context(), "prod"))[1].Revocations); n != 2 {
		t.Errorf("%d are open after outcomes that were refused, want 2", n)
	}
}

func amends(t *testing.T, s twin, c *clock) {
	t.Helper()
	two(t, s, c)
	wantError(t, s.Amend(t.Context(), ending("s-r1", revoker.Confirmed, c.now())), "cannot be amended")
	must(t, s.Finish(t.Context(), []revoker.Ending{
		ending("s-r1", revoker.Failed, c.tick()), ending("s-r2", revoker.Changed, c.now()), ending("s-r3", revoker.Withdrawn, c.now()),
	}))
	wantError(t, s.Amend(t.Context(), ending("s-r1", revoker.Withdrawn, c.now())), "confirmed only")
	wantError(t, s.Amend(t.Context(), ending("s-r2", revoker.Confirmed, c.now())), "cannot be amended")
	wantError(t, s.Amend(t.Context(), ending("s-r9", revoker.Confirmed, c.now())), "not recorded")
	must(t, s.Amend(t.Context(), ending("s-r1", revoker.Confirmed, c.tick())))
	must(t, s.Amend(t.Context(), ending("s-r3", revoker.Confirmed, c.tick())))
	wantError(t, s.Amend(t.Context(), ending("s-r3", revoker.Confirmed, c.now())), "cannot be amended")
	entries := got[[]store.Entry](t)(s.Entries(t.Context(), 0, 0))
	if last := entries[len(entries)-1]; last.Kind != store.KindAmended {
		t.Errorf("the last entry is %s, want the amendment", last.Kind)
	}
}

func restores(t *testing.T, s twin, c *clock) {
	t.Helper()
	two(t, s, c)
	add := func(list ...revoker.Restore) error { return s.AddRestores(t.Context(), list) }
	wantError(t, add(restore("u1", "s-r1", c.tick())), "still open")
	must(t, s.Finish(t.Context(), []revoker.Ending{ending("s-r1", revoker.Confirmed, c.tick())}))
	wantError(t, add(restore("u1", "s-r9", c.now())), "not recorded")
	foreign := restore("u1", "s-r1", c.now())
	foreign.Ref.Group = "sg-2"
	wantError(t, add(foreign), "is of group sg-1")
	wantError(t, add(restore("u1", "s-r1", c.now()), restore("u2", "s-r1", c.now())), "another restore")
	same(t, "accounts", []string{"prod"}, got[[]string](t)(s.OpenAccounts(t.Context())))
	u := restore("u1", "s-r1", c.tick())
	must(t, add(u))
	x := call("c1", c.tick(), ref("prod", "sg-1"), "u1")
	x.Action = revoker.ActionAuthorize
	must(t, s.Record(t.Context(), x))
	same(t, "open restores", []revoker.RestoreWork{{Restore: u, Calls: []revoker.Call{*x}}},
		got[[]revoker.RestoreWork](t)(s.OpenRestores(t.Context(), "prod")))
	u.Outcome, u.RuleID, u.Detail, u.Ended = revoker.Restored, "sgr-9", "there", c.tick()
	unknown := u
	unknown.Outcome = "perhaps"
	wantError(t, s.FinishRestore(t.Context(), &unknown), "unknown outcome")
	must(t, s.FinishRestore(t.Context(), &u))
	wantError(t, s.FinishRestore(t.Context(), &u), "has ended (restored)")
	wantError(t, s.Record(t.Context(), func() *revoker.Call { y := *x; y.ID = "c2"; return &y }()), "has ended")
	same(t, "no open restores", []revoker.RestoreWork{}, got[[]revoker.RestoreWork](t)(s.OpenRestores(t.Context(), "prod")))
	r := got[[]store.RevocationRecord](t)(s.Revocations(t.Context(), store.RevocationFilter{ID: "s-r1"}))[0]
	same(t, "restores of the revocation", []revoker.Restore{u}, r.Restores)
	if len(r.Calls) != 0 {
		t.Errorf("the call of the restore passes for one of the revocation: %+v", r.Calls)
	}
	must(t, add(restore("u2", "s-r1", c.tick()))) // somebody removed it again
}

func recheckShares(t *testing.T, s twin, c *clock) {
	t.Helper()
	two(t, s, c)
	must(t, s.Finish(t.Context(), []revoker.Ending{ending("s-r2", revoker.Withdrawn, c.tick())}))
	again := got[*sweep.Recheck](t)(s.Recheck(t.Context(), ref("prod", "sg-1"), "hash"))
	want := map[string]sweep.Share{"s": {AccountID: "ID of prod", Rules: 150}}
	share := want["s"]
	share.Again.Elsewhere, share.Again.ElsewhereByPolicy = 1, map[string]int{"p1": 1}
	want["s"] = share
	same(t, "shares", want, again.Sweeps)
	if !again.State.Reported || again.State.Window != 2 || len(again.State.Open) != 1 {
		t.Errorf("state %+v, want the own revocation in the window, and of the open ones that of the group", again.State)
	}
	same(t, "of a group without work", map[string]sweep.Share{},
		got[*sweep.Recheck](t)(s.Recheck(t.Context(), ref("prod", "sg-7"), "hash")).Sweeps)
}

func lastStart(t *testing.T, s twin, c *clock) {
	t.Helper()
	if _, ok, err := s.LastStarted(t.Context(), "prod"); ok || err != nil {
		t.Errorf("a sweep was started before any was (%v)", err)
	}
	first := one("s1", c.tick())
	first.revoke = false
	first.do(t, s)
	future := one("s2", c.now().Add(time.Hour))
	future.do(t, s)
	back := one("s3", c.tick())
	_, err := s.Start(t.Context(), back.start())
	must(t, err)
	check := func(want time.Time) {
		t.Helper()
		if at, ok, err := s.LastStarted(t.Context(), "prod"); !ok || err != nil || !at.Equal(want) {
			t.Errorf("last start %s, %t, %v, want %s", at, ok, err, want)
		}
	}
	check(back.at) // though the clock has jumped back
	for _, want := range []int{1, 0} {
		if n := got[int](t)(s.Interrupted(t.Context(), "prod")); n != want {
			t.Errorf("%d interrupted, want %d", n, want)
		}
	}
	check(future.at)
	list := got[[]store.SweepRecord](t)(s.Sweeps(t.Context(), store.SweepFilter{Limit: 1}))
	if len(list) != 1 || list[0].ID != "s3" || !list[0].Interrupted {
		t.Errorf("the newest sweep is %+v, want s3, interrupted", list)
	}
}

func filters(t *testing.T, s twin, c *clock) {
	t.Helper()
	r := two(t, s, c)
	later := one("t", c.tick())
	later.account = "test"
	later.do(t, s)
	must(t, s.Finish(t.Context(), []revoker.Ending{ending("s-r2", revoker.Failed, c.tick())}))
	for _, test := range []struct {
		name   string
		filter store.RevocationFilter
		want   []string
	}{
		{"all", store.RevocationFilter{}, []string{"t-r1", "s-r3", "s-r2", "s-r1"}},
		{"by ID", store.RevocationFilter{ID: "s-r2"}, []string{"s-r2"}},
		{"by sweep", store.RevocationFilter{Sweep: "t"}, []string{"t-r1"}},
		{"by account", store.RevocationFilter{Account: "test"}, []string{"t-r1"}},
		{"by region", store.RevocationFilter{Region: "cn-b"}, nil},
		{"by group", store.RevocationFilter{Group: "sg-2"}, []string{"s-r3", "s-r2"}},
		{"by rule", store.RevocationFilter{Rule: "sgr-1"}, []string{"t-r1", "s-r1"}},
		{"by policy", store.RevocationFilter{Policy: "p2"}, nil},
		{"by policy and group", store.RevocationFilter{Policy: "p1", Group: "sg-1", Account: "prod"}, []string{"s-r1"}},
		{"by outcome", store.RevocationFilter{Outcome: "failed"}, []string{"s-r2"}},
		{"open", store.RevocationFilter{Outcome: store.OutcomeOpen}, []string{"t-r1", "s-r3", "s-r1"}},
		{"since", store.RevocationFilter{Since: later.at}, []string{"t-r1"}},
		{"until", store.RevocationFilter{Until: later.at}, []string{"s-r3", "s-r2", "s-r1"}},
		{"between", store.RevocationFilter{Since: r.at, Until: later.at, Limit: 2}, []string{"s-r3", "s-r2"}},
	} {
		var ids []string
		for _, x := range got[[]store.RevocationRecord](t)(s.Revocations(t.Context(), test.filter)) {
			ids = append(ids, x.ID)
		}
		if !slices.Equal(ids, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, ids, test.want)
		}
	}
	full := got[[]store.RevocationRecord](t)(s.Revocations(t.Context(), store.RevocationFilter{ID: "s-r1"}))
	same(t, "record", []store.RevocationRecord{{Revocation: r.revocations()[0], GroupName: "name of sg-1"}}, full)
}

func totals(t *testing.T, s twin, c *clock) {
	t.Helper()
	r := two(t, s, c)
	must(t, s.Finish(t.Context(), []revoker.Ending{
		ending("s-r1", revoker.Confirmed, c.tick()), ending("s-r2", revoker.Withdrawn, c.now()),
	}))
	u := restore("u1", "s-r1", c.tick())
	u.HoldUntil = u.Created.Add(time.Minute)
	must(t, s.AddRestores(t.Context(), []revoker.Restore{u}))
	u.Outcome, u.Ended = revoker.Restored, c.tick()
	must(t, s.FinishRestore(t.Context(), &u))
	held := one("s2", c.tick())
	held.revoke, held.broken = false, true
	held.do(t, s)
	if returned := got[*store.Totals](t)(s.Totals(t.Context())).Returned; len(returned) > 0 {
		t.Errorf("what a restore holds counts as come back: %v", returned)
	}
	c.at = u.HoldUntil
	back := one("s3", c.now())
	back.revoke, back.broken = false, true
	back.do(t, s)
	entries := got[[]store.Entry](t)(s.Entries(t.Context(), 0, 0))
	last := entries[len(entries)-1]
	same(t, "totals", &store.Totals{
		Revocations: []store.PolicyCount{
			{Policy: "p1", Outcome: "confirmed", Count: 1}, {Policy: "p1", Outcome: "withdrawn", Count: 1},
		},
		Regions: []store.RegionCount{
			{Account: "prod", Region: "cn-a", Outcome: "confirmed", Count: 1},
			{Account: "prod", Region: "cn-a", Outcome: "withdrawn", Count: 1},
		},
		Removed:  []store.KindCount{{Protocol: "tcp", Destination: "cidr4", Count: 1}},
		Restores: map[string]int{"restored": 1}, Open: 1, OldestOpen: r.at, WindowUsed: 2,
		Entries: last.Seq, Head: last.Hash, Switches: got[store.Switches](t)(s.Switches(t.Context())),
		Accounts: []store.AccountTimes{{
			Account: "prod", LastStarted: back.at, LastFinished: back.at.Add(time.Second), LastComplete: r.at.Add(time.Second),
		}},
		Findings: []store.FindingCount{
			{Account: "prod", Policy: "p1", State: "report", Count: 1}, {Account: "prod", Policy: "p2", State: "exempt", Count: 1},
		},
		Returned: []store.ReturnedCount{
			{Account: "prod", Policy: "p1", Count: 1}, {Account: "prod", Policy: "p2", Count: 1},
		},
		Decisions: []store.ReasonCount{{Account: "prod", Action: "report", Count: 1}},

		Closed: []store.ClosedPairs{{Account: "prod"}}, RemovedEffects: map[string]int{"": 1},
	}, got[*store.Totals](t)(s.Totals(t.Context())))
}

func auditHasAll(t *testing.T, s twin, c *clock) {
	t.Helper()
	one("s", c.tick()).do(t, s)
	must(t, s.Record(t.Context(), call("c1", c.tick(), ref("prod", "sg-1"), "s-r1")))
	must(t, s.Answer(t.Context(), "c1", revoker.Answer{State: revoker.CallSucceeded, Class: sg.ClassOK, At: c.tick()}))
	must(t, s.Finish(t.Context(), []revoker.Ending{ending("s-r1", revoker.Confirmed, c.tick())}))
	u := restore("u1", "s-r1", c.tick())
	must(t, s.AddRestores(t.Context(), []revoker.Restore{u}))
	u.Outcome = revoker.RestoreFailed
	must(t, s.FinishRestore(t.Context(), &u))
	_, err := s.Start(t.Context(), one("s2", c.tick()).start())
	must(t, err)
	got[int](t)(s.Interrupted(t.Context(), "prod"))
	must(t, s.Pause(t.Context(), "bob", "why"))
	var kinds []string
	var previous string
	for i, e := range got[[]store.Entry](t)(s.Entries(t.Context(), 0, 0)) {
		kinds = append(kinds, e.Kind)
		if e.Seq != int64(i+1) || e.Previous != previous || len(e.Hash) != 64 {
			t.Errorf("entry %+v does not follow the one before it", e)
		}
		previous = e.Hash
	}
	same(t, "kinds", []string{
		store.KindCreated, store.KindResumed, store.KindSweepStarted, store.KindSweep, store.KindRevocation, store.KindCall,
		store.KindAnswer, store.KindOutcome, store.KindRestore, store.KindRestored, store.KindSweepStarted, store.KindInterrupted,
		store.KindPaused,
	}, kinds)
	part := got[[]store.Entry](t)(s.Entries(t.Context(), 5, 2))
	same(t, "part", []string{store.KindCall, store.KindAnswer}, []string{part[0].Kind, part[1].Kind})
	want := `{"call":"c1","action":"RevokeSecurityGroupEgress","region":"cn-a","group":"sg-1","carries":["s-r1"],` +
		`"parameters":[["RegionId","cn-a"],["SecurityGroupId","sg-1"]],"clientToken":"` +
		call("c1", c.now(), ref("prod", "sg-1")).ClientToken() + `","deadline":"2026-11-23T12:00:12.123456Z"}`
	if string(part[0].Data) != want {
		t.Errorf("the call is spelled\n%s, want\n%s", part[0].Data, want)
	}
}

func locksOnce(t *testing.T, s twin, _ *clock) {
	t.Helper()
	release, err := s.LockAccount(t.Context(), "prod", 0)
	must(t, err)
	for _, wait := range []time.Duration{0, time.Millisecond} {
		_, err := s.LockAccount(t.Context(), "prod", wait)
		if held, ok := errors.AsType[*store.HeldError](err); !ok || !errors.Is(err, store.ErrHeld) || held.What != "account prod" {
			t.Errorf("got %v, want that the account is in use", err)
		}
	}
	other, err := s.LockAccount(t.Context(), "test", 0)
	must(t, err)
	must(t, other())
	must(t, release())
	must(t, release())
	again, err := s.LockAccount(t.Context(), "prod", time.Minute)
	must(t, err)
	must(t, again())
}

// effectIsOnRecord: what removing a rule was going to do is given back, and counted once that is confirmed.
func effectIsOnRecord(t *testing.T, s twin, c *clock) {
	t.Helper()
	r := one("s", c.tick())
	r.effect = revoker.Effect{Class: "closes", Sentence: "closes tcp/22 to 10.0.0.0/8 within this group"}
	r.do(t, s)
	list := got[[]store.RevocationRecord](t)(s.Revocations(t.Context(), store.RevocationFilter{}))
	same(t, "the effect on record", r.effect, list[0].Effect)
	must(t, s.Finish(t.Context(), []revoker.Ending{ending("s-r1", revoker.Confirmed, c.tick())}))
	totals := got[*store.Totals](t)(s.Totals(t.Context()))
	same(t, "removed rules by effect", map[string]int{"closes": 1}, totals.RemovedEffects)
}
