package scanner

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// regionScan is the scan of one region. Quotas are per region, so each has workers of its own.
type regionScan struct {
	opts   *Options
	region sg.Region
	out    *collector
	lists  *lists

	mu        sync.Mutex
	conflicts map[string]bool // groups that were listed twice with different contents
	groups    int
	rules     int
}

func newRegionScan(opts *Options, region sg.Region, out *collector) *regionScan {
	return &regionScan{
		opts: opts, region: region, out: out,
		lists:     newLists(opts.Rules, region, out),
		conflicts: map[string]bool{},
	}
}

// run lists the groups and has them read while it goes on listing. The channel holds it back when the workers cannot
// keep up.
func (r *regionScan) run(ctx context.Context) Region {
	queue := make(chan sg.Group, r.opts.Workers)
	var wg sync.WaitGroup
	for range r.opts.Workers {
		wg.Go(func() {
			reader := groupReader{regionScan: r, index: map[string]int{}}
			for group := range queue {
				reader.read(ctx, group)
			}
		})
	}
	err := r.list(ctx, queue)
	close(queue)
	wg.Wait()
	if err != nil {
		err = fmt.Errorf("listing groups: %w", err)
		r.out.problem(Problem{Region: r.region.ID, Err: err})
	}
	return Region{ID: r.region.ID, Groups: r.groups, Rules: r.rules, Err: err}
}

// list sends every group of the region once. A group that is listed again with the same contents, as happens when
// the listing shifts while it is paged through, is no problem.
func (r *regionScan) list(ctx context.Context, queue chan<- sg.Group) error {
	known := map[string]sg.Group{}
	pages := listing[sg.Group]{
		maxPages: r.opts.MaxPages,
		fetch: func(ctx context.Context, token string) (sg.Page[sg.Group], error) {
			return r.opts.Groups.Groups(ctx, r.region, token)
		},
		same: sameGroup,
		keep: func(items []sg.Group) error {
			fresh, err := r.fresh(known, items)
			for _, group := range fresh {
				queue <- group // the workers take everything, after the end of ctx too
			}
			return err
		},
	}
	return pages.read(ctx)
}

// fresh gives the groups of a page that were not known, and notes contradictions. The whole page is looked at before
// any of it is sent, so that a contradiction within it is noted before the visit.
func (r *regionScan) fresh(known map[string]sg.Group, items []sg.Group) (fresh []sg.Group, err error) {
	for _, group := range items {
		first, again := known[group.ID]
		switch {
		case group.ID == "":
			err = errNoID
		case !again:
			group.Region = r.region.ID
			known[group.ID] = group
			fresh = append(fresh, group)
		case !sameGroup(&first, &group):
			r.conflict(group.ID)
		}
	}
	return fresh, err
}

var errConflict = errors.New("listed twice with different contents")

func (r *regionScan) conflict(group string) {
	r.mu.Lock()
	noted := r.conflicts[group]
	r.conflicts[group] = true
	r.mu.Unlock()
	if !noted {
		r.out.problem(Problem{Region: r.region.ID, Group: group, Err: errConflict})
	}
}

// visit counts a group and hands it on.
func (r *regionScan) visit(ctx context.Context, g *Group) {
	r.mu.Lock()
	r.groups++
	r.rules += len(g.Rules)
	if g.Incomplete == "" && r.conflicts[g.ID] {
		g.Incomplete = errConflict.Error()
	}
	r.mu.Unlock()
	r.out.hand(ctx, g)
}
