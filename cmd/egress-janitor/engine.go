package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/ecsapi"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// engine is one reading of config and policies, with what works on the accounts by it. Daemon and commands share it:
// a sweep by schedule and one by hand are the same code.
type engine struct {
	system

	config   *config.Config
	policies *policy.Set
	store    *store.SQL // nil for an audit
	workers  []*worker
	// latest gives the worker of the same account that goes by what is there now, or why nothing may be carried out. Nil:
	// it is this one.
	latest func(*worker) (now *worker, stop string)

	documents int // that were rendered

	files *unkeptFiles

	ancestors *ancestors
}

// worker works on one account. Its methods that change anything need the account's lock.
type worker struct {
	*engine

	account config.Account
	client  *ecsapi.Client
}

// newEngine makes the clients of the accounts. It calls nobody.
func (s system) newEngine(
	c *config.Config, policies *policy.Set, accounts []config.Account, access cloudAccess,
) (*engine, error) {
	credentials, err := access.credentials()
	if err != nil {
		return nil, err
	}
	e := &engine{system: s, config: c, policies: policies, files: &unkeptFiles{}, ancestors: &ancestors{}}
	for _, a := range accounts {
		client, err := e.connect(&a, credentials, access.observer)
		if err != nil {
			e.close()
			return nil, err
		}
		e.workers = append(e.workers, &worker{engine: e, account: a, client: client})
	}
	return e, nil
}

// connect makes the client of an account.
func (e *engine) connect(
	a *config.Account, credentials ecsapi.Credentials, observer ecsapi.Observer,
) (*ecsapi.Client, error) {
	cas, err := readCAs(e.config, a)
	if err != nil {
		return nil, err
	}
	client, err := ecsapi.New(ecsapi.Options{
		Endpoint: a.Endpoint, CAs: cas, Credentials: credentials, Quotas: a.Quotas, Observer: observer, Now: e.now,
	})
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", a.Name, err)
	}
	return client, nil
}

func (e *engine) close() {
	for _, w := range e.workers {
		w.client.Close()
	}
}

// terms are what decisions about an account go by now: the pause file is looked at every time.
func (w *worker) terms() *decision.Terms {
	limits := w.config.Limits
	return &decision.Terms{
		Guards: decision.Guards{
			ProtectedGroups: w.config.Protected.Groups, ProtectedNames: w.config.Protected.Names,
			ProtectedTags: w.config.Protected.Tags,
		},
		Limits: decision.Limits{
			PerGroup: limits.PerGroup, PerSweep: limits.PerSweep, Percent: limits.Percent, PerWindow: limits.PerWindow,
		},
		MayAct:   w.config.Mode != config.ModeAudit,
		Paused:   pausedByFile(w.config),
		FlatForm: w.account.RevokeWithoutRuleID,
	}
}

// pausedByFile says why the pause file lets nothing be revoked. A file that cannot be looked for counts as there: who
// put it there wants nothing revoked.
func pausedByFile(c *config.Config) string {
	if c.PauseFile == "" {
		return ""
	}
	name := c.Path(c.PauseFile)
	switch _, err := os.Stat(name); {
	case err == nil:
		return fmt.Sprintf("the pause file %s is there; remove it to go on", name)
	case errors.Is(err, os.ErrNotExist):
		return ""
	default:
		return fmt.Sprintf("the pause file %s cannot be looked for: %v", name, err)
	}
}

// sweepAccount is the account as the use case knows it.
func (w *worker) sweepAccount() sweep.Account {
	return sweep.Account{Name: w.account.Name, ID: w.account.ID, Regions: w.account.Regions}
}

// order is what a sweep is started for.
func (w *worker) order(origin revoker.Origin, actor, notExecuted string) sweep.Order {
	return sweep.Order{
		ID: rand.Text(), Account: w.sweepAccount(), Origin: origin, Actor: actor,
		Mode: string(w.config.Mode), NotExecuted: notExecuted, GuardsHash: w.config.Protected.Hash(),
	}
}

// attempt is one sweep that is to be made.
type attempt struct {
	order    sweep.Order
	progress func(scanner.Progress)
	only     func(*decision.Finding) bool // see [sweep.Options]
	visited  func(*scanner.Group) error   // see [sweep.Options]
	combined func(string, []scanner.Combination)
	scanned  func(*scanner.Result) // is told what was read of the cloud; nil: nobody is
}

