package daemon

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/robfig/cron/v3"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	_ "modernc.org/sqlite" // the driver of the store
)

// patience is how long a test waits for what must happen. River alone takes up to 2 s to start.
const patience = 30 * time.Second

var errHeld = errors.New("held")

// every is a schedule as "@every" gives it, but down to any duration.
type every time.Duration

func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }

// fakeStore keeps in memory what the daemon asks of the store.
type fakeStore struct {
	mu          sync.Mutex
	last        map[string]time.Time
	interrupted map[string]time.Time // sweeps that count as the last until they are marked
	open        []string
	held        map[string]bool // by another process
	locked      map[string]bool // by this one
	err         error           // of LastStarted and OpenAccounts
	onLock      func()          // called when a lock was taken, under the mutex
}

func newStore() *fakeStore {
	return &fakeStore{
		last: map[string]time.Time{}, interrupted: map[string]time.Time{},
		held: map[string]bool{}, locked: map[string]bool{},
	}
}

func (f *fakeStore) LockAccount(_ context.Context, account string, _ time.Duration) (func() error, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held[account] || f.locked[account] {
		return nil, errHeld
	}
	f.locked[account] = true
	if f.onLock != nil {
		f.onLock()
	}
	return func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.locked[account] = false
		return nil
	}, nil
}

func (f *fakeStore) LastStarted(_ context.Context, account string) (time.Time, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t, ok := f.interrupted[account]; ok {
		return t, true, f.err
	}
	t, ok := f.last[account]
	return t, ok, f.err
}

func (f *fakeStore) Interrupted(_ context.Context, account string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.locked[account] {
		return 0, errors.New("the account is not locked")
	}
	if _, ok := f.interrupted[account]; !ok {
		return 0, nil
	}
	delete(f.interrupted, account)
	return 1, nil
}

func (f *fakeStore) OpenAccounts(context.Context) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.open), f.err
}

func (f *fakeStore) set(change func(*fakeStore)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// rig is a daemon to be, and what came of it.
type rig struct {
	store   *fakeStore
	options Options
	logs    *observer.ObservedLogs

	swept   chan string // names of sweeps, when they are over
	skipped chan string
	settled chan string
	reload  chan bool // results

	mu    sync.Mutex
	count map[string]int // sweeps begun
	next  map[string]time.Time
}

// newRig builds options without a database, for what needs no River.
func newRig() *rig {
	core, logs := observer.New(zapcore.DebugLevel)
	r := &rig{
		store: newStore(), logs: logs,
		swept: make(chan string, 100), skipped: make(chan string, 100),
		settled: make(chan string, 100), reload: make(chan bool, 100),
		count: map[string]int{}, next: map[string]time.Time{},
	}
	r.options = Options{
		Store: r.store, Held: errHeld, Log: zap.New(core), Now: time.Now,
		unstaggered: true,
		Parallel:    1, // jobs are worked one after another, in the order in which they were enqueued
		Observer: Observer{
			Skipped:  func(account string) { r.skipped <- account },
			Swept:    func(account string, _ time.Duration, _ error) { r.swept <- account },
			Settled:  func(account string, _ error) { r.settled <- account },
			Reloaded: func(ok bool) { r.reload <- ok },
			Next: func(account string, at time.Time) {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.next[account] = at
			},
		},
	}
	return r
}

// account sweeps by recording its start, and then does what the test wants.
func (r *rig) account(name string, then ...func(context.Context) error) Account {
	return Account{
		Name: name,
		Sweep: func(ctx context.Context) error {
			r.store.set(func(f *fakeStore) { f.last[name] = time.Now() })
			r.mu.Lock()
			r.count[name]++
			r.mu.Unlock()
			for _, f := range then {
				if err := f(ctx); err != nil {
					return err
				}
			}
			return nil
		},
		Settle: func(context.Context) error { return nil },
	}
}

func (r *rig) sweeps(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count[name]
}

// planned is when the account is swept next.
func (r *rig) planned(name string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next[name]
}

// load has the daemon load these generations, one after another and then the last again.
func (r *rig) load(generations ...*Generation) {
	var n int
	r.options.Load = func(context.Context) (*Generation, error) {
		g := generations[min(n, len(generations)-1)]
		n++
		if g == nil {
			return nil, errors.New("policy.yaml:3:1: bad")
		}
		return g, nil
	}
}

func of(schedule cron.Schedule, accounts ...Account) *Generation {
	return &Generation{Schedule: schedule, Accounts: accounts, Mode: "enforce", PolicyHash: "hash"}
}

// idle is a daemon of which nothing runs. It has looked for interrupted sweeps of these accounts.
func (r *rig) idle(recovered ...string) *daemon {
	r.options.setDefaults()
	d := newDaemon(r.options)
	for _, name := range recovered {
		d.recovered.add(name)
	}
	return d
}

// start runs the daemon on a database of its own, and gives how to stop it. It is stopped at the end of the test.
func (r *rig) start(t *testing.T) (stop func() error) {
	t.Helper()
	if r.options.DB == nil {
		r.options.DB = openDB(t)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, r.options) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := stop(); err != nil && !errors.Is(err, ErrDrain) {
			t.Errorf("stopping: got %v, want no error", err)
		}
		if t.Failed() {
			for _, entry := range r.logs.All() {
				t.Log(entry.Level, entry.Message, entry.ContextMap())
			}
		}
	})
	return stop
}

// openDB opens a database of the test's own, as the store does.
func openDB(t *testing.T) *sql.DB {
	t.Helper()
	content, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func open(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+path+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate")
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// migrated gives the content of a database with River's tables. Making it takes long enough to be done only once.
var migrated = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "daemon")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "template.db")
	db, err := open(path)
	if err != nil {
		return nil, err
	}
	migrator, err := rivermigrate.New(riversqlite.New(db), nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	_, err = migrator.Migrate(context.Background(), rivermigrate.DirectionUp, nil)
	// The last connection that closes takes what is in the log over into the file.
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// wait receives the wanted values in their order.
func wait[T comparable](t *testing.T, from <-chan T, want ...T) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-from:
			if got != w {
				t.Fatalf("got %v, want %v", got, w)
			}
		case <-time.After(patience):
			t.Fatalf("got nothing, want %v", w)
		}
	}
}
