package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// ErrHeld is what every [HeldError] is, by errors.Is.
var ErrHeld = errors.New("lock is held")

// HeldError says that somebody else holds a lock.
type HeldError struct {
	What   string // is locked, for people
	Holder string // for people: process, command and since when
}

// Error names the lock and its holder.
func (e *HeldError) Error() string { return fmt.Sprintf("%s is in use by %s", e.What, e.Holder) }

// Is tells errors.Is that this is [ErrHeld].
func (e *HeldError) Is(target error) bool { return target == ErrHeld }

// lockAgain is how often a lock of another process is tried while waiting for it.
const lockAgain = 50 * time.Millisecond

// holder is what a lock file says about who holds it.
type holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

func (h *holder) String() string {
	return fmt.Sprintf("process %d (%s) since %s", h.PID, h.Command, h.Since.Format(time.RFC3339))
}

// locks are mutexes by name: within one process a file lock alone would depend on the system.
type locks struct {
	mu     sync.Mutex
	byName map[string]chan struct{}
}

func (l *locks) named(name string) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byName == nil {
		l.byName = map[string]chan struct{}{}
	}
	if l.byName[name] == nil {
		l.byName[name] = make(chan struct{}, 1)
	}
	return l.byName[name]
}

// take takes the mutex of a name, waiting at most until ctx ends; with wait 0 it does not wait.
func (l *locks) take(ctx context.Context, name string, wait time.Duration) (release func(), ok bool) {
	mutex := l.named(name)
	release = sync.OnceFunc(func() { <-mutex })
	select {
	case mutex <- struct{}{}:
		return release, true
	default:
	}
	if wait <= 0 {
		return nil, false
	}
	select {
	case mutex <- struct{}{}:
		return release, true
	case <-ctx.Done():
		return nil, false
	}
}

// LockAccount takes the lock of an account, which guards everything that changes it: sweep, settle, restore. It waits as
// long as told, not at all for 0, and gives a [HeldError] if somebody still holds it then, or the error of ctx. Release
// must be called once; another call does nothing. The lock goes with the process.
func (s *SQL) LockAccount(ctx context.Context, account string, wait time.Duration) (release func() error, err error) {
	if account == "" || strings.ContainsAny(account, `/\`) || account[0] == '.' {
		return nil, fmt.Errorf("locking account %q: the name cannot name a file", account)
	}
	what := "account " + account
	directory := s.path + ".locks"
	if err := os.Mkdir(directory, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("locking %s: %w", what, err)
	}
	return s.lock(ctx, what, filepath.Join(directory, account+".lock"), wait)
}

// LockRun takes the lock that a daemon holds for its life, without waiting: a second one gets a [HeldError].
func (s *SQL) LockRun(ctx context.Context) (release func() error, err error) {
	return s.lock(ctx, "store "+s.path, s.path+".run.lock", 0)
}

func (s *SQL) lock(ctx context.Context, what, path string, wait time.Duration) (func() error, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("locking %s: %w", what, err)
	}
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	free, ok := s.locks.take(bounded, path, wait)
	if !ok {
		return nil, cmp.Or(ctx.Err(), heldBy(what, path))
	}
	file := flock.New(path, flock.SetPermissions(0o600))
	ok, err := file.TryLock()
	if !ok && err == nil && wait > 0 {
		ok, err = file.TryLockContext(bounded, lockAgain)
	}
	switch {
	case ok:
	case ctx.Err() != nil:
		err = fmt.Errorf("locking %s: %w", what, ctx.Err())
	case err == nil || errors.Is(err, context.DeadlineExceeded):
		err = heldBy(what, path)
	default:
		err = fmt.Errorf("locking %s: %w", what, err)
	}
	if !ok {
		free()
		return nil, errors.Join(err, file.Close())
	}
	if err := sign(path, s.now()); err != nil {
		free()
		return nil, errors.Join(fmt.Errorf("locking %s: %w", what, err), file.Close())
	}
	return sync.OnceValue(func() error {
		defer free()
		if err := file.Close(); err != nil {
			return fmt.Errorf("releasing %s: %w", what, err)
		}
		return nil
	}), nil
}

// sign writes into a lock file who holds it, for the message that others get.
func sign(path string, now time.Time) error {
	command := filepath.Base(os.Args[0])
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		command += " " + os.Args[1]
	}
	text, err := json.Marshal(holder{PID: os.Getpid(), Command: command, Since: now.UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// heldBy reads who holds a lock. Between taking it and signing it nobody is named.
func heldBy(what, path string) error {
	var h holder
	text, err := os.ReadFile(path) //nolint:gosec // beside the store, which the config names
	if err != nil || json.Unmarshal(text, &h) != nil {
		return &HeldError{What: what, Holder: "another process"}
	}
	return &HeldError{What: what, Holder: h.String()}
}
