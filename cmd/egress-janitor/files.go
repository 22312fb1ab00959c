package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// reading is the config and the policies that it names, read together.
type reading struct {
	config   *config.Config
	policies *policy.Set
	text     []byte             // of the config
	files    []store.PolicyFile // that the policies came from
}

// same tells whether two readings say the same.
func (r *reading) same(other *reading) bool {
	return bytes.Equal(r.text, other.text) && r.policies.Hash() == other.policies.Hash()
}

// read reads config and policies once, and prints nothing. Sets with a URL are unread.
func (s system) read(file string) (*reading, error) { return s.readWith(file, policy.Options{}) }

func (s system) readWith(file string, o policy.Options) (*reading, error) {
	text, err := readBounded(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noConfig(file)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the config: %w", err)
	}
	c, err := config.Parse(file, text)
	if err != nil {
		return nil, fmt.Errorf("loading the config: %w", err)
	}
	paths := make([]string, len(c.Policies))
	for i, p := range c.Policies {
		paths[i] = c.Path(p)
	}
	set, files, err := readPoliciesWith(paths, o)
	if err != nil {
		return nil, err
	}
	return &reading{config: c, policies: set, text: text, files: files}, nil
}

// readBounded takes no more than it needs to know that a file is too large.
func readBounded(name string) (text []byte, err error) {
	file, err := os.Open(name) //nolint:gosec // the name is the user's own, by flag
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, strictyaml.MaxBytes+1))
}

// How long two readings are apart, and how many there are before they must agree.
const (
	apart    = 100 * time.Millisecond
	readings = 20
)

// readSettled reads until two readings a moment apart agree: a file that is being written may be legal half-way through,
// and then have fewer exceptions than meant.
func (f *feedReader) readSettled(ctx context.Context, file string) (*reading, error) {
	last, err := f.read(ctx, file)
	for range readings {
		if err != nil {
			return nil, err
		}
		if err := wait(ctx, apart); err != nil {
			return nil, err
		}
		var now *reading
		if now, err = f.read(ctx, file); err == nil && now.same(last) {
			return now, nil
		}
		last = now
	}
	return nil, errors.New("config or policies are being changed all the time: no two readings of them agree")
}

// unchanged has what the engine's workers carry out stand only as long as the files say what they said when the command
// read them. A command may wait for hours: for its user, for the lock, for the cloud's quota.
func (f *feedReader) unchanged(file string, began *reading) func(*worker) (*worker, string) {
	return func(w *worker) (*worker, string) {
		now, err := f.readKnown(file)
		switch {
		case err != nil:
			return w, fmt.Sprintf("config or policies cannot be read any more (%v): mend them, and run the command again", err)
		case !now.same(began):
			return w, "config or policies were changed since the command read them: run it again"
		}
		return w, ""
	}
}
