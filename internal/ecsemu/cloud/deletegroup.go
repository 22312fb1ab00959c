package cloud

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// deleteSecurityGroup removes a group and its rules, unless an interface is in it, or a rule of another group leads to it
// or admits it.
func deleteSecurityGroup(c *call) (any, error) {
	g, err := c.changeableGroup()
	if err != nil {
		return nil, err
	}
	for _, card := range c.region.cards {
		if slices.Contains(card.Groups, g.ID) {
			return nil, wire.Refusef(wire.CodeGroupInUse, "There is still instance(s) in the specified security group.")
		}
	}
	if len(c.referencing(g.ID)) > 0 {
		return nil, wire.Refuse(wire.CodeGroupInUse)
	}
	c.region.deleteGroup(g.ID)
	c.changed = true
	return &plainResponse{RequestID: c.requestID}, nil
}
