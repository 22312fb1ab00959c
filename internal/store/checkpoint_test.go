package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
)

// armed makes a store with a history at a path, and closes it.
func armed(t *testing.T, path string, c *clock) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: path, Now: c.now})
	must(t, err)
	must(t, s.Resume(t.Context(), "ann", "start"))
	one("s1", c.tick()).do(t, s)
	must(t, s.Close())
}

func move(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, text, 0o600))
}

func TestStoreThatIsNotTheLastOneIsHeld(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(path string)
		want  string
	}{
		{"the database was deleted", func(path string) { must(t, os.Remove(path)) }, "was deleted or replaced by an older one"},
		{"an older copy was put back", func(path string) { move(t, path+".copy", path) }, "entries in its audit log, but the checkpoint of"},
		{"another database is there", func(path string) {
			c := newClock()
			c.tick()
			other := path + ".other"
			armed(t, other, c)
			s, err := store.Open(t.Context(), store.Options{Path: other, Now: c.now})
			must(t, err)
			must(t, s.Pause(t.Context(), "eve", "why"))
			must(t, s.Close())
			move(t, other, path)
		}, "was replaced by another one"},
		{"the checkpoint is missing", func(path string) { must(t, os.Remove(path+".checkpoint")) }, "is missing"},
		{"the checkpoint is empty", func(path string) { must(t, os.WriteFile(path+".checkpoint", nil, 0o600)) }, "cannot be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, c := storePath(t), newClock()
			armed(t, path, c)
			move(t, path, path+".copy")
			s, err := store.Open(t.Context(), store.Options{Path: path, Now: c.now})
			must(t, err)
			must(t, s.Resume(t.Context(), "ann", "last words"))
			must(t, s.Close())
			test.spoil(path)

			s = openAt(t, path, c)
			w := got[store.Switches](t)(s.Switches(t.Context()))
			if !strings.Contains(w.Behind, test.want) || !strings.Contains(w.Hold(), "egress-janitor resume") {
				t.Errorf("behind %q, want %q in it", w.Behind, test.want)
			}
			r := one("s9", c.tick())
			r.rules["sg-1"] = []sg.Rule{rule("sgr-9", "22/22")}
			if state := r.do(t, s); !strings.Contains(state.Paused, "accept the loss") {
				t.Errorf("decisions see %q, want that the store is not the last one", state.Paused)
			}
			if err := s.Record(t.Context(), call("c9", c.tick(), ref("prod", "sg-1"), "s9-r1")); !errors.Is(err, store.ErrOnHold) {
				t.Errorf("got %v, want that nothing may be revoked", err)
			}
			again := openAt(t, path, c)
			if w := got[store.Switches](t)(again.Switches(t.Context())); w.Behind == "" {
				t.Error("opening once more has made it whole")
			}
			must(t, s.Resume(t.Context(), "ann", "the disk was lost"))
			for _, handle := range []*store.SQL{s, again} {
				if w := got[store.Switches](t)(handle.Switches(t.Context())); w.Hold() != "" {
					t.Errorf("held after the loss was accepted: %q", w.Hold())
				}
			}
			entries := got[[]store.Entry](t)(s.Entries(t.Context(), 0, 0))
			if data := string(entries[len(entries)-1].Data); !strings.Contains(data, "accepted") {
				t.Errorf("the audit log does not say what was accepted: %s", data)
			}
			if v := got[*store.Verification](t)(s.Verify(t.Context())); v.Broken != "" {
				t.Errorf("does not verify after the loss was accepted: %s", v.Broken)
			}
		})
	}
}

func TestOlderCheckpointIsGood(t *testing.T) {
	path, c := storePath(t), newClock()
	armed(t, path, c)
	move(t, path+".checkpoint", path+".older")
	s := openAt(t, path, c)
	must(t, s.Pause(t.Context(), "ann", "why"))
	must(t, s.Resume(t.Context(), "ann", "why"))
	must(t, os.Rename(path+".older", path+".checkpoint"))
	if w := got[store.Switches](t)(s.Switches(t.Context())); w.Behind != "" {
		t.Errorf("behind: %s", w.Behind)
	}
	if v := got[*store.Verification](t)(s.Verify(t.Context())); v.Broken != "" {
		t.Errorf("broken: %s", v.Broken)
	}
}

func TestCheckpointThatCannotBeWrittenHoldsUntilItCan(t *testing.T) {
	c := newClock()
	first := storePath(t)
	armed(t, first, c)
	// The name of the checkpoint fits, that of the file which is to replace it does not.
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 240))
	move(t, first, path)
	move(t, first+".checkpoint", path+".checkpoint")
	s := openAt(t, path, c)
	if w := got[store.Switches](t)(s.Switches(t.Context())); w.Hold() != "" {
		t.Fatalf("held before anything was written: %s", w.Hold())
	}
	if _, err := s.Start(t.Context(), one("s2", c.tick()).start()); err != nil {
		t.Errorf("what is on the disk is an error because of the checkpoint: %v", err)
	}
	w := got[store.Switches](t)(s.Switches(t.Context()))
	if !strings.Contains(w.Hold(), "cannot be written") {
		t.Errorf("held by %q", w.Hold())
	}
	if state := pausedBy(t, s); !strings.Contains(state, "cannot be written") {
		t.Errorf("a recheck sees %q", state)
	}
}

func pausedBy(t *testing.T, s *store.SQL) string {
	t.Helper()
	again, err := s.Recheck(t.Context(), ref("prod", "sg-1"), "hash")
	must(t, err)
	return again.State.Paused
}
