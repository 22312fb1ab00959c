package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/robfig/cron/v3"
	"go.uber.org/zap"
)

// sweepArgs are stored by River with each job. The kind and the field name must not change: jobs outlive the process.
type sweepArgs struct {
	Account string `json:"account"`
}

// Kind implements river.JobArgs.
func (sweepArgs) Kind() string { return "sweep" }

// sweeper works the jobs of River.
type sweeper struct {
	river.WorkerDefaults[sweepArgs]
	daemon *daemon
}

// Work implements river.Worker. It gives no error but to be woken up again: what went wrong was logged, and neither
// errors nor panics of sweeps are for River to store or log.
func (s *sweeper) Work(ctx context.Context, job *river.Job[sweepArgs]) error {
	var again time.Duration
	err := protect(ctx, func(ctx context.Context) (err error) {
		again, err = s.daemon.tick(ctx, job.Args.Account, snoozed(job.Metadata))
		return err
	})
	if err != nil {
		s.daemon.Log.Error("waking up for a sweep failed",
			append(failure(err), zap.String("account", job.Args.Account))...)
	}
	if again > 0 {
		return river.JobSnooze(again)
	}
	return nil
}

// snoozed says whether a job was woken up for before.
func snoozed(metadata []byte) bool {
	var m struct {
		Snoozes int `json:"snoozes"`
	}
	return json.Unmarshal(metadata, &m) == nil && m.Snoozes > 0
}

// tick sweeps the account if it is due and nobody works on it. again is not zero if the tick should be repeated after
// that time, because another process or an error was in the way before the sweep began. Accounts that are not
// configured any more, and ticks that were taken already, are left quietly.
func (d *daemon) tick(ctx context.Context, name string, repeated bool) (again time.Duration, err error) {
	generation, done := d.generations.use()
	defer done()
	if generation == nil || generation.Schedule == nil {
		return 0, nil
	}
	account, ok := generation.account(name)
	if !ok {
		return 0, nil
	}
	if due, err := d.isDue(ctx, generation.Schedule, name); !due {
		return d.retry(ctx, err)
	}
	leave, ok := d.gates.sweep(ctx, name)
	if !ok {
		if ctx.Err() == nil {
			d.Observer.skipped(name)
		}
		return 0, nil
	}
	defer leave()
	unlock, err := d.Store.LockAccount(ctx, name, 0)
	if errors.Is(err, d.Held) {
		if !repeated {
			d.Observer.skipped(name)
		}
		return d.SettleEvery, nil
	}
	if err != nil {
		return d.retry(ctx, fmt.Errorf("locking %s: %w", name, err))
	}
	return d.retry(ctx, errors.Join(d.sweep(ctx, generation.Schedule, account), unlock()))
}

// retry repeats a tick that an error was in the way of. Once its sweep began it is not due any more, so that an error
// after that does no harm. A daemon that stops repeats nothing.
func (d *daemon) retry(ctx context.Context, err error) (again time.Duration, _ error) {
	if err = unlessDone(ctx, err); err == nil {
		return 0, nil
	}
	return d.SettleEvery, err
}

// sweep runs the sweep of an account whose lock is held, and reports how it went. An error means that it did not begin.
func (d *daemon) sweep(ctx context.Context, schedule cron.Schedule, account *Account) error {
	if _, err := d.recover(ctx, account.Name); err != nil {
		return err
	}
	// A daemon that stops begins nothing.
	if due, err := d.isDue(ctx, schedule, account.Name); !due || ctx.Err() != nil {
		return err
	}
	began := d.Now()
	err := protect(ctx, account.Sweep)
	took := d.Now().Sub(began)
	d.Observer.swept(account.Name, took, err)
	log := d.Log.With(zap.String("account", account.Name), zap.Duration("took", took))
	switch {
	case err == nil:
		log.Info("sweep by schedule done")
	case ctx.Err() != nil:
		log.Info("sweep by schedule stopped with the daemon", zap.Error(err))
	default:
		log.Error("sweep by schedule failed", failure(err)...)
	}
	return nil
}

// recover marks sweeps of a process that died, so that their ticks are not taken for done, and says whether there were
// any. The lock of the account is held.
func (d *daemon) recover(ctx context.Context, account string) (found bool, err error) {
	n, err := d.Store.Interrupted(ctx, account)
	if err != nil {
		return false, fmt.Errorf("marking interrupted sweeps of %s: %w", account, err)
	}
	if n > 0 {
		d.Log.Warn("sweeps were interrupted", zap.String("account", account), zap.Int("sweeps", n))
	}
	d.recovered.add(account)
	return n > 0, nil
}

// unlessDone gives the error, or nil if it only says that ctx ended.
func unlessDone(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}
