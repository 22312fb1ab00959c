package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Options say where the store is.
type Options struct {
	Path string // of the SQLite file; its directory must exist, and must not be on a network share
	Now  func() time.Time
	// ReadOnly is for looking at a store beside the daemon that uses it: nothing is created, migrated or written.
	ReadOnly bool
}

// busyTimeout is how long a statement waits for another process to finish its transaction.
const busyTimeout = 10 * time.Second

// migrateTimeout bounds waiting for another process that migrates.
const migrateTimeout = time.Minute

// Open opens the store, and creates and migrates it if need be. Whoever opened it must close it.
func Open(ctx context.Context, o Options) (*SQL, error) {
	if o.Path == "" || o.Now == nil {
		return nil, errors.New("store options: path or clock is missing")
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", o.Path, err)
	}
	path = linked(path)
	s := &SQL{path: path, now: o.Now, ro: o.ReadOnly}
	if o.ReadOnly {
		err = s.openAsIs(ctx)
	} else {
		err = s.openLocked(ctx)
	}
	if err != nil {
		if s.db != nil {
			err = errors.Join(err, s.db.Close())
		}
		return nil, fault("opening", path, err)
	}
	return s, nil
}

// linked gives the file that a path leads to. SQLite follows links, so locks and checkpoint must be beside the file that
// they are for, whatever it is called.
func linked(path string) string {
	if found, err := filepath.EvalSymlinks(path); err == nil {
		return found
	}
	// A link to what is yet to be created. Of several links in a row the last ones cannot be followed before it is there.
	directory, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path
	}
	path = filepath.Join(directory, filepath.Base(path))
	target, err := os.Readlink(path)
	switch {
	case err != nil:
		return path
	case filepath.IsAbs(target):
		return target
	}
	return filepath.Join(directory, target)
}

// openLocked creates and migrates with all other processes locked out.
func (s *SQL) openLocked(ctx context.Context) (err error) {
	if err := s.checkPlace(); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	lock := flock.New(s.path+".migrate.lock", flock.SetPermissions(0o600))
	_, err = lock.TryLockContext(bounded, lockAgain)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("waiting for another process that creates or migrates the store %s: %w", s.path, err)
	case err != nil:
		return fmt.Errorf("the directory of the store cannot be written: give this user the right to write it: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := createFile(s.path); err != nil {
		return err
	}
	if err := s.connect(); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	return s.begin(ctx)
}

// openAsIs changes nothing, so it needs a store that is of this version already.
func (s *SQL) openAsIs(ctx context.Context) error {
	if err := s.checkPlace(); err != nil {
		return err
	}
	if err := s.connect(); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("there is no store at %s: name the file that `run` or `sweep` uses (%w)", s.path, err)
		}
		return err
	}
	return s.checkVersion(ctx)
}

// checkPlace refuses what can never hold a store, with a message better than SQLite's.
func (s *SQL) checkPlace() error {
	info, err := os.Stat(s.path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a directory: name a file in it, such as %s", s.path, filepath.Join(s.path, "egress-janitor.db"))
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file (%s)", s.path, info.Mode().Type())
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	}
	directory := filepath.Dir(s.path)
	if _, err := os.Stat(directory); err != nil {
		return fmt.Errorf("the directory of the store cannot be used: create %s and give this user the right to write it: %w",
			directory, err)
	}
	return nil
}

// createFile creates the file before SQLite would, since what is in it concerns nobody else. The files that SQLite puts
// beside it get the same mode.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the config names it
	if err != nil {
		return fmt.Errorf("the file of the store cannot be written: give this user the right to write it and its directory: %w",
			err)
	}
	return errors.Join(f.Close(), syncDirectory(filepath.Dir(path)))
}

func (s *SQL) connect() error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	s.file = info
	// One connection: SQLite has one writer, and River inserting over a second one while a transaction is open on the
	// first would wait for it forever.
	s.db, err = sql.Open("sqlite", dataSource(s.path, s.ro))
	if err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1)
	return nil
}

func dataSource(path string, readOnly bool) string {
	settings := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"foreign_keys(on)",
		"trusted_schema(off)",
	}}
	if readOnly {
		settings.Set("mode", "ro")
		settings.Add("_pragma", "query_only(on)")
	} else {
		settings.Set("mode", "rw") // never create: the file is there, or it was deleted
		settings.Set("_txlock", "immediate")
		settings.Add("_pragma", "journal_mode(wal)")
		settings.Add("_pragma", "synchronous(full)")
	}
	u := url.URL{Scheme: "file", Path: path, OmitHost: true, RawQuery: settings.Encode()}
	return u.String()
}

// begin writes the first entry of a new store's audit log, and its checkpoint. A checkpoint that is there already is the
// one of a database that was deleted: it stays, so that the loss is seen.
func (s *SQL) begin(ctx context.Context) error {
	return s.write(ctx, "opening", func(t *tx) error {
		head, err := t.head(ctx)
		if err != nil || head.Seq > 0 {
			return err
		}
		_, err = os.Stat(s.checkpointPath())
		if errors.Is(err, os.ErrNotExist) {
			err = writeCheckpoint(s.checkpointPath(), &checkpoint{Time: stored(s.now())})
		}
		if err != nil {
			return err
		}
		return t.append(ctx, s.now(), createdEvent())
	})
}
