package cloud

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// deleteSecurityGroup removes a group and its rules, unless a rule of another group has it as its destination.
func deleteSecurityGroup(c *call) (any, error) {
	g, err := c.changeableGroup()
	if err != nil {
		return nil, err
	}
	if c.isDestination(g) {
		return nil, wire.Refuse(wire.CodeGroupInUse)
	}
	c.region.deleteGroup(g.ID)
	c.changed = true
	return &plainResponse{RequestID: c.requestID}, nil
}

// isDestination tells whether a rule of another group, of whichever account, leads to a group.
func (c *call) isDestination(g *Group) bool {
	for _, owner := range c.world.accounts {
		r := owner.regions[c.region.id]
		if r == nil {
			continue
		}
		for _, other := range r.groups {
			if other != g && slices.ContainsFunc(other.Egress, func(rule Rule) bool {
				named := rule.PeerAccount
				if named == "" {
					named = owner.id
				}
				return rule.Peer == g.ID && named == c.account.id && rule.destination() == toGroup
			}) {
				return true
			}
		}
	}
	return false
}
