//go:build unix

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/store"
)

// TestCommitOfAnotherProcessIsNoLoss holds one handle at reading the checkpoint, by a pipe in its place, until another
// has committed and saved a newer one. It reads the newer one, and so must see what it was written for.
func TestCommitOfAnotherProcessIsNoLoss(t *testing.T) {
	for _, test := range []struct {
		name string
		read func(*store.SQL) (behind string, err error)
	}{
		{"switches", func(s *store.SQL) (string, error) {
			w, err := s.Switches(t.Context())
			return w.Behind, err
		}},
		{"totals", func(s *store.SQL) (string, error) {
			totals, err := s.Totals(t.Context())
			if err != nil {
				return "", err
			}
			return totals.Switches.Behind, nil
		}},
		{"recheck", func(s *store.SQL) (string, error) {
			again, err := s.Recheck(t.Context(), ref("prod", "sg-1"), "hash")
			if err != nil {
				return "", err
			}
			return again.State.Paused, nil
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, c := storePath(t), newClock()
			armed(t, path, c)
			a, b := openAt(t, path, c), openAt(t, path, c)
			next := one("s2", c.tick()).start()
			point := path + ".checkpoint"
			must(t, os.Rename(point, path+".kept"))
			must(t, syscall.Mkfifo(point, 0o600))
			type answer struct {
				behind string
				err    error
			}
			answers := make(chan answer, 1)
			go func() {
				behind, err := test.read(a)
				answers <- answer{behind, err}
			}()
			pipe, err := os.OpenFile(point, os.O_WRONLY, 0) // waits for the reader
			must(t, err)
			must(t, os.Rename(path+".kept", point))
			_, err = b.Start(t.Context(), next)
			must(t, err)
			text, err := os.ReadFile(point)
			must(t, err)
			_, err = pipe.Write(text)
			must(t, errors.Join(err, pipe.Close()))
			if got := <-answers; got.behind != "" || got.err != nil {
				t.Errorf("got %q, %v, want that nothing is wrong", got.behind, got.err)
			}
		})
	}
}

func TestLinkToTheStoreIsTheStore(t *testing.T) {
	for _, test := range []struct {
		name string
		// link makes a way to the file of the store that is not its name.
		link func(t *testing.T, path, other string) string
	}{
		{"a link to the file", func(t *testing.T, path, other string) string {
			t.Helper()
			link := filepath.Join(other, "link.db")
			must(t, os.Symlink(path, link))
			return link
		}},
		{"a relative link to the file", func(t *testing.T, path, other string) string {
			t.Helper()
			link := filepath.Join(other, "link.db")
			relative, err := filepath.Rel(other, path)
			must(t, err)
			must(t, os.Symlink(relative, link))
			return link
		}},
		{"a link to its directory", func(t *testing.T, path, other string) string {
			t.Helper()
			link := filepath.Join(other, "link")
			must(t, os.Symlink(filepath.Dir(path), link))
			return filepath.Join(link, filepath.Base(path))
		}},
	} {
		for _, created := range []string{"by its name", "by the link"} {
			t.Run(test.name+", created "+created, func(t *testing.T) {
				path, c := storePath(t), newClock()
				link := test.link(t, path, t.TempDir())
				ways := []string{path, link}
				if created == "by the link" {
					ways = []string{link, path}
				}
				armed(t, ways[0], c)
				a, b := openAt(t, ways[0], c), openAt(t, ways[1], c)
				for _, s := range []*store.SQL{a, b} {
					if w := got[store.Switches](t)(s.Switches(t.Context())); w.Hold() != "" {
						t.Errorf("held: %s", w.Hold())
					}
				}
				release, err := a.LockAccount(t.Context(), "prod", 0)
				must(t, err)
				if _, err := b.LockAccount(t.Context(), "prod", 0); !errors.Is(err, store.ErrHeld) {
					t.Errorf("got %v, want that the account is in use", err)
				}
				must(t, release())
				release, err = b.LockRun(t.Context())
				must(t, err)
				if _, err := a.LockRun(t.Context()); !errors.Is(err, store.ErrHeld) {
					t.Errorf("got %v, want that the store is in use", err)
				}
				must(t, release())
			})
		}
	}
}
