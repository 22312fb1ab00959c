package cloud

import "github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"

// Limits of the rules of one group, of both directions together.
const (
	// maxRules is what the documents allow for all groups of one network interface; a group alone cannot have more.
	maxRules      = 1000
	maxGroupRules = 20
)

// maxAssociations is how many groups may have rules with one prefix list. For port lists, no such limit is documented.
const maxAssociations = 1000

// checkLimits refuses a change to the rules of a group that takes it over a limit. What is over it already may stay, and
// get smaller.
func (c *call) checkLimits(before, after *Group, op operation) error {
	oldCost, oldToGroups := c.region.usage(before)
	cost, toGroups := c.region.usage(after)
	if toGroups > oldToGroups && toGroups > maxGroupRules {
		return wire.Refuse(wire.CodeGroupRuleQuota)
	}
	if cost > oldCost && cost > maxRules {
		r := wire.Refuse(wire.CodeRuleQuota)
		if op == modifying {
			r.Status = 400
		}
		return r
	}
	for _, rules := range [][]Rule{after.Egress, after.Ingress} {
		for i := range rules {
			if list := rules[i].Peer; rules[i].destination() == toPrefixList && !before.usesPrefixList(list) &&
				c.region.usersOf(list) >= maxAssociations {
				return wire.Refuse(wire.CodeAssociationQuota)
			}
		}
	}
	return nil
}

// usage gives how many rules a group has as the limits count them, and how many with a group as their peer.
func (r *region) usage(g *Group) (cost, toGroups int) {
	for _, rules := range [][]Rule{g.Egress, g.Ingress} {
		for i := range rules {
			cost += r.cost(&rules[i])
			if rules[i].destination() == toGroup {
				toGroups++
			}
		}
	}
	return cost, toGroups
}

// cost is how many rules a rule counts for: with a list, as many as the list may ever have entries. What a rule with a
// list of networks and a list of ports counts for is not documented; here it is as many as the pairs of their entries.
func (r *region) cost(rule *Rule) int {
	cost := 1
	if rule.destination() == toPrefixList {
		if list := r.lists[rule.Peer]; list != nil {
			cost = max(1, list.MaxEntries)
		}
	}
	if list := r.portLists[rule.PortList]; list != nil {
		cost *= max(1, list.MaxEntries)
	}
	return cost
}

// usersOf counts the groups that have rules with a prefix list.
func (r *region) usersOf(list string) int {
	users := 0
	for _, g := range r.groups {
		if g.usesPrefixList(list) {
			users++
		}
	}
	return users
}
