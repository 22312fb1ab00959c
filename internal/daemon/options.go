package daemon

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// Defaults of the Options that are durations or counts.
const (
	DefaultSettleEvery = 15 * time.Second
	DefaultDrain       = 10 * time.Second
	DefaultParallel    = 4
)

// maxSettleEvery keeps what is open from being left alone for long, since nothing else looks after it.
const maxSettleEvery = 5 * time.Minute

// Locker keeps processes apart that work on the same account.
type Locker interface {
	// LockAccount takes the lock of an account. If somebody else has it for longer than wait, the error is the Held of
	// the Options by errors.Is.
	LockAccount(ctx context.Context, account string, wait time.Duration) (release func() error, err error)
}

// Sweeps are the sweeps that the store knows.
type Sweeps interface {
	// LastStarted gives when the last sweep of the account started that was not interrupted; not ok if there is none.
	LastStarted(ctx context.Context, account string) (t time.Time, ok bool, err error)
	// Interrupted marks the account's sweeps that never finished and gives their number. It is called under the
	// account's lock only: nobody is at work on them.
	Interrupted(ctx context.Context, account string) (int, error)
}

// Backlog is what the store has open.
type Backlog interface {
	// OpenAccounts gives the accounts with open revocations or restores.
	OpenAccounts(ctx context.Context) ([]string, error)
}

// Store is what the daemon asks of the store. Its methods are called concurrently.
type Store interface {
	Locker
	Sweeps
	Backlog
}

// Observer is told what happens. Its functions are called concurrently and must not block; nil ones are left out.
type Observer struct {
	// Skipped is told of a tick that found the account's last sweep still running, or its lock with another process;
	// once per tick.
	Skipped func(account string)
	// Swept is told of every sweep by schedule that was begun or could not begin: how long it took and its error, which
	// is ctx.Err() of the work if the daemon stopped meanwhile.
	Swept func(account string, took time.Duration, err error)
	// Settled is told of every settling and its error.
	Settled func(account string, err error)
	// Reloaded is told whether a reload worked. The first load does not count.
	Reloaded func(ok bool)
	// Next is told when the account will be swept next; the zero time if it will not be by the schedule.
	Next func(account string, at time.Time)
}

// Options are what Run needs. All fields are required but those that say otherwise.
type Options struct {
	// Load reads configuration and policies and gives what they amount to. It is called at start and for every reload,
	// never twice at the same time.
	Load func(ctx context.Context) (*Generation, error)
	// Reload asks for a reload with every value. It must not be closed. Nil if nothing asks.
	Reload <-chan struct{}

	Store Store
	// Held is what errors of Store.LockAccount are, by errors.Is, if somebody else has the lock.
	Held error
	// DB is the SQLite database of the store with the tables of River. It is used by River alone here and stays open.
	DB *sql.DB

	Log *zap.Logger
	Now func() time.Time

	// Listener takes HTTP requests; Run closes it. Nil for none.
	Listener net.Listener
	// Metrics serves GET /metrics. Required with a Listener.
	Metrics http.Handler

	// Observer may be zero.
	Observer Observer
	// DryRun never settles, so that nothing is sent that changes anything.
	DryRun bool
	// SettleEvery is the time between two looks at what is open, and between two tries to get a lock that another
	// process has; 0 for the default, 5 min at most.
	SettleEvery time.Duration
	// Drain is how long Run waits for running work after its context ended; 0 for the default.
	Drain time.Duration
	// Parallel is how many accounts may be swept at once, and how many may be settled at once; 0 for the default.
	Parallel int

	// unstaggered starts River's services without the pauses of up to a second between them; for tests.
	unstaggered bool
}

func (o *Options) setDefaults() {
	if o.SettleEvery == 0 {
		o.SettleEvery = DefaultSettleEvery
	}
	if o.Drain == 0 {
		o.Drain = DefaultDrain
	}
	if o.Parallel == 0 {
		o.Parallel = DefaultParallel
	}
}

func (o *Options) validate() error {
	switch {
	case o.Load == nil, o.Store == nil, o.Held == nil, o.DB == nil, o.Log == nil, o.Now == nil:
		return errors.New("the daemon needs Load, Store, Held, DB, Log and Now")
	case o.Listener != nil && o.Metrics == nil:
		return errors.New("the daemon needs Metrics to serve on a Listener")
	case o.SettleEvery < 0 || o.SettleEvery > maxSettleEvery:
		return fmt.Errorf("SettleEvery is %s, expected more than 0 and at most %s", o.SettleEvery, maxSettleEvery)
	case o.Drain < 0:
		return fmt.Errorf("drain is %s, expected more than 0", o.Drain)
	case o.Parallel < 0:
		return fmt.Errorf("parallel is %d, expected at least 1", o.Parallel)
	}
	return nil
}

func (o *Observer) skipped(account string) {
	if o.Skipped != nil {
		o.Skipped(account)
	}
}

func (o *Observer) swept(account string, took time.Duration, err error) {
	if o.Swept != nil {
		o.Swept(account, took, err)
	}
}

func (o *Observer) settled(account string, err error) {
	if o.Settled != nil {
		o.Settled(account, err)
	}
}

func (o *Observer) reloaded(ok bool) {
	if o.Reloaded != nil {
		o.Reloaded(ok)
	}
}

func (o *Observer) next(account string, at time.Time) {
	if o.Next != nil {
		o.Next(account, at)
	}
}
