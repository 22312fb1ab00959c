package store_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// pair does everything to both stores, and demands that both take it or both refuse it.
type pair struct {
	rt     *rapid.T
	t      *testing.T
	clock  *clock
	stores [2]twin
}

func (p *pair) both(what string, do func(twin) error) {
	sqlite, memory := do(p.stores[0]), do(p.stores[1])
	if (sqlite == nil) != (memory == nil) {
		p.rt.Fatalf("%s: SQLite says %v, memory %v", what, sqlite, memory)
	}
}

// read is everything that can be read of a store. The heads of the logs are equal only if every entry is.
func (p *pair) read(s twin) map[string]any {
	ctx := p.t.Context()
	all := map[string]any{}
	keep := func(name string, value any, err error) {
		if err != nil {
			p.rt.Fatalf("reading %s: %v", name, err)
		}
		all[name] = value
	}
	sweeps, err := s.Sweeps(ctx, store.SweepFilter{})
	keep("sweeps", sweeps, err)
	revocations, err := s.Revocations(ctx, store.RevocationFilter{})
	keep("revocations", revocations, err)
	for _, account := range []string{"prod", "test", "renamed"} {
		work, err := s.Open(ctx, account)
		keep("work of "+account, work, err)
		restores, err := s.OpenRestores(ctx, account)
		keep("restores of "+account, restores, err)
		again, err := s.Recheck(ctx, ref(account, "sg-1"), "hash")
		keep("recheck of "+account, again, err)
		at, ok, err := s.LastStarted(ctx, account)
		keep("start of "+account, []any{at, ok}, err)
		doubtful, err := s.Doubtful(ctx, account)
		keep("doubts of "+account, doubtful, err)
	}
	totals, err := s.Totals(ctx)
	keep("totals", totals, err)
	uses, err := s.UsedSets(ctx)
	keep("sets", uses, err)
	for n := range 3 {
		f, ok, err := s.FeedCopy(ctx, fmt.Sprint("https://example.com/", n))
		keep(fmt.Sprint("feed ", n), []any{f, ok}, err)
		files, ok, err := s.Policies(ctx, fmt.Sprint("hash", n))
		keep(fmt.Sprint("policies ", n), []any{files, ok}, err)
	}
	hash, files, at, ok, err := s.LatestPolicies(ctx)
	keep("latest policies", []any{hash, files, at, ok}, err)
	return all
}

func TestSQLiteDoesWhatMemoryDoes(t *testing.T) {
	n := 0
	directory := t.TempDir()
	empty := filepath.Join(directory, "empty.db")
	s, err := store.Open(t.Context(), store.Options{Path: empty, Now: newClock().now})
	must(t, err)
	must(t, s.Close())
	rapid.Check(t, func(rt *rapid.T) {
		n++
		c := newClock()
		path := filepath.Join(directory, fmt.Sprintf("%d.db", n))
		move(t, empty, path)
		move(t, empty+".checkpoint", path+".checkpoint")
		s, err := store.Open(t.Context(), store.Options{Path: path, Now: c.now})
		must(rt, err)
		exec(t, s.DB(), "PRAGMA synchronous = off") // what a crash leaves is not what this is about
		defer func() { must(rt, s.Close()) }()
		p := &pair{rt: rt, t: t, clock: c, stores: [2]twin{s, store.NewMemory(c.now)}}
		for i := range rapid.IntRange(1, 15).Draw(rt, "steps") {
			p.step(i)
		}
		must(rt, s.Close())
		s, err = store.Open(t.Context(), store.Options{Path: path, Now: c.now})
		must(rt, err)
		p.stores[0] = s
		same(rt, "what SQLite has after it was opened again", p.read(p.stores[1]), p.read(s))
	})
}

