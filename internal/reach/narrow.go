package reach

import (
	"fmt"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Narrowing is a proposal: rules that permit what a rule permits, but for what a policy objects to. Nothing applies it by
// itself.
type Narrowing struct {
	// Rules are to be added before the old rule is revoked: a smallest set found. Each is complete but for its ID.
	Rules []Permission
	// Left is what no rule can permit any more without the old one (protocols without a name); mostly empty.
	Left []Space
	// Needed is how many rules it takes, by the count of the quota: a prefix list counts as its entries. If that is more
	// than Free, Rules is empty. 0 if nobody counted, since the rest is in too many pieces.
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
// everything is objected to, or nothing, or it cannot be told (an unreadable rule, addresses of a destination group, a
// list that was not read), or the rule is no accept rule.
//
// The rules that it proposes permit exactly what the old one permits beyond what is objected to, at the same priority, but
// for what is Left. They are the fewest that there can be if the rule is for one protocol and only destinations and
// ports are objected to, and the fewest found otherwise.
func Narrow(group *sg.Group, rule *sg.Rule, objected []sg.Extent, present int) *Narrowing {
	r := newRemainder(group, rule, objected)
	if r == nil {
		return nil
	}
	kept, left, ok := r.solve()
	n := &Narrowing{Free: max(0, MaxRules-present)}
	if !ok {
		n.Sentence = keeps + " in too many pieces to propose rules for it"
		return n
	}
	if len(kept) == 0 && len(left) == 0 {
		return nil
	}
	n.Left = left
	spaces := make([]Space, 0, len(kept))
	for _, k := range kept {
		n.Needed += r.weight(k)
		n.Rules = append(n.Rules, r.permission(k))
		spaces = append(spaces, r.spaces(k)...)
	}
	if n.Needed > n.Free || rule.Priority > maxPriority {
		n.Rules = nil
	}
	n.Sentence = n.sentence(rule, spaces) + r.alternative(group)
	return n
}

// maxPriority is the last one that a new rule can have. Legacy rules of the cloud carry 110.
// Source: AuthorizeSecurityGroupEgress, parameter Priority.
const maxPriority = 100

const keeps = "the rule also permits what no policy objects to,"

func (n *Narrowing) sentence(rule *sg.Rule, kept []Space) string {
	lost := ""
	if len(n.Left) > 0 {
		lost = sumUp(asTracts(n.Left), 0) + " cannot be kept but by a rule for a protocol number or for all protocols"
	}
	switch {
	case n.Needed == 0:
		return keeps + " of which " + lost
	case rule.Priority > maxPriority:
		return fmt.Sprintf("%s but %s to keep that cannot have its priority of %d", keeps, plural(n.Needed, "rule"), rule.Priority)
	case n.Needed > n.Free:
		return fmt.Sprintf("%s but to keep that takes %s, and the group has room for %d of %d",
			keeps, plural(n.Needed, "rule"), n.Free, MaxRules)
	}
	text := fmt.Sprintf("%s to keep that, add %s first (%s), then revoke it",
		strings.TrimSuffix(keeps, ",")+":", plural(n.Needed, "rule"), sumUp(asTracts(kept), 0))
	if lost != "" {
		text += "; " + lost
	}
	return text
}

// alternative is to change the list instead, if a policy objects to some of its entries and to nothing of the others.
func (r *remainder) alternative(group *sg.Group) string {
	list := r.rule.Destination.List
	if r.byList || list == nil {
		return ""
	}
	var out []string
	for _, entry := range list.Entries {
		switch r.objectedOf(group, entry) {
		case partly:
			return ""
		case wholly:
			out = append(out, entry.String())
		case not:
		}
	}
	if n := len(out) - maxNamed; n > 0 {
		out = append(out[:maxNamed:maxNamed], fmt.Sprintf("%d more", n))
	}
	return fmt.Sprintf("; or take %s out of the prefix list %s instead, if its other users agree",
		inWords(slices.Compact(out)), r.rule.Destination.Text)
}