// sweep sweeps the account, and records the sweep if the engine has a store.
func (w *worker) sweep(ctx context.Context, a *attempt) (*sweep.Result, error) {
	policies, err := w.trusted(ctx)
	if err != nil {
		return nil, err
	}
	o := sweep.Options{
		Order: a.order, Identity: w.client, Groups: w.client, Rules: w.client,
		Policies: policies, Terms: w.terms(), Now: w.now, NewID: rand.Text, Progress: a.progress, Only: a.only,
		Visited: a.visited, Combined: a.combined,
		Scope: reach.Scope(w.config.Reach.Scope), Interfaces: w.client, Hygiene: w.config.Hygiene,
	}
	if w.store != nil {
		o.Ledger, o.Doubts = w.store, w.store
		if err := w.keepPolicies(ctx); err != nil {
			return nil, err
		}
	}
	line, err := w.lineage(ctx)
	if err != nil {
		return nil, err
	}
	o.Earlier = line.earlier
	result, err := sweep.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	if w.reached != nil {
		w.reached(stepSwept)
	}
	if a.scanned != nil {
		a.scanned(&scanner.Result{Regions: result.Regions, Problems: slices.Clip(result.Problems)})
	}
	if w.store != nil {
		result.Change = line.change
		err = errors.Join(w.useSets(ctx, policies, result), w.keepLineage(ctx, line, result))
	}
	result.Problems = append(result.Problems, unreadSets(policies)...)
	return result, err
}

// stepSwept is the step between a sweep's commit and the first look at what is open. Those of the protocol are named by
// revoker.
const stepSwept = "swept"

// present is what decisions about the account go by now: by what the daemon has loaded last, or what the command read if
// that has not changed since.
func (w *worker) present(ctx context.Context) sweep.Present {
	now, stop := w, ""
	if w.latest != nil {
		now, stop = w.latest(w)
	}
	policies, err := now.trusted(ctx)
	if err != nil {
		policies, stop = now.policies, cmp.Or(stop, fmt.Sprintf("it is not known which contents of sets are trusted: %v", err))
	}
	line, err := now.lineage(ctx)
	if err != nil {
		line, stop = &lineage{}, cmp.Or(stop, fmt.Sprintf("it is not known which earlier exceptions still count: %v", err))
	}
	return sweep.Present{
		Stop: stop, Mode: string(now.config.Mode), Regions: now.account.Regions, Policies: policies, Terms: now.terms(),
		Earlier: line.earlier, Scope: reach.Scope(now.config.Reach.Scope),
	}
}

// hold keeps a revoking call from being sent if somebody has paused, or changed config or policies, since its rules were
// checked: a call may wait for its turn for some seconds. What is held is checked again.
func (w *worker) hold(ctx context.Context) error {
	switches, err := w.store.Switches(ctx)
	if err != nil {
		return err
	}
	now, stop := w, ""
	if w.latest != nil {
		now, stop = w.latest(w)
	}
	if stop == "" && now != w {
		stop = "config and policies were loaded anew, and have not decided about it yet"
	}
	if why := cmp.Or(switches.Hold(), pausedByFile(now.config), stop); why != "" {
		return errors.New(why)
	}
	return nil
}

// settling are the options of all that changes the account.
func (w *worker) settling(ctx context.Context) sweep.SettleOptions {
	return sweep.SettleOptions{
		Account: w.sweepAccount(), Identity: w.client, Groups: w.client, Rules: w.client,
		Present:  func() sweep.Present { return w.present(ctx) },
		Worklist: w.store, Journal: w.store, Sender: sender{client: w.client, now: w.now, hold: w.hold},
		Now: w.now, Wait: wait, NewID: rand.Text, Reached: w.reached, Interfaces: w.client,
	}
}

// settle works off what is open in the account.
func (w *worker) settle(ctx context.Context) (*sweep.Settled, error) {
	return sweep.Settle(ctx, w.settling(ctx))
}

// restore carries out the open restores of the account that are selected.
func (w *worker) restore(ctx context.Context, selected func(*revoker.Restore) bool) ([]revoker.Restore, error) {
	return sweep.Restore(ctx, w.settling(ctx), &someRestores{store: w.store, selected: selected}, w.store)
}

// someRestores are the open restores that are selected.
type someRestores struct {
	store    *store.SQL
	selected func(*revoker.Restore) bool
}

// OpenRestores implements [sweep.RestoreList].
func (s *someRestores) OpenRestores(ctx context.Context, account string) ([]revoker.RestoreWork, error) {
	all, err := s.store.OpenRestores(ctx, account)
	return slices.DeleteFunc(all, func(w revoker.RestoreWork) bool { return !s.selected(&w.Restore) }), err
}

// settleAll settles until nothing is open, or until it shows that no more can be done now.
func (w *worker) settleAll(ctx context.Context) (*sweep.Settled, error) {
	all := &sweep.Settled{}
	for round := 0; ; round++ {
		settled, err := w.settle(ctx)
		if settled == nil { // the store could not even say what is open
			return all, err
		}
		all.Endings = append(all.Endings, settled.Endings...)
		all.Open, all.Stop = settled.Open, settled.Stop
		switch {
		case err != nil, settled.Open == 0, settled.Stop != "", round == settleRounds:
			return all, err
		}
		if err := wait(ctx, settleAgain); err != nil {
			return all, err
		}
	}
}

// A command tries to settle for about as long as an answer that was lost may still have an effect.
const (
	settleRounds = 10
	settleAgain  = 15 * time.Second
)

// wait lets time pass, unless ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// operator is the user of the operating system who runs the command. It is recorded, and grants nothing.
func operator() string {
	u, err := user.Current()
	if err != nil {
		return fmt.Sprintf("uid %d", os.Getuid())
	}
	return u.Username
}
