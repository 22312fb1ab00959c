package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/robfig/cron/v3"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/daemon"
	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/ecsapi"
	"github.com/egress-janitor/egress-janitor/internal/feeds"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/metrics"
	"github.com/egress-janitor/egress-janitor/revoker"
)

func newRun(sys system) *cobra.Command {
	var flags daemonFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon: sweep by schedule, settle, serve metrics",
		Long: `Run sweeps every account of the config by its schedule, revokes what mode, policies and limits allow, proves each
removal by reading, and serves metrics and health. In the mode audit, the default, it only reports and records.

SIGHUP and POST /-/reload read config and policies again, and so does any change of their files. If they are wrong, what
was read before stays in force. A set of policies that changed first goes through one reporting sweep, and what an
exception that vanished has exempted is held until policy accept-change. SIGTERM ends it within 10 seconds, at any point of
its work: what was left open is settled by the next start. One store serves one daemon; history, pause, resume, sweep and
restore work beside it.

Paths: /metrics, /-/healthy (its loop is alive), /-/ready (store and config are read), POST /-/reload.`,
		Example: `  egress-janitor run -c /etc/egress-janitor/egress-janitor.yaml
  egress-janitor run --dry-run        # sweep by schedule, never send a call that changes anything
  curl -X POST http://127.0.0.1:9464/-/reload`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return sys.daemon(cmd.Context(), flags, sys.fromEnv()) },
	}
	cmd.Flags().StringVarP(&flags.config, "config", "c", defaultConfig, "config file")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "never send a call that changes anything")
	return cmd
}

type daemonFlags struct {
	config string
	dryRun bool
}

