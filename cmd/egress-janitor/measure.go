package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/robfig/cron/v3"
	"go.uber.org/zap"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/metrics"
)

// freshness is how long a scrape may wait for the store. If that takes longer, the numbers of the last scrape are given
// once more.
const freshness = 2 * time.Second

// metricsHandler serves the metrics. What the store says is asked at every scrape, so that what commands beside the
// daemon did is counted as well.
func (d *daemonRun) metricsHandler() http.Handler {
	serve := promhttp.HandlerFor(d.registry, promhttp.HandlerOpts{Registry: d.registry, EnableOpenMetrics: true})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), freshness)
		defer cancel()
		totals, err := d.store.Totals(ctx)
		if err != nil {
			d.log.Warn("reading totals for metrics", zap.Error(err))
		} else {
			d.metrics.Snapshot(measured(totals, d.now(), d.paused(totals)))
		}
		serve.ServeHTTP(w, r)
	})
}

// paused tells whether anything keeps the daemon from revoking: a switch of the store, or the pause file.
func (d *daemonRun) paused(t *store.Totals) bool {
	if e := d.current.Load(); e != nil && pausedByFile(e.config) != "" {
		return true
	}
	return t.Switches.Paused || t.Switches.Behind != ""
}

// measured is what the store says, as the metrics take it.
func measured(t *store.Totals, at time.Time, paused bool) *metrics.Snapshot {
	s := &metrics.Snapshot{
		At:       at,
		Restores: t.Restores, Open: t.Open, OldestOpen: t.OldestOpen, WindowUsed: t.WindowUsed,
		Entries: t.Entries, Head: t.Head, Armed: t.Switches.Armed, Paused: paused,
		RemovedEffects: t.RemovedEffects,
	}
	for _, c := range t.Effects {
		s.Effects = append(s.Effects, metrics.EffectCount(c))
	}
	for _, c := range t.Closed {
		s.Closed = append(s.Closed, metrics.ClosedPairs(c))
	}
	for _, c := range t.Revocations {
		s.Revocations = append(s.Revocations, metrics.PolicyCount(c))
	}
	for _, c := range t.Regions {
		s.Regions = append(s.Regions, metrics.RegionCount(c))
	}
	for _, c := range t.Removed {
		s.Removed = append(s.Removed, metrics.KindCount(c))
	}
	for _, c := range t.Accounts {
		s.Accounts = append(s.Accounts, metrics.AccountTimes(c))
	}
	for _, c := range t.Findings {
		s.Findings = append(s.Findings, metrics.FindingCount(c))
	}
	for _, c := range t.Returned {
		s.Returned = append(s.Returned, metrics.ReturnedCount(c))
	}
	for _, c := range t.Decisions {
		s.Decisions = append(s.Decisions, metrics.ReasonCount(c))
	}
	return s
}

// measure tells the metrics how much a sweep read.
func (d *daemonRun) measure(r *sweep.Result) {
	var sizes []metrics.RegionSize
	for _, region := range r.Regions {
		sizes = append(sizes, metrics.RegionSize{Region: region.ID, Groups: region.Groups, Rules: region.Rules})
	}
	d.metrics.Scanned(r.Account.Name, sizes)
}

func limitsByName(l config.Limits) map[string]int {
	return map[string]int{
		"per-group": l.PerGroup, "per-sweep": l.PerSweep, "percent": l.Percent, "per-window": l.PerWindow,
	}
}

// longestGap is the longest time between two sweeps in a row of a schedule, the coming two weeks over: weekends are in it.
// Zero if there is no schedule.
func longestGap(schedule cron.Schedule, now time.Time) time.Duration {
	if schedule == nil {
		return 0
	}
	const most = 5_000 // of a schedule that fires every few minutes, a few days say enough
	var longest time.Duration
	at := schedule.Next(now.UTC())
	for range most {
		next := schedule.Next(at)
		if at.IsZero() || next.IsZero() {
			break
		}
		longest = max(longest, next.Sub(at))
		if at = next; at.After(now.AddDate(0, 0, 14)) {
			break
		}
	}
	return longest
}

// nextSweeps knows when each account is swept next.
type nextSweeps struct {
	mu sync.Mutex
	at map[string]time.Time
}

// set notes an account's time and gives the earliest of all; the zero time if no account is swept by the schedule.
func (n *nextSweeps) set(account string, at time.Time) (earliest time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.at, account)
	if !at.IsZero() {
		n.at[account] = at
	}
	for _, t := range n.at {
		if earliest.IsZero() || t.Before(earliest) {
			earliest = t
		}
	}
	return earliest
}
