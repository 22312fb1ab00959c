// Package reach says what removing egress rules closes, opens, or leaves as it is: exactly, or that it cannot tell.
//
// A [List] is the rules of one security group, or of the groups of an interface merged. The first rule that speaks of
// traffic decides: the lower priority number first, at equal priority drop before accept; where no rule speaks, the type
// of the group does. [List.Effect] compares what is permitted before and after rules are removed, over protocol,
// destination, destination port, source and source port:
//
//	list := reach.Compile(group, rules, reach.Options{})
//	effect := list.Effect(nil, []int{3}) // of removing the fourth rule alone
//	fmt.Println(effect.Sentence())
//
// # What is not known
//
// A destination group is an opaque set of addresses that may overlap any other set: a rule for all addresses of a family
// covers it, every other address rule and every other group leaves open whether a member of it is meant. A prefix list or
// port list that was not read, and a rule that could not be understood, may hold anything within what is known of the
// rule. An effect is of class [Unknown] only where one of these could change it: for every possible content that gives
// the same answer, the answer is given.
//
// Reach speaks of the rules of groups and of their defaults. It knows nothing of routes, of network ACLs, of firewalls, of
// what the cloud blocks for everybody (TCP port 25), nor of the group's internal access policy.
// Source: "Security group rules", "Basic security groups and advanced security groups" of the ECS user guide.
//
// The package is pure.
package reach

import (
	"net/netip"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Class is what a removal comes to.
type Class string

// The classes of effects.
const (
	Closes  Class = "closes"  // traffic that was permitted is not any more, and none is permitted that was not
	None    Class = "none"    // nothing changes
	Opens   Class = "opens"   // traffic is permitted that was not, and none is closed
	Mixed   Class = "mixed"   // both
	Unknown Class = "unknown" // it depends on what is not known, or is too complex to say
)

// Scope is what an effect speaks of. It is part of every statement.
type Scope string

// The scopes. On an interface the rules of all its groups are merged, so what is redundant within a group may matter
// there, and the other way round.
const (
	ScopeGroup     Scope = "group"
	ScopeInterface Scope = "interface"
)

// Family is a family of addresses.
type Family string

// The families. AnyFamily is both.
const (
	AnyFamily Family = ""
	IPv4      Family = "ipv4"
	IPv6      Family = "ipv6"
)

// ProtocolOther is what a [Space] is about beside single protocols. A rule for all protocols is about tcp, udp, icmp,
// icmpv6, gre and other, in the families of its addresses.
const ProtocolOther = "other"

// Space is a box of traffic: everything that all fields fit. The zero value of an optional field is no restriction.
type Space struct {
	// Protocol is tcp, udp, icmp, icmpv6, gre, an IANA number in decimals, or [ProtocolOther]: every protocol that is none
	// of the five and not in Except.
	Protocol string
	Except   []uint8 // of [ProtocolOther]; sorted

	CIDR   netip.Prefix // destination; not valid if Group is set
	Group  string       // the ID of the destination group, in the place of CIDR
	Family Family       // of a Group: set if it is about the members' addresses of one family only

	Ports       sg.PortRange // of the destination; set for tcp and udp, and only for them
	Source      netip.Prefix // not valid: any
	SourcePorts sg.PortRange // zero: any
	NIC         string       // internet or intranet, in the classic network only
}

// By is a rule, or the default of the group type, that decides about traffic.
type By struct {
	Default  bool
	Rule     string // its ID, or its content in words if it has none; empty for the default
	Group    string // whose rule it is, at [ScopeInterface] only
	Priority int
	Action   sg.Action
	// Space is what it decides of the removed rules' traffic, as [Effect.Closes]: of the first ones only, and bounded, since
	// it is for people.
	Space []Space

	tracts []tract // the same in another form
}

// Effect is what a removal does.
type Effect struct {
	Scope Scope
	Class Class
	// Closes and Opens are sorted and disjoint within a protocol as far as that does not need more boxes, and as few as the
	// merging finds. For [Unknown] they hold what is certain whatever is not known, which may be nothing.
	Closes []Space
	Opens  []Space
	// MoreCloses and MoreOpens are how many spaces were left out; see [Effect.Limit].
	MoreCloses, MoreOpens int
	// Why says what an [Unknown] effect depends on, for people.
	Why string

	// ShadowedBy are the rules that decide about all of the removed rules' traffic before them, if these decide about
	// none themselves: they were without effect already. Sorted by priority, then ID.
	ShadowedBy []By
	// StillPermittedBy are the rules, or the default, by which traffic of the removed accept rules is permitted all the
	// same: also those that do so only if an address is in a set of which the contents are not known. Empty if ShadowedBy is
	// not. The one that permits most comes first.
	StillPermittedBy []By
	// StillDroppedBy are likewise for removed drop rules.
	StillDroppedBy []By

	// Default is what the groups do where no rule speaks: accept in basic ones, drop in advanced ones. Empty if that is not
	// known.
	Default sg.Action
	// Closed is how much is closed: the measure to sort and chart by.
	Closed Pairs
	// Interfaces is what happens on the interfaces, at [ScopeInterface] only: one element for each combination of groups
	// that interfaces have, sorted by these.
	Interfaces []OnInterfaces

	idle          bool // the removed rules speak of nothing
	closes, opens []tract
	said          *said // the words, if the effect was limited after they were found
}

// OnInterfaces is an effect on all interfaces that are in exactly the same groups.
type OnInterfaces struct {
	Groups     []string // IDs, sorted
	Interfaces int
	Instances  int
	Effect     *Effect // of scope interface, without Interfaces of its own
}

// Pairs is a number of (address, port) pairs, by the family of the address. TCP and UDP ports count apart; another
// protocol counts as one port. A pair counts whole if it is closed for any source. Members of a destination group are not
// counted: nobody knows how many there are.
// The numbers are exact up to 2^53 and rounded beyond.
type Pairs struct {
	IPv4 float64
	IPv6 float64
}

// Ref names a rule of a [List].
type Ref struct {
	ID       string // may be empty
	Text     string // the rule in words if it has no ID
	Group    string
	Priority int
	Action   sg.Action
}

// Options say how to compile a list.
type Options struct {
	// Only are the rules, by index, whose removal will be asked about, alone or together. The list then holds no more than
	// what can matter to them. Nil: all.
	Only []int
	// Incomplete is why the group was not read whole; every effect is unknown then. Empty if it was.
	Incomplete string
}
