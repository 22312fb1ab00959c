package sweep

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// onInterfaces is what removing the batch of a group does on the interfaces that are in it, and what removing each of some
// of its rules does. The batches of the other groups of an interface are taken as removed: that is how things will be once
// all batches are.
func (q *question) onInterfaces(key groupKey, batch, places []int) (whole *reach.Effect, each []*reach.Effect) {
	if _, listed := q.combinations[key.region]; !listed {
		return q.unknown("the interfaces of the region are not known", len(places))
	}
	parts := make([][]reach.OnInterfaces, len(places)+1) // the last one is of the batch
	for _, c := range q.having(key) {
		all, one := q.onCombination(key, &c, batch, places)
		for i, e := range append(one, all) {
			parts[i] = append(parts[i], reach.OnInterfaces{
				Groups: c.Groups, Interfaces: c.Interfaces, Instances: c.Instances, Effect: e,
			})
		}
	}
	for _, p := range parts {
		each = append(each, reach.Whole(p).Limit(maxSpaces))
	}
	return each[len(places)], each[:len(places)]
}

// onCombination is what removing rules of a group does on interfaces that are in exactly some groups.
func (q *question) onCombination(
	key groupKey, c *scanner.Combination, batch, places []int,
) (whole *reach.Effect, each []*reach.Effect) {
	merged, why := q.merge(key.region, c)
	if why != "" {
		return q.unknown(why, len(places))
	}
	var absent, own, asked []reach.At
	for k, id := range c.Groups {
		if id != key.id {
			absent = at(absent, k, slices.Sorted(slices.Values(q.batches[groupKey{key.region, id}])))
			continue
		}
		own, asked = at(own, k, batch), at(asked, k, places)
	}
	return merged.Effects(absent, own, asked, maxSpaces)
}

// merge gives the rules of all groups of an interface, or says why they are not known.
func (e *effects) merge(region string, c *scanner.Combination) (merged *reach.Merged, why string) {
	var lists []*reach.List
	for _, id := range c.Groups {
		member := groupKey{region, id}
		g := e.groups[member]
		if why := cmp.Or(notRead(g, id), e.broken[member]); why != "" {
			return nil, why
		}
		lists = append(lists, g.list)
	}
	name := region + " " + strings.Join(c.Groups, " ")
	if e.merged[name] == nil {
		e.merged[name] = reach.Merge(lists...)
	}
	return e.merged[name], ""
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
	for _, p := range places {
		list = append(list, reach.At{List: k, Rule: p})
	}
	return list
}
