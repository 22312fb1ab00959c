package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/revoker"
)

func exec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func TestDatabaseIsDurable(t *testing.T) {
	s := openAt(t, storePath(t), newClock())
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000", "trusted_schema": "0",
	} {
		var value string
		must(t, s.DB().QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&value))
		if value != want {
			t.Errorf("%s is %s, want %s", pragma, value, want)
		}
	}
	if n := s.DB().Stats().MaxOpenConnections; n != 1 {
		t.Errorf("%d connections are allowed, want 1", n)
	}
}

func TestFilesAreForTheirUserOnly(t *testing.T) {
	path := storePath(t)
	s := openAt(t, path, newClock())
	release, err := s.LockAccount(t.Context(), "prod", 0)
	must(t, err)
	defer func() { must(t, release()) }()
	entries, err := filepath.Glob(path + "*")
	must(t, err)
	entries = append(entries, filepath.Join(path+".locks", "prod.lock"))
	if len(entries) < 6 { // database, WAL, shared memory, checkpoint, lock of migrations, directory of locks and a lock
		t.Errorf("found only %v", entries)
	}
	for _, name := range entries {
		info, err := os.Stat(name)
		must(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", filepath.Base(name), info.Mode())
		}
	}
}

func TestPathMayHaveOddCharacters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=memory#c%41.db")
	s := openAt(t, path, newClock())
	must(t, s.Pause(t.Context(), "ann", "why"))
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("the database is not where it was asked for: %v", err)
	}
}

func TestAuditLogRefusesChange(t *testing.T) {
	s := openAt(t, storePath(t), newClock())
	must(t, s.Pause(t.Context(), "ann", "why"))
	for _, query := range []string{
		`UPDATE audit SET actor = 'bob' WHERE seq = 2`,
		`DELETE FROM audit WHERE seq = 2`,
		`DELETE FROM audit`,
		`INSERT OR REPLACE INTO audit (seq, at, kind, actor, account, data, previous, hash) VALUES (2, 0, 'x', '', '', '{}', '', '')`,
		`INSERT INTO audit (seq, at, kind, actor, account, data, previous, hash) VALUES (9, 0, 'x', '', '', '{}', '', '')`,
	} {
		if _, err := s.DB().ExecContext(t.Context(), query); err == nil || !strings.Contains(err.Error(), "only grows") {
			t.Errorf("%s: got %v, want a refusal", query, err)
		}
	}
}

func TestVerifyNamesTheFirstBadEntry(t *testing.T) {
	for _, test := range []struct {
		name  string
		query string
		seq   int64
		want  string
	}{
		{"changed data", `UPDATE audit SET data = '{"reason":"other"}' WHERE seq = 3`, 3, "entry 3 is not what its hash says"},
		{"a changed time", `UPDATE audit SET at = at + 1 WHERE seq = 2`, 2, "entry 2 is not what its hash says"},
		{"a changed account", `UPDATE audit SET account = 'x' WHERE seq = 4`, 4, "entry 4 is not what its hash says"},
		{"one deleted", `DELETE FROM audit WHERE seq = 3`, 3, "entry 3 is missing"},
		{"the first deleted", `DELETE FROM audit WHERE seq = 1`, 1, "entry 1 is missing"},
		{"the last deleted", `DELETE FROM audit WHERE seq = 6`, 6, "the rest is missing"},
		{"all deleted", `DELETE FROM audit`, 1, "the rest is missing"},
		{"another chain", `UPDATE audit SET previous = 'x' WHERE seq = 5`, 5, "entry 5 does not follow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := openAt(t, storePath(t), newClock())
			for i := range 5 {
				must(t, s.Pause(t.Context(), "ann", fmt.Sprint("reason ", i)))
			}
			for _, trigger := range []string{"audit_no_update", "audit_no_delete"} {
				exec(t, s.DB(), "DROP TRIGGER "+trigger)
			}
			exec(t, s.DB(), test.query)
			v := got[*store.Verification](t)(s.Verify(t.Context()))
			if v.BrokenSeq != test.seq || !strings.Contains(v.Broken, test.want) {
				t.Errorf("got entry %d: %q, want entry %d: %q", v.BrokenSeq, v.Broken, test.seq, test.want)
			}
		})
	}
}

func TestLogThatWasWrittenAnewIsNotTheOneOfTheCheckpoint(t *testing.T) {
	path, c := storePath(t), newClock()
	s := openAt(t, path, c)
	must(t, s.Resume(t.Context(), "ann", "start"))
	must(t, s.Pause(t.Context(), "ann", "why"))
	forged := openAt(t, storePath(t), c)
	must(t, forged.Resume(t.Context(), "ann", "start"))
	must(t, forged.Pause(t.Context(), "eve", "why"))
	point, err := os.ReadFile(path + ".checkpoint")
	must(t, err)
	entries := got[[]store.Entry](t)(forged.Entries(t.Context(), 0, 0))
	exec(t, s.DB(), "DROP TRIGGER audit_no_update")
	exec(t, s.DB(), `UPDATE audit SET actor = 'eve', hash = ? WHERE seq = 3`, entries[2].Hash)
	v := got[*store.Verification](t)(s.Verify(t.Context()))
	if v.BrokenSeq != 3 || !strings.Contains(v.Broken, "written anew") {
		t.Errorf("got entry %d: %q", v.BrokenSeq, v.Broken)
	}
	// Whatever is written now leaves the checkpoint as it is: it is the evidence.
	must(t, s.Pause(t.Context(), "eve", "again"))
	after, err := os.ReadFile(path + ".checkpoint")
	must(t, err)
	same(t, "checkpoint", string(point), string(after))
}

