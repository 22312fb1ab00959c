package cloud

import "slices"

// direction is one of the two directions of rules. The actions on either are the same but for the names of their
// parameters, some of their codes, and the list of a group that they work on, all of which follow from it.
type direction int

const (
	egress direction = iota
	ingress
)

// String is how answers tell a direction.
func (d direction) String() string {
	if d == ingress {
		return "ingress"
	}
	return "egress"
}

// peer is the side that is far from the group: where egress leads to, and where ingress comes from.
func (d direction) peer() side {
	if d == ingress {
		return source
	}
	return dest
}

// own is the side of the group itself, which only rules by five parts say something of.
func (d direction) own() side {
	if d == ingress {
		return dest
	}
	return source
}

// rules gives a group's rules of the direction.
func (d direction) rules(g *Group) []Rule {
	if d == ingress {
		return g.Ingress
	}
	return g.Egress
}

// with gives a copy of a group that has other rules of the direction.
func (d direction) with(g *Group, rules []Rule) *Group {
	twin := *g
	if d == ingress {
		twin.Ingress = rules
	} else {
		twin.Egress = rules
	}
	return &twin
}

// flatFields are the parameters of the first form of a rule: one rule, its parts at the top level of the request.
// The second form has them once more under each Permissions.N, where PortRangeListId comes on top.
func (d direction) flatFields() []string {
	peer, own := d.peer(), d.own()
	return []string{
		"IpProtocol", "PortRange", "SourcePortRange", "Policy", "Priority", "NicType", "Description",
		peer.cidr(), peer.cidr6(), peer.group(), peer.list(), peer.ownerID(), peer.ownerAccount(), own.cidr(), own.cidr6(),
	}
}

// side is one of the two ends of the traffic of a rule, as the names of parameters have it.
type side string

const (
	dest   side = "Dest"
	source side = "Source"
)

func (s side) cidr() string         { return string(s) + "CidrIp" }
func (s side) cidr6() string        { return "Ipv6" + string(s) + "CidrIp" }
func (s side) group() string        { return string(s) + "GroupId" }
func (s side) list() string         { return string(s) + "PrefixListId" }
func (s side) ownerID() string      { return string(s) + "GroupOwnerId" }
func (s side) ownerAccount() string { return string(s) + "GroupOwnerAccount" }

// usesPrefixList tells whether a rule of a group, of either direction, names a prefix list.
func (g *Group) usesPrefixList(id string) bool {
	names := func(r Rule) bool { return r.Peer == id && r.destination() == toPrefixList }
	return slices.ContainsFunc(g.Egress, names) || slices.ContainsFunc(g.Ingress, names)
}
