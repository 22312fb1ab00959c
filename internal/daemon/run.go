package daemon

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"

	"github.com/egress-janitor/egress-janitor/internal/web"
)

// ErrDrain is given by Run if work did not end within Drain after its context did. That work still runs and uses the
// store: the process has to end. What was under way is picked up at the next start.
var ErrDrain = errors.New("work did not end in time")

type daemon struct {
	Options

	river       *river.Client[*sql.Tx]
	generations generations
	gates       *gates
	visits      *visits
	recovered   names         // accounts whose interrupted sweeps are marked
	turns       chan struct{} // bounds how many accounts are settled at once

	arming sync.Mutex // of River; guards armed
	armed  []string

	reloadAsked chan chan error
	roundNow    chan struct{}
	inRound     atomic.Bool

	tasks    sync.WaitGroup // everything that Run waits for
	orphans  sync.Map       // accounts of which it was told that nobody settles them
	ready    atomic.Bool
	lastBeat atomic.Pointer[time.Time]
}

// Run loads, sweeps, settles and reloads as the package comment says until ctx ends, and gives nil then, or ErrDrain. It
// gives an error at once if the first load fails, River does not start, or HTTP cannot be served. When it returns
// without ErrDrain none of its goroutines run any more and all generations are closed.
func Run(ctx context.Context, o Options) error {
	o.setDefaults()
	if o.Listener != nil {
		// Closed by the server in the end, but not if it never gets that far.
		defer func() { _ = o.Listener.Close() }()
	}
	if err := o.validate(); err != nil {
		return err
	}
	d := newDaemon(o)
	client, err := d.newClient()
	if err != nil {
		return err
	}
	d.river = client

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	endWeb, err := d.serve(ctx, stop)
	if err != nil {
		return err
	}
	err = d.run(ctx)
	stop(err)
	d.ready.Store(false)
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.Drain)
	defer cancel()
	return errors.Join(err, d.drain(deadline), endWeb(deadline))
}

func newDaemon(o Options) *daemon {
	d := &daemon{
		Options:     o,
		gates:       newGates(),
		visits:      newVisits(o.SettleEvery),
		turns:       make(chan struct{}, o.Parallel),
		reloadAsked: make(chan chan error),
		roundNow:    make(chan struct{}, 1),
	}
	d.beat()
	return d
}

// run does all work until ctx ends.
func (d *daemon) run(ctx context.Context) error {
	d.tasks.Go(func() { d.loop(ctx) })
	if err := protect(ctx, d.load); err != nil {
		return unlessDone(ctx, err)
	}
	if err := d.arm(ctx); err != nil {
		return err
	}
	if err := d.river.Start(ctx); err != nil {
		return unlessDone(ctx, fmt.Errorf("starting the scheduler: %w", err))
	}
	// River's end is bound to that of ctx.
	d.tasks.Go(func() { <-d.river.Stopped() })
	d.tasks.Go(func() { d.reloads(ctx) })
	d.startRound()
	d.ready.Store(true)
	<-ctx.Done()
	return nil
}

// drain waits for everything that runs, all of whose contexts have ended.
func (d *daemon) drain(deadline context.Context) error {
	over := make(chan struct{})
	go func() {
		defer close(over)
		d.tasks.Wait()
		d.generations.replace(nil)
	}()
	select {
	case <-over:
		return nil
	case <-deadline.Done():
		return fmt.Errorf("stopping: %w: accounts at work after %s: %s",
			ErrDrain, d.Drain, strings.Join(d.gates.busy(), ", "))
	}
}

// startRound has the loop begin a round now.
func (d *daemon) startRound() {
	select {
	case d.roundNow <- struct{}{}:
	default:
	}
}

func (d *daemon) beat() {
	now := d.Now()
	d.lastBeat.Store(&now)
}

// serve begins to take requests, and ends ctx by stop if that fails later on. end takes no more of them, waits for those
// under way until its context ends, and gives what failed.
func (d *daemon) serve(ctx context.Context, stop context.CancelCauseFunc) (end func(context.Context) error, err error) {
	if d.Listener == nil {
		return func(context.Context) error { return nil }, nil
	}
	server, err := web.New(web.Options{
		Metrics:  d.Metrics,
		Alive:    d.alive,
		Ready:    d.readiness,
		Reload:   func(asker context.Context) error { return d.ask(asker, ctx) },
		ErrorLog: d.stdLog(),
	})
	if err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() {
		err := server.Serve(d.Listener)
		if err != nil {
			stop(err)
		}
		served <- err
	}()
	return func(deadline context.Context) error {
		err := server.Shutdown(deadline)
		return errors.Join(err, <-served)
	}, nil
}

func (d *daemon) alive() error {
	if silent := d.Now().Sub(*d.lastBeat.Load()); silent > staleAfter {
		return fmt.Errorf("the daemon's loop has been silent for %s", silent.Round(time.Second))
	}
	return nil
}

func (d *daemon) readiness() error {
	if !d.ready.Load() {
		return errors.New("starting or stopping")
	}
	return nil
}
