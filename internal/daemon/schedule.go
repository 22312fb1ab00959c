package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/robfig/cron/v3"
)

// askTimeout bounds questions to the store from within River's scheduler, which must not be held up for long.
const askTimeout = 10 * time.Second

// maxAhead is how far ahead of the clock the last sweep may be. A clock that was wrong by more when it began must not
// keep the account from being swept for months.
const maxAhead = 24 * time.Hour

// dueAt gives when the account is to be swept next, which may have passed; the zero time if the schedule never fires
// again. An account that was never swept is due now, and so is one whose last sweep is far in the future.
func (d *daemon) dueAt(ctx context.Context, schedule cron.Schedule, account string, now time.Time) (time.Time, error) {
	last, ok, err := d.Store.LastStarted(ctx, account)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading when %s was swept last: %w", account, err)
	}
	if !ok || last.Sub(now) > maxAhead {
		return now, nil
	}
	return schedule.Next(last.UTC()), nil
}

func (d *daemon) isDue(ctx context.Context, schedule cron.Schedule, account string) (bool, error) {
	now := d.Now()
	at, err := d.dueAt(ctx, schedule, account, now)
	return err == nil && !at.IsZero() && !at.After(now), err
}

// wakeAt gives when to look at the account again after a wake-up that was planned for the given time.
//
// It goes by the account's last sweep while that gives a time to come. The schedule alone would not do. "@every 2h"
// counts from the last sweep, which begins a little after its wake-up, so that the account would not quite be due at
// every second one. And River may wake up to 0.1 s before the time that it was given.
//
// The time is after now: River would spin otherwise, and keep the only connection from everybody else.
func (d *daemon) wakeAt(ctx context.Context, schedule cron.Schedule, account string, planned time.Time) time.Time {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	now := d.Now()
	at, err := d.dueAt(ctx, schedule, account, now)
	switch {
	case err != nil:
		// The job that is enqueued for the same reason will log the error, if it lasts.
		return now.Add(d.SettleEvery)
	case !at.IsZero() && !at.After(now):
		// The wake-up at hand enqueues its job. Ticks that passed meanwhile, as while a machine sleeps, are one with it.
		if planned.After(now) {
			now = planned
		}
		at = schedule.Next(now.UTC())
	}
	d.Observer.next(account, at)
	return at
}

// wake is a River schedule.
type wake func(planned time.Time) time.Time

// Next implements river.PeriodicSchedule.
func (w wake) Next(planned time.Time) time.Time { return w(planned) }

// periodic builds the job that River enqueues for an account, from ctx on until it ends. River calls both functions
// outside of transactions: they may use the store, with which it shares its only connection.
func (d *daemon) periodic(ctx context.Context, schedule cron.Schedule, account string) *river.PeriodicJob {
	next := wake(func(planned time.Time) time.Time { return d.wakeAt(ctx, schedule, account, planned) })
	construct := func() (river.JobArgs, *river.InsertOpts) {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		// If the store does not answer now, the job finds out later.
		if due, err := d.isDue(ctx, schedule, account); !due && err == nil {
			return nil, nil
		}
		return sweepArgs{Account: account}, nil
	}
	return river.NewPeriodicJob(next, construct, &river.PeriodicJobOpts{RunOnStart: true})
}

// arm has River wake up for the accounts of the current generation, and for no others. Accounts that are due are woken
// up for at once. ctx must last as long as the daemon.
func (d *daemon) arm(ctx context.Context) error {
	generation, done := d.generations.use()
	defer done()
	d.arming.Lock()
	defer d.arming.Unlock()
	var names []string
	var jobs []*river.PeriodicJob
	if generation != nil && generation.Schedule != nil {
		for i := range generation.Accounts {
			name := generation.Accounts[i].Name
			names = append(names, name)
			jobs = append(jobs, d.periodic(ctx, generation.Schedule, name))
		}
	}
	d.river.PeriodicJobs().Clear()
	if _, err := d.river.PeriodicJobs().AddManySafely(jobs); err != nil {
		return fmt.Errorf("scheduling sweeps: %w", err)
	}
	for _, name := range d.armed {
		if !slices.Contains(names, name) {
			d.Observer.next(name, time.Time{})
		}
	}
	d.armed = names
	return nil
}
