package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"

	"github.com/egress-janitor/egress-janitor/policy"
)

// How the watch waits: for quiet after a change, for how long at most, and how often it looks though nobody has told it
// anything. The last is what finds a change where the system cannot tell (a network share, a limit of watches).
const (
	watchQuiet = 500 * time.Millisecond
	watchMost  = 5 * time.Second
	watchPoll  = 30 * time.Second
)

// watch asks for a reload when config or policies say something else than at the last reading.
//
// It looks at contents, never at what kind of event came: so it does not matter whether a file was written in place,
// replaced by a rename, reached over a symbolic link that was swapped (a ConfigMap), or deleted and created again. Events
// only make it look soon; without any it looks every [watchPoll].
type watch struct {
	reload func() // asks for one; must not block
	log    *zap.Logger

	quiet, most, poll time.Duration

	mu    sync.Mutex
	names []string // files and directories of the last reading
	sum   [sha256.Size]byte
	// broken says that the last reading failed. What would mend it may be a file that nobody knows of yet, so any event
	// is worth a reload.
	broken bool

	changed chan struct{} // names were set

	watching func() // is told when directories are watched; nil but in tests
}

func newWatch(log *zap.Logger, reload func()) *watch {
	return &watch{
		reload: reload, log: log, quiet: watchQuiet, most: watchMost, poll: watchPoll, changed: make(chan struct{}, 1),
	}
}

// set says which files and directories are watched from now on. What changed since they were read is not seen: whoever
// calls it must read once more, and compare.
func (w *watch) set(names []string) {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	sum := contentsOf(names)
	w.mu.Lock()
	w.names, w.sum, w.broken = names, sum, false
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// current gives what is watched.
func (w *watch) current() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.names
}

// fail says that the last reading failed.
func (w *watch) fail() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = true
}

// look asks for a reload if the contents are not those of last time. A reload that fails is asked for once: what is wrong
// stays wrong until something is changed.
func (w *watch) look(told bool) {
	names := w.current()
	sum := contentsOf(names)
	w.mu.Lock()
	differs := slices.Equal(names, w.names) && (sum != w.sum || told && w.broken)
	if differs {
		w.sum = sum
	}
	w.mu.Unlock()
	if differs {
		w.reload()
	}
}

// run watches until ctx ends.
func (w *watch) run(ctx context.Context) {
	events, failures := make(<-chan fsnotify.Event), make(<-chan error)
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		w.log.Warn("config and policies are looked at from time to time only, since the system cannot tell of changes",
			zap.Duration("every", w.poll), zap.Error(err))
	} else {
		defer func() { _ = watcher.Close() }()
		events, failures = watcher.Events, watcher.Errors
	}
	poll := time.NewTicker(w.poll)
	defer poll.Stop()
	d := debounce{quiet: w.quiet, most: w.most}
	defer d.stop()
	failed := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.changed:
			w.add(watcher, failed)
			if w.watching != nil {
				w.watching()
			}
		case <-events:
			d.event()
		case err := <-failures: // of a queue that ran over: something was missed
			w.log.Warn("watching config and policies", zap.Error(err))
			d.event()
		case <-d.due():
			d.stop()
			w.look(true)
			w.add(watcher, failed) // directories may be other ones by now
		case <-poll.C:
			w.look(false)
			w.add(watcher, failed)
		}
	}
}

// add watches every directory that a change may happen in. What cannot be watched is told once; it is polled anyway.
func (w *watch) add(watcher *fsnotify.Watcher, failed map[string]bool) {
	if watcher == nil {
		return
	}
	wanted := watchedDirectories(w.current())
	for _, dir := range watcher.WatchList() {
		if !slices.Contains(wanted, dir) {
			_ = watcher.Remove(dir) // it may be gone, which removes it too
		}
	}
	for _, dir := range wanted {
		// Adding again renews a watch whose directory was deleted and created.
		if err := watcher.Add(dir); err != nil && !errors.Is(err, os.ErrNotExist) && !failed[dir] {
			failed[dir] = true
			w.log.Warn("a directory of config or policies cannot be watched, and is looked at from time to time only",
				zap.String("directory", dir), zap.Duration("every", w.poll), zap.Error(err))
		}
	}
}

// debounce waits for quiet.
type debounce struct {
	quiet, most time.Duration

	first time.Time
	timer *time.Timer // nil: nothing is waited for
}

// event makes it wait on, but not for ever.
func (d *debounce) event() {
	now := time.Now() // is compared with itself alone, and a timer runs by the same clock
	if d.timer == nil {
		d.first, d.timer = now, time.NewTimer(d.quiet)
		return
	}
	d.timer.Reset(max(0, min(d.quiet, d.most-now.Sub(d.first))))
}

func (d *debounce) due() <-chan time.Time {
	if d.timer == nil {
		return nil
	}
	return d.timer.C
}

func (d *debounce) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

// contentsOf is a hash over what files and directories hold. What cannot be read is part of it.
func contentsOf(names []string) (sum [sha256.Size]byte) {
	hash := sha256.New()
	for _, name := range names {
		_, _ = fmt.Fprintf(hash, "%q\n", name)
		entries, err := os.ReadDir(name)
		if err != nil {
			addContents(hash, name)
			continue
		}
		for _, entry := range entries {
			if file := entry.Name(); filepath.Ext(file) == ".yaml" && file[0] != '.' {
				_, _ = fmt.Fprintf(hash, "%q\n", file)
				addContents(hash, filepath.Join(name, file))
			}
		}
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

func addContents(hash io.Writer, name string) {
	text := sha256.New()
	if err := readInto(text, name); err != nil {
		_, _ = fmt.Fprintln(hash, "unreadable")
		return
	}
	_, _ = fmt.Fprintf(hash, "%x\n", text.Sum(nil))
}

func readInto(w io.Writer, name string) (err error) {
	file, err := openRegular(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = io.Copy(w, io.LimitReader(file, policy.MaxSetBytes+1))
	return err
}

// watchedDirectories are the directories in which a change can give names another meaning: those of the names, those of
// all symbolic links on the way, and those that are watched themselves.
func watchedDirectories(names []string) []string {
	var dirs []string
	add := func(dir string) {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, name := range names {
		path, err := filepath.Abs(name)
		if err != nil {
			continue
		}
		add(filepath.Dir(path))
		const maxLinks = 40 // as the system has it
		for range maxLinks {
			link, target := firstLink(path)
			if link == "" {
				break
			}
			add(filepath.Dir(link))
			path = target
			add(filepath.Dir(path))
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			add(path)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// firstLink gives the first symbolic link on the way to a path, and the path with the link followed. Empty if there is
// none, or it cannot be told.
func firstLink(path string) (link, target string) {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != filepath.Separator {
			continue
		}
		to, err := os.Readlink(path[:i])
		if err != nil {
			continue
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path[:i]), to)
		}
		return path[:i], filepath.Join(to, path[i:])
	}
	return "", ""
}

// names are the files and directories that a reading came from.
func (r *reading) names(config string) []string {
	names := []string{config}
	for _, p := range r.config.Policies {
		names = append(names, r.config.Path(p))
	}
	for _, source := range r.policies.Sources() {
		if source.URL == "" {
			names = append(names, source.Place)
		}
	}
	return names
}
