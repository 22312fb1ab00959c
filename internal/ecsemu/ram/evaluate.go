package ram

import "slices"

// Request is what somebody wants to do.
type Request struct {
	// Action is the code of a service and the name of an operation: "ecs:RevokeSecurityGroupEgress".
	Action string
	// Resources are the ARNs that the action touches: "acs:ecs:cn-hangzhou:1234567890123456:securitygroup/sg-1". All of
	// them must be allowed. "*" stands for an action that cannot be scoped, and so does an empty list.
	Resources []string
	// Context has the values of condition keys: "acs:SourceIp", "acs:SecureTransport", "acs:CurrentTime" (RFC 3339),
	// "ecs:tag/team". A key that is absent or without values is not there.
	Context map[string][]string
}

// Verdict is what policies say to a request. Only Allowed lets it pass.
type Verdict int

// The verdicts. The zero value denies.
const (
	Implicit Verdict = iota // no statement allows it
	Allowed                 // statements allow it, for all its resources, and none denies it
	Explicit                // a statement denies it, for at least one of its resources
)

// String names the verdict.
func (v Verdict) String() string {
	switch v {
	case Allowed:
		return "allowed"
	case Explicit:
		return "denied explicitly"
	case Implicit:
	}
	return "denied implicitly"
}

// Evaluate tells what identity policies together say to a request. Neither the order of the policies nor that of their
// statements matters; none of the policies may be nil. Without policies, and from trust policies, the verdict is Implicit.
func Evaluate(policies []*Policy, request *Request) Verdict {
	resources := request.Resources
	if len(resources) == 0 { // else "all of none" would be allowed by anything
		resources = []string{anything}
	}
	allowed := make([]bool, len(resources))
	for _, policy := range policies {
		for i := range policy.statements {
			s := &policy.statements[i]
			if !s.actions.has(request.Action) || !s.holds(request.Context) {
				continue
			}
			for r, resource := range resources {
				if !s.resources.has(resource, s.deny) {
					continue
				}
				if s.deny {
					return Explicit
				}
				allowed[r] = true
			}
		}
	}
	if slices.Contains(allowed, false) {
		return Implicit
	}
	return Allowed
}

// holds tells whether all conditions of the statement do.
func (s *statement) holds(context map[string][]string) bool {
	return !slices.ContainsFunc(s.conditions, func(c condition) bool { return !c.holds(context) })
}