// daemon is the command. The config is read before anything is opened, so that a mistake in it leaves no trace.
func (s system) daemon(ctx context.Context, flags daemonFlags, access cloudAccess) (err error) {
	began, err := s.read(flags.config)
	if err != nil {
		return err
	}
	c := began.config
	db, err := s.openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	release, err := db.LockRun(ctx)
	if held, ok := errors.AsType[*store.HeldError](err); ok {
		return fmt.Errorf("another daemon (%s) runs on the store %s: stop it, or give this one a store of its own",
			held.Holder, c.StorePath())
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := db.ForgetDaemon(ctx); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.HTTP.Metrics)
	if err != nil {
		return fmt.Errorf("listening for http.metrics: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	d := &daemonRun{
		system: s, flags: flags, store: db, access: access, began: c, log: s.logger(),
		metrics: metrics.New(registry, buildInfo()), registry: registry, feeds: s.newFetcher(false),
	}
	defer d.feeds.Close()
	d.access.observer = apiMetrics{d.metrics}
	return d.run(ctx, listener)
}

// daemonRun is one run of the daemon.
type daemonRun struct {
	system

	flags    daemonFlags
	store    *store.SQL
	access   cloudAccess
	began    *config.Config // by which store and listener were opened
	log      *zap.Logger
	metrics  *metrics.Metrics
	registry *prometheus.Registry
	feeds    *feeds.Fetcher
	watch    *watch
	// askReload asks for a reload soon.
	askReload func()

	current atomic.Pointer[engine] // what was loaded last
}

func (d *daemonRun) run(ctx context.Context, listener net.Listener) error {
	reload := make(chan struct{}, 1)
	ask := func() {
		select {
		case reload <- struct{}{}:
		default: // one is asked for already
		}
	}
	if d.onHangup != nil {
		d.onHangup(ask)
	}
	d.log.Info("starting", zap.String("version", buildInfo().Version), zap.String("config", d.flags.config),
		zap.String("store", d.began.StorePath()), zap.String("mode", string(d.began.Mode)),
		zap.Bool("dry_run", d.flags.dryRun), zap.String("http", listener.Addr().String()))
	why, err := held(ctx, d.began, d.store)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if why != "" {
		d.log.Warn("nothing is revoked now", zap.String("reason", why))
	}
	d.metrics.Reloaded(true, d.now())
	d.askReload, d.watch = ask, newWatch(d.log, ask)
	ctx, stop := context.WithCancel(ctx)
	var fetching sync.WaitGroup
	fetching.Go(func() { d.keepFeeds(ctx, ask) })
	fetching.Go(func() { d.watch.run(ctx) })
	defer fetching.Wait() // it uses the store
	defer stop()
	err = daemon.Run(ctx, daemon.Options{
		Load: d.load, Reload: reload, Store: d.store, Held: store.ErrHeld, DB: d.store.DB(), Log: d.log, Now: d.now,
		Listener: listener, Metrics: d.metricsHandler(), Observer: d.observer(), DryRun: d.flags.dryRun,
	})
	d.log.Info("stopped", zap.Error(err))
	return err
}

// load reads config and policies, and makes what works by them.
func (d *daemonRun) load(ctx context.Context) (*daemon.Generation, error) {
	reader := d.newFeedReader(d.feeds, storedCopies{d.store})
	now, err := reader.readSettled(ctx, d.flags.config)
	if err != nil {
		d.watch.fail()
		return nil, err
	}
	d.watch.set(now.names(d.flags.config))
	if again, err := reader.readKnown(d.flags.config); err != nil || !again.same(now) {
		// What the watch has seen may be newer than what was read, and would then pass for known.
		defer d.askReload()
	}
	d.warn(now.policies)
	c, policies := now.config, now.policies
	if c.StorePath() != d.began.StorePath() || c.HTTP != d.began.HTTP {
		return nil, errors.New("store and http cannot be changed by a reload: restart the daemon for that")
	}
	e, err := d.newEngine(c, policies, c.Accounts, d.access)
	if err != nil {
		return nil, err
	}
	e.store, e.latest, e.files.list = d.store, d.latest, now.files
	g := &daemon.Generation{Mode: string(c.Mode), PolicyHash: policies.Hash(), Close: e.close}
	if c.Schedule != "" {
		if g.Schedule, err = cron.ParseStandard(c.Schedule); err != nil {
			e.close()
			return nil, fmt.Errorf("reading the schedule: %w", err)
		}
	}
	for _, w := range e.workers {
		g.Accounts = append(g.Accounts, daemon.Account{
			Name:   w.account.Name,
			Sweep:  func(ctx context.Context) error { return d.sweepAccount(ctx, w) },
			Settle: func(ctx context.Context) error { return d.settleAccount(ctx, w) },
		})
	}
	if err := d.tellChange(ctx, e); err != nil {
		e.close()
		return nil, err
	}
	d.current.Store(e)
	d.describe(e)
	d.metrics.SweepInterval(longestGap(g.Schedule, d.now()))
	return g, nil
}

// tellChange logs what differs from the policies of the last sweep: first of all the exceptions that vanished.
func (d *daemonRun) tellChange(ctx context.Context, e *engine) error {
	line, err := e.lineage(ctx)
	if err != nil {
		return err
	}
	if line.change != nil {
		for _, l := range line.change.Lines() {
			if l.Wider {
				d.log.Warn("policies changed", zap.String("change", l.Text))
				continue
			}
			d.log.Info("policies changed", zap.String("change", l.Text))
		}
	}
	for _, x := range line.kept(e.policies, e.now()) {
		d.log.Warn("an exception is gone from the policies, or was changed, that has not ended: what it exempted is held until "+
			"policy accept-change, or until it is given a date in the past", zap.String("exception", x.Name),
			zap.Time("until", x.Expires), zap.String("owner", x.Owner))
	}
	return nil
}

// latest gives the worker of the same account by what was loaded last: what a sweep decided by older policies is
// checked by the present ones.
func (d *daemonRun) latest(w *worker) (now *worker, stop string) {
	for _, now := range d.current.Load().workers {
		if now.account.Name == w.account.Name && now.account.ID == w.account.ID {
			return now, ""
		}
	}
	return w, "the config does not have the account any more"
}

// sweepAccount is one tick of the schedule.
func (d *daemonRun) sweepAccount(ctx context.Context, w *worker) error {
	began := d.now()
	result, err := w.sweep(ctx, &attempt{order: w.order(revoker.BySchedule, "daemon", d.notExecuted(w.config.Mode))})
	if err != nil {
		d.metrics.Sweep("failed", d.now().Sub(began))
		return err
	}
	outcome := "complete"
	if !result.Complete() {
		outcome = "incomplete"
	}
	d.metrics.Sweep(outcome, d.now().Sub(began))
	d.measure(result)
	d.log.Info("swept", sweepFields(result)...)
	for _, p := range result.Problems {
		d.log.Warn("not read whole", zap.String("account", w.account.Name), zap.String("sweep", result.ID),
			zap.String("region", p.Region), zap.String("group", p.Group), zap.Error(p.Err))
	}
	if !result.Acting() {
		return nil
	}
	return d.settleAccount(ctx, w)
}

// notExecuted is why sweeps by schedule do not act, or nothing if they do.
func (d *daemonRun) notExecuted(mode config.Mode) string {
	switch {
	case mode == config.ModeAudit:
		return decision.AuditMode
	case d.flags.dryRun:
		return decision.DryRun
	case mode == config.ModeManual:
		return decision.ManualMode
	}
	return ""
}

// settleAccount carries on with what is open in the account.
func (d *daemonRun) settleAccount(ctx context.Context, w *worker) error {
	restored, err := w.restore(ctx, func(*revoker.Restore) bool { return true })
	for i := range restored {
		r := &restored[i]
		d.log.Info("restored", zap.String("account", w.account.Name), zap.String("group", r.Ref.Group),
			zap.String("rule", r.Rule.ID), zap.String("as", r.RuleID), zap.String("outcome", string(r.Outcome)))
	}
	settled, settleErr := w.settle(ctx)
	if settled != nil {
		d.logSettled(w, settled)
	}
	return errors.Join(err, settleErr)
}

func (d *daemonRun) logSettled(w *worker, settled *sweep.Settled) {
	for i := range settled.Endings {
		e := &settled.Endings[i]
		d.log.Info("revocation ended", zap.String("account", w.account.Name), zap.String("revocation", e.Revocation),
			zap.String("outcome", string(e.Outcome)), zap.String("detail", e.Detail))
	}
	if settled.Stop != "" {
		d.log.Error("account stopped until its next sweep", zap.String("account", w.account.Name),
			zap.String("reason", settled.Stop))
	}
}

func sweepFields(r *sweep.Result) []zap.Field {
	acts := 0
	for i := range r.Findings {
		if r.Findings[i].Decision.Action == decision.Revoke {
			acts++
		}
	}
	return []zap.Field{
		zap.String("account", r.Account.Name), zap.String("sweep", r.ID), zap.Bool("complete", r.Complete()),
		zap.Int("rules", r.RuleCount()), zap.Int("findings", len(r.Findings)), zap.Int("to_revoke", acts),
		zap.Int("revocations", len(r.Revocations)), zap.String("not_executed", r.NotExecuted),
		zap.Duration("took", r.Finished.Sub(r.Started)),
	}
}

// observer counts what the daemon tells of.
func (d *daemonRun) observer() daemon.Observer {
	next := &nextSweeps{at: map[string]time.Time{}}
	return daemon.Observer{
		Skipped:  func(string) { d.metrics.Sweep("skipped_overlap", 0) },
		Reloaded: func(ok bool) { d.metrics.Reloaded(ok, d.now()) },
		Next:     func(account string, at time.Time) { d.metrics.NextSweep(next.set(account, at)) },
	}
}

// describe tells the metrics what was loaded.
func (d *daemonRun) describe(e *engine) {
	names := make([]string, len(e.policies.Policies))
	for i, p := range e.policies.Policies {
		names[i] = p.Name
	}
	accounts := make([]string, len(e.workers))
	for i, w := range e.workers {
		accounts[i] = w.account.Name
	}
	slices.Sort(accounts)
	d.metrics.Policies(names)
	d.metrics.Accounts(accounts)
	d.metrics.Mode(string(e.config.Mode))
	d.metrics.Limits(limitsByName(e.config.Limits))
}

// apiMetrics counts calls of the cloud.
type apiMetrics struct{ metrics *metrics.Metrics }

func (m apiMetrics) Call(action string, class ecsapi.Class, latency time.Duration) {
	m.metrics.Call(action, string(class), latency)
}

func (m apiMetrics) Wait(action string, d time.Duration) { m.metrics.Wait(action, d) }
