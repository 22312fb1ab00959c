package store_test

import (
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// failedCounts lets revocations fail after calls of all kinds.
func failedCounts(t *testing.T, s twin, c *clock) {
	t.Helper()
	keep := one("keep", c.tick()) // open, so that the group has something to check again
	keep.order, keep.rules = []string{"sg-1", "sg-2"}, map[string][]sg.Rule{"sg-1": {rule("sgr-0", "1/1")}}
	for _, state := range []string{"none", "recorded", "succeeded", "unknown", "refused", "unsent"} {
		keep.rules["sg-2"] = append(keep.rules["sg-2"], rule("sgr-"+state, "22/22"))
	}
	keep.do(t, s)
	for i, test := range []struct {
		state revoker.CallState // none: no call
		more  int
	}{
		{"", 0},
		{revoker.CallRefused, 0},
		{revoker.CallUnsent, 0},
		{revoker.CallRecorded, 1},
		{revoker.CallSucceeded, 1},
		{revoker.CallUnknown, 1},
	} {
		before := got[*sweep.Recheck](t)(s.Recheck(t.Context(), ref("prod", "sg-1"), "hash"))
		id := keep.revocations()[i+1].ID
		if test.state != "" {
			must(t, s.Record(t.Context(), call("c-"+id, c.tick(), ref("prod", "sg-2"), id)))
		}
		if test.state != "" && test.state != revoker.CallRecorded {
			must(t, s.Answer(t.Context(), "c-"+id, revoker.Answer{State: test.state, At: c.tick()}))
		}
		must(t, s.Finish(t.Context(), []revoker.Ending{ending(id, revoker.Failed, c.tick())}))
		after := got[*sweep.Recheck](t)(s.Recheck(t.Context(), ref("prod", "sg-1"), "hash"))
		// An open one counts, so what fails without an effect is one less.
		want := test.more - 1
		if n := after.State.Window - before.State.Window; n != want {
			t.Errorf("failed after a call %q: the window grew by %d, want %d", test.state, n, want)
		}
		is, was := after.Sweeps["keep"].Again, before.Sweeps["keep"].Again
		if is.Elsewhere-was.Elsewhere != want || is.ElsewhereByPolicy["p1"]-was.ElsewhereByPolicy["p1"] != want {
			t.Errorf("failed after a call %q: elsewhere went from %+v to %+v, want %d more", test.state, was, is, want)
		}
		if n := got[*store.Totals](t)(s.Totals(t.Context())).WindowUsed; n != after.State.Window {
			t.Errorf("totals say %d, decisions %d", n, after.State.Window)
		}
	}
}

func reportedInScope(t *testing.T, s twin, c *clock) {
	t.Helper()
	report := func(id, accountID string, regions ...string) *run {
		r := one(id, c.tick())
		r.revoke, r.accountID, r.regions = false, accountID, regions
		return r
	}
	for _, test := range []struct {
		name string
		run  *run
		want bool
	}{
		{"the first sweep", report("s1", "1", "cn-hangzhou"), false},
		{"the same again", report("s2", "1", "cn-hangzhou"), true},
		{"another region", report("s3", "1", "cn-beijing"), false},
		{"a region more", report("s4", "1", "cn-hangzhou", "cn-beijing"), false},
		{"the same in another order", report("s5", "1", "cn-beijing", "cn-hangzhou"), true},
		{"all regions", report("s6", "1", "*"), false},
		{"a region less, which was reported about alone before", report("s7", "1", "cn-beijing"), false},
		{"another account under this name", report("s8", "2", "cn-beijing"), false},
		{"the first account again", report("s9", "1", "cn-beijing"), false},
	} {
		state := test.run.do(t, s)
		if state.Reported != test.want {
			t.Errorf("%s: reported is %t, want %t", test.name, state.Reported, test.want)
		}
	}
	for _, test := range []struct {
		name, hash, guards string
		broken, want       bool
	}{
		{name: "policies that were in force before others", hash: "old", want: false},
		{name: "the same again", hash: "old", want: true},
		{name: "others", hash: "new", want: false},
		{name: "the ones before", hash: "old", want: false},
		{name: "other guards", hash: "old", guards: "fewer", want: false},
		{name: "the same guards again", hash: "old", guards: "fewer", want: true},
		{name: "a sweep in part", hash: "new", guards: "fewer", broken: true, want: false},
		{name: "after a sweep in part, which reported nothing whole", hash: "old", guards: "fewer", want: true},
	} {
		r := report("of "+test.name, "1", "cn-beijing")
		r.hash, r.guards, r.broken = test.hash, test.guards, test.broken
		if state := r.do(t, s); state.Reported != test.want {
			t.Errorf("%s: reported is %t, want %t", test.name, state.Reported, test.want)
		}
	}
	report("last", "1", "cn-beijing").do(t, s)
	// A recheck goes by the sweep that was started last, though it has not finished.
	for id, want := range map[string]bool{"cn-beijing": true, "cn-shanghai": false} {
		_, err := s.Start(t.Context(), report("of "+id, "1", id).start())
		must(t, err)
		again := got[*sweep.Recheck](t)(s.Recheck(t.Context(), ref("prod", "sg-1"), "hash"))
		if again.State.Reported != want {
			t.Errorf("while %s is swept: reported is %t, want %t", id, again.State.Reported, want)
		}
	}
}

func renamed(t *testing.T, s twin, c *clock) {
	t.Helper()
	r := two(t, s, c)
	must(t, s.Finish(t.Context(), []revoker.Ending{ending("s-r1", revoker.Confirmed, c.tick())}))
	u := restore("u1", "s-r1", c.tick())
	must(t, s.AddRestores(t.Context(), []revoker.Restore{u}))
	list := r.revocations()
	past := map[decision.ContentRef]decision.Past{
		{Region: "cn-a", Group: "sg-1", Key: list[0].Rule.ContentKey()}: {Revocations: 1, HeldUntil: u.HoldUntil},
	}
	open := map[decision.RuleRef]bool{
		{Region: "cn-a", Group: "sg-2", Key: "sgr-2"}: true, {Region: "cn-a", Group: "sg-2", Key: "sgr-3"}: true,
	}
	begin := func(id, account, accountID string) *decision.State {
		next := one(id, c.tick())
		next.account, next.accountID, next.revoke = account, accountID, false
		return next.do(t, s)
	}
	state := begin("s2", "production", "ID of prod")
	same(t, "past under another name", past, state.Past)
	same(t, "open under another name", open, state.Open)
	if state.Reported {
		t.Error("reported under a name that was not swept before")
	}
	state = begin("s3", "other", "ID of other")
	if len(state.Past) != 0 || len(state.Open) != 0 {
		t.Errorf("another account has the past %v and open %v", state.Past, state.Open)
	}
	// What is open under the old name cannot be opened again under the new one.
	again := one("s4", c.tick())
	again.account, again.accountID = "production", "ID of prod"
	again.order, again.rules = []string{"sg-2"}, map[string][]sg.Rule{"sg-2": {rule("sgr-2", "80/80")}}
	_, err := s.Start(t.Context(), again.start())
	must(t, err)
	wantError(t, s.Commit(t.Context(), again.result(), func(*decision.State) (*sweep.Commit, error) {
		return &sweep.Commit{Revocations: again.revocations()}, nil
	}), "has an open revocation")
}

func neverSwept(t *testing.T, s twin, c *clock) {
	t.Helper()
	two(t, s, c)
	state := got[*sweep.Recheck](t)(s.Recheck(t.Context(), ref("unknown", "sg-1"), "hash")).State
	if state.Reported || len(state.Past) != 0 || len(state.Open) != 0 || state.Window != 3 {
		t.Errorf("a name that was never swept has the state %+v", state)
	}
	// Sweeps that do not say of which account they are have nothing in common but their name.
	nameless := one("n1", c.tick())
	nameless.account = "nameless"
	begin := nameless.start()
	begin.Account.ID = ""
	_, err := s.Start(t.Context(), begin)
	must(t, err)
	nameless.commit(t, s)
	for account, want := range map[string]int{"nameless": 1, "another": 0} {
		begin.ID, begin.Account.Name = "n2 of "+account, account
		_, err := s.Start(t.Context(), begin)
		must(t, err)
		state := got[*sweep.Recheck](t)(s.Recheck(t.Context(), ref(account, "sg-1"), "hash")).State
		if len(state.Open) != want {
			t.Errorf("%s has open %v, want %d", account, state.Open, want)
		}
	}
}

// doubts gives up revocations one after the other, after calls that may have taken effect.
func doubts(t *testing.T, s twin, c *clock) {
	t.Helper()
	n := 0
	revoke := func(x *sg.Rule, state revoker.CallState, outcome revoker.Outcome) string {
		n++
		r := one("s"+string(rune('a'+n)), c.tick())
		r.rules["sg-1"] = []sg.Rule{*x}
		r.do(t, s)
		id := r.id + "-r1"
		must(t, s.Record(t.Context(), call("c-"+id, c.tick(), ref("prod", "sg-1"), id)))
		must(t, s.Answer(t.Context(), "c-"+id, revoker.Answer{State: state, At: c.tick()}))
		if outcome != "" {
			must(t, s.Finish(t.Context(), []revoker.Ending{ending(id, outcome, c.tick())}))
		}
		return id
	}
	expect := func(what string, want ...string) {
		t.Helper()
		var ids []string
		for _, r := range got[[]revoker.Revocation](t)(s.Doubtful(t.Context(), "prod")) {
			ids = append(ids, r.ID)
		}
		same(t, what, want, ids)
	}
	first, other := rule("sgr-1", "22/22"), rule("sgr-2", "22/22") // the same content, but another rule
	flat := rule("", "22/22")
	revoke(&first, revoker.CallRefused, revoker.Failed)
	expect("refused")
	a := revoke(&first, revoker.CallUnknown, revoker.Failed)
	b := revoke(&other, revoker.CallUnknown, revoker.Withdrawn)
	d := revoke(&flat, revoker.CallUnknown, revoker.Failed)
	expect("given up", d, b, a)
	a = revoke(&first, revoker.CallSucceeded, revoker.Withdrawn)
	expect("of several the latest, however they ended", a, d, b)
	revoke(&first, revoker.CallSucceeded, revoker.Confirmed)
	expect("confirmed by a later one", d, b)
	// A rule without an ID can come back as it was.
	revoke(&flat, revoker.CallSucceeded, revoker.Confirmed)
	expect("confirmed by a later one, without an ID", b)
	d = revoke(&flat, revoker.CallUnknown, revoker.Failed)
	expect("given up after one was confirmed", d, b)
	must(t, s.Amend(t.Context(), ending(d, revoker.Confirmed, c.tick())))
	expect("amended", b)
	last := revoke(&other, revoker.CallUnknown, "")
	expect("open again")
	must(t, s.Finish(t.Context(), []revoker.Ending{ending(last, revoker.AlreadyAbsent, c.tick())}))
	expect("absent before the later one", b)
	c.at = c.at.Add(49 * time.Hour)
	expect("long ago")
}