func (p *pair) step(i int) {
	ctx := p.t.Context()
	at := p.clock.tick()
	if rapid.IntRange(0, 9).Draw(p.rt, "jump") == 0 {
		at = at.Add(time.Duration(rapid.IntRange(-30, 30).Draw(p.rt, "hours")) * time.Hour)
		p.clock.at = at
	}
	account := rapid.SampledFrom([]string{"prod", "test", "renamed"}).Draw(p.rt, "account")
	of := ref(account, rapid.SampledFrom([]string{"sg-1", "sg-2"}).Draw(p.rt, "group"))
	some := func() string {
		return fmt.Sprintf("s%d-r%d", rapid.IntRange(0, 8).Draw(p.rt, "sweep"), rapid.IntRange(1, 2).Draw(p.rt, "revocation"))
	}
	someCall := func() string { return fmt.Sprintf("c%d", rapid.IntRange(0, 25).Draw(p.rt, "call")) }
	switch rapid.IntRange(0, 14).Draw(p.rt, "what") {
	case 0, 1, 2:
		p.sweep(i, account, at)
	case 3, 4:
		x := call(fmt.Sprint("c", i), at, of, some())
		p.both("record", func(s twin) error { return s.Record(ctx, x) })
	case 5:
		id := someCall()
		state := rapid.SampledFrom([]revoker.CallState{
			revoker.CallSucceeded, revoker.CallRefused, revoker.CallUnknown, revoker.CallUnsent,
		}).Draw(p.rt, "state")
		p.both("answer", func(s twin) error { return s.Answer(ctx, id, revoker.Answer{State: state, At: at}) })
	case 6, 7:
		e := ending(some(), rapid.SampledFrom(revoker.Outcomes()).Draw(p.rt, "outcome"), at)
		p.both("finish", func(s twin) error { return s.Finish(ctx, []revoker.Ending{e}) })
	case 8:
		e := ending(some(), revoker.Confirmed, at)
		p.both("amend", func(s twin) error { return s.Amend(ctx, e) })
	case 9:
		u := restore(fmt.Sprint("u", i), some(), at)
		u.Ref = of
		p.both("restore", func(s twin) error { return s.AddRestores(ctx, []revoker.Restore{u}) })
	case 10:
		u := restore(fmt.Sprint("u", rapid.IntRange(0, 25).Draw(p.rt, "restore")), "", at)
		u.Outcome, u.Ended = revoker.Restored, at
		p.both("restored", func(s twin) error { return s.FinishRestore(ctx, &u) })
	case 11:
		p.both("pause", func(s twin) error { return s.Pause(ctx, "ann", "why") })
		p.both("resume", func(s twin) error { return s.Resume(ctx, "ann", "why") })
	default:
		p.remember(at)
	}
}

// remember does something about what policies are made of.
func (p *pair) remember(at time.Time) {
	ctx := p.t.Context()
	n := rapid.IntRange(0, 2).Draw(p.rt, "which")
	text := rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(p.rt, "contents")
	switch rapid.IntRange(0, 3).Draw(p.rt, "of what") {
	case 0:
		f := store.FeedCopy{URL: fmt.Sprint("https://example.com/", n), Data: []byte(text), Fetched: at, Checked: at}
		p.both("copy", func(s twin) error { return s.SaveFeedCopy(ctx, f) })
	case 1:
		u := store.SetUse{Key: fmt.Sprint(n), Name: "set", SHA256: text, Elements: len(text)} // refused if text is empty
		p.both("use", func(s twin) error { return s.UseSets(ctx, []store.SetUse{u, {Key: "x", Name: "x", SHA256: "x"}}) })
	case 2:
		u := store.SetUse{Key: fmt.Sprint(n), Name: "set", SHA256: text, Elements: len(text)}
		p.both("accept", func(s twin) error { return s.AcceptSets(ctx, []store.SetUse{u}, "ann", "why") })
	case 3:
		files := []store.PolicyFile{{Name: "a", Data: []byte(text)}, {Name: text, Data: []byte("a")}} // refused if text is a
		p.both("policies", func(s twin) error { return s.RecordPolicies(ctx, fmt.Sprint("hash", n), files) })
	}
}

