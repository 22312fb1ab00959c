package cloud

import (
	"strconv"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// authorize refuses a call that RAM does not allow its caller. It comes before the parameters are looked at, and before
// it is told whether a group exists: in what order the cloud does this is not documented, and so whoever may not touch a
// group does not learn of it.
func (c *call) authorize() error {
	if c.action.unchecked || c.caller.holder.kind == accountItself {
		return nil
	}
	if denied := c.denied(c.action.code(), c.asks()); denied != nil {
		return &wire.Refusal{Code: wire.CodeForbidden, Denied: denied}
	}
	return nil
}

// code is how policies name an action.
func (a *Action) code() string {
	if a.Version == VersionSTS {
		return "sts:" + a.Name
	}
	return "ecs:" + a.Name
}

// ask is one thing that must be allowed for a call to be.
type ask struct {
	resource string
	context  map[string][]string
}

// denied says why RAM does not let the caller do something; nil if it does. A session may do what both its role and the
// policy that it began with allow.
func (c *call) denied(action string, asks []ask) *wire.AccessDenied {
	who := c.caller.holder
	if who.kind == accountItself {
		return nil
	}
	verdict, kind := judge(who.policies, action, asks), policyOfIdentity
	if verdict == ram.Allowed && who.scope != nil {
		verdict, kind = judge([]*ram.Policy{who.scope}, action, asks), policyOfSession
	}
	if verdict == ram.Allowed {
		return nil
	}
	return who.denial(action, verdict, kind)
}

// judge asks for everything at once: all of it must be allowed, and one explicit denial outweighs any other.
func judge(policies []*ram.Policy, action string, asks []ask) ram.Verdict {
	worst := ram.Allowed
	for _, a := range asks {
		switch ram.Evaluate(policies, &ram.Request{Action: action, Resources: []string{a.resource}, Context: a.context}) {
		case ram.Explicit:
			return ram.Explicit
		case ram.Implicit:
			worst = ram.Implicit
		case ram.Allowed:
		}
	}
	return worst
}

// Kinds of policies, as denials name them.
const (
	policyOfIdentity = "AccountLevelIdentityBasedPolicy"
	policyOfSession  = "SessionPolicy"
	policyOfTrust    = "AssumeRolePolicy"
)

// denial tells whom RAM denied what. Users are told by their ID, and sessions as ROLE:SESSION.
func (p *principal) denial(action string, verdict ram.Verdict, policy string) *wire.AccessDenied {
	d := &wire.AccessDenied{
		AuthAction: action, AuthPrincipalOwnerID: p.account, AuthPrincipalType: "SubUser",
		AuthPrincipalDisplayName: p.id, NoPermissionType: "ImplicitDeny", PolicyType: policy,
	}
	if p.kind == sessionOfRole {
		d.AuthPrincipalType, d.AuthPrincipalDisplayName = "AssumedRoleUser", p.name+":"+p.session
	}
	if verdict == ram.Explicit {
		d.NoPermissionType = "ExplicitDeny"
	}
	return d
}

// maxResources bounds the work that a call can make. Whatever names more is refused later, for naming so many; until then
// it is as if it named everything.
const maxResources = 1000

// asks gives what a call needs: each of its resources, with the tags of each, and in actions that bring rules, for each
// of those. They are asked for one by one, so that what allows one does not allow the others.
func (c *call) asks() []ask {
	resources := []string{"*"}
	if c.action.resources != nil {
		if named := c.action.resources(c); len(named) > 0 && len(named) <= maxResources {
			resources = named
		}
	}
	rules := c.rulesAsked()
	asks := make([]ask, 0, len(resources)*len(rules))
	for _, resource := range resources {
		tags := c.tagsOf(resource)
		for _, rule := range rules {
			a := ask{resource: resource, context: c.circumstances()}
			for key, value := range tags {
				a.context["acs:ResourceTag/"+key] = []string{value}
				if c.action.looksAtTags() {
					a.context["ecs:tag/"+key] = []string{value}
				}
			}
			rule.describe(a.context)
			asks = append(asks, a)
		}
	}
	return asks
}

// looksAtTags tells whether the list of what policies may ask about an action has the tags of its groups. For some
// actions it does not; the general key acs:ResourceTag is taken to be there for all.
func (a *Action) looksAtTags() bool {
	switch a.Name {
	case "AuthorizeSecurityGroup", "AuthorizeSecurityGroupEgress", "DescribeSecurityGroupReferences", "TagResources",
		"UntagResources", "ListTagResources", "AddTags", "RemoveTags", "DescribeTags":
		return false
	}
	return true
}

// circumstances are those of a call that policies may ask about, whatever the action.
func (c *call) circumstances() map[string][]string {
	context := map[string][]string{
		"acs:CurrentTime":     {c.now.Format(time.RFC3339)},
		"acs:SecureTransport": {strconv.FormatBool(c.secure)},
	}
	if c.source != "" {
		context["acs:SourceIp"] = []string{c.source}
	}
	for _, tag := range c.params.List("Tag") {
		if key := tag.Fields.Get("Key"); key != "" {
			context["acs:RequestTag/"+key] = []string{tag.Fields.Get("Value")}
		}
	}
	return context
}

// tagsOf gives the tags of the group that a resource is. Actions that cannot be narrowed down to a group have those of
// the group that they are about.
func (c *call) tagsOf(resource string) map[string]string {
	if c.region == nil {
		return nil
	}
	id := c.params.Get("SecurityGroupId")
	if resource != "*" {
		_, id, _ = strings.Cut(resource, ":securitygroup/")
	}
	if g := c.region.groups[id]; g != nil {
		return g.Tags
	}
	return nil
}

// theGroup is the resource of actions about one group, whether or not it exists. A call that names none is refused for
// that only if its caller could have named any.
func theGroup(c *call) []string {
	if id := c.params.Get("SecurityGroupId"); id != "" {
		return []string{c.arn("securitygroup", id)}
	}
	return c.arns("securitygroup", nil)
}
