package sweep

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// onInterfaces is what removing rules of a group does on the interfaces that are in it. The batches of the other groups of
// an interface are taken as removed: that is how things will be once all batches are.
func (q *question) onInterfaces(key groupKey, absent, removed []int) *reach.Effect {
	whole := &reach.Effect{Scope: reach.ScopeInterface, Class: reach.None}
	if _, listed := q.combinations[key.region]; !listed {
		whole.Class, whole.Why = reach.Unknown, "the interfaces of the region are not known"
		return whole
	}
	for _, c := range q.having(key) {
		e := q.onCombination(key, &c, absent, removed)
		whole.Interfaces = append(whole.Interfaces, reach.OnInterfaces{
			Groups: c.Groups, Interfaces: c.Interfaces, Instances: c.Instances, Effect: e,
		})
	}
	return reach.Whole(whole.Interfaces).Limit(maxSpaces)
}

// onCombination is what removing rules of a group does on interfaces that are in exactly some groups.
func (q *question) onCombination(key groupKey, c *scanner.Combination, absent, removed []int) *reach.Effect {
	var lists []*reach.List
	var before, now []reach.At
	for k, id := range c.Groups {
		member := groupKey{key.region, id}
		g := q.groups[member]
		if why := cmp.Or(notRead(g, id), q.broken[member]); why != "" {
			return &reach.Effect{Scope: reach.ScopeInterface, Class: reach.Unknown, Why: why}
		}
		lists = append(lists, g.list)
		if id != key.id {
			before = at(before, k, q.batches[member])
			continue
		}
		before, now = at(before, k, absent), at(now, k, removed)
	}
	return reach.Merge(lists...).Effect(before, now)
}

// notRead says why the rules of a group are not known; empty if they are.
func notRead(g *groupRules, id string) string {
	switch {
	case g == nil:
		return fmt.Sprintf("the rules of %s, which is on the same interface, were not read", id)
	case g.incomplete != "":
		return fmt.Sprintf("the rules of %s, which is on the same interface, were not read whole", id)
	}
	return ""
}

// at names rules of a list by their places.
func at(list []reach.At, k int, places []int) []reach.At {
	for _, p := range slices.Sorted(slices.Values(places)) {
		list = append(list, reach.At{List: k, Rule: p})
	}
	return list
}
