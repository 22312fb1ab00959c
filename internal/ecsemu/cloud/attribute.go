package cloud

import (
	"encoding/json"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
	"strconv"
	"strings"
)

// Page sizes of DescribeSecurityGroupAttribute.
const (
	minRulePage     = 10
	maxRulePage     = 1000
	defaultRulePage = 500
)

type attributeResponse struct {
	RequestID         string `json:"RequestId"`
	RegionID          string `json:"RegionId"`
	SecurityGroupID   string `json:"SecurityGroupId"`
	SecurityGroupName string `json:"SecurityGroupName"`
	Description       string `json:"Description"`
	VpcID             string `json:"VpcId"`
	InnerAccessPolicy string `json:"InnerAccessPolicy"`
	NextToken         string `json:"NextToken"`
	Permissions       struct {
		Permission []permissionElement `json:"Permission"`
	} `json:"Permissions"`
	SnapshotPolicyIDs struct {
		SnapshotPolicyID []string `json:"SnapshotPolicyId"`
	} `json:"SnapshotPolicyIds"`
}

// SizeHint is about how long the answer is in JSON.
func (r *attributeResponse) SizeHint() int { return 256 + 800*len(r.Permissions.Permission) }

func (r *attributeResponse) SetNextToken(token string) { r.NextToken = token }

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
	SourceGroupOwnerAccount string  `json:"SourceGroupOwnerAccount"`
	SourcePrefixListID      string  `json:"SourcePrefixListId"`
	SourcePrefixListName    string  `json:"SourcePrefixListName"`
	CreateTime              string  `json:"CreateTime"`
	Description             string  `json:"Description"`
}

func describeSecurityGroupAttribute(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	if name := c.params.Get("Attribute"); name != "" && name != "snapshotPolicyIds" {
		return nil, wire.Refuse(wire.CodeAttribute)
	}
	rules, err := askedRules(c.params, g)
	if err != nil {
		return nil, err
	}
	response := &attributeResponse{
		RequestID: c.requestID, RegionID: c.region.id, SecurityGroupID: g.ID, SecurityGroupName: g.Name,
		Description: g.Description, VpcID: g.VPC, InnerAccessPolicy: g.InnerAccess,
	}
	response.SnapshotPolicyIDs.SnapshotPolicyID = []string{}
	page, next, err := rulePage(c.params, g.ID, rules)
	if err != nil {
		return nil, err
	}
	response.NextToken = next
	elements := make([]permissionElement, 0, len(page))
	for i := range page {
		element := c.region.describeRule(&page[i], c.account.id)
		if c.era.NoRuleIDs {
			element.SecurityGroupRuleID = nil
		}
		elements = append(elements, element)
	}
	response.Permissions.Permission = elements
	return response, nil
}

// askedRules gives the rules of the direction and network card that were asked for. An estate has no ingress rules.
// A group in a VPC has one kind of card, whatever was asked for; of a classic group, one call shows one kind.
func askedRules(p wire.Params, g *Group) ([]Rule, error) {
	nic := p.Get("NicType")
	if nic != "" && nic != NicInternet && nic != NicIntranet {
		return nil, wire.Refuse(wire.CodeNIC)
	}
	switch p.Get("Direction") {
	case "", "all", "egress":
	case "ingress":
		return nil, nil
	default:
		return nil, wire.Refusef(wire.CodeAttributeParameter, "The parameter Direction must be egress, ingress or all.")
	}
	if g.VPC != "" {
		return g.Egress, nil
	}
	if nic == "" {
		nic = NicInternet
	}
	rules := make([]Rule, 0, len(g.Egress))
	for i := range g.Egress {
		if g.Egress[i].NIC == nic {
			rules = append(rules, g.Egress[i])
		}
	}
	return rules, nil
}

