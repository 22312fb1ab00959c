package cloud

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// How long a description may be, in characters.
const (
	minDescription = 2
	maxDescription = 256
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
	if err := c.checkNewGroup(g); err != nil {
		return nil, err
	}
	tags := readTags(p)
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	if len(c.region.order) >= c.region.groupQuota {
		return nil, wire.Refuse(wire.CodeGroupQuota)
	}
	if len(tags) > 0 {
		g.Tags = withTags(nil, tags)
	}
	g.ID = c.ids.resource("sg")
	c.putGroup(g.complete(c.ids.rule))
	return &createGroupResponse{RequestID: c.requestID, SecurityGroupID: g.ID}, nil
}

func (c *call) checkNewGroup(g Group) error {
	if err := checkGroupTexts(g.Name, g.Description); err != nil {
		return err
	}
	switch {
	case g.Type != "" && g.Type != TypeNormal && g.Type != TypeEnterprise:
		return wire.Refuse(wire.CodeNewGroupType)
	case g.Type == TypeEnterprise && g.VPC == "":
		return wire.Refuse(wire.CodeNewGroupNetwork)
	case g.VPC == "" && c.era.VPCOnly:
		return &wire.Refusal{
			Code: wire.CodeVPCNotFound, Status: 403, Message: "The VpcId must not empty when only support vpc vm.",
		}
	case g.VPC != "" && !c.region.hasVPC(g.VPC):
		return wire.Refuse(wire.CodeVPCNotFound)
	case g.ResourceGroup != "" && !c.account.hasResourceGroup(g.ResourceGroup):
		return wire.Refuse(wire.CodeResourceGroup)
	}
	// The parameter is said not to be publicly available: accounts cannot make groups that are a service's.
	managed, err := c.params.Bool("ServiceManaged")
	if err == nil && managed {
		return wire.Refuse(wire.CodeManaged)
	}
	return err
}

// hasVPC tells whether a group may be made in a VPC: any, if the region has none of its own.
func (r *region) hasVPC(id string) bool {
	if len(r.vpcs) == 0 {
		return looksLikeID(id, "vpc-")
	}
	return r.vpcs[id] != nil
}

// checkGroupTexts checks the name and the description of a group, where there are any.
func checkGroupTexts(name, description string) error {
	if name != "" && !isName(name) {
		return wire.Refuse(wire.CodeGroupName)
	}
	if description != "" && !isText(description, minDescription, maxDescription) {
		return wire.Refusef(wire.CodeDescription, "Specified security group description is not valid.")
	}
	return nil
}

// isName tells whether a text can name a group: 2 to 128 characters, a letter of whatever script, then letters, digits,
// colons, dots, underscores and dashes.
func isName(name string) bool {
	if n := utf8.RuneCountInString(name); n < 2 || n > 128 {
		return false
	}
	for i, r := range name {
		if !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r) && !strings.ContainsRune(":._-", r)) {
			return false
		}
	}
	return true
}

// isText tells whether a text is a description of so many characters. It may not begin with an address.
func isText(text string, shortest, longest int) bool {
	n := utf8.RuneCountInString(text)
	return n >= shortest && n <= longest && !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://")
}

func isDescription(text string, longest int) bool { return utf8.RuneCountInString(text) <= longest }
