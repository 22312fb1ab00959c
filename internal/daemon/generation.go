package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/robfig/cron/v3"
)

// Generation is what one reading of configuration and policies gave. It must not change after it was handed over.
type Generation struct {
	// Schedule says when every account is swept; nil if none is.
	Schedule cron.Schedule
	Accounts []Account
	// Mode and PolicyHash are only logged.
	Mode       string
	PolicyHash string
	// Close releases what the accounts use. It is called once, when the last sweep and settling of this generation is
	// over and another one has taken its place or the daemon stops. Nil if there is nothing to release.
	Close func()
}

// Account is an account and what is done with it. Both functions are called under the account's lock, never at the same
// time, and must end soon after their context does.
type Account struct {
	// Name is unique in its generation.
	Name string
	// Sweep runs one sweep, and settles what it decided on. It must record the sweep's start before it reads anything:
	// by that the daemon knows that a tick was taken.
	Sweep func(ctx context.Context) error
	// Settle carries on with what is open, until nothing is or nothing more can be done now.
	Settle func(ctx context.Context) error
}

func (g *Generation) validate() error {
	if g == nil {
		return errors.New("nothing was loaded")
	}
	seen := map[string]bool{}
	for i := range g.Accounts {
		a := &g.Accounts[i]
		switch {
		case a.Name == "", a.Sweep == nil, a.Settle == nil:
			return fmt.Errorf("account %d (%q) needs a Name, Sweep and Settle", i, a.Name)
		case seen[a.Name]:
			return fmt.Errorf("two accounts are called %q", a.Name)
		}
		seen[a.Name] = true
	}
	return nil
}

func (g *Generation) account(name string) (*Account, bool) {
	for i := range g.Accounts {
		if g.Accounts[i].Name == name {
			return &g.Accounts[i], true
		}
	}
	return nil, false
}

// generations hold the current Generation, and close each when nobody uses it any more.
type generations struct {
	mu      sync.Mutex
	current *shared
}

// shared is a Generation and how many use it; being the current one counts.
type shared struct {
	*Generation
	users int
}

// use gives the current generation, which stays open until done is called; nil before the first one.
func (g *generations) use() (current *shared, done func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current == nil {
		return nil, func() {}
	}
	g.current.users++
	return g.current, g.releaser(g.current)
}

// hold keeps a generation open that the caller uses already, for one more user.
func (g *generations) hold(s *shared) (done func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.users++
	return g.releaser(s)
}

func (g *generations) releaser(s *shared) func() { return sync.OnceFunc(func() { g.release(s) }) }

// replace makes next the current generation; nil ends the last one.
func (g *generations) replace(next *Generation) {
	g.mu.Lock()
	previous := g.current
	g.current = nil
	if next != nil {
		g.current = &shared{Generation: next, users: 1}
	}
	g.mu.Unlock()
	if previous != nil {
		g.release(previous)
	}
}

func (g *generations) release(s *shared) {
	g.mu.Lock()
	s.users--
	last := s.users == 0
	g.mu.Unlock()
	if last && s.Close != nil {
		s.Close()
	}
}
