package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
)

// beatEvery is how often the loop shows that it is alive; staleAfter is when it is taken for dead.
const (
	beatEvery  = 5 * time.Second
	staleAfter = time.Minute
)

// loop begins a round of settling every SettleEvery, and when it is told to. It never waits for one: by its beat others
// see that the process is alive.
func (d *daemon) loop(ctx context.Context) {
	beat, settle := time.NewTicker(beatEvery), time.NewTicker(d.SettleEvery)
	defer beat.Stop()
	defer settle.Stop()
	for {
		d.beat()
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			continue
		case <-settle.C:
		case <-d.roundNow:
		}
		// A round that still waits for the store is not overtaken by the next.
		if d.inRound.CompareAndSwap(false, true) {
			d.tasks.Go(func() {
				defer d.inRound.Store(false)
				d.round(ctx)
			})
		}
	}
}

// round looks once at what is open, and starts what there is to do on each account. It does not wait for that.
func (d *daemon) round(ctx context.Context) {
	generation, done := d.generations.use()
	defer done()
	if generation == nil {
		return
	}
	var open []string
	if !d.DryRun {
		var err error
		if open, err = d.Store.OpenAccounts(ctx); err != nil && ctx.Err() == nil {
			d.Log.Error("cannot tell what is open", zap.Error(err))
		}
	}
	d.warnOrphans(open, generation.Generation)
	for i := range generation.Accounts {
		account := &generation.Accounts[i]
		settle := slices.Contains(open, account.Name)
		if !settle && d.recovered.has(account.Name) || !d.visits.begin(account.Name) {
			continue
		}
		done := d.generations.hold(generation)
		d.tasks.Go(func() {
			defer done()
			d.visits.end(account.Name, d.visit(ctx, account, settle))
		})
	}
}

// warnOrphans tells once for each account of open revocations that nobody works on, since the configuration has the
// account no more.
func (d *daemon) warnOrphans(open []string, g *Generation) {
	for _, name := range open {
		if _, known := g.account(name); known {
			d.orphans.Delete(name)
			continue
		}
		if _, told := d.orphans.LoadOrStore(name, true); !told {
			d.Log.Warn("open revocations of an account that is not in the configuration: nobody settles them until it is back",
				zap.String("account", name))
		}
	}
}

// visit waits for its turn and does what there is to do on an account if nobody else is at work on it. It has logged
// the error that it gives.
func (d *daemon) visit(ctx context.Context, account *Account, settle bool) error {
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-ctx.Done():
		return nil
	}
	leave, ok := d.gates.settle(account.Name)
	if !ok {
		return nil
	}
	defer leave()
	err := d.locked(ctx, account.Name, func(ctx context.Context) error {
		if err := d.recoverLate(ctx, account.Name); err != nil || !settle || ctx.Err() != nil {
			return err
		}
		err := protect(ctx, account.Settle)
		d.Observer.settled(account.Name, err)
		return err
	})
	if err = unlessDone(ctx, err); err != nil {
		d.Log.Error("settling failed", append(failure(err), zap.String("account", account.Name))...)
	}
	return err
}

// locked does work under the account's lock, or nothing if another process has it.
func (d *daemon) locked(ctx context.Context, account string, work func(context.Context) error) error {
	unlock, err := d.Store.LockAccount(ctx, account, 0)
	if errors.Is(err, d.Held) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("locking %s: %w", account, err)
	}
	return errors.Join(work(ctx), unlock())
}

// recoverEarly marks interrupted sweeps of accounts that this process has not worked on yet, so that River is not armed
// by a sweep that died. What cannot be done now is tried again in every round.
func (d *daemon) recoverEarly(ctx context.Context, generation *Generation) {
	for i := range generation.Accounts {
		name := generation.Accounts[i].Name
		if d.recovered.has(name) {
			continue
		}
		err := d.locked(ctx, name, func(ctx context.Context) error {
			_, err := d.recover(ctx, name)
			return err
		})
		if err = unlessDone(ctx, err); err != nil {
			d.Log.Error("cannot look for interrupted sweeps", zap.String("account", name), zap.Error(err))
		}
	}
}

// recoverLate does the same when an account's lock was not to be had at first. River goes by the sweep that died until
// it is armed anew.
func (d *daemon) recoverLate(ctx context.Context, account string) error {
	if d.recovered.has(account) {
		return nil
	}
	if found, err := d.recover(ctx, account); err != nil || !found {
		return err
	}
	return d.arm(ctx)
}
