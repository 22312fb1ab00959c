package cloud

import "github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"

// checkReferences checks that what a new rule names exists and may be named by its group.
func (p *permission) checkReferences() error {
	if p.rule.PortList != "" && p.call.region.portLists[p.rule.PortList] == nil {
		return wire.Refuse(wire.CodePortListNotFound)
	}
	switch p.rule.destination() {
	case toPrefixList:
		return p.checkPrefixList()
	case toGroup:
		return p.checkPeerGroup()
	case toNothing, toIPv4, toIPv6:
	}
	return nil
}

func (p *permission) checkPrefixList() error {
	list := p.call.region.lists[p.rule.Peer]
	if list == nil {
		return wire.Refuse(wire.CodePrefixListNotFound)
	}
	v6 := list.Family == FamilyIPv6
	if _, ok := parsePrefix(p.rule.Own, v6); p.rule.Own != "" && !ok {
		return wire.Refuse(wire.CodePrefixListFamily)
	}
	if v6 && p.rule.Protocol == "icmp" {
		return p.wrongFamily(wire.CodeIPv4Protocol)
	}
	if !v6 && p.rule.Protocol == "icmpv6" {
		return p.wrongFamily(wire.CodeIPv6Protocol)
	}
	return nil
}

// checkPeerGroup checks a peer that is a group. Groups of accounts that are not served are taken to exist: nothing is
// known of those accounts. A group of another account may be in another VPC, unless [Era.ForeignSameVPC] says otherwise:
// the documents want the same one, but a VPC is of one account, and a widespread infrastructure client is tested with two.
func (p *permission) checkPeerGroup() error {
	if p.group.Type == TypeEnterprise {
		return wire.Refuse(wire.CodeEnterpriseGroup)
	}
	owner := p.call.account
	foreign := p.rule.PeerAccount != ""
	if foreign {
		if owner = p.call.world.accounts[p.rule.PeerAccount]; owner == nil {
			if !looksLikeID(p.rule.Peer, "sg-") {
				return p.groupNotFound(foreign)
			}
			return nil
		}
	} else if p.rule.Peer == p.group.ID {
		return p.sameGroup()
	}
	var peer *Group
	if r := owner.regions[p.call.region.id]; r != nil {
		peer = r.groups[p.rule.Peer]
	}
	if peer == nil {
		return p.groupNotFound(foreign)
	}
	bothInVPCs := peer.VPC != "" && p.group.VPC != ""
	if peer.VPC != p.group.VPC && (!foreign || !bothInVPCs || p.call.era.ForeignSameVPC) {
		return p.otherNetwork(peer)
	}
	if peer.Type == TypeEnterprise {
		return wire.Refuse(wire.CodeEnterprisePeer)
	}
	return nil
}
