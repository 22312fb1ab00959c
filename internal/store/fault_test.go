package store_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/store"
)

func TestOpeningSaysWhatToDo(t *testing.T) {
	for _, test := range []struct {
		name     string
		make     func(t *testing.T, path string) string
		readOnly bool
		want     string
	}{
		{"no path", func(*testing.T, string) string { return "" }, false, "path or clock is missing"},
		{"a directory", func(_ *testing.T, path string) string { return filepath.Dir(path) }, false, "is a directory: name a file in it"},
		{"no directory", func(_ *testing.T, path string) string { return filepath.Join(path, "x", "y.db") }, false, "create "},
		{"no database", func(t *testing.T, path string) string {
			t.Helper()
			must(t, os.WriteFile(path, []byte(strings.Repeat("this is no database\n", 100)), 0o600))
			return path
		}, false, "the file is damaged or no database: put it back from a copy"},
		{"no database, to be read", func(t *testing.T, path string) string {
			t.Helper()
			must(t, os.WriteFile(path, []byte(strings.Repeat("this is no database\n", 100)), 0o600))
			return path
		}, true, "the file is damaged or no database: put it back from a copy"},
		{"nothing, to be read", func(_ *testing.T, path string) string { return path }, true, "there is no store at"},
		{"an empty file, to be read", func(t *testing.T, path string) string {
			t.Helper()
			must(t, os.WriteFile(path, nil, 0o600))
			return path
		}, true, "is no store of egress-janitor"},
		{
			"a newer one", func(t *testing.T, path string) string { t.Helper(); return newer(t, path) }, false,
			"is of version 4, and this binary knows versions up to 3: use the binary that wrote it, or a newer one",
		},
		{
			"a newer one, to be read", func(t *testing.T, path string) string { t.Helper(); return newer(t, path) }, true,
			"is of version 4, and this binary knows versions up to 3: use the binary that wrote it, or a newer one",
		},
		{"a newer queue", func(t *testing.T, path string) string {
			t.Helper()
			s := openAt(t, path, newClock())
			exec(t, s.DB(), `INSERT INTO river_migration (line, version) VALUES ('main', 99)`)
			return path
		}, false, "the queue in the store cannot be read, perhaps since it is newer than this binary"},
		{"a damaged one", func(t *testing.T, path string) string {
			t.Helper()
			armed(t, path, newClock())
			text, err := os.ReadFile(path)
			must(t, err)
			for i := 4096; i < len(text); i++ {
				text[i] = 0xaa
			}
			must(t, os.WriteFile(path, text, 0o600))
			return path
		}, false, "the file is damaged or no database"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := test.make(t, storePath(t))
			s, err := store.Open(t.Context(), store.Options{Path: path, Now: newClock().now, ReadOnly: test.readOnly})
			if err == nil {
				must(t, s.Close())
			}
			wantError(t, err, test.want)
		})
	}
}

func newer(t *testing.T, path string) string {
	t.Helper()
	s := openAt(t, path, newClock())
	exec(t, s.DB(), `INSERT INTO store_versions (version_id, is_applied) VALUES (4, 1)`)
	return path
}

func TestStoreThatIsLostWhileOpenTakesNothingMore(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, path string){
		"deleted": func(t *testing.T, path string) { t.Helper(); must(t, os.Remove(path)) },
		"replaced": func(t *testing.T, path string) {
			t.Helper()
			move(t, path, path+".copy")
			must(t, os.Rename(path+".copy", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, c := storePath(t), newClock()
			s := openAt(t, path, c)
			must(t, s.Resume(t.Context(), "ann", "start"))
			one("s1", c.tick()).do(t, s)
			lose(t, path)
			err := s.Record(t.Context(), call("c1", c.tick(), ref("prod", "sg-1"), "s1-r1"))
			if !errors.Is(err, store.ErrLost) || !strings.Contains(err.Error(), "put the file back from a copy") {
				t.Errorf("got %v, want that the store is lost", err)
			}
			if _, err := s.Totals(t.Context()); !errors.Is(err, store.ErrLost) {
				t.Errorf("reading: got %v, want that the store is lost", err)
			}
		})
	}
}

func TestFullDiskRecordsNothingAndSaysSo(t *testing.T) {
	c := newClock()
	s := openAt(t, storePath(t), c)
	must(t, s.Resume(t.Context(), "ann", "start"))
	exec(t, s.DB(), "PRAGMA max_page_count = 1") // SQLite takes the present size instead
	before := got[*store.Totals](t)(s.Totals(t.Context()))
	var err error
	for range 100 {
		if err = s.Pause(t.Context(), "ann", strings.Repeat("long ", 1000)); err != nil {
			break
		}
		before = got[*store.Totals](t)(s.Totals(t.Context()))
	}
	wantError(t, err, "the disk is full: nothing was recorded and nothing was sent; free some space")
	same(t, "totals", before, got[*store.Totals](t)(s.Totals(t.Context())))
	exec(t, s.DB(), "PRAGMA max_page_count = 1000000")
	must(t, s.Pause(t.Context(), "ann", "there is space again"))
}

func TestDatabaseThatIsKeptBusySaysSo(t *testing.T) {
	path, c := storePath(t), newClock()
	s, other := openAt(t, path, c), openAt(t, path, c)
	tx, err := other.DB().BeginTx(t.Context(), &sql.TxOptions{})
	must(t, err)
	exec(t, s.DB(), "PRAGMA busy_timeout = 1")
	wantError(t, s.Pause(t.Context(), "ann", "why"), "another process has kept the database for too long")
	must(t, tx.Rollback())
	must(t, s.Pause(t.Context(), "ann", "why"))
}
