package cloud

import (
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Limits of DescribeSecurityGroups.
const (
	maxGroupPageSize = 50 // In the style with page numbers; see [idListing] for the other.
	defaultGroupPage = 10
	// maxFiltered is how much a listing by tag or resource group shows at most: it ends early, without a word.
	maxFiltered = 1000
	maxGroupIDs = 100
)

// How many private addresses a group can hold.
const (
	normalCapacity     = 6000
	enterpriseCapacity = 65536
)

// distributor is what is told as the owner of managed resources.
const distributor = 12345678910

type groupsResponse struct {
	RequestID      string `json:"RequestId"`
	RegionID       string `json:"RegionId"`
	NextToken      string `json:"NextToken"`
	SecurityGroups struct {
		SecurityGroup []groupElement `json:"SecurityGroup"`
	} `json:"SecurityGroups"`
	*numbers // Nil in the style with tokens.
}

type groupElement struct {
	SecurityGroupID   string `json:"SecurityGroupId"`
	SecurityGroupName string `json:"SecurityGroupName"`
	Description       string `json:"Description"`
	SecurityGroupType string `json:"SecurityGroupType"`
	VpcID             string `json:"VpcId"`
	CreationTime      string `json:"CreationTime"`
	// These two are told with IsQueryEcsCount only.
	EcsCount                *int        `json:"EcsCount,omitempty"`
	AvailableInstanceAmount *int        `json:"AvailableInstanceAmount,omitempty"`
	ResourceGroupID         string      `json:"ResourceGroupId"`
	ServiceManaged          bool        `json:"ServiceManaged"`
	ServiceID               int64       `json:"ServiceID,omitempty"`
	Tags                    tagElements `json:"Tags"`
	RuleCount               int         `json:"RuleCount"`
	GroupToGroupRuleCount   int         `json:"GroupToGroupRuleCount"`
}

type tagElements struct {
	Tag []tagElement `json:"Tag"`
}

// tagElement is a tag in an answer, where its parts have other names than in a request.
type tagElement struct {
	TagKey   string `json:"TagKey"`
	TagValue string `json:"TagValue"`
}

func describeSecurityGroups(c *call) (any, error) {
	wanted, err := readGroupFilter(c.params)
	if err != nil {
		return nil, err
	}
	// FuzzyQuery is documented as deprecated, and without its meaning; it has no effect here.
	if _, err := c.params.Bool("FuzzyQuery"); err != nil {
		return nil, err
	}
	counted, err := c.params.Bool("IsQueryEcsCount")
	if err != nil {
		return nil, err
	}
	dry, err := c.params.Bool("DryRun")
	if err != nil {
		return nil, err
	}
	if dry {
		return nil, wire.Refuse(wire.CodeDryRun)
	}
	response := &groupsResponse{RequestID: c.requestID, RegionID: c.region.id}
	page, err := groupPage(c, wanted.list(c.region), response)
	if err != nil {
		return nil, err
	}
	elements := make([]groupElement, 0, len(page))
	for _, id := range page {
		e := describeGroup(c.region.groups[id])
		if counted {
			e.EcsCount, e.AvailableInstanceAmount = c.region.addresses(c.region.groups[id])
		}
		elements = append(elements, e)
	}
	response.SecurityGroups.SecurityGroup = elements
	return response, nil
}

// groupPage picks the page of the listing that was asked for, in the style that was asked for: by numbers if nothing
// says otherwise, for as long as there are any.
func groupPage(c *call, ids []string, response *groupsResponse) ([]string, error) {
	if !c.era.NoPageNumbers && !c.asksByToken() {
		page, told, err := numberedPage(c, defaultGroupPage, maxGroupPageSize, ids)
		response.numbers = &told
		return page, err
	}
	if c.era.NoPageNumbers && (c.params.Get("PageNumber") != "" || c.params.Get("PageSize") != "") {
		return nil, wire.Refuse(wire.CodePageNumbers)
	}
	groups := idListing("groups")
	groups.badToken = wire.CodeNextToken
	page, token, err := nextPage(c, groups, ids, itself)
	response.NextToken = token
	return page, err
}

func itself(id string) string { return id }

func describeGroup(g *Group) groupElement {
	e := groupElement{
		SecurityGroupID: g.ID, SecurityGroupName: g.Name, Description: g.Description, SecurityGroupType: g.Type,
		VpcID: g.VPC, CreationTime: g.Created, ResourceGroupID: g.ResourceGroup, ServiceManaged: g.Managed,
		Tags: tagElements{describeTags(g.Tags)}, RuleCount: len(g.Egress) + len(g.Ingress),
		GroupToGroupRuleCount: groupRules(g.Egress) + groupRules(g.Ingress),
	}
	if g.Managed {
		e.ServiceID = distributor
	}
	return e
}

// groupRules counts the rules whose peer is a group.
func groupRules(rules []Rule) int {
	n := 0
	for i := range rules {
		if rules[i].destination() == toGroup {
			n++
		}
	}
	return n
}

// addresses counts the private addresses in a group, and how many more could be.
func (r *region) addresses(g *Group) (used, left *int) {
	n, capacity := 0, normalCapacity
	if g.Type == TypeEnterprise {
		capacity = enterpriseCapacity
	}
	for _, card := range r.cards {
		if slices.Contains(card.Groups, g.ID) {
			n += 1 + len(card.Secondaries)
		}
	}
	rest := max(0, capacity-n)
	return &n, &rest
}

func describeTags(tags map[string]string) []tagElement {
	elements := make([]tagElement, 0, len(tags))
	for key, value := range tags {
		elements = append(elements, tagElement{TagKey: key, TagValue: value})
	}
	slices.SortFunc(elements, func(a, b tagElement) int { return strings.Compare(a.TagKey, b.TagKey) })
	return elements
}

func groupActions() []Action {
	return []Action{
		{
			Name: "DescribeSecurityGroups", Regional: true, Pages: true, resources: listedGroups,
			handle: describeSecurityGroups,
		},
		{
			Name: "DescribeSecurityGroupReferences", Regional: true, resources: referencedGroups,
			handle: describeSecurityGroupReferences,
		},
		{Name: "CreateSecurityGroup", Regional: true, Writes: true, resources: newGroup, handle: createSecurityGroup},
		{
			Name: "ModifySecurityGroupAttribute", Regional: true, Writes: true, OneGroup: true, resources: theGroup,
			handle: modifySecurityGroupAttribute,
		},
		{
			Name: "ModifySecurityGroupPolicy", Regional: true, Writes: true, OneGroup: true, resources: theGroup,
			regionMissing: wire.Refuse(wire.CodePolicyRegion), handle: modifySecurityGroupPolicy,
		},
		{
			Name: "JoinResourceGroup", Regional: true, Writes: true, resources: theJoining, handle: joinResourceGroup,
			// It answers 403 where the others answer 400.
			regionMissing: &wire.Refusal{
				Code: wire.CodeMissing, Status: 403, Message: wire.Missing("RegionId").Message,
			},
		},
		{
			Name: "DeleteSecurityGroup", Regional: true, Writes: true, OneGroup: true, resources: theGroup,
			handle: deleteSecurityGroup,
		},
	}
}
