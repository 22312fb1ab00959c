package reach

import "github.com/egress-janitor/egress-janitor/internal/sg"

// Narrowing is a proposal: rules that permit what a rule permits, but for what a policy objects to. Nothing applies it by
// itself.
type Narrowing struct {
	// Rules are to be added before the old rule is revoked: a smallest set found. Each is complete but for its ID.
	Rules []Permission
	// Left is what no rule can permit any more without the old one (protocols without a name); mostly empty.
	Left []Space
	// Needed is how many rules it takes. If that is more than Free, Rules is empty.
	Needed int
	// Free is how many rules the group has room for, by the rules that are known.
	Free int
	// Sentence is the proposal for people, also where there are no rules to propose, and why then.
	Sentence string
}

// Permission is one rule as AuthorizeSecurityGroupEgress takes it (Permissions.N).
type Permission struct {
	IPProtocol       string `json:"IpProtocol"`
	PortRange        string `json:"PortRange"`
	DestCidrIP       string `json:"DestCidrIp,omitempty"`
	Ipv6DestCidrIP   string `json:"Ipv6DestCidrIp,omitempty"`
	DestGroupID      string `json:"DestGroupId,omitempty"`
	DestGroupOwnerID string `json:"DestGroupOwnerId,omitempty"`
	DestPrefixListID string `json:"DestPrefixListId,omitempty"`
	SourceCidrIP     string `json:"SourceCidrIp,omitempty"`
	Ipv6SourceCidrIP string `json:"Ipv6SourceCidrIp,omitempty"`
	SourcePortRange  string `json:"SourcePortRange,omitempty"`
	PortRangeListID  string `json:"PortRangeListId,omitempty"`
	Policy           string `json:"Policy"`
	Priority         string `json:"Priority"`
	NicType          string `json:"NicType"`
	Description      string `json:"Description,omitempty"`
}

// MaxRules is how many rules a group may have, of both directions together.
// Source: ECS user guide, "Limits": 200 by default.
const MaxRules = 200

// Narrow proposes rules in the place of one. objected is what the policies object to of it: a union of extents, each
// within the rule or beyond it. present is how many rules the group is known to have. Nil if there is nothing to propose:
// everything is objected to, or the rule is no accept rule.
func Narrow(group *sg.Group, rule *sg.Rule, objected []sg.Extent, present int) *Narrowing { return nil }
