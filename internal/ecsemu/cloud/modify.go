package cloud

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// modify changes one rule, which keeps its ID and creation time. A part that the request does not give stays as it is,
// and none can be emptied. Without an ID, the other parameters say which rule is meant, and only its description
// changes.
func (d direction) modify(c *call) (any, error) {
	g, err := c.changeableGroup()
	if err != nil {
		return nil, err
	}
	if c.params.Get(d.own().group()) != "" {
		return nil, wire.Refuse(wire.CodeModifyDirection)
	}
	var at int
	var changed Rule
	if id := c.params.Get("SecurityGroupRuleId"); id != "" && !c.era.NoRuleIDs {
		at, changed, err = d.modifyByID(c, g, id)
	} else {
		at, changed, err = d.describeByContent(c, g)
	}
	if err != nil {
		return nil, err
	}
	old := d.rules(g)[at]
	if c.content(&changed) != c.content(&old) || changed.Description != old.Description {
		c.putGroup(d.replaced(g, at, changed))
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

// replaced gives a copy of a group with another rule in the place of one.
func (d direction) replaced(g *Group, at int, rule Rule) *Group {
	rules := slices.Clone(d.rules(g))
	rules[at] = rule
	return d.with(g, rules)
}

// describeByContent finds a rule by its parts, and gives it with the description of the request.
func (d direction) describeByContent(c *call, g *Group) (at int, changed Rule, err error) {
	asked := permission{fields: c.params, direction: d, operation: describing, group: g, call: c}
	if err := asked.read(); err != nil {
		return 0, Rule{}, err
	}
	content := c.content(&asked.rule)
	rules := d.rules(g)
	at = slices.IndexFunc(rules, func(r Rule) bool { return c.content(&r) == content })
	if at < 0 {
		if err := asked.checkReferences(); err != nil {
			return 0, Rule{}, err
		}
		return 0, Rule{}, wire.Refuse(wire.CodeRuleNotFound)
	}
	changed = rules[at]
	changed.Description = cmp.Or(asked.rule.Description, changed.Description)
	return at, changed, nil
}

func (d direction) modifyByID(c *call, g *Group, id string) (at int, changed Rule, err error) {
	rules := d.rules(g)
	if at = slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id }); at < 0 {
		if !looksLikeID(id, "sgr-") {
			return 0, Rule{}, wire.Refuse(wire.CodeRuleIDs)
		}
		return 0, Rule{}, wire.Refuse(wire.CodeRuleIDNotFound)
	}
	if !d.hasFlatRule(c.params) && c.params.Get("PortRangeListId") == "" {
		return 0, Rule{}, wire.Refuse(wire.CodeModifyNothing)
	}
	before := d.fields(&rules[at])
	merged := d.mergedFields(c, before)
	if description := merged.Get("Description"); differOnlyIn("Description", merged, before) {
		// What is odd about the rest of a rule is of no matter then.
		if !isDescription(description, maxRuleDescription) {
			return 0, Rule{}, wire.Refuse(wire.CodeDescription)
		}
		changed = rules[at]
		changed.Description = description
		return at, changed, nil
	}
	asked := permission{fields: merged, direction: d, operation: modifying, group: g, call: c}
	if err := asked.read(); err != nil {
		return 0, Rule{}, err
	}
	asked.keepSpelling(before)
	if err := asked.checkChange(at); err != nil {
		return 0, Rule{}, err
	}
	return at, asked.rule, nil
}

// checkChange checks that a rule may become what was read, and completes that with what it keeps.
func (p *permission) checkChange(at int) error {
	rules := p.direction.rules(p.group)
	old := &rules[at]
	switch {
	case p.rule.destination() != old.destination():
		return wire.Refuse(wire.CodeModifyKind)
	case (p.rule.PortList == "") != (old.PortList == ""):
		return wire.Refuse(wire.CodeModifyPortKind)
	case p.rule.NIC != old.NIC:
		return wire.Refuse(wire.CodeModifyNIC)
	}
	if err := p.checkReferences(); err != nil {
		return err
	}
	content := p.call.content(&p.rule)
	for i := range rules {
		if i != at && p.call.content(&rules[i]) == content {
			return wire.Refuse(wire.CodeModifyTwice)
		}
	}
	p.rule.ID, p.rule.NoID, p.rule.Created = old.ID, old.NoID, old.Created
	return p.call.checkLimits(p.group, p.direction.replaced(p.group, at, p.rule), modifying)
}

// keepSpelling gives IPv6 addresses back the spelling that they had before, where the request does not change them.
func (p *permission) keepSpelling(before wire.Params) {
	for s, text := range map[side]*string{p.direction.peer(): &p.rule.Peer, p.direction.own(): &p.rule.Own} {
		if old := before[s.cidr6()]; old != "" && p.fields[s.cidr6()] == old {
			*text = old
		}
	}
}

// differOnlyIn tells whether two sets of parameters are the same but for one.
func differOnlyIn(name string, a, b wire.Params) bool {
	a, b = maps.Clone(a), maps.Clone(b)
	delete(a, name)
	delete(b, name)
	return maps.Equal(a, b)
}

// mergedFields gives the parts of a rule with those of the request over them. A new peer replaces the old one whole, as
// its owner and the other kinds say nothing of it; so do new ports a port list, and the other way round.
func (d direction) mergedFields(c *call, before wire.Params) wire.Params {
	merged := maps.Clone(before)
	override := func(group ...string) {
		if !slices.ContainsFunc(group, func(name string) bool { return c.params.Get(name) != "" }) {
			return
		}
		for _, name := range group {
			merged[name] = c.params.Get(name)
		}
	}
	peer, own := d.peer(), d.own()
	override(peer.cidr(), peer.cidr6(), peer.group(), peer.list(), peer.ownerID(), peer.ownerAccount())
	override("PortRange", "PortRangeListId")
	override(own.cidr(), own.cidr6())
	for _, name := range []string{"IpProtocol", "SourcePortRange", "Policy", "Priority", "NicType", "Description"} {
		override(name)
	}
	return merged
}

// fields gives a rule as the parameters that a request would give it by.
func (d direction) fields(r *Rule) wire.Params {
	p := wire.Params{
		"IpProtocol": r.Protocol, "PortRange": r.Ports, "PortRangeListId": r.PortList, "SourcePortRange": r.SourcePorts,
		"Policy": r.Policy, "Priority": strconv.Itoa(r.Priority), "NicType": r.NIC, "Description": r.Description,
	}
	peer, own := d.peer(), d.own()
	switch r.destination() {
	case toIPv4:
		p[peer.cidr()] = r.Peer
	case toIPv6:
		p[peer.cidr6()] = r.Peer
	case toGroup:
		p[peer.group()], p[peer.ownerAccount()] = r.Peer, r.PeerAccount
	case toPrefixList:
		p[peer.list()] = r.Peer
	case toNothing:
	}
	if strings.Contains(r.Own, ":") {
		p[own.cidr6()] = r.Own
	} else {
		p[own.cidr()] = r.Own
	}
	return p
}
