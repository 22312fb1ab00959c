package estates

import (
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

func vpcShape() *shape[cloud.VPC] {
	type T = cloud.VPC
	return shape[T]{
		name: "vpc", doc: "A virtual private cloud.", flow: true, identity: "id",
		fields: []field[T]{
			id("id", "The ID of the VPC.", func(v *T) *string { return &v.ID }),
			text("name", "The name of the VPC.", func(v *T) *string { return &v.Name }),
			text("cidr", "Its IPv4 network.", func(v *T) *string { return &v.CIDR }),
			text("description", "Its description.", func(v *T) *string { return &v.Description }),
			text("created", "When it was created.", func(v *T) *string { return &v.Created }),
			boolean("default", "It is the default VPC of the region.", func(v *T) *bool { return &v.Default }),
			texts("vswitches", "The IDs of its vSwitches.", func(v *T) *[]string { return &v.VSwitches }),
		},
	}.closed()
}

func interfaceShape() *shape[cloud.Interface] {
	type T = cloud.Interface
	return shape[T]{
		name: "interface", doc: "An elastic network interface.", flow: true, identity: "id",
		fields: []field[T]{
			id("id", "The ID of the interface.", func(i *T) *string { return &i.ID }),
			text("name", "The name of the interface.", func(i *T) *string { return &i.Name }),
			text("vpc", "The ID of its VPC.", func(i *T) *string { return &i.VPC }),
			text("vswitch", "The ID of its vSwitch.", func(i *T) *string { return &i.VSwitch }),
			text("private-ip", "Its primary IPv4 address.", func(i *T) *string { return &i.Private }),
			texts("secondary-ips", "Its further IPv4 addresses.", func(i *T) *[]string { return &i.Secondaries }),
			texts("ipv6", "Its IPv6 addresses.", func(i *T) *[]string { return &i.IPv6 }),
			texts("groups", "The IDs of the security groups that it is in.", func(i *T) *[]string { return &i.Groups }),
			text("instance", "The ID of the instance that it is attached to.",
				func(i *T) *string { return &i.Instance }),
			word("type", "Primary interfaces come with their instance.", "Secondary",
				func(i *T) *string { return &i.Type },
				"Primary", "Secondary"),
			text("description", "Its description.", func(i *T) *string { return &i.Description }),
			text("mac", "Its hardware address.", func(i *T) *string { return &i.MAC }),
			text("zone", "The ID of its zone.", func(i *T) *string { return &i.Zone }),
			text("resource-group", "The ID of its resource group.", func(i *T) *string { return &i.ResourceGroup }),
			text("created", "When it was created.", func(i *T) *string { return &i.Created }),
			boolean("managed", "A service of the cloud owns it.", func(i *T) *bool { return &i.Managed }),
			tags("Its tags.", func(i *T) *map[string]string { return &i.Tags }),
		},
	}.closed()
}

func prefixListShape() *shape[cloud.PrefixList] {
	type (
		T = cloud.PrefixList
		E = cloud.Entry
	)
	entry := shape[E]{
		name: "entry", doc: "A network of a prefix list.", flow: true, short: true,
		fields: []field[E]{
			needed(text("cidr", "The network.", func(e *E) *string { return &e.CIDR })),
			text("description", "Its description.", func(e *E) *string { return &e.Description }),
		},
	}.closed()
	return shape[T]{
		name: "prefix-list", doc: "A list of networks that rules may have as their peer.", identity: "id",
		fields: []field[T]{
			id("id", "The ID of the list, `pl-…`.", func(l *T) *string { return &l.ID }),
			needed(text("name", "The name of the list.", func(l *T) *string { return &l.Name })),
			word("family", "What its networks are of.", cloud.FamilyIPv4, func(l *T) *string { return &l.Family },
				cloud.FamilyIPv4, cloud.FamilyIPv6),
			number("max-entries", "How many entries it may have, and a rule with it counts for. If it is absent, as many as it has.",
				0,
				func(l *T) *int { return &l.MaxEntries }),
			text("description", "Its description.", func(l *T) *string { return &l.Description }),
			list("entries", "Its networks.", entry, func(l *T) *[]E { return &l.Entries }),
			text("created", "When it was created.", func(l *T) *string { return &l.Created }),
			text("resource-group", "The ID of its resource group.", func(l *T) *string { return &l.ResourceGroup }),
			tags("Its tags.", func(l *T) *map[string]string { return &l.Tags }),
		},
	}.closed()
}

func portListShape() *shape[cloud.PortList] {
	type (
		T = cloud.PortList
		E = cloud.PortEntry
	)
	entry := shape[E]{
		name: "port-entry", doc: "A range of a port list.", flow: true, short: true,
		fields: []field[E]{
			needed(text("ports", "The range, as `80/80`.", func(e *E) *string { return &e.Ports })),
			text("description", "Its description.", func(e *E) *string { return &e.Description }),
		},
	}.closed()
	return shape[T]{
		name: "port-list", doc: "A list of ports that rules may have instead of ports of their own.", identity: "id",
		fields: []field[T]{
			id("id", "The ID of the list, `prl-…`.", func(l *T) *string { return &l.ID }),
			text("name", "The name of the list.", func(l *T) *string { return &l.Name }),
			number("max-entries", "How many entries it may have, and a rule with it counts for. If it is absent, as many as it has.",
				0,
				func(l *T) *int { return &l.MaxEntries }),
			text("description", "Its description.", func(l *T) *string { return &l.Description }),
			list("entries", "Its ranges.", entry, func(l *T) *[]E { return &l.Entries }),
			text("created", "When it was created.", func(l *T) *string { return &l.Created }),
			text("resource-group", "The ID of its resource group.", func(l *T) *string { return &l.ResourceGroup }),
			tags("Its tags.", func(l *T) *map[string]string { return &l.Tags }),
		},
	}.closed()
}

func groupShape() *shape[cloud.Group] {
	type T = cloud.Group
	return shape[T]{
		name: "group", doc: "A security group.", identity: "id", check: checkGroup,
		fields: []field[T]{
			id("id", "The ID of the group, `sg-…`.", func(g *T) *string { return &g.ID }),
			needed(text("name", "The name of the group.", func(g *T) *string { return &g.Name })),
			word("type", "Basic groups are normal, advanced ones enterprise.", cloud.TypeNormal,
				func(g *T) *string { return &g.Type },
				cloud.TypeNormal, cloud.TypeEnterprise),
			text("vpc", "The ID of its VPC. If it is absent, the group is in the classic network.",
				func(g *T) *string { return &g.VPC }),
			text("description", "Its description.", func(g *T) *string { return &g.Description }),
			boolean("managed", "A service of the cloud owns it; its rules cannot be changed.",
				func(g *T) *bool { return &g.Managed }),
			text("resource-group", "The ID of its resource group.", func(g *T) *string { return &g.ResourceGroup }),
			text("created", "When it was created.", func(g *T) *string { return &g.Created }),
			tags("Its tags.", func(g *T) *map[string]string { return &g.Tags }),
			word("inner-access", "Whether its members reach one another. If it is absent, `Accept` of a normal group and `Drop` of "+
				"an enterprise one.", "", func(g *T) *string { return &g.InnerAccess }, "Accept", "Drop"),
			list("egress", "Its outbound rules, in their order.", ruleShape(egressSide()),
				func(g *T) *[]cloud.Rule { return &g.Egress }),
			list("ingress", "Its inbound rules, in their order.", ruleShape(ingressSide()),
				func(g *T) *[]cloud.Rule { return &g.Ingress }),
		},
	}.closed()
}

// side is how the two ends of a rule are called in one direction.
type side struct{ name, peer, peerDoc, own, ownDoc string }

func egressSide() side {
	return side{
		name: "egress", peer: "to", peerDoc: "Where the traffic goes", own: "source", ownDoc: "Where in the group it comes from",
	}
}

func ingressSide() side {
	return side{
		name: "ingress", peer: "from", peerDoc: "Where the traffic comes from", own: "dest", ownDoc: "Where in the group it goes",
	}
}

func ruleShape(s side) *shape[cloud.Rule] {
	type T = cloud.Rule
	ruleID := text("id", "The ID of the rule. If it is absent one is made up; if it is `\"\"` the rule has none, as once.",
		func(r *T) *string { return &r.ID })
	read, write := ruleID.read, ruleID.write
	ruleID.read = func(v strictyaml.Value, into *T) {
		read(v, into)
		into.NoID = into.ID == ""
	}
	ruleID.write = func(from *T) node {
		if from.NoID {
			return scalarOf("")
		}
		return write(from)
	}
	return shape[T]{
		name: s.name + "-rule", doc: "A rule of the direction " + s.name + ".", flow: true, check: checkRule,
		fields: []field[T]{
			ruleID,
			needed(text("protocol", "`tcp`, `udp`, `icmp`, `icmpv6`, `gre`, `all`, or a number.",
				func(r *T) *string { return &r.Protocol })),
			text("ports", "As `443/443`. Rules for tcp and udp need it, or `port-list`; others have `-1/-1` if it is absent.",
				func(r *T) *string { return &r.Ports }),
			text("port-list", "The ID of a port list, instead of ports.", func(r *T) *string { return &r.PortList }),
			needed(text(s.peer, s.peerDoc+": a network or address, or the ID of a group or prefix list. May be empty (`\"\"`).",
				func(r *T) *string { return &r.Peer })),
			text(s.peer+"-account", "The account of that group, if it is another one.",
				func(r *T) *string { return &r.PeerAccount }),
			preset("policy", "`accept` or `drop`.", cloud.PolicyAccept, func(r *T) *string { return &r.Policy }),
			number("priority", "1 is the highest; the API knows up to 100.", 1, func(r *T) *int { return &r.Priority }),
			text("nic", "`intranet` or `internet`. If it is absent, intranet in a VPC and internet in the classic network.",
				func(r *T) *string { return &r.NIC }),
			text("description", "Its description.", func(r *T) *string { return &r.Description }),
			text("created", "When it was created.", func(r *T) *string { return &r.Created }),
			text(s.own, s.ownDoc+": a network or address, of a rule by five-tuple.",
				func(r *T) *string { return &r.Own }),
			text("source-ports", "The ports that the traffic comes from, of a rule by five-tuple.",
				func(r *T) *string { return &r.SourcePorts }),
		},
	}.closed()
}
