package ram

import (
	"slices"
	"strings"
)

// actionAssume is the action that a trust policy is about.
const actionAssume = "sts:AssumeRole"

// Principal is who wants to assume a role.
type Principal struct {
	// Account is the ID of the account that the identity belongs to.
	Account string
	// ARN is the identity: "acs:ram::<account>:user/NAME", or ":role/NAME" for a session of a role, whatever its name.
	ARN string
}

// Trusts tells whether a trust policy lets an identity assume the role. A statement that names the root of an account
// means every identity of that account; others name one user or role. Services and identity providers may stand in the
// document, but nobody here is one. A statement that denies wins. An identity policy trusts nobody.
//
// Trust is half of what is needed: the identity's own policies must allow sts:AssumeRole on the ARN of the role.
func (p *Policy) Trusts(principal Principal, context map[string][]string) bool {
	trusted := false
	for i := range p.statements {
		s := &p.statements[i]
		if !s.names(principal) || !s.actions.has(actionAssume) || !s.holds(context) {
			continue
		}
		if s.deny {
			return false
		}
		trusted = true
	}
	return trusted
}

// names tells whether the statement is about an identity.
func (s *statement) names(principal Principal) bool {
	return slices.ContainsFunc(s.principals, func(arn string) bool {
		return arn == principal.ARN || arn == "acs:ram::"+principal.Account+":root"
	})
}

// isPrincipal tells whether text names an account, a user or a role of RAM. There are no wildcards in principals.
func isPrincipal(arn string) bool {
	fields, ok := splitARN(arn)
	if !ok || fields[1] != "ram" || fields[2] != "" || !isAccount(fields[3]) {
		return false
	}
	if fields[4] == "root" {
		return true
	}
	kind, name, _ := strings.Cut(fields[4], "/")
	return (kind == "user" || kind == "role") && name != "" && !strings.ContainsAny(name, "*?:/ ")
}

// isAccount tells whether text is the ID of an account.
func isAccount(id string) bool {
	return id != "" && strings.Trim(id, "0123456789") == ""
}
