package daemon

import (
	"context"
	"slices"
	"sync"
)

// gates let one sweep or one settling at a time work on an account. They stand before the account's lock in the store,
// which cannot tell a settling that is worth waiting for from a sweep that is not.
type gates struct {
	mu   sync.Mutex
	gate map[string]*gate
}

type gate struct {
	open     chan struct{} // holds one value while nobody works on the account
	sweeping bool          // a sweep works on the account or waits for that; guarded by gates.mu
}

func newGates() *gates { return &gates{gate: map[string]*gate{}} }

// of gives the gate of an account. The caller holds the mutex.
func (g *gates) of(account string) *gate {
	if g.gate[account] == nil {
		g.gate[account] = &gate{open: make(chan struct{}, 1)}
		g.gate[account].open <- struct{}{}
	}
	return g.gate[account]
}

// sweep waits for the settling of the account, if there is one. It is not ok if the account is being swept already, or
// ctx ended.
func (g *gates) sweep(ctx context.Context, account string) (leave func(), ok bool) {
	g.mu.Lock()
	at := g.of(account)
	if at.sweeping {
		g.mu.Unlock()
		return nil, false
	}
	at.sweeping = true
	g.mu.Unlock()
	done := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		at.sweeping = false
	}
	select {
	case <-at.open:
		return func() { done(); at.open <- struct{}{} }, true
	case <-ctx.Done():
		done()
		return nil, false
	}
}

// settle does not wait: it is not ok if somebody works on the account, or a sweep wants to.
func (g *gates) settle(account string) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.of(account)
	if at.sweeping {
		return nil, false
	}
	select {
	case <-at.open:
		return func() { at.open <- struct{}{} }, true
	default:
		return nil, false
	}
}

// busy gives the accounts that somebody works on, sorted.
func (g *gates) busy() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var names []string
	for name, at := range g.gate {
		if at.sweeping || len(at.open) == 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