func TestOneOpenRevocationByTheIndexToo(t *testing.T) {
	c := newClock()
	s := openAt(t, storePath(t), c)
	must(t, s.Resume(t.Context(), "ann", "start"))
	one("s1", c.tick()).do(t, s)
	copyRow := `INSERT INTO revocations (id, sweep, account, region, group_id, group_name, rule_id, rule_key, content_key, rule, protocol,
		destination, origin, actor, created) SELECT ?, sweep, account, region, group_id, group_name, rule_id, rule_key, content_key,
		rule, protocol, destination, origin, actor, created FROM revocations WHERE id = 's1-r1'`
	if _, err := s.DB().ExecContext(t.Context(), copyRow, "other"); err == nil {
		t.Error("the database took a second open revocation of a rule")
	}
	must(t, s.Finish(t.Context(), []revoker.Ending{ending("s1-r1", revoker.Failed, c.tick())}))
	exec(t, s.DB(), copyRow, "other")
}

func TestReadOnlyStoreReadsBesideTheWriterAndWritesNothing(t *testing.T) {
	path, c := storePath(t), newClock()
	s := openAt(t, path, c)
	must(t, s.Resume(t.Context(), "ann", "start"))
	one("s1", c.tick()).do(t, s)
	r, err := store.Open(t.Context(), store.Options{Path: path, Now: c.now, ReadOnly: true})
	must(t, err)
	defer func() { must(t, r.Close()) }()
	must(t, s.Pause(t.Context(), "bob", "while it is read"))
	if list := got[[]store.SweepRecord](t)(r.Sweeps(t.Context(), store.SweepFilter{})); len(list) != 1 {
		t.Errorf("read %d sweeps, want 1", len(list))
	}
	if v := got[*store.Verification](t)(r.Verify(t.Context())); v.Broken != "" || v.Entries != 6 {
		t.Errorf("verified %+v, want 6 good entries", v)
	}
	same(t, "totals", got[*store.Totals](t)(s.Totals(t.Context())), got[*store.Totals](t)(r.Totals(t.Context())))
	wantError(t, r.Pause(t.Context(), "bob", "why"), "opened for reading only")
	if _, err := r.DB().ExecContext(t.Context(), `DELETE FROM clocks`); err == nil {
		t.Error("the connection of a store that is only read can write")
	}
}

func TestLocksExcludeOtherHandlesAndNameTheHolder(t *testing.T) {
	path, c := storePath(t), newClock()
	a, b := openAt(t, path, c), openAt(t, path, c)
	holder := fmt.Sprintf("process %d (store.test) since 2026-11-23T12:00:00Z", os.Getpid())
	for _, lock := range []struct {
		name string
		take func(*store.SQL) (func() error, error)
		want string
	}{
		{"account", func(s *store.SQL) (func() error, error) { return s.LockAccount(t.Context(), "prod", 0) }, "account prod is in use by " + holder},
		{"account, waiting", func(s *store.SQL) (func() error, error) {
			return s.LockAccount(t.Context(), "prod", time.Millisecond)
		}, "account prod is in use by " + holder},
		{"run", func(s *store.SQL) (func() error, error) { return s.LockRun(t.Context()) }, "store " + path + " is in use by " + holder},
	} {
		release, err := lock.take(a)
		must(t, err)
		_, err = lock.take(b)
		if !errors.Is(err, store.ErrHeld) || err.Error() != lock.want {
			t.Errorf("%s: got %v, want %s", lock.name, err, lock.want)
		}
		must(t, release())
		release, err = lock.take(b)
		must(t, err)
		must(t, release())
	}
	if _, err := a.LockAccount(t.Context(), "../prod", 0); err == nil {
		t.Error("the name of an account left the directory of locks")
	}
}

func TestWaitingForALockEndsWithItsContext(t *testing.T) {
	path, c := storePath(t), newClock()
	a, b := openAt(t, path, c), openAt(t, path, c)
	release, err := a.LockAccount(t.Context(), "prod", 0)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range []*store.SQL{a, b} {
		if _, err := s.LockAccount(ctx, "prod", time.Hour); !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrHeld) {
			t.Errorf("got %v, want the cancellation", err)
		}
	}
	freed := make(chan error, 1)
	go func() {
		free, err := b.LockAccount(t.Context(), "prod", time.Hour)
		if err == nil {
			err = free()
		}
		freed <- err
	}()
	must(t, release())
	must(t, <-freed)
}

func TestOpeningAgainFindsEverythingInPlace(t *testing.T) {
	path, c := storePath(t), newClock()
	armed(t, path, c)
	s := openAt(t, path, c)
	if list := got[[]store.RevocationRecord](t)(s.Revocations(t.Context(), store.RevocationFilter{})); len(list) != 1 {
		t.Errorf("%d revocations after opening again, want 1", len(list))
	}
	if w := got[store.Switches](t)(s.Switches(t.Context())); w.Hold() != "" {
		t.Errorf("held after opening again: %s", w.Hold())
	}
	var jobs int // the tables of the queue are there, too
	must(t, s.DB().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM river_job`).Scan(&jobs))
}