func (p *pair) sweep(i int, account string, at time.Time) {
	ctx := p.t.Context()
	r := &run{
		id: fmt.Sprint("s", i), account: account, at: at, hash: "hash", order: []string{"sg-1", "sg-2"},
		origin: rapid.SampledFrom([]revoker.Origin{revoker.BySchedule, revoker.ByCommand}).Draw(p.rt, "origin"),
		revoke: rapid.Bool().Draw(p.rt, "revoke"), broken: rapid.Bool().Draw(p.rt, "broken"),
		rules: map[string][]sg.Rule{
			"sg-1": {rule(rapid.SampledFrom([]string{"sgr-1", "sgr-2"}).Draw(p.rt, "rule"), "22/22")}, "sg-2": {rule("", "80/80")},
		},
	}
	r.hash = fmt.Sprint("hash", rapid.SampledFrom([]string{"", "0", "1"}).Draw(p.rt, "policies"))
	r.regions = rapid.SampledFrom([][]string{{"*"}, {"cn-a", "cn-b"}, {"cn-b", "cn-a"}}).Draw(p.rt, "regions")
	if account == "renamed" {
		r.accountID = "ID of " + rapid.SampledFrom([]string{"prod", "renamed"}).Draw(p.rt, "account ID")
	}
	p.both("start", func(s twin) error { _, err := s.Start(ctx, r.start()); return err })
	if rapid.IntRange(0, 4).Draw(p.rt, "crash") == 0 {
		p.both("interrupted", func(s twin) error { _, err := s.Interrupted(ctx, account); return err })
	}
	p.both("commit", func(s twin) error {
		return s.Commit(ctx, r.result(), func(state *decision.State) (*sweep.Commit, error) {
			clocks := state.Clocks
			clocks[decision.ClockKey{ContentRef: decision.ContentRef{Group: "sg-1", Key: fmt.Sprint(i % 3)}, Policy: "p1"}] = decision.Clock{Since: at, LastSeen: at, Sweeps: i}
			first := map[decision.ContentRef]time.Time{{Region: "cn-a", Group: "sg-1", Key: fmt.Sprint(i % 3)}: at}
			return &sweep.Commit{Clocks: clocks, FirstSeen: first, Revocations: r.revocations()}, nil
		})
	})
}

// TestConcurrentSweepsKeepTheWindow lets sweeps of several accounts, over two handles, reserve at once. Each may revoke
// one rule if less than five count for the window.
func TestConcurrentSweepsKeepTheWindow(t *testing.T) {
	path, c := storePath(t), newClock()
	stores := []*store.SQL{openAt(t, path, c), openAt(t, path, c)}
	must(t, stores[0].Resume(t.Context(), "ann", "start"))
	const limit, sweeps = 5, 16
	var wg sync.WaitGroup
	errs := make(chan error, sweeps)
	for i := range sweeps {
		s := stores[i%len(stores)]
		wg.Go(func() {
			r := one(fmt.Sprint("s", i), start)
			r.account = fmt.Sprint("account", i)
			if _, err := s.Start(t.Context(), r.start()); err != nil {
				errs <- err
				return
			}
			errs <- s.Commit(t.Context(), r.result(), func(state *decision.State) (*sweep.Commit, error) {
				commit := &sweep.Commit{}
				if state.Window < limit {
					commit.Revocations = r.revocations()
				}
				return commit, nil
			})
		})
	}
	wg.Wait()
	for range sweeps {
		must(t, <-errs)
	}
	totals := got[*store.Totals](t)(stores[0].Totals(t.Context()))
	if totals.Open != limit || totals.WindowUsed != limit {
		t.Errorf("%d revocations were recorded, want %d", totals.Open, limit)
	}
	v := got[*store.Verification](t)(stores[1].Verify(t.Context()))
	if v.Broken != "" || v.Entries != totals.Entries {
		t.Errorf("verified %+v, want %d good entries", v, totals.Entries)
	}
	if w := got[store.Switches](t)(stores[1].Switches(t.Context())); w.Behind != "" {
		t.Errorf("behind after concurrent checkpoints: %s", w.Behind)
	}
}
