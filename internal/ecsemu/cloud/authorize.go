package cloud

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Limits of the rules of one group.
const (
	maxRules      = 1000
	maxGroupRules = 20
)

// maxAssociations is how many groups may have rules with one prefix list.
const maxAssociations = 1000

// authorizeEgress adds rules to a group. An answer names no IDs. Whether the cloud does a part of a request that it
// refuses is not documented; here it is all or nothing.
func authorizeEgress(c *call) (any, error) {
	g, err := c.changeableGroup()
	if err != nil {
		return nil, err
	}
	asked, err := c.readRules(g)
	if err != nil {
		return nil, err
	}
	for i := range asked {
		if err := c.checkReferences(g, &asked[i]); err != nil {
			return nil, err
		}
	}
	twin := *g
	if twin.Egress, err = c.withRules(g, asked); err != nil {
		return nil, err
	}
	if len(twin.Egress) > len(g.Egress) {
		c.putGroup(&twin)
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

// changeableGroup finds the group a request is about, if the account may change its rules.
func (c *call) changeableGroup() (*Group, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	if g.Managed {
		return nil, wire.Refuse(wire.CodeManaged)
	}
	return g, nil
}

// readRules gives the rules that a request holds, with their defaults, if they make sense and are all different.
func (c *call) readRules(g *Group) ([]Rule, error) {
	permissions, err := readPermissions(c.params)
	if err != nil {
		return nil, err
	}
	rules, seen := make([]Rule, 0, len(permissions)), make(map[Rule]bool, len(permissions))
	for _, fields := range permissions {
		rule, err := (&permission{fields: fields, group: g, region: c.region.id, account: c.account.id}).read()
		if err != nil {
			return nil, err
		}
		content := rule.content(c.account.id)
		if seen[content] {
			return nil, wire.Refuse(wire.CodePermissionTwice)
		}
		seen[content] = true
		rules = append(rules, rule)
	}
	return rules, nil
}

// withRules gives a group's rules and those that it does not have yet, if the limits allow it.
func (c *call) withRules(g *Group, asked []Rule) ([]Rule, error) {
	old := g.Egress
	known := make(map[Rule]bool, len(old))
	cost, toGroups := 0, 0
	count := func(r *Rule) {
		cost += c.region.cost(r)
		if r.destination() == toGroup {
			toGroups++
		}
	}
	for i := range old {
		known[old[i].content(c.account.id)] = true
		count(&old[i])
	}
	all := append(make([]Rule, 0, len(old)+len(asked)), old...)
	before := toGroups
	for i := range asked {
		if known[asked[i].content(c.account.id)] {
			continue
		}
		if asked[i].destination() == toPrefixList && c.region.listIsFull(asked[i].Peer, g) {
			return nil, wire.Refuse(wire.CodeAssociationQuota)
		}
		count(&asked[i])
		asked[i].ID = c.ids.rule()
		asked[i].Created = ruleTime(c.now)
		all = append(all, asked[i])
	}
	if toGroups > before && toGroups > maxGroupRules {
		return nil, wire.Refuse(wire.CodeGroupRuleQuota)
	}
	if len(all) > len(old) && cost > maxRules {
		return nil, wire.Refuse(wire.CodeRuleQuota)
	}
	return all, nil
}

// cost is how many rules a rule counts for: with a prefix list, as many as the list may ever have entries.
func (r *region) cost(rule *Rule) int {
	if rule.destination() == toPrefixList {
		if list := r.lists[rule.Peer]; list != nil {
			return max(1, list.MaxEntries)
		}
	}
	return 1
}

// listIsFull tells whether one more group, which is not among those that name a list yet, would be too much for it.
func (r *region) listIsFull(list string, g *Group) bool {
	names := func(rule Rule) bool { return rule.Peer == list && rule.destination() == toPrefixList }
	if slices.ContainsFunc(g.Egress, names) {
		return false
	}
	associated := 0
	for _, other := range r.groups {
		if slices.ContainsFunc(other.Egress, names) {
			associated++
		}
	}
	return associated >= maxAssociations
}

// checkReferences checks that what a new rule names exists and may be named by this group.
func (c *call) checkReferences(g *Group, rule *Rule) error {
	if rule.PortList != "" && c.region.portLists[rule.PortList] == nil {
		return wire.Refuse(wire.CodePortListNotFound)
	}
	switch rule.destination() {
	case toPrefixList:
		return c.checkPrefixList(rule)
	case toGroup:
		return c.checkDestGroup(g, rule)
	case toNothing, toIPv4, toIPv6:
	}
	return nil
}

func (c *call) checkPrefixList(rule *Rule) error {
	list := c.region.lists[rule.Peer]
	if list == nil {
		return wire.Refuse(wire.CodePrefixListNotFound)
	}
	v6 := list.Family == FamilyIPv6
	if _, ok := parsePrefix(rule.Own, v6); rule.Own != "" && !ok {
		return wire.Refuse(wire.CodePrefixListFamily)
	}
	if v6 && rule.Protocol == "icmp" {
		return wire.Refuse(wire.CodeIPv4Protocol)
	}
	if !v6 && rule.Protocol == "icmpv6" {
		return wire.Refuse(wire.CodeIPv6Protocol)
	}
	return nil
}

// checkDestGroup checks a destination that is a group. Groups of accounts that no key belongs to are taken to exist:
// nothing is known of those accounts.
func (c *call) checkDestGroup(g *Group, rule *Rule) error {
	if g.Type == TypeEnterprise {
		return wire.Refuse(wire.CodeEnterpriseGroup)
	}
	owner := c.account
	if rule.PeerAccount != "" {
		if owner = c.world.accounts[rule.PeerAccount]; owner == nil {
			if !looksLikeID(rule.Peer, "sg-") {
				return wire.Refuse(wire.CodeDestGroupNotFound)
			}
			return nil
		}
	} else if rule.Peer == g.ID {
		return wire.Refuse(wire.CodeSameGroup)
	}
	var dest *Group
	if r := owner.regions[c.region.id]; r != nil {
		dest = r.groups[rule.Peer]
	}
	if dest == nil {
		return wire.Refuse(wire.CodeDestGroupNotFound)
	}
	if dest.VPC != g.VPC {
		return wire.Refuse(wire.CodeDestGroupMismatch)
	}
	return nil
}
