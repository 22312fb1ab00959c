package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/feeds"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/policy"
)

// osFS reads files of the system by any name, also absolute ones and those with "..": policy files are named by their
// user, relative to the config.
type osFS struct{}

// Open implements [fs.FS].
func (osFS) Open(name string) (fs.File, error) { return openRegular(name) }

// ReadFile implements [fs.ReadFileFS]. It takes no more than shows that a file is too large for anything that policies are
// made of.
func (osFS) ReadFile(name string) (data []byte, err error) {
	file, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, policy.MaxSetBytes+1))
}

// openRegular opens a file or directory. Everything else is refused unopened: opening a pipe waits for somebody to write to
// it, and a device may have no end.
func openRegular(name string) (*os.File, error) {
	path := filepath.FromSlash(name)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("it is no regular file, but a pipe, device or socket")}
	}
	return os.Open(path) //nolint:gosec // the user names the file
}

// readPolicies reads policy files. Sets with a URL are unread.
func readPolicies(paths []string) (*policy.Set, error) {
	set, _, err := readPoliciesWith(paths, policy.Options{})
	return set, err
}

// readPoliciesWith also gives the files that they came from.
func readPoliciesWith(paths []string, o policy.Options) (*policy.Set, []store.PolicyFile, error) {
	slashed := make([]string, len(paths))
	for i, p := range paths {
		slashed[i] = filepath.ToSlash(filepath.Clean(p))
	}
	files := &recordFS{FS: osFS{}, read: map[string][]byte{}}
	set, err := policy.LoadWith(files, slashed, o)
	if err != nil {
		return nil, nil, fmt.Errorf("loading policies: %w", err)
	}
	return set, policyFiles(set, files.read, o), nil
}

// warn prints the warnings of policies.
func (s system) warn(set *policy.Set) {
	for _, w := range set.Warnings {
		s.say("%s: warning: %s [%s]", w.Pos, w.Message, w.Code)
	}
}

// readConfig reads the config.
func (s system) readConfig(file string) (*config.Config, error) {
	c, err := config.Load(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noConfig(file)
	}
	if err != nil {
		return nil, fmt.Errorf("loading the config: %w", err)
	}
	return c, nil
}

func noConfig(file string) error {
	return fmt.Errorf("there is no config %s: name one with -c, or begin with configs/egress-janitor.yaml", file)
}

// selectAccounts gives the accounts named on the command line, in the config's order; none named are all.
func selectAccounts(c *config.Config, names []string) ([]config.Account, error) {
	if len(names) == 0 {
		return c.Accounts, nil
	}
	var chosen []config.Account
	known := make([]string, 0, len(c.Accounts))
	for _, a := range c.Accounts {
		known = append(known, a.Name)
		if slices.Contains(names, a.Name) {
			chosen = append(chosen, a)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, usageError{fmt.Errorf("--account %q is not in the config, which has %s", name, strings.Join(known, ", "))}
		}
	}
	return chosen, nil
}

func readCAs(c *config.Config, a *config.Account) (*x509.CertPool, error) {
	if a.CAFile == "" {
		return nil, nil //nolint:nilnil // no pool is the system's
	}
	data, err := os.ReadFile(c.Path(a.CAFile))
	if err != nil {
		return nil, fmt.Errorf("account %s: reading ca-file: %w", a.Name, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("account %s: ca-file %s holds no certificate in PEM form", a.Name, c.Path(a.CAFile))
	}
	return pool, nil
}

// loadEngine reads what an audit needs. Of what URLs hold it keeps nothing.
func (s system) loadEngine(ctx context.Context, flags *reportFlags, access cloudAccess) (*engine, error) {
	fetcher := s.newFetcher(true)
	defer fetcher.Close()
	return s.engineBy(ctx, s.newFeedReader(fetcher, &feeds.Memory{}), flags, access)
}

func (s system) engineBy(
	ctx context.Context, reader *feedReader, flags *reportFlags, access cloudAccess,
) (*engine, error) {
	began, err := reader.read(ctx, flags.config)
	if err != nil {
		return nil, err
	}
	s.warn(began.policies)
	accounts, err := selectAccounts(began.config, flags.accounts)
	if err != nil {
		return nil, err
	}
	e, err := s.newEngine(began.config, began.policies, accounts, access)
	if err != nil {
		return nil, err
	}
	e.files.list, e.latest = began.files, reader.unchanged(flags.config, began)
	return e, nil
}

// openEngine reads what a recorded sweep needs, and opens the store. What can be wrong with config, policies or flags is
// found before that, so that it leaves no trace.
func (s system) openEngine(ctx context.Context, flags *reportFlags, access cloudAccess) (*engine, error) {
	first, err := s.checkEngine(flags, access)
	if err != nil {
		return nil, err
	}
	db, err := s.openStore(ctx, first.config)
	if err != nil {
		return nil, err
	}
	fetcher := s.newFetcher(true)
	defer fetcher.Close()
	e, err := s.engineBy(ctx, s.newFeedReader(fetcher, storedCopies{db}), flags, access)
	if err == nil && e.config.StorePath() != first.config.StorePath() {
		e.close()
		err = errors.New("the config was changed while it was read: run the command again")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	e.store = db
	return e, nil
}

// checkEngine finds what can be wrong with the input of a command, and calls nobody.
func (s system) checkEngine(flags *reportFlags, access cloudAccess) (*reading, error) {
	first, err := s.read(flags.config)
	if err != nil {
		return nil, err
	}
	accounts, err := selectAccounts(first.config, flags.accounts)
	if err != nil {
		return nil, err
	}
	e, err := s.newEngine(first.config, first.policies, accounts, access)
	if err != nil {
		return nil, err
	}
	e.close()
	return first, nil
}

// openToRestore reads the config and opens the store. Policies have no say in a restore, so a mistake in one must not
// keep rules from coming back.
func (s system) openToRestore(ctx context.Context, file string, access cloudAccess) (*engine, error) {
	c, err := s.readConfig(file)
	if err != nil {
		return nil, err
	}
	e, err := s.newEngine(c, &policy.Set{}, c.Accounts, access)
	if err != nil {
		return nil, err
	}
	if e.store, err = s.openStore(ctx, c); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// shut closes an engine that one of the above opened.
func (e *engine) shut() {
	e.close()
	if err := e.store.Close(); err != nil {
		e.say("egress-janitor: warning: closing the store: %v", err)
	}
}

// openStore opens the store that the config names, and makes it if it is not there.
func (s system) openStore(ctx context.Context, c *config.Config) (*store.SQL, error) {
	return store.Open(ctx, store.Options{Path: c.StorePath(), Now: s.now})
}
