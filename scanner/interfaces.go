package scanner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Combination is what the interfaces of a region have in common that are in exactly the same groups.
type Combination struct {
	Groups     []string // IDs, sorted
	Interfaces int
	Instances  int // to which they are attached, each once
}

// interfacesPerPage is the most that the cloud puts on a page of interfaces.
const interfacesPerPage = 500

var errNoInterfaceID = errors.New("an interface without an ID")

// ReadInterfaces lists the interfaces of a region to the end, and gives the combinations of groups that they have, sorted
// by these. Of opts, Interfaces and MaxGroupPages count. An interface that is listed twice counts once, and as it was
// listed last: groups may change while pages are read.
func ReadInterfaces(ctx context.Context, opts Options, region sg.Region) ([]Combination, error) {
	groups, instances := map[string]string{}, map[string]string{} // of each interface
	pages := listing[sg.Interface]{
		maxPages: cmp.Or(opts.MaxGroupPages, DefaultMaxGroupPages),
		maxItems: cmp.Or(opts.MaxGroupPages, DefaultMaxGroupPages) * interfacesPerPage,
		fetch: func(ctx context.Context, token string) (sg.Page[sg.Interface], error) {
			return opts.Interfaces.Interfaces(ctx, region, token)
		},
		same: func(a, b *sg.Interface) bool { return a.ID == b.ID },
		keep: func(items []sg.Interface) (fresh int, err error) {
			for i := range items {
				card := &items[i]
				if card.ID == "" {
					return fresh, errNoInterfaceID
				}
				if _, known := groups[card.ID]; !known {
					fresh++
				}
				id := strings.Clone(card.ID) // it is part of a page
				groups[id], instances[id] = joinedGroups(card.Groups), strings.Clone(card.Instance)
			}
			return fresh, nil
		},
	}
	if err := pages.read(ctx); err != nil {
		return nil, fmt.Errorf("listing interfaces: %w", err)
	}
	return combine(groups, instances), nil
}

// groupSeparator is in no ID of a group.
const groupSeparator = " "

func joinedGroups(ids []string) string {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), groupSeparator)
}

// combine counts interfaces by their groups.
func combine(groups, instances map[string]string) []Combination {
	counts := map[string]*Combination{}
	attached := map[string]map[string]bool{}
	for card, joined := range groups {
		if joined == "" { // no rule of any group matters to it
			continue
		}
		c := counts[joined]
		if c == nil {
			c = &Combination{Groups: strings.Split(joined, groupSeparator)}
			counts[joined], attached[joined] = c, map[string]bool{}
		}
		c.Interfaces++
		if instance := instances[card]; instance != "" {
			attached[joined][instance] = true
		}
	}
	list := make([]Combination, 0, len(counts))
	for joined, c := range counts {
		c.Instances = len(attached[joined])
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b Combination) int { return slices.Compare(a.Groups, b.Groups) })
	return list
}

// interfaces lists the region's interfaces, if somebody asks for them, and hands on what they have.
func (r *regionScan) interfaces(ctx context.Context) {
	if r.opts.Interfaces == nil {
		return
	}
	combinations, err := ReadInterfaces(ctx, *r.opts, r.region)
	if err != nil {
		r.out.problem(Problem{Region: r.region.ID, Err: err})
		return
	}
	r.out.inTurn(ctx, func() { r.opts.Combined(strings.Clone(r.region.ID), combinations) })
}
