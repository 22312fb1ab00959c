package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFirstStartSweepsEveryAccount(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.load(of(every(time.Hour), r.account("a"), r.account("b"), r.account("c")))
	r.start(t)
	wait(t, r.swept, "a", "b", "c")
	for _, name := range []string{"a", "b", "c"} {
		if at := r.planned(name); time.Until(at) < 59*time.Minute {
			t.Errorf("next sweep of %s: got %s, want in an hour", name, at)
		}
	}
}

// With one worker jobs are worked in the order of the accounts. So once the last account was swept, a job of the first
// one has been worked if there was one.
func TestNoSecondSweepBeforeItIsDue(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.load(of(every(time.Hour), r.account("a")))
	stop := r.start(t)
	wait(t, r.swept, "a")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	r.load(of(every(time.Hour), r.account("a"), r.account("b")))
	r.start(t)
	wait(t, r.swept, "b")
	if got := r.sweeps("a"); got != 1 {
		t.Errorf("sweeps of a: got %d, want 1", got)
	}
}

func TestTicksThatNobodyWasThereForAreCaughtUpOnce(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.store.last["a"] = time.Now().Add(-10 * time.Hour)
	r.load(of(every(time.Hour), r.account("a"), r.account("b")))
	r.start(t)
	wait(t, r.swept, "a", "b")
	if got := r.sweeps("a"); got != 1 {
		t.Errorf("sweeps of a: got %d, want 1", got)
	}
}

// A process that dies in the middle of a sweep leaves behind a job that runs, the sweep as unfinished, and maybe a job
// that was enqueued and not begun.
func TestCrashNeitherLosesNorDoublesATick(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.options.DB = openDB(t)
	r.store.last["a"] = time.Now().Add(-90 * time.Minute)
	r.store.interrupted["a"] = time.Now().Add(-30 * time.Minute)
	r.store.last["b"] = time.Now().Add(-10 * time.Minute)
	const leftover = `INSERT INTO river_job (args, attempt, attempted_at, kind, max_attempts, queue, state, scheduled_at)
		VALUES (?, ?, ?, 'sweep', 1, 'default', ?, datetime('now', '-30 minutes'))`
	for _, job := range []struct {
		account, state string
		attempt        int
		at             any
	}{
		{"a", "running", 1, "2026-01-01 00:00:00"},
		{"a", "available", 0, nil},
		{"b", "available", 0, nil},
		{"gone", "available", 0, nil},
	} {
		_, err := r.options.DB.ExecContext(t.Context(), leftover,
			fmt.Sprintf(`{"account":%q}`, job.account), job.attempt, job.at, job.state)
		if err != nil {
			t.Fatal(err)
		}
	}
	r.load(of(every(time.Hour), r.account("a"), r.account("b"), r.account("last")))
	r.start(t)
	wait(t, r.swept, "a", "last")
	got := map[string]int{"a": r.sweeps("a"), "b": r.sweeps("b"), "last": r.sweeps("last")}
	if diff := cmp.Diff(map[string]int{"a": 1, "b": 0, "last": 1}, got); diff != "" {
		t.Errorf("sweeps (-want +got):\n%s", diff)
	}
}

func TestTickDuringTheSweepOfTheLastOneIsSkipped(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.options.Parallel = 4
	release := make(chan struct{})
	r.load(of(every(time.Second), r.account("a", func(context.Context) error {
		<-release
		return nil
	})))
	r.start(t)
	wait(t, r.skipped, "a")
	if got := r.sweeps("a"); got != 1 {
		t.Errorf("sweeps of a: got %d, want 1", got)
	}
	close(release)
	wait(t, r.swept, "a", "a")
}

func TestTickIsTakenWhenAnotherProcessGivesTheLockBack(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.options.SettleEvery = 20 * time.Millisecond
	r.store.held["a"] = true
	r.load(of(every(time.Hour), r.account("a"), r.account("b")))
	r.start(t)
	wait(t, r.skipped, "a")
	wait(t, r.swept, "b")
	r.store.set(func(f *fakeStore) { f.held["a"] = false })
	wait(t, r.swept, "a")
	if len(r.skipped) != 0 {
		t.Errorf("got %d further ticks skipped, want the one that was", len(r.skipped))
	}
}

