package cloud

import "github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"

// operation is what a request does with the rules that it gives. Each has a table of errors of its own in the documents,
// and so the same mistake does not always earn the same code and status. Where a table has a code that names its
// parameter (%s) beside one that does not, the former is taken to be of the form with Permissions.
type operation int

const (
	authorizing operation = iota
	revoking
	modifying  // A rule by its ID.
	describing // A rule by its parts: only its description changes.
)

// pick gives the code for a side.
func (s side) pick(ofDest, ofSource wire.Code) wire.Code {
	if s == source {
		return ofSource
	}
	return ofDest
}

// named gives a refusal whose message names a parameter where the documents have a placeholder.
func (p *permission) named(code wire.Code, parameter string) *wire.Refusal {
	return wire.Refusef(code, "The specified parameter "+p.name+parameter+" is not valid.")
}

// malformedPorts refuses ports that are none.
func (p *permission) malformedPorts() *wire.Refusal {
	switch {
	case p.name != "" || p.operation == modifying:
		return wire.Refusef(wire.CodePortRange, "The specified parameter "+p.name+"PortRange is not valid. "+
			"It should be two integers less than 65535 in ?/? format.")
	case p.operation == revoking:
		return wire.Refuse(wire.CodePorts)
	}
	return wire.Refuse(wire.CodePortsOrProtocol)
}

// mismatchedPorts refuses ports that do not go with the protocol. The tables of revoking have no code for that but the
// one for malformed ports.
func (p *permission) mismatchedPorts() *wire.Refusal {
	switch p.operation {
	case revoking:
		return wire.Refuse(wire.CodePorts)
	case modifying:
		return wire.Refuse(wire.CodeModifyPorts)
	case authorizing, describing:
	}
	return wire.Refuse(wire.CodePortsMismatch)
}

// malformedCIDR refuses an IPv4 address that is none. Of the older form of egress, only the destination has a code of
// its own for it. That code has two messages in the documents, which differ in quotes; here, one is for wrong lengths of
// the prefix.
func (p *permission) malformedCIDR(s side, onlyLength bool) *wire.Refusal {
	if p.name != "" {
		return p.named(s.pick(wire.CodeListedDestCIDR, wire.CodeSourceCIDR), s.cidr())
	}
	if s == source && p.direction == egress {
		return wire.Refuse(wire.CodeSourceCIDR)
	}
	code := s.pick(wire.CodeDestCIDR, wire.CodePeerSourceCIDR)
	if onlyLength {
		return p.named(code, s.cidr())
	}
	return wire.Refuse(code)
}

// malformedCIDR6 refuses an IPv6 address that is none. What tells the two sorts of codes apart is not documented: here
// it is whether the address is right and only the length of the prefix is not.
func (p *permission) malformedCIDR6(s side, onlyLength bool) *wire.Refusal {
	switch {
	case !onlyLength:
		return p.named(s.pick(wire.CodeDestCIDR6, wire.CodeSourceCIDR6), s.cidr6())
	case p.name != "":
		return wire.Refuse(wire.CodeListedCIDR6)
	}
	return p.named(wire.CodeIllegalCIDR6, s.cidr6())
}

// bothFamilies refuses two addresses for one side.
func (p *permission) bothFamilies(s side) *wire.Refusal {
	where := "the request"
	if p.name != "" {
		where = p.name[:len(p.name)-1]
	}
	return wire.Refusef(s.pick(wire.CodeDestBoth, wire.CodeSourceBoth),
		"The Parameters "+s.cidr()+" and "+s.cidr6()+" in "+where+" cannot be set at the same time.")
}

// noPeer refuses a rule without a peer. What tells MissingParameter from the other code is not documented: here it is
// that the owner of a group was given, so that the group was forgotten.
func (p *permission) noPeer() *wire.Refusal {
	peer := p.direction.peer()
	if p.fields.Get(peer.ownerID()) == "" && p.fields.Get(peer.ownerAccount()) == "" {
		return wire.Refuse(peer.pick(wire.CodeDestMissing, wire.CodeSourceMissing))
	}
	r := wire.Refusef(wire.CodeMissing,
		`The input parameter "`+peer.group()+`" or "`+peer.cidr()+`" cannot be both blank.`)
	if p.operation != revoking {
		r.Status = 403
	}
	return r
}

// otherCard refuses a network card that a group does not have.
func (p *permission) otherCard() *wire.Refusal {
	if p.operation == modifying {
		return wire.Refuse(wire.CodeModifyNIC)
	}
	r := wire.Refuse(wire.CodeNICMismatch)
	if p.operation != revoking {
		r.Status = 400
	}
	return r
}

// groupOnInternet refuses a rule with a group for the internet card.
func (p *permission) groupOnInternet() *wire.Refusal {
	if p.operation == revoking {
		return p.otherCard()
	}
	return &wire.Refusal{
		Code: p.direction.peer().pick(wire.CodeDestGroupMismatch, wire.CodeSourceGroupMismatch), Status: 403,
		Message: "NicType is required or NicType expects intranet.",
	}
}

// wrongFamily refuses a protocol of one address family with addresses of the other.
func (p *permission) wrongFamily(code wire.Code) *wire.Refusal {
	if p.operation == modifying {
		return wire.Refuse(wire.CodeModifyFamily)
	}
	return wire.Refuse(code)
}

// sameGroup refuses a rule that has its own group as its peer.
func (p *permission) sameGroup() *wire.Refusal {
	if p.direction == egress {
		return wire.Refuse(wire.CodeSameGroup)
	}
	r := wire.Refuse(wire.CodeGroupConflict)
	if p.operation == revoking {
		r.Status = 400
	}
	return r
}

// groupNotFound refuses a peer that is a group that is not there.
func (p *permission) groupNotFound(foreign bool) *wire.Refusal {
	peer := p.direction.peer()
	if foreign && p.operation != revoking {
		return wire.Refuse(peer.pick(wire.CodeForeignDestNotFound, wire.CodeForeignSourceNotFound))
	}
	return wire.Refuse(peer.pick(wire.CodeDestGroupNotFound, wire.CodeSourceGroupNotFound))
}

// otherNetwork refuses a peer that is a group somewhere else.
func (p *permission) otherNetwork(other *Group) *wire.Refusal {
	if (other.VPC == "") != (p.group.VPC == "") {
		switch p.operation {
		case authorizing:
			return wire.Refuse(wire.CodeNetworkConflict)
		case modifying, describing:
			return wire.Refuse(wire.CodeNetworkMismatch)
		case revoking:
			// Its tables do not tell that apart.
		}
	}
	return wire.Refuse(p.direction.peer().pick(wire.CodeDestGroupMismatch, wire.CodeSourceGroupMismatch))
}
