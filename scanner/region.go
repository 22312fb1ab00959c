package scanner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// regionScan is the scan of one region. Quotas are per region, so each has workers of its own.
type regionScan struct {
	opts   *Options
	region sg.Region
	out    *collector
	lists  *lists

	breaker breaker

	mu        sync.Mutex
	conflicts map[string]bool // groups that were listed twice with different contents
	groups    int
	rules     int
	gone      int
}

func newRegionScan(opts *Options, region sg.Region, out *collector) *regionScan {
	return &regionScan{
		opts: opts, region: region, out: out,
		lists:     newLists(opts.Rules, region, out),
		conflicts: map[string]bool{},
	}
}

// run lists the groups and has them read while it goes on listing. The channel holds it back when the workers cannot
// keep up. A region whose groups cannot be read is still listed to its end, to say how much is not known.
func (r *regionScan) run(ctx context.Context) Region {
	r.interfaces(ctx)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	r.breaker = breaker{stop: stop, maxFailures: r.opts.MaxFailures, maxDenials: r.opts.MaxDenials}
	queue := make(chan sg.Group, r.opts.Workers)
	var wg sync.WaitGroup
	for range r.opts.Workers {
		wg.Go(func() {
			reader := groupReader{regionScan: r, index: map[string]int{}}
			for group := range queue {
				reader.read(ctx, reading, group)
			}
		})
	}
	listed, err := r.list(ctx, queue)
	close(queue)
	wg.Wait()
	if err != nil {
		err = fmt.Errorf("listing groups: %w", err)
	}
	result := Region{ID: r.region.ID, Groups: r.groups, Rules: r.rules, Gone: r.gone}
	for _, err := range []error{err, r.breaker.err(), tooManyGone(r.gone, listed)} {
		if err != nil {
			r.out.problem(Problem{Region: r.region.ID, Err: err})
			result.Err = cmp.Or(result.Err, err)
		}
	}
	return result
}

// So many groups may be gone, and so many in a hundred of those listed, before it looks like a fault of the cloud.
const (
	maxGone        = 10
	maxGonePercent = 10
)

// tooManyGone doubts the proof that groups are gone if there are many. A person may delete a few groups during a scan; a
// listing and a look-up that contradict each other would make whole regions vanish.
func tooManyGone(gone, listed int) error {
	if gone <= maxGone || gone*100 <= listed*maxGonePercent {
		return nil
	}
	return fmt.Errorf("%d of %d groups were listed and then could not be found: too many to believe that they are gone",
		gone, listed)
}

// list sends every group of the region once, and says how many there are. A group that is listed again with the same
// contents, as happens when the listing shifts while it is paged through, is no problem.
func (r *regionScan) list(ctx context.Context, queue chan<- sg.Group) (int, error) {
	known := map[fingerprint]fingerprint{} // of an ID, of its group
	pages := listing[sg.Group]{
		maxPages: r.opts.MaxGroupPages,
		maxItems: r.opts.MaxGroupPages * groupsPerPage,
		fetch: func(ctx context.Context, token string) (sg.Page[sg.Group], error) {
			return r.opts.Groups.Groups(ctx, r.region, token)
		},
		same: sameGroup,
		keep: func(items []sg.Group) (int, error) {
			fresh, err := r.fresh(known, items)
			for _, group := range fresh {
				queue <- group // the workers take everything, after the end of ctx too
			}
			return len(fresh), err
		},
	}
	err := pages.read(ctx)
	return len(known), err
}

// fresh gives the groups of a page that were not known, and notes contradictions. The whole page is looked at before
// any of it is sent, so that a contradiction within it is noted before the visit.
func (r *regionScan) fresh(known map[fingerprint]fingerprint, items []sg.Group) (fresh []sg.Group, err error) {
	for _, group := range items {
		id, content := fingerprintOf(group.ID), fingerprintOfGroup(&group)
		first, again := known[id]
		switch {
		case group.ID == "":
			err = errNoID
		case !again:
			group.Region = r.region.ID
			known[id] = content
			fresh = append(fresh, group)
		case first != content:
			r.conflict(group.ID)
		}
	}
	return fresh, err
}

var (
	errNoID     = errors.New("a group without an ID")
	errConflict = errors.New("listed twice with different contents")
)

func (r *regionScan) conflict(group string) {
	r.mu.Lock()
	noted := r.conflicts[group]
	if !noted {
		r.conflicts[strings.Clone(group)] = true
	}
	r.mu.Unlock()
	if !noted {
		r.out.problem(Problem{Region: r.region.ID, Group: group, Err: errConflict})
	}
}

// countGone counts a group that is proven to be gone.
func (r *regionScan) countGone() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone++
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
