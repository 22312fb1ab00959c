package ecsemu

import (
	"encoding/json"
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

func (r *attributeResponse) setNextToken(token string) { r.NextToken = token }

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
	if name := c.params.get("Attribute"); name != "" && name != "snapshotPolicyIds" {
		return nil, refuse(codeAttribute)
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
		if c.era.noRuleIDs {
			element.SecurityGroupRuleID = nil
		}
		elements = append(elements, element)
	}
	response.Permissions.Permission = elements
	return response, nil
}

// askedRules gives the rules of the direction and network card that were asked for. An estate has no ingress rules.
// A group in a VPC has one kind of card, whatever was asked for; of a classic group, one call shows one kind.
func askedRules(p parameters, g *Group) ([]Rule, error) {
	nic := p.get("NicType")
	if nic != "" && nic != nicInternet && nic != nicIntranet {
		return nil, refuse(codeNIC)
	}
	switch p.get("Direction") {
	case "", "all", "egress":
	case "ingress":
		return nil, nil
	default:
		return nil, refusef(codeAttributeParameter, "The parameter Direction must be egress, ingress or all.")
	}
	if g.VPC != "" {
		return g.Egress, nil
	}
	if nic == "" {
		nic = nicInternet
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
func rulePage(p parameters, group string, rules []Rule) (page []Rule, next string, err error) {
	size, ok := p.integer("MaxResults", defaultRulePage, minRulePage, maxRulePage)
	if !ok {
		return nil, "", refusef(codeAttributeParameter, "The parameter MaxResults must be a number from 10 to 1000.")
	}
	listing, from := "rules "+group, 0
	if token := p.get("NextToken"); token != "" {
		position, ok := decodeToken(listing, token)
		if from, err = strconv.Atoi(position); !ok || err != nil || from < 0 {
			return nil, "", refusef(codeAttributeParameter, "The parameter NextToken is not valid.")
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
	case r.To == "":
		return toNothing
	case strings.HasPrefix(r.To, "sg-"):
		return toGroup
	case strings.HasPrefix(r.To, "pl-"):
		return toPrefixList
	case strings.Contains(r.To, ":"):
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
		e.DestCidrIP = rule.To
	case toIPv6:
		e.IPv6DestCidrIP = rule.To
	case toPrefixList:
		e.DestPrefixListID = rule.To
		if list := r.lists[rule.To]; list != nil {
			e.DestPrefixListName = list.Name
		}
	case toGroup:
		e.DestGroupID = rule.To
		if g := r.groups[rule.To]; g != nil && (rule.ToAccount == "" || rule.ToAccount == account) {
			e.DestGroupName = g.Name
		}
		e.DestGroupOwnerAccount = accountNumber(rule.ToAccount)
	case toNothing:
	}
	if strings.Contains(rule.Source, ":") {
		e.IPv6SourceCidrIP = rule.Source
	} else {
		e.SourceCidrIP = rule.Source
	}
	return e
}

// accountNumber gives an account as it is told: as a number if it is one. An account is told only of groups that a
// rule names with their account; what the cloud tells of a group of the same account is not documented.
func accountNumber(account string) any {
	if isAccountID(account) {
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
	case policyAccept:
		return "Accept"
	case policyDrop:
		return "Drop"
	}
	return text
}
