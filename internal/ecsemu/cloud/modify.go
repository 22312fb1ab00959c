package cloud

import (
	"cmp"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// modifyEgressRule changes one rule, which keeps its ID and creation time. A part that the request does not give stays
// as it is, and none can be emptied. Without an ID, the other parameters say which rule is meant, and only its
// description changes.
func modifyEgressRule(c *call) (any, error) {
	g, err := c.changeableGroup()
	if err != nil {
		return nil, err
	}
	var at int
	var changed Rule
	if id := c.params.Get("SecurityGroupRuleId"); id != "" && !c.era.NoRuleIDs {
		at, changed, err = c.modifyByID(g, id)
	} else {
		at, changed, err = c.describeByContent(g)
	}
	if err != nil {
		return nil, err
	}
	old := g.Egress[at]
	if changed.content(c.account.id) != old.content(c.account.id) || changed.Description != old.Description {
		twin := *g
		twin.Egress = slices.Clone(g.Egress)
		twin.Egress[at] = changed
		c.putGroup(&twin)
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

// describeByContent finds a rule by its parts, and gives it with the description of the request.
func (c *call) describeByContent(g *Group) (at int, changed Rule, err error) {
	asked, err := c.readRules(g)
	if err != nil {
		return 0, Rule{}, err
	}
	content := asked[0].content(c.account.id)
	at = slices.IndexFunc(g.Egress, func(r Rule) bool { return r.content(c.account.id) == content })
	if at < 0 {
		return 0, Rule{}, wire.Refuse(wire.CodeRuleNotFound)
	}
	changed = g.Egress[at]
	changed.Description = cmp.Or(asked[0].Description, changed.Description)
	return at, changed, nil
}

func (c *call) modifyByID(g *Group, id string) (at int, changed Rule, err error) {
	if at = slices.IndexFunc(g.Egress, func(r Rule) bool { return r.ID == id }); at < 0 {
		return 0, Rule{}, wire.Refuse(wire.CodeRuleIDNotFound)
	}
	old := g.Egress[at]
	if !hasFlatRule(c.params) && c.params.Get("PortRangeListId") == "" {
		return 0, Rule{}, wire.Refuse(wire.CodeModifyNothing)
	}
	merged := c.mergedFields(&old)
	if description := merged.Get("Description"); differOnlyIn("Description", merged, old.fields()) {
		// What is odd about the rest of a rule is of no matter then.
		if !isDescription(description, maxRuleDescription) {
			return 0, Rule{}, wire.Refuse(wire.CodeDescription)
		}
		changed = old
		changed.Description = description
		return at, changed, nil
	}
	changed, err = (&permission{fields: merged, group: g, region: c.region.id, account: c.account.id}).read()
	if err != nil {
		return 0, Rule{}, err
	}
	if changed.destination() != old.destination() {
		return 0, Rule{}, wire.Refuse(wire.CodeModifyKind)
	}
	if changed.NIC != old.NIC {
		return 0, Rule{}, wire.Refuse(wire.CodeModifyNIC)
	}
	if err := c.checkReferences(g, &changed); err != nil {
		return 0, Rule{}, err
	}
	content := changed.content(c.account.id)
	for i := range g.Egress {
		if i != at && g.Egress[i].content(c.account.id) == content {
			return 0, Rule{}, wire.Refuse(wire.CodeModifyTwice)
		}
	}
	changed.ID, changed.NoID, changed.Created = old.ID, old.NoID, old.Created
	return at, changed, nil
}

// differOnlyIn tells whether two sets of parameters are the same but for one.
func differOnlyIn(name string, a, b wire.Params) bool {
	a, b = maps.Clone(a), maps.Clone(b)
	delete(a, name)
	delete(b, name)
	return maps.Equal(a, b)
}

// mergedFields gives the parts of a rule with those of the request over them. A new destination replaces the old one
// whole, as its owner and the other kinds say nothing of it; so do new ports a port list, and the other way round.
func (c *call) mergedFields(old *Rule) wire.Params {
	merged := old.fields()
	override := func(group ...string) {
		if !slices.ContainsFunc(group, func(name string) bool { return c.params.Get(name) != "" }) {
			return
		}
		for _, name := range group {
			merged[name] = c.params.Get(name)
		}
	}
	override("DestCidrIp", "Ipv6DestCidrIp", "DestGroupId", "DestPrefixListId", "DestGroupOwnerId", "DestGroupOwnerAccount")
	override("PortRange", "PortRangeListId")
	override("SourceCidrIp", "Ipv6SourceCidrIp")
	for _, name := range []string{"IpProtocol", "SourcePortRange", "Policy", "Priority", "NicType", "Description"} {
		override(name)
	}
	return merged
}

// fields gives a rule as the parameters that a request would give it by.
func (r *Rule) fields() wire.Params {
	p := wire.Params{
		"IpProtocol": r.Protocol, "PortRange": r.Ports, "PortRangeListId": r.PortList, "SourcePortRange": r.SourcePorts,
		"Policy": r.Policy, "Priority": strconv.Itoa(r.Priority), "NicType": r.NIC, "Description": r.Description,
	}
	switch r.destination() {
	case toIPv4:
		p["DestCidrIp"] = r.Peer
	case toIPv6:
		p["Ipv6DestCidrIp"] = r.Peer
	case toGroup:
		p["DestGroupId"], p["DestGroupOwnerAccount"] = r.Peer, r.PeerAccount
	case toPrefixList:
		p["DestPrefixListId"] = r.Peer
	case toNothing:
	}
	if strings.Contains(r.Own, ":") {
		p["Ipv6SourceCidrIp"] = r.Own
	} else {
		p["SourceCidrIp"] = r.Own
	}
	return p
}
