package cloud

import (
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

type createGroupResponse struct {
	RequestID       string `json:"RequestId"`
	SecurityGroupID string `json:"SecurityGroupId"`
}

// createSecurityGroup makes a group without rules, which is what the API makes of either type.
func createSecurityGroup(c *call) (any, error) {
	p := c.params
	g := Group{
		Name: p.Get("SecurityGroupName"), Type: p.Get("SecurityGroupType"), VPC: p.Get("VpcId"),
		Description: p.Get("Description"), ResourceGroup: p.Get("ResourceGroupId"), Created: c.now.Format(time.RFC3339),
	}
	if err := checkNewGroup(c, g); err != nil {
		return nil, err
	}
	tags := readTags(p)
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		g.Tags = withTags(nil, tags)
	}
	g.ID = c.ids.resource("sg")
	c.putGroup(g.complete(c.ids.rule))
	return &createGroupResponse{RequestID: c.requestID, SecurityGroupID: g.ID}, nil
}

func checkNewGroup(c *call, g Group) error {
	if g.Name != "" && !isGroupName(g.Name) {
		return wire.Refuse(wire.CodeGroupName)
	}
	if g.Description != "" && !isDescription(g.Description, 256) {
		return wire.Refuse(wire.CodeDescription)
	}
	switch g.Type {
	case "", TypeNormal:
	case TypeEnterprise:
		if g.VPC == "" {
			return wire.Refuse(wire.CodeNetworkType)
		}
	default:
		return wire.Refuse(wire.CodeGroupType)
	}
	if g.VPC != "" && len(c.region.vpcs) > 0 && c.region.vpcs[g.VPC] == nil {
		return wire.Refuse(wire.CodeVPCNotFound)
	}
	return nil
}

// isGroupName tells whether a name is one of 2 to 128 characters: a letter, then letters, digits, dots, underscores
// and dashes.
func isGroupName(name string) bool {
	if n := utf8.RuneCountInString(name); n < 2 || n > 128 {
		return false
	}
	for i, r := range name {
		if !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)) {
			return false
		}
	}
	return true
}

func isDescription(text string, longest int) bool { return utf8.RuneCountInString(text) <= longest }