// rulePage picks the page that was asked for. Its tokens count the rules: whether the cloud's notice that a rule went
// away between two pages is not documented, so a client must not rely on it.
func rulePage(p wire.Params, group string, rules []Rule) (page []Rule, next string, err error) {
	size, ok := p.Int("MaxResults", defaultRulePage, minRulePage, maxRulePage)
	if !ok {
		return nil, "", wire.Refusef(wire.CodeAttributeParameter, "The parameter MaxResults must be a number from 10 to 1000.")
	}
	listing, from := "rules "+group, 0
	if token := p.Get("NextToken"); token != "" {
		position, ok := decodeToken(listing, token)
		if from, err = strconv.Atoi(position); !ok || err != nil || from < 0 {
			return nil, "", wire.Refusef(wire.CodeAttributeParameter, "The parameter NextToken is not valid.")
		}
		from = min(from, len(rules))
	}
	to := min(from+size, len(rules))
	if to < len(rules) {
		next = encodeToken(listing, strconv.Itoa(to))
	}
	return rules[from:to], next, nil
}

// destination is the kind of what a rule allows or forbids traffic to.
type destination int

const (
	toNothing destination = iota
	toIPv4
	toIPv6
	toGroup
	toPrefixList
)

// destination tells what a rule leads to: what the API was told, or else what the text looks like.
func (r *Rule) destination() destination {
	switch {
	case r.kind != toNothing:
		return r.kind
	case r.Peer == "":
		return toNothing
	case strings.HasPrefix(r.Peer, "sg-"):
		return toGroup
	case strings.HasPrefix(r.Peer, "pl-"):
		return toPrefixList
	case strings.Contains(r.Peer, ":"):
		return toIPv6
	}
	return toIPv4
}

func (r *region) describeRule(rule *Rule, account string) permissionElement {
	e := permissionElement{
		SecurityGroupRuleID: &rule.ID, Direction: "egress", IPProtocol: protocolName(rule.Protocol),
		Policy: policyName(rule.Policy), NicType: rule.NIC, Priority: rule.Priority, PortRange: rule.Ports,
		SourcePortRange: rule.SourcePorts, PortRangeListID: rule.PortList, DestGroupOwnerAccount: "",
		CreateTime: rule.Created, Description: rule.Description,
	}
	switch rule.destination() {
	case toIPv4:
		e.DestCidrIP = rule.Peer
	case toIPv6:
		e.IPv6DestCidrIP = rule.Peer
	case toPrefixList:
		e.DestPrefixListID = rule.Peer
		if list := r.lists[rule.Peer]; list != nil {
			e.DestPrefixListName = list.Name
		}
	case toGroup:
		e.DestGroupID = rule.Peer
		if g := r.groups[rule.Peer]; g != nil && (rule.PeerAccount == "" || rule.PeerAccount == account) {
			e.DestGroupName = g.Name
		}
		e.DestGroupOwnerAccount = accountNumber(rule.PeerAccount)
	case toNothing:
	}
	if strings.Contains(rule.Own, ":") {
		e.IPv6SourceCidrIP = rule.Own
	} else {
		e.SourceCidrIP = rule.Own
	}
	return e
}

// accountNumber gives an account as it is told: as a number if it is one. An account is told only of groups that a
// rule names with their account; what the cloud tells of a group of the same account is not documented.
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

// ActionDescribeAttribute is named, as a kind of fault applies to it alone.
const ActionDescribeAttribute = "DescribeSecurityGroupAttribute"

func ruleActions() []Action {
	return []Action{
		{
			Name: ActionDescribeAttribute, Regional: true, Pages: true, OneGroup: true, resources: theGroup,
			handle: describeSecurityGroupAttribute,
		},
		{Name: "AuthorizeSecurityGroupEgress", Regional: true, Writes: true, OneGroup: true, handle: authorizeEgress},
		{
			Name: "RevokeSecurityGroupEgress", Regional: true, Writes: true, OneGroup: true, resources: theGroup,
			handle: revokeEgress,
		},
		{Name: "ModifySecurityGroupEgressRule", Regional: true, Writes: true, OneGroup: true, handle: modifyEgressRule},
	}
}