// The sweep of a dead process hides that the account is due, until its lock is free for marking it.
func TestInterruptedSweepBehindALockIsCaughtUpLater(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.options.SettleEvery = 20 * time.Millisecond
	r.store.held["a"] = true
	r.store.interrupted["a"] = time.Now()
	r.load(of(every(time.Hour), r.account("a"), r.account("b")))
	r.start(t)
	wait(t, r.swept, "b")
	r.store.set(func(f *fakeStore) { f.held["a"] = false })
	wait(t, r.swept, "a")
}

func TestSweepThatFailsOrPanicsStopsNothingElse(t *testing.T) {
	t.Parallel()
	const secret = "AccessKeySecret=hunter2"
	r := newRig()
	r.load(of(every(time.Hour),
		r.account("a", func(context.Context) error { panic(secret) }),
		r.account("b", func(context.Context) error { return errors.New("no such region") }),
		r.account("c", func(context.Context) error {
			var none *Generation
			_ = none.Mode //nolint:govet // it is to panic
			return nil
		}),
		r.account("d")))
	r.start(t)
	wait(t, r.swept, "a", "b", "c", "d")
	var got []string
	for _, entry := range r.logs.FilterMessage("sweep by schedule failed").All() {
		fields := entry.ContextMap()
		got = append(got, fmt.Sprint(fields["account"], ": ", fields["error"]))
		if text := fmt.Sprint(fields); strings.Contains(text, secret) {
			t.Errorf("the log holds the value of a panic: %s", text)
		}
	}
	want := []string{
		"a: panic: a value of type string",
		"b: no such region",
		"c: panic: runtime error: invalid memory address or nil pointer dereference",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("failures logged (-want +got):\n%s", diff)
	}
	var stored string
	err := r.options.DB.QueryRowContext(t.Context(),
		`SELECT coalesce(group_concat(errors), '') FROM river_job`).Scan(&stored)
	if err != nil {
		t.Fatal(err)
	}
	if stored != "" {
		t.Errorf("errors kept by River: got %s, want none", stored)
	}
}

func TestNothingIsSweptWithoutASchedule(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.store.open = []string{"a"}
	r.load(of(nil, r.account("a")), of(every(time.Hour), r.account("b")))
	reload := make(chan struct{})
	r.options.Reload = reload
	r.start(t)
	wait(t, r.settled, "a")
	reload <- struct{}{}
	wait(t, r.swept, "b")
	if got := r.sweeps("a"); got != 0 {
		t.Errorf("sweeps of a: got %d, want none", got)
	}
}

func TestTicksThatAreLeft(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		apply   func(*rig)
		account string
	}{
		{name: "a tick that was taken", account: "a", apply: func(r *rig) {
			r.store.last["a"], r.store.held["a"] = time.Now(), true
		}},
		{name: "a tick that was taken until the lock was free", account: "a", apply: func(r *rig) {
			r.store.onLock = func() { r.store.last["a"] = time.Now() }
		}},
		{name: "an account that is not configured any more", account: "b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig()
			if tt.apply != nil {
				tt.apply(r)
			}
			d := r.idle()
			d.generations.replace(of(every(time.Hour), r.account("a")))
			again, err := d.tick(t.Context(), tt.account, false)
			if again != 0 || err != nil {
				t.Errorf("got again in %s and %v, want neither", again, err)
			}
			if r.sweeps("a") != 0 || len(r.skipped) != 0 {
				t.Errorf("got %d sweeps and %d skipped, want none", r.sweeps("a"), len(r.skipped))
			}
		})
	}
}

func TestTickThatIsRepeatedCountsAsSkippedOnce(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.store.held["a"] = true
	d := r.idle()
	d.generations.replace(of(every(time.Hour), r.account("a")))
	for _, repeated := range []bool{false, true, true} {
		if again, err := d.tick(t.Context(), "a", repeated); again != DefaultSettleEvery || err != nil {
			t.Errorf("got again in %s and %v, want in %s", again, err, DefaultSettleEvery)
		}
	}
	if len(r.skipped) != 1 {
		t.Errorf("skipped: got %d, want 1", len(r.skipped))
	}
	if snoozed([]byte(`{"periodic":true}`)) || !snoozed([]byte(`{"periodic":true,"snoozes":1}`)) {
		t.Error("jobs that were repeated are not told from those that were not")
	}
}
