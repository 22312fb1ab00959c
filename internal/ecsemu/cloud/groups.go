package cloud

import (
	"encoding/json"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
	"slices"
	"sort"
	"strings"
)

// Limits of DescribeSecurityGroups.
const (
	maxGroupPage     = 100 // In the style with tokens.
	maxGroupPageSize = 50  // In the style with page numbers.
	defaultGroupPage = 10
	// maxFiltered is how much a listing by tag or resource group shows at most: it ends early, without a word.
	maxFiltered = 1000
	maxGroupIDs = 100
)

type groupsResponse struct {
	RequestID      string `json:"RequestId"`
	RegionID       string `json:"RegionId"`
	NextToken      string `json:"NextToken"`
	SecurityGroups struct {
		SecurityGroup []groupElement `json:"SecurityGroup"`
	} `json:"SecurityGroups"`
	// These three are told in the style with page numbers only.
	TotalCount *int `json:"TotalCount,omitempty"`
	PageNumber *int `json:"PageNumber,omitempty"`
	PageSize   *int `json:"PageSize,omitempty"`
}

func (r *groupsResponse) SetNextToken(token string) { r.NextToken = token }

type groupElement struct {
	SecurityGroupID       string      `json:"SecurityGroupId"`
	SecurityGroupName     string      `json:"SecurityGroupName"`
	Description           string      `json:"Description"`
	SecurityGroupType     string      `json:"SecurityGroupType"`
	VpcID                 string      `json:"VpcId"`
	CreationTime          string      `json:"CreationTime"`
	ResourceGroupID       string      `json:"ResourceGroupId"`
	ServiceManaged        bool        `json:"ServiceManaged"`
	ServiceID             int64       `json:"ServiceID,omitempty"`
	Tags                  tagElements `json:"Tags"`
	RuleCount             int         `json:"RuleCount"`
	GroupToGroupRuleCount int         `json:"GroupToGroupRuleCount"`
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
	// The other two are documented but have no effect here.
	for _, name := range []string{"IsQueryEcsCount", "FuzzyQuery"} {
		if _, err := c.params.Bool(name); err != nil {
			return nil, err
		}
	}
	dry, err := c.params.Bool("DryRun")
	if err != nil {
		return nil, err
	}
	if dry {
		return nil, wire.Refuse(wire.CodeDryRun)
	}
	ids := wanted.list(c.region)
	response := &groupsResponse{RequestID: c.requestID, RegionID: c.region.id}
	page, err := groupPage(c, ids, response)
	if err != nil {
		return nil, err
	}
	elements := make([]groupElement, 0, len(page))
	for _, id := range page {
		elements = append(elements, describeGroup(c.region.groups[id]))
	}
	response.SecurityGroups.SecurityGroup = elements
	return response, nil
}

// groupPage picks the page of the listing that was asked for, in the style that was asked for.
func groupPage(c *call, ids []string, response *groupsResponse) ([]string, error) {
	if c.params.Get("MaxResults") == "" && c.params.Get("NextToken") == "" {
		return numberedGroupPage(c, ids, response)
	}
	size, ok := c.params.Int("MaxResults", defaultGroupPage, 1, maxGroupPage)
	if !ok {
		return nil, wire.Refusef(wire.CodeParameter, "The parameter MaxResults must be a number from 1 to 100.")
	}
	listing := "groups " + c.region.id
	if token := c.params.Get("NextToken"); token != "" {
		last, ok := decodeToken(listing, token)
		if !ok {
			return nil, wire.Refuse(wire.CodeNextToken)
		}
		// The list is descending, and its last element may be gone by now.
		ids = ids[sort.Search(len(ids), func(i int) bool { return ids[i] < last }):]
	}
	if len(ids) > size {
		ids = ids[:size]
		response.NextToken = encodeToken(listing, ids[size-1])
	}
	return ids, nil
}

func numberedGroupPage(c *call, ids []string, response *groupsResponse) ([]string, error) {
	number, okNumber := c.params.Int("PageNumber", 1, 1, 1<<30)
	size, okSize := c.params.Int("PageSize", defaultGroupPage, 1, maxGroupPageSize)
	if !okNumber || !okSize {
		return nil, wire.Refusef(wire.CodeParameter, "The parameter PageNumber must be at least 1, and PageSize from 1 to 50.")
	}
	total := len(ids)
	response.TotalCount, response.PageNumber, response.PageSize = &total, &number, &size
	from := min((number-1)*size, total)
	return ids[from:min(from+size, total)], nil
}

func describeGroup(g *Group) groupElement {
	e := groupElement{
		SecurityGroupID: g.ID, SecurityGroupName: g.Name, Description: g.Description, SecurityGroupType: g.Type,
		VpcID: g.VPC, CreationTime: g.Created, ResourceGroupID: g.ResourceGroup, ServiceManaged: g.Managed,
		Tags: describeTags(g.Tags), RuleCount: len(g.Egress), GroupToGroupRuleCount: g.groupRules(),
	}
	if g.Managed {
		e.ServiceID = 12345678910
	}
	return e
}

