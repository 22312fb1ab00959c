package cloud

import (
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// modifySecurityGroupAttribute changes the name or the description of a group. What is absent stays. A description that
// is given but empty clears it, as a known client expects; of an empty name, which no group can be given, nothing comes.
func modifySecurityGroupAttribute(c *call) (any, error) {
	g, err := c.changeableGroup()
	if err != nil {
		return nil, err
	}
	name := c.params.Get("SecurityGroupName")
	description, described := c.params["Description"]
	if err := checkGroupTexts(name, description); err != nil {
		return nil, err
	}
	twin := *g
	if name != "" {
		twin.Name = name
	}
	if described {
		twin.Description = description
	}
	if twin.Name != g.Name || twin.Description != g.Description {
		c.putGroup(&twin)
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

// modifySecurityGroupPolicy lets the members of a group reach each other, or not. That of an enterprise group cannot be
// changed, not even into what it is.
func modifySecurityGroupPolicy(c *call) (any, error) {
	g, err := c.changeableGroup()
	if err != nil {
		return nil, err
	}
	var policy string
	switch strings.ToLower(c.params.Get("InnerAccessPolicy")) {
	case "":
		return nil, wire.Missing("InnerAccessPolicy")
	case PolicyAccept:
		policy = "Accept"
	case PolicyDrop:
		policy = "Drop"
	default:
		return nil, wire.Refusef(wire.CodePolicy, "The Policy is invalid. Only 'Accept' and 'Drop' are supported. Ignore case.")
	}
	if g.Type == TypeEnterprise {
		return nil, wire.Refuse(wire.CodeInnerAccess)
	}
	if policy != g.InnerAccess {
		twin := *g
		twin.InnerAccess = policy
		c.putGroup(&twin)
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

// joinResourceGroup moves a security group or an interface to another resource group. A managed group may be moved: the
// documents do not name this among what is refused for those.
func joinResourceGroup(c *call) (any, error) {
	kind, id, target := c.params.Get("ResourceType"), c.params.Get("ResourceId"), c.params.Get("ResourceGroupId")
	for _, name := range []string{"ResourceId", "ResourceGroupId"} {
		if c.params.Get(name) == "" {
			return nil, &wire.Refusal{Code: wire.CodeMissing, Status: 403, Message: wire.Missing(name).Message}
		}
	}
	if !isResourceType(kind) {
		return nil, wire.Refuse(wire.CodeResourceType)
	}
	if !c.account.hasResourceGroup(target) {
		return nil, wire.Refuse(wire.CodeResourceGroup)
	}
	switch g, card := c.region.groups[id], c.region.cards[id]; {
	case kind == typeGroup && g != nil:
		if g.ResourceGroup == target {
			return nil, wire.Refuse(wire.CodeSameResourceGroup)
		}
		twin := *g
		twin.ResourceGroup = target
		c.putGroup(&twin)
	case kind == typeInterface && card != nil:
		if card.ResourceGroup == target {
			return nil, wire.Refuse(wire.CodeSameResourceGroup)
		}
		twin := *card
		twin.ResourceGroup = target
		c.region.cards[id], c.changed = &twin, true
	default:
		return nil, wire.Refusef(wire.CodeResourceNotFound, "The ResourceId provided does not exist in our records.")
	}
	return &plainResponse{RequestID: c.requestID}, nil
}
