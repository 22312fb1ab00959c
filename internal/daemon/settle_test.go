package daemon

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// settling builds an account that settles as told, and notes when.
func settling(name string, began time.Time, at *[]string, settle func(context.Context) error) Account {
	return Account{
		Name:  name,
		Sweep: func(context.Context) error { return nil },
		Settle: func(ctx context.Context) error {
			*at = append(*at, time.Since(began).String())
			return settle(ctx)
		},
	}
}

func TestSettlingFailsWithoutStoppingOthersAndBacksOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.options.Observer = Observer{}
		began := time.Now()
		broken := errors.New("the endpoint is down")
		var a, b, c []string
		r.store.open = []string{"a", "b", "c"}
		d := r.idle("a", "b", "c")
		d.generations.replace(of(nil,
			settling("a", began, &a, func(context.Context) error { return broken }),
			settling("b", began, &b, func(context.Context) error { return nil }),
			settling("c", began, &c, func(context.Context) error {
				if len(c) < 4 {
					return broken
				}
				return nil
			})))
		ctx, cancel := context.WithCancel(t.Context())
		d.startRound()
		d.tasks.Go(func() { d.loop(ctx) })
		time.Sleep(20*time.Minute + time.Second)
		cancel()
		d.tasks.Wait()
		want := []string{"0s", "15s", "45s", "1m45s", "3m45s", "7m45s", "12m45s", "17m45s"}
		if diff := cmp.Diff(want, a); diff != "" {
			t.Errorf("settling that always fails (-want +got):\n%s", diff)
		}
		if len(b) != 81 {
			t.Errorf("settling that works: got %d rounds, want 81", len(b))
		}
		if diff := cmp.Diff([]string{"0s", "15s", "45s", "1m45s", "2m0s", "2m15s"}, c[:6]); diff != "" {
			t.Errorf("settling that works in the end (-want +got):\n%s", diff)
		}
		if got := r.logs.FilterMessage("settling failed").Len(); got != len(a)+3 {
			t.Errorf("failures logged: got %d, want %d", got, len(a)+3)
		}
	})
}

func TestSettlingThatHangsStopsNeitherTheBeatNorOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.options.Parallel = 2
		began := time.Now()
		var a, b []string
		r.store.open = []string{"a", "b"}
		d := r.idle("a", "b", "c")
		d.generations.replace(of(nil,
			settling("a", began, &a, func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}),
			settling("b", began, &b, func(context.Context) error { return nil })))
		ctx, cancel := context.WithCancel(t.Context())
		d.tasks.Go(func() { d.loop(ctx) })
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if err := d.alive(); err != nil {
			t.Errorf("alive: got %v, want no error", err)
		}
		if len(a) != 1 || len(b) != 40 {
			t.Errorf("got %d and %d times settled, want 1 and 40", len(a), len(b))
		}
		cancel()
		d.tasks.Wait()
		if got := r.logs.FilterMessage("settling failed").Len(); got != 0 {
			t.Errorf("got %d failures logged for work that was told to stop, want none", got)
		}
		time.Sleep(2 * time.Minute)
		if d.alive() == nil {
			t.Error("alive: got no error for a loop that ended two minutes ago, want one")
		}
	})
}

func TestWhatIsSettled(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		apply func(*rig, *daemon)
		want  []string
	}{
		{name: "an account that has something open", want: []string{"a"}},
		{name: "nothing in a dry run", apply: func(_ *rig, d *daemon) { d.DryRun = true }},
		{name: "nothing that another process works on", apply: func(r *rig, _ *daemon) { r.store.held["a"] = true }},
		{name: "nothing that is being swept", apply: func(_ *rig, d *daemon) { d.gates.sweep(context.Background(), "a") }},
		{name: "nothing before the first load", apply: func(_ *rig, d *daemon) { d.generations.replace(nil) }},
		{name: "nothing if the store does not say", apply: func(r *rig, _ *daemon) {
			r.store.err, r.store.open = errors.New("disk full"), nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig()
			r.store.open = []string{"a", "not configured"}
			d := r.idle("a", "b")
			d.generations.replace(of(nil, r.account("a"), r.account("b")))
			if tt.apply != nil {
				tt.apply(r, d)
			}
			d.round(t.Context())
			d.tasks.Wait()
			close(r.settled)
			var got []string
			for name := range r.settled {
				got = append(got, name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("settled (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOpenRevocationsOfAnUnknownAccountAreToldOfOnce(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.store.open = []string{"gone"}
	d := r.idle("a")
	d.generations.replace(of(nil, r.account("a")))
	for range 3 {
		d.round(t.Context())
		d.tasks.Wait()
	}
	told := r.logs.FilterField(zap.String("account", "gone")).FilterLevelExact(zapcore.WarnLevel)
	if told.Len() != 1 {
		t.Errorf("told %d times, want once", told.Len())
	}
}

func TestSweepWaitsForTheSettlingOfItsAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGates()
		leaveSettling, ok := g.settle("a")
		if !ok {
			t.Fatal("settling a: got refused")
		}
		swept := make(chan bool)
		go func() {
			leave, ok := g.sweep(t.Context(), "a")
			if ok {
				leave()
			}
			swept <- ok
		}()
		synctest.Wait()
		if _, ok := g.sweep(t.Context(), "a"); ok {
			t.Error("a second sweep of a was let in")
		}
		if _, ok := g.settle("a"); ok {
			t.Error("a second settling of a was let in")
		}
		if diff := cmp.Diff([]string{"a"}, g.busy()); diff != "" {
			t.Errorf("busy (-want +got):\n%s", diff)
		}
		leaveSettling()
		if !<-swept {
			t.Error("the sweep of a was refused")
		}
		if got := g.busy(); len(got) != 0 {
			t.Errorf("busy: got %v, want nobody", got)
		}
	})
}

func TestSweepThatIsToldToStopDoesNotWait(t *testing.T) {
	t.Parallel()
	g := newGates()
	leave, _ := g.settle("a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := g.sweep(ctx, "a"); ok {
		t.Error("the sweep was let in beside a settling")
	}
	leave()
	if _, ok := g.sweep(t.Context(), "a"); !ok {
		t.Error("the next sweep was refused")
	}
}
