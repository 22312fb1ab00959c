package cloud

import (
	"encoding/json"
	"strings"
)

// permissionElement is a rule in an answer. Absent values are told as empty texts; the priority and the accounts are
// numbers, although the documents declare them to be texts, as that is what the published answers show.
type permissionElement struct {
	SecurityGroupRuleID     *string `json:"SecurityGroupRuleId,omitempty"` // Nil: there are no rule IDs yet.
	Direction               string  `json:"Direction"`
	IPProtocol              string  `json:"IpProtocol"`
	Policy                  string  `json:"Policy"`
	NicType                 string  `json:"NicType"`
	Priority                int     `json:"Priority"`
	PortRange               string  `json:"PortRange"`
	SourcePortRange         string  `json:"SourcePortRange"`
	PortRangeListID         string  `json:"PortRangeListId"`
	PortRangeListName       string  `json:"PortRangeListName"`
	DestCidrIP              string  `json:"DestCidrIp"`
	IPv6DestCidrIP          string  `json:"Ipv6DestCidrIp"`
	DestGroupID             string  `json:"DestGroupId"`
	DestGroupName           string  `json:"DestGroupName"`
	DestGroupOwnerAccount   any     `json:"DestGroupOwnerAccount"`
	DestPrefixListID        string  `json:"DestPrefixListId"`
	DestPrefixListName      string  `json:"DestPrefixListName"`
	SourceCidrIP            string  `json:"SourceCidrIp"`
	IPv6SourceCidrIP        string  `json:"Ipv6SourceCidrIp"`
	SourceGroupID           string  `json:"SourceGroupId"`
	SourceGroupName         string  `json:"SourceGroupName"`
	SourceGroupOwnerAccount any     `json:"SourceGroupOwnerAccount"`
	SourcePrefixListID      string  `json:"SourcePrefixListId"`
	SourcePrefixListName    string  `json:"SourcePrefixListName"`
	CreateTime              string  `json:"CreateTime"`
	Description             string  `json:"Description"`
}

// elementSide is where one side of a rule goes in its element.
type elementSide struct {
	cidr, cidr6, group, groupName, list, listName *string

	owner *any
}

func (e *permissionElement) side(s side) elementSide {
	if s == source {
		return elementSide{
			&e.SourceCidrIP, &e.IPv6SourceCidrIP, &e.SourceGroupID, &e.SourceGroupName, &e.SourcePrefixListID,
			&e.SourcePrefixListName, &e.SourceGroupOwnerAccount,
		}
	}
	return elementSide{
		&e.DestCidrIP, &e.IPv6DestCidrIP, &e.DestGroupID, &e.DestGroupName, &e.DestPrefixListID,
		&e.DestPrefixListName, &e.DestGroupOwnerAccount,
	}
}

// describeRule tells a rule as answers do, where the documents are silent as the [Era] has it.
func (c *call) describeRule(d direction, rule *Rule) permissionElement {
	e := permissionElement{
		SecurityGroupRuleID: &rule.ID, Direction: d.String(),
		IPProtocol: c.era.spelled(protocolName(c.era.protocol(rule.Protocol))), Policy: c.era.spelled(policyName(rule.Policy)),
		NicType: rule.NIC, Priority: rule.Priority, PortRange: c.portRange(rule),
		SourcePortRange: rule.SourcePorts, PortRangeListID: rule.PortList, DestGroupOwnerAccount: "",
		SourceGroupOwnerAccount: "", CreateTime: rule.Created, Description: rule.Description,
	}
	if list := c.region.portLists[rule.PortList]; list != nil {
		e.PortRangeListName = list.Name
	}
	peer, own := e.side(d.peer()), e.side(d.own())
	switch rule.destination() {
	case toIPv4:
		*peer.cidr = c.era.address(rule.Peer)
	case toIPv6:
		*peer.cidr6 = rule.Peer
	case toPrefixList:
		*peer.list = rule.Peer
		if list := c.region.lists[rule.Peer]; list != nil {
			*peer.listName = list.Name
		}
	case toGroup:
		account := c.peerAccount(rule)
		if g := c.region.groups[rule.Peer]; g != nil && account == "" {
			*peer.groupName = g.Name
		}
		if account == "" && c.era.TellOwnAccount {
			account = c.account.id
		}
		*peer.group, *peer.owner = rule.Peer, accountNumber(account)
	case toNothing:
	}
	if strings.Contains(rule.Own, ":") {
		*own.cidr6 = rule.Own
	} else {
		*own.cidr = c.era.address(rule.Own)
	}
	return e
}

// portRange gives the ports of a rule as they are told. Of a list of which nothing is known, there is no first range.
func (c *call) portRange(rule *Rule) string {
	if rule.PortList == "" {
		return rule.Ports
	}
	switch c.era.ListPorts {
	case ListPortsAll:
		return PortsAll
	case ListPortsFirst:
		if list := c.region.portLists[rule.PortList]; list != nil && len(list.Entries) > 0 {
			return list.Entries[0].Ports
		}
	case ListPortsEmpty, "":
	}
	return rule.Ports
}

// accountNumber gives an account as it is told: as a number if it is one. A name is told only of accounts of which
// nothing else is known.
func accountNumber(account string) any {
	if IsAccountID(account) {
		return json.Number(account)
	}
	return account
}

// protocolName is how answers spell a protocol.
func protocolName(text string) string {
	switch folded := strings.ToUpper(text); folded {
	case "TCP", "UDP", "ICMP", "GRE", "ALL":
		return folded
	case "ICMPV6":
		return "ICMPv6"
	}
	return text
}

// policyName is how answers spell a policy.
func policyName(text string) string {
	switch strings.ToLower(text) {
	case PolicyAccept:
		return "Accept"
	case PolicyDrop:
		return "Drop"
	}
	return text
}
