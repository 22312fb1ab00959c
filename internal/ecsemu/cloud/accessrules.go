package cloud

import (
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// ruleAsked is a rule that a call brings, as policies may ask about it. A nil one says nothing.
type ruleAsked struct {
	fields  wire.Params
	egress  bool
	sources bool // The source is what is asked about of egress rules, too.
}

// rulesAsked gives the rules that a call brings, each apart: that of the parameters of the request itself, and those of
// its list. In other actions, and if there are none, it is one that says nothing.
func (c *call) rulesAsked() []*ruleAsked {
	nothing := []*ruleAsked{nil}
	egress := false
	switch c.action.Name {
	case "AuthorizeSecurityGroupEgress", "ModifySecurityGroupEgressRule":
		egress = true
	case "AuthorizeSecurityGroup", "ModifySecurityGroupRule":
	default:
		return nothing
	}
	var rules []*ruleAsked
	for _, e := range c.params.List("Permissions") {
		rules = append(rules, &ruleAsked{fields: e.Fields, egress: egress, sources: c.era.PolicySourceOwn})
	}
	if len(rules) == 0 || c.params.Get("IpProtocol") != "" {
		rules = append(rules, &ruleAsked{fields: c.params, egress: egress, sources: c.era.PolicySourceOwn})
	}
	return rules
}

// describe adds what policies may ask about a rule. The second key is documented for rules of both directions, and
// whether it is about the destination of an egress rule is not. Here it is about the far side, which is what its use in
// a policy is for: the source of an ingress rule, and the destination of an egress rule; see also [Era.PolicySourceOwn].
// Protocols are told in lower case.
func (r *ruleAsked) describe(context map[string][]string) {
	if r == nil {
		return
	}
	if protocol := r.fields.Get("IpProtocol"); protocol != "" {
		context["ecs:SecurityGroupIpProtocols"] = []string{strings.ToLower(protocol)}
	}
	side := "Source"
	if r.egress && !r.sources {
		side = "Dest"
	}
	for _, name := range []string{side + "CidrIp", "Ipv6" + side + "CidrIp"} {
		if cidr := r.fields.Get(name); cidr != "" {
			const key = "ecs:SecurityGroupSourceCidrIps"
			context[key] = append(context[key], cidr)
		}
	}
}
