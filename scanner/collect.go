package scanner

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// Progress is how far a scan is, in running totals. Regions is 0 until they are known.
type Progress struct {
	Regions     int
	RegionsDone int
	Groups      int
	Rules       int
}

// collector is where all workers meet: it hands groups to the visit function one at a time and keeps what goes into
// the result.
type collector struct {
	visit    func(*Group) error
	progress func(Progress)
	stop     context.CancelFunc

	// turn is held by who calls into the user's functions or touches the fields below. It is a channel, since a visit
	// may take long, and who waits for one must still see the end of ctx.
	turn   chan struct{}
	totals Progress
	err    error // of visit

	mu       sync.Mutex
	problems []Problem
}

func newCollector(opts *Options, visit func(*Group) error, stop context.CancelFunc) *collector {
	return &collector{visit: visit, progress: opts.Progress, stop: stop, turn: make(chan struct{}, 1)}
}

// problem keeps a problem. Its names are cloned, since they are parts of pages, and problems outlive those.
func (c *collector) problem(p Problem) {
	for _, name := range []*string{&p.Region, &p.Group, &p.List, &p.Rule} {
		*name = strings.Clone(*name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = append(c.problems, p)
}

// inTurn runs do while nobody else does, unless the scan ends first.
func (c *collector) inTurn(ctx context.Context, do func()) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-c.turn }()
	if ctx.Err() == nil { // select takes either way if both are open
		do()
	}
}

// advance changes the totals and shows them.
func (c *collector) advance(ctx context.Context, change func(*Progress)) {
	c.inTurn(ctx, func() {
		change(&c.totals)
		c.report()
	})
}

// hand visits a group, unless the scan is over by now.
func (c *collector) hand(ctx context.Context, g *Group) {
	c.inTurn(ctx, func() {
		rules := len(g.Rules) // visit owns the group and may change it
		if err := c.visit(g); err != nil {
			c.err = fmt.Errorf("visiting group %s in %s: %w", g.ID, g.Region, err)
			c.stop()
			return
		}
		c.totals.Groups++
		c.totals.Rules += rules
		c.report()
	})
}

func (c *collector) report() {
	if c.progress != nil {
		c.progress(c.totals)
	}
}
