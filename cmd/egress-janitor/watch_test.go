package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

// put writes a file, and what is missing of the directories over it.
func put(t *testing.T, text string, parts ...string) string {
	t.Helper()
	name := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// must0 fails the test on an error.
func must0(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheWatchAsksForAReloadHoweverAFileIsChanged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		start  func(t *testing.T, dir string)
		change func(t *testing.T, dir string)
	}{
		{
			"written in place",
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "one", dir, "policies", "a.yaml")
			},
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "two", dir, "policies", "a.yaml")
			},
		},
		{
			"replaced by a rename",
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "one", dir, "policies", "a.yaml")
			},
			func(t *testing.T, dir string) {
				t.Helper()
				must0(t, os.Rename(put(t, "two", dir, "policies", ".a.swp"), filepath.Join(dir, "policies", "a.yaml")))
			},
		},
		{
			"added",
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "one", dir, "policies", "a.yaml")
			},
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "two", dir, "policies", "b.yaml")
			},
		},
		{
			"removed",
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "one", dir, "policies", "a.yaml")
				put(t, "one", dir, "policies", "b.yaml")
			},
			func(t *testing.T, dir string) {
				t.Helper()
				must0(t, os.Remove(filepath.Join(dir, "policies", "b.yaml")))
			},
		},
		{
			"in a directory that is deleted and created again",
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "one", dir, "policies", "a.yaml")
			},
			func(t *testing.T, dir string) {
				t.Helper()
				must0(t, os.RemoveAll(filepath.Join(dir, "policies")))
				put(t, "two", dir, "policies", "a.yaml")
			},
		},
		{
			"behind the link of a ConfigMap, which is swapped",
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "one", dir, "policies", "..1", "a.yaml")
				must0(t, os.Symlink("..1", filepath.Join(dir, "policies", "..data")))
				must0(t, os.Symlink(filepath.Join("..data", "a.yaml"), filepath.Join(dir, "policies", "a.yaml")))
			},
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "two", dir, "policies", "..2", "a.yaml")
				must0(t, os.Symlink("..2", filepath.Join(dir, "policies", "..data_tmp")))
				must0(t, os.Rename(filepath.Join(dir, "policies", "..data_tmp"), filepath.Join(dir, "policies", "..data")))
			},
		},
		{
			"behind a directory that is a link to elsewhere",
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "one", dir, "elsewhere", "deep", "a.yaml")
				must0(t, os.Symlink(filepath.Join(dir, "elsewhere", "deep"), filepath.Join(dir, "policies")))
			},
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "two", dir, "elsewhere", "deep", "a.yaml")
			},
		},
		{
			"the config itself",
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "one", dir, "policies", "a.yaml")
			},
			func(t *testing.T, dir string) {
				t.Helper()
				put(t, "two", dir, "janitor.yaml")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, "config", dir, "janitor.yaml")
			c.start(t, dir)
			asked := watching(t, dir, time.Hour)
			c.change(t, dir)
			await(t, asked)
		})
	}
}

// watching watches dir/janitor.yaml and dir/policies, and gives what is told of each reload that is asked for.
func watching(t *testing.T, dir string, poll time.Duration) <-chan struct{} {
	t.Helper()
	asked := make(chan struct{}, 100)
	w := newWatch(zap.NewNop(), func() { asked <- struct{}{} })
	w.quiet, w.most, w.poll = 20*time.Millisecond, 200*time.Millisecond, poll
	w.set([]string{filepath.Join(dir, "janitor.yaml"), filepath.Join(dir, "policies")})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	ready := make(chan struct{})
	w.watching = sync.OnceFunc(func() { close(ready) })
	wg.Go(func() { w.run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	await(t, ready)
	return asked
}

func await(t *testing.T, told <-chan struct{}) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was told within 20 s")
	}
}

func TestWhatTheSystemDoesNotTellIsFoundByLooking(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, "config", dir, "janitor.yaml")
	put(t, "one", dir, "policies", "a.yaml")
	asked := make(chan struct{}, 1)
	w := newWatch(zap.NewNop(), func() { asked <- struct{}{} })
	w.set([]string{filepath.Join(dir, "janitor.yaml"), filepath.Join(dir, "policies")})
	w.look(false)
	put(t, "two", dir, "policies", "a.yaml")
	if len(asked) != 0 {
		t.Fatal("a reload was asked for before anything was changed")
	}
	w.look(false)
	await(t, asked)
	w.look(true)
	if len(asked) != 0 {
		t.Error("a reload was asked for twice for one change")
	}
	w.fail() // the reload did not work
	w.look(false)
	if len(asked) != 0 {
		t.Error("a reload that failed is repeated though nothing happened")
	}
	w.look(true)
	await(t, asked)
}

func TestTheDirectoriesOfAllLinksOnTheWayAreWatched(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	put(t, "x", dir, "mount", "..1", "a.yaml")
	must0(t, os.Symlink("..1", filepath.Join(dir, "mount", "..data")))
	must0(t, os.Symlink(filepath.Join("..data", "a.yaml"), filepath.Join(dir, "mount", "a.yaml")))
	must0(t, os.Symlink("mount", filepath.Join(dir, "policies")))
	got := watchedDirectories([]string{filepath.Join(dir, "policies", "a.yaml")})
	want := []string{
		dir, filepath.Join(dir, "mount"), filepath.Join(dir, "mount", "..1"), filepath.Join(dir, "mount", "..data"),
		filepath.Join(dir, "policies"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestALinkThatLeadsToItselfIsGivenUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must0(t, os.Symlink("policies", filepath.Join(dir, "policies")))
	if got := watchedDirectories([]string{filepath.Join(dir, "policies")}); len(got) != 1 {
		t.Errorf("got %v, want the directory alone", got)
	}
}
