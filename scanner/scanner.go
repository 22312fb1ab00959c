// Package scanner reads the egress rules of one account: complete, paged and concurrent.
//
// A rule that is missing from a listing looks exactly like a rule that is not there, and decisions are made on what a
// scan says. So a scan never passes off a part for the whole: every listing is followed to its end, and whatever
// could not be read whole is named in the [Result], with the reason. One failing group, list or region never stops
// the others; a region is given up where reading it is of no use: after 5 failing groups in a row, or where the very
// first reading is denied.
//
//	result, err := scanner.Scan(ctx, scanner.Options{
//		Groups:  client,
//		Rules:   client,
//		Regions: []string{"*"},
//	}, func(g *scanner.Group) error {
//		return evaluate(g)
//	})
//
// Groups stream: each is handed to the visit function as soon as its rules are there, and forgotten afterwards, so
// that memory is bounded by the workers and not by the estate (only a hash of each group is kept, to recognise one that
// is listed twice). Without faults a scan makes the fewest calls possible: the pages of groups, the pages of
// rules (of both NIC types for classic groups), one for each list and region, and one DescribeRegions if all regions are
// asked for. The package neither logs nor counts; pacing and retries are the adapter's. It waits for one thing only:
// before the second look that proves a group to be gone.
package scanner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// AllRegions as the only element of [Options.Regions] asks the cloud for its regions.
const AllRegions = "*"

// Defaults of [Options].
const (
	DefaultWorkers       = 8
	DefaultMaxRulePages  = 100
	DefaultMaxGroupPages = 1_000
	DefaultLookAgain     = time.Second
	DefaultMaxFailures   = 50
	DefaultMaxDenials    = 10
)

// The most that the cloud puts on a page.
const (
	rulesPerPage  = 1_000
	groupsPerPage = 100
)

// GroupLister lists regions and groups. Its methods must be safe for concurrent use and return soon after ctx ends.
type GroupLister interface {
	// Regions lists the regions that the account can use (DescribeRegions).
	Regions(ctx context.Context) ([]sg.Region, error)
	// Groups gives one page of a region's groups (DescribeSecurityGroups); an empty token asks for the first.
	Groups(ctx context.Context, region sg.Region, token string) (sg.Page[sg.Group], error)
	// Group looks for one group by its ID and says whether it is there (DescribeSecurityGroups).
	Group(ctx context.Context, region sg.Region, id string) (sg.Group, bool, error)
}

// RuleReader reads rules and what they refer to. Its methods must be safe for concurrent use and return soon after
// ctx ends.
type RuleReader interface {
	// Rules gives one page of a group's egress rules (DescribeSecurityGroupAttribute). nic is empty for groups in a
	// VPC. The error is [sg.ErrGroupGone] if the cloud says that there is no such group.
	Rules(ctx context.Context, region sg.Region, group, nic, token string) (sg.Page[sg.Rule], error)
	// PrefixList reads a prefix list (DescribePrefixListAttributes, which has no pages).
	PrefixList(ctx context.Context, region sg.Region, id string) (sg.PrefixList, error)
	// PortList reads a port list (DescribePortRangeListEntries, which has no pages).
	PortList(ctx context.Context, region sg.Region, id string) (sg.PortList, error)
}

// InterfaceLister lists network interfaces. Its method must be safe for concurrent use and return soon after ctx ends.
type InterfaceLister interface {
	// Interfaces gives one page of a region's interfaces (DescribeNetworkInterfaces); an empty token asks for the first.
	Interfaces(ctx context.Context, region sg.Region, token string) (sg.Page[sg.Interface], error)
}

// Options say what to scan, and with what.
type Options struct {
	Groups GroupLister
	Rules  RuleReader
	// Interfaces lists the interfaces of each region, before its groups. Nil: nobody asks for them.
	Interfaces InterfaceLister
	// Combined is told of the combinations of groups that a region's interfaces have, before any group of the region is
	// visited, in turn with the visits. It is not called for a region whose interfaces could not be listed; that is a
	// [Problem]. Needed with Interfaces only.
	Combined func(region string, combinations []Combination)
	Regions  []string       // names, or [AllRegions] alone
	Workers  int            // groups read at once in each region; 0 means [DefaultWorkers]
	Progress func(Progress) // called in between visits; nil if nobody looks

	// MaxRulePages bounds the pages of one group and NIC type, of 1,000 rules each: more are taken for endless. 0 means
	// [DefaultMaxRulePages].
	MaxRulePages int
	// MaxGroupPages bounds the pages of one region, of 100 groups each, likewise. 0 means [DefaultMaxGroupPages].
	MaxGroupPages int
	// LookAgain is the time between the two looks that prove a group to be gone. 0 means [DefaultLookAgain].
	LookAgain time.Duration
	// MaxFailures is how many groups of a region in a row may fail to be read before the region is given up: a group
	// costs up to three attempts until their timeouts, so thousands of them would cost days. 0 means
	// [DefaultMaxFailures].
	MaxFailures int
	// MaxDenials is how many readings the cloud may deny before one has succeeded; then the region is given up, since
	// the grant is missing and every further call is an alarm in somebody's audit trail. 0 means [DefaultMaxDenials].
	MaxDenials int
}

