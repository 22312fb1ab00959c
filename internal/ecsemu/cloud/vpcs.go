package cloud

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Page sizes of DescribeVpcs.
const (
	defaultVPCPage = 10
	maxVPCPage     = 50
)

type vpcsResponse struct {
	RequestID string `json:"RequestId"`
	numbers

	VPCs struct {
		VPC []vpcElement `json:"Vpc"`
	} `json:"Vpcs"`
}

type vpcElement struct {
	VpcID        string `json:"VpcId"`
	VpcName      string `json:"VpcName"`
	RegionID     string `json:"RegionId"`
	Status       string `json:"Status"`
	CidrBlock    string `json:"CidrBlock"`
	VRouterID    string `json:"VRouterId"`
	Description  string `json:"Description"`
	CreationTime string `json:"CreationTime"`
	IsDefault    bool   `json:"IsDefault"`
	VSwitchIDs   struct {
		VSwitchID []string `json:"VSwitchId"`
	} `json:"VSwitchIds"`
	UserCidrs struct {
		UserCidr []string `json:"UserCidr"`
	} `json:"UserCidrs"`
}

// describeVpcs lists the VPCs that are known, by ID: those of the estate, and those that groups are in. VpcId may hold
// several, with commas between them, as in the product that replaced this action.
func describeVpcs(c *call) (any, error) {
	byDefault, err := c.params.Bool("IsDefault")
	if err != nil {
		return nil, err
	}
	onlyDefault := c.params.Get("IsDefault") != ""
	var ids []string
	if text := c.params.Get("VpcId"); text != "" {
		ids = strings.Split(text, ",")
	}
	var wanted []*VPC
	for _, vpc := range c.region.knownVPCs() {
		if (len(ids) == 0 || slices.Contains(ids, vpc.ID)) && (!onlyDefault || vpc.Default == byDefault) {
			wanted = append(wanted, vpc)
		}
	}
	page, told, err := numberedPage(c, defaultVPCPage, maxVPCPage, wanted)
	if err != nil {
		return nil, err
	}
	response := &vpcsResponse{RequestID: c.requestID, numbers: told}
	elements := make([]vpcElement, 0, len(page))
	for _, vpc := range page {
		e := vpcElement{
			VpcID: vpc.ID, VpcName: vpc.Name, RegionID: c.region.id, Status: "Available", CidrBlock: vpc.CIDR,
			Description: vpc.Description, CreationTime: vpc.Created, IsDefault: vpc.Default,
		}
		e.VSwitchIDs.VSwitchID = append([]string{}, vpc.VSwitches...)
		e.UserCidrs.UserCidr = []string{}
		elements = append(elements, e)
	}
	response.VPCs.VPC = elements
	return response, nil
}

// knownVPCs gives the VPCs of a region and those that only its groups name.
func (r *region) knownVPCs() []*VPC {
	all := maps.Clone(r.vpcs)
	for _, g := range r.groups {
		if g.VPC != "" && all[g.VPC] == nil {
			all[g.VPC] = &VPC{ID: g.VPC}
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *VPC) int { return cmp.Compare(a.ID, b.ID) })
}

func networkActions() []Action {
	return []Action{
		{Name: "DescribeVpcs", Regional: true, handle: describeVpcs},
		{
			Name: "DescribeNetworkInterfaces", Regional: true, Pages: true, resources: listedInterfaces,
			handle: describeNetworkInterfaces,
		},
	}
}