func (g *Group) groupRules() int {
	n := 0
	for i := range g.Egress {
		if g.Egress[i].destination() == toGroup {
			n++
		}
	}
	return n
}

func describeTags(tags map[string]string) tagElements {
	elements := make([]tagElement, 0, len(tags))
	for key, value := range tags {
		elements = append(elements, tagElement{TagKey: key, TagValue: value})
	}
	slices.SortFunc(elements, func(a, b tagElement) int { return strings.Compare(a.TagKey, b.TagKey) })
	return tagElements{Tag: elements}
}

// groupFilter is which groups a listing shows. All its conditions must hold.
type groupFilter struct {
	ids     map[string]bool // Nil: any.
	equal   map[string]string
	network string
	managed string
	tags    []tag
}

func readGroupFilter(p wire.Params) (groupFilter, error) {
	f := groupFilter{equal: map[string]string{}, network: p.Get("NetworkType"), managed: p.Get("ServiceManaged")}
	for _, name := range []string{"SecurityGroupId", "SecurityGroupName", "SecurityGroupType", "VpcId", "ResourceGroupId"} {
		if value := p.Get(name); value != "" {
			f.equal[name] = value
		}
	}
	if id, asked := f.equal["SecurityGroupId"]; asked && !looksLikeID(id, "sg-") {
		return f, wire.Refuse(wire.CodeGroupID)
	}
	if kind, asked := f.equal["SecurityGroupType"]; asked && kind != TypeNormal && kind != TypeEnterprise {
		return f, wire.Refuse(wire.CodeGroupType)
	}
	if name, asked := f.equal["SecurityGroupName"]; asked && !isGroupName(name) {
		return f, wire.Refuse(wire.CodeGroupName)
	}
	if f.network != "" && f.network != "vpc" && f.network != "classic" {
		return f, wire.Refusef(wire.CodeParameter, "The parameter NetworkType must be vpc or classic.")
	}
	if text := p.Get("SecurityGroupIds"); text != "" {
		var ids []string
		if err := json.Unmarshal([]byte(text), &ids); err != nil || len(ids) > maxGroupIDs {
			return f, wire.Refuse(wire.CodeGroupID)
		}
		f.ids = map[string]bool{}
		for _, id := range ids {
			f.ids[id] = true
		}
	}
	if _, err := p.Bool("ServiceManaged"); err != nil {
		return f, err
	}
	f.tags = readTags(p)
	return f, checkTagFilter(f.tags)
}

func checkTagFilter(tags []tag) error {
	if len(tags) > maxTags {
		return wire.Refuse(wire.CodeTags)
	}
	for _, t := range tags {
		if t.key == "" {
			return wire.Refuse(wire.CodeTagKey)
		}
	}
	return nil
}

// list gives the IDs of the groups that pass, in the order of the listing.
func (f groupFilter) list(r *region) []string {
	ids := make([]string, 0, len(r.order))
	for _, id := range r.order {
		if f.passes(r.groups[id]) {
			ids = append(ids, id)
		}
	}
	_, byResourceGroup := f.equal["ResourceGroupId"]
	if (byResourceGroup || len(f.tags) > 0) && len(ids) > maxFiltered {
		ids = ids[:maxFiltered]
	}
	return ids
}

func (f groupFilter) passes(g *Group) bool {
	if f.ids != nil && !f.ids[g.ID] {
		return false
	}
	if len(f.equal) > 0 && !f.equals(g) {
		return false
	}
	if f.network != "" && (f.network == "vpc") != (g.VPC != "") {
		return false
	}
	if f.managed != "" && strings.EqualFold(f.managed, "true") != g.Managed {
		return false
	}
	for _, t := range f.tags {
		if value, there := g.Tags[t.key]; !there || !t.anyValue && t.value != value {
			return false
		}
	}
	return true
}

func (f groupFilter) equals(g *Group) bool {
	has := map[string]string{
		"SecurityGroupId": g.ID, "SecurityGroupName": g.Name, "SecurityGroupType": g.Type, "VpcId": g.VPC,
		"ResourceGroupId": g.ResourceGroup,
	}
	for name, value := range f.equal {
		if has[name] != value {
			return false
		}
	}
	return true
}

func groupActions() []Action {
	return []Action{
		{Name: "DescribeSecurityGroups", Regional: true, Pages: true, handle: describeSecurityGroups},
		{Name: "CreateSecurityGroup", Regional: true, Writes: true, handle: createSecurityGroup},
		{
			Name: "DeleteSecurityGroup", Regional: true, Writes: true, OneGroup: true, resources: theGroup,
			handle: deleteSecurityGroup,
		},
	}
}
