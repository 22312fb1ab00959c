package cloud

import (
	"slices"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
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
	// SnapshotPolicyIDs are told if they are asked for. The sample in the documents has them, but an answer that the
	// vendor's command line printed has not; its pager takes the list of rules to be the only list there is.
	SnapshotPolicyIDs *snapshotPolicies `json:"SnapshotPolicyIds,omitempty"`
}

type snapshotPolicies struct {
	SnapshotPolicyID []string `json:"SnapshotPolicyId"`
}

// SizeHint is about how long the answer is in JSON.
func (r *attributeResponse) SizeHint() int { return 256 + 800*len(r.Permissions.Permission) }

func describeSecurityGroupAttribute(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	if name := c.params.Get("Attribute"); name != "" && name != "snapshotPolicyIds" {
		return nil, wire.Refuse(wire.CodeAttribute)
	}
	asked, err := c.askedRules(g)
	if err != nil {
		return nil, err
	}
	response := &attributeResponse{
		RequestID: c.requestID, RegionID: c.region.id, SecurityGroupID: g.ID, SecurityGroupName: g.Name,
		Description: g.Description, VpcID: g.VPC, InnerAccessPolicy: g.InnerAccess,
	}
	if c.params.Get("Attribute") != "" {
		response.SnapshotPolicyIDs = &snapshotPolicies{SnapshotPolicyID: []string{}}
	}
	page, next, err := asked.page(c)
	if err != nil {
		return nil, err
	}
	response.NextToken = next
	elements := make([]permissionElement, 0, len(page))
	for _, rule := range page {
		element := c.describeRule(rule.direction, rule.rule)
		if c.era.NoRuleIDs {
			element.SecurityGroupRuleID = nil
		}
		elements = append(elements, element)
	}
	response.Permissions.Permission = elements
	return response, nil
}

// directedRule is a rule and its direction, which the rule itself does not know.
type directedRule struct {
	direction direction
	rule      *Rule
}

// ruleListing is what one call, with all calls for its further pages, is about.
type ruleListing struct {
	name  string // What its tokens are for.
	rules []directedRule
}

// askedRules gives the rules of the directions and the network card that were asked for. Of both directions, egress
// comes first: the order that the cloud has is not documented; see [Era.IngressFirst]. A group in a VPC has one kind of
// card, whatever was asked for; of a classic group, one call shows one kind.
func (c *call) askedRules(g *Group) (*ruleListing, error) {
	p := c.params
	nic, ok := readNIC(p)
	if !ok {
		return nil, wire.Refuse(wire.CodeNIC)
	}
	switch {
	case g.VPC != "":
		nic = NicIntranet
	case nic == "":
		nic = NicInternet
	}
	directions := []direction{egress, ingress}
	switch p.Get("Direction") {
	case "", "all":
		if c.era.IngressFirst {
			slices.Reverse(directions)
		}
	case egress.String():
		directions = directions[:1]
	case ingress.String():
		directions = directions[1:]
	default:
		return nil, wire.Refusef(wire.CodeAttributeParameter, "The parameter Direction must be egress, ingress or all.")
	}
	listing := &ruleListing{
		name: "rules " + g.ID + " " + nic, rules: make([]directedRule, 0, len(g.Egress)+len(g.Ingress)),
	}
	for _, d := range directions {
		listing.name += " " + d.String()
		rules := d.rules(g)
		for i := range rules {
			if g.VPC != "" || rules[i].NIC == nic {
				listing.rules = append(listing.rules, directedRule{direction: d, rule: &rules[i]})
			}
		}
	}
	return listing, nil
}

// page picks the page that was asked for; pages run over both directions. A token is good for the listing that it was
// given in, so not with another Direction. Its tokens count the rules: whether the cloud's notice that a rule went away
// between two pages is not documented, so a client must not rely on it; see [Era.NextRulePages].
func (l *ruleListing) page(c *call) (page []directedRule, next string, err error) {
	size, ok := c.params.Int("MaxResults", defaultRulePage, minRulePage, maxRulePage)
	if !ok {
		return nil, "", wire.Refusef(wire.CodeAttributeParameter, "The parameter MaxResults must be a number from 10 to 1000.")
	}
	from := 0
	if token := c.params.Get("NextToken"); token != "" {
		position, ok := c.decodeToken(l.name, token)
		if from, err = l.find(position); !ok || err != nil {
			return nil, "", wire.Refusef(wire.CodeAttributeParameter, "The parameter NextToken is not valid.")
		}
	}
	to := min(from+size, len(l.rules))
	if to < len(l.rules) {
		position := strconv.Itoa(to)
		if c.era.NextRulePages {
			position += " " + l.rules[to].rule.ID
		}
		next = c.encodeToken(l.name, position)
	}
	return l.rules[from:to], next, nil
}

// find gives the number of the rule that a token names by its number and maybe its ID.
func (l *ruleListing) find(position string) (int, error) {
	number, id, named := strings.Cut(position, " ")
	at := slices.IndexFunc(l.rules, func(r directedRule) bool { return r.rule.ID == id })
	if named && id != "" && at >= 0 {
		return at, nil
	}
	at, err := strconv.Atoi(number)
	if err == nil && at < 0 {
		err = strconv.ErrRange
	}
	return min(at, len(l.rules)), err
}