// withDefaults checks the options, but for the regions, and fills in what was left out.
func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Groups == nil || o.Rules == nil:
		return o, errors.New("no client")
	case o.Workers < 0 || o.MaxRulePages < 0 || o.MaxGroupPages < 0 || o.LookAgain < 0 || o.MaxFailures < 0 || o.MaxDenials < 0:
		return o, fmt.Errorf("%d workers, %d pages of rules, %d pages of groups, %v between looks, %d failures, "+
			"%d denials: none may be negative", o.Workers, o.MaxRulePages, o.MaxGroupPages, o.LookAgain, o.MaxFailures, o.MaxDenials)
	}
	o.Workers = cmp.Or(o.Workers, DefaultWorkers)
	o.MaxRulePages = cmp.Or(o.MaxRulePages, DefaultMaxRulePages)
	o.MaxGroupPages = cmp.Or(o.MaxGroupPages, DefaultMaxGroupPages)
	o.LookAgain = cmp.Or(o.LookAgain, DefaultLookAgain)
	o.MaxFailures = cmp.Or(o.MaxFailures, DefaultMaxFailures)
	o.MaxDenials = cmp.Or(o.MaxDenials, DefaultMaxDenials)
	return o, nil
}

func validRegions(names []string) error {
	if len(names) == 0 {
		return errors.New("no regions")
	}
	for i, name := range names {
		switch {
		case name == "":
			return errors.New("a region without a name")
		case name == AllRegions && len(names) > 1:
			return fmt.Errorf("region %q stands for all and must be alone", AllRegions)
		case slices.Contains(names[:i], name):
			return fmt.Errorf("region %q twice", name)
		}
	}
	return nil
}

// Group is a group with its rules. Incomplete says why it was not read whole, and is empty if it was.
type Group struct {
	sg.Group

	Rules      []sg.Rule
	Incomplete string
}

// Scan reads the egress rules of the regions asked for and hands each group to visit, once, in no fixed order. visit
// is called by one goroutine at a time and owns what it is given; the prefix lists that rules point to are shared
// between rules and must not be changed.
//
// What the cloud fails to tell is no error but a [Problem] in the result. A group that shows to be inconsistent only
// after its visit is named there alone, so callers must treat every group that a problem names as incomplete.
//
// The error is that of visit, of ctx, or of the options; the result is nil then. No goroutine outlives the call.
func Scan(ctx context.Context, opts Options, visit func(*Group) error) (*Result, error) {
	opts, err := opts.withDefaults()
	if err == nil {
		err = validRegions(opts.Regions)
	}
	if err != nil {
		return nil, fmt.Errorf("scan options: %w", err)
	}
	if visit == nil {
		return nil, errors.New("scan options: no visit function")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := newCollector(&opts, visit, cancel)
	regions := findRegions(ctx, &opts, c)
	c.advance(ctx, func(p *Progress) { p.Regions = len(regions) })
	scanned := make([]Region, len(regions))
	var wg sync.WaitGroup
	for i, region := range regions {
		wg.Go(func() {
			r := newRegionScan(&opts, region, c)
			scanned[i] = r.run(ctx)
			c.advance(ctx, func(p *Progress) { p.RegionsDone++ })
		})
	}
	wg.Wait()
	if c.err != nil {
		return nil, c.err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return newResult(scanned, c.problems), nil
}

// findRegions gives the regions to scan. Only [AllRegions] costs a call.
func findRegions(ctx context.Context, opts *Options, c *collector) []sg.Region {
	if opts.Regions[0] != AllRegions {
		regions := make([]sg.Region, len(opts.Regions))
		for i, name := range opts.Regions {
			regions[i] = sg.Region{ID: name}
		}
		return regions
	}
	listed, err := opts.Groups.Regions(ctx)
	if err != nil {
		c.problem(Problem{Err: fmt.Errorf("listing regions: %w", err)})
		return nil
	}
	regions := make([]sg.Region, 0, len(listed))
	for _, region := range listed {
		switch {
		case region.ID == "":
			c.problem(Problem{Err: errors.New("listing regions: one has no name")})
		case !slices.ContainsFunc(regions, func(r sg.Region) bool { return r.ID == region.ID }):
			regions = append(regions, region)
		}
	}
	if len(regions) == 0 {
		c.problem(Problem{Err: errors.New("listing regions: the cloud named none")})
	}
	return regions
}
