// Package ram reads and evaluates the policy documents of RAM (resource access management), so that the emulator
// denies what RAM denies and a least-privilege policy can be tested without an account.
//
// There are two kinds of documents. [Parse] reads what is attached to users and roles or sent along as a session
// policy: who has it may do this. [ParseTrust] reads the trust policy of a role: these may assume it. [Evaluate] and
// [Policy.Trusts] answer a request:
//
//	policy, err := ram.Parse(document)
//	...
//	verdict := ram.Evaluate([]*ram.Policy{policy}, &ram.Request{
//		Action:    "ecs:RevokeSecurityGroupEgress",
//		Resources: []string{"acs:ecs:cn-hangzhou:1234567890123456:securitygroup/sg-1"},
//		Context:   map[string][]string{"acs:SourceIp": {"192.0.2.1"}, "ecs:tag/team": {"payments"}},
//	})
//
// How policies of several kinds combine is the caller's: a role's session may do what both the policies of the role
// and its session policy allow, and a role is assumed where both its trust policy and the caller's own policies allow it.
//
// # Semantics
//
// Nothing is allowed unless a statement allows it, and one that denies wins over all that allow. Every resource of a
// request must be allowed, each by whichever statement. In actions and resources `*` stands for any run of characters
// and `?` for one. Actions are compared without regard to case, everything else with. An ARN is matched field by field,
// so a wildcard in its region does not reach into its account.
//
// All operators and keys of a condition must hold, and of the values of one key, one must. Negated operators
// (StringNotEquals, NotIpAddress and so on) are the exact opposite of their positives: none of the values may match.
// The syntax is that of https://www.alibabacloud.com/help/en/ram/policy-structure-and-syntax, the operators are those
// of https://www.alibabacloud.com/help/en/ram/conditional-operator.
//
// # Where the documentation is silent
//
// These readings are the emulator's. An account may differ:
//
//   - A condition key that the request does not have, or has without a value, matches nothing. So positive operators
//     do not hold and negated ones do, as documented for the similar language of AWS IAM. The common "deny from
//     elsewhere" (Deny with NotIpAddress) then denies a request without an address; but an Allow with a negated
//     operator allows one, and should be written with a positive one.
//   - Of a key with several values in the request, one that matches is enough for a positive operator, and one too many
//     for a negated one.
//   - A value of the request that is no number, date or address matches none. It is not an error.
//   - Names of condition keys are compared with regard to case.
//   - NotResource is in older versions of the published syntax only. It is still read, since attached policies stay.
//   - An action that cannot be scoped has the resource "*", which a statement is about if its Resource leaves nothing
//     out. NotResource always leaves something out, so it never allows such an action; but in a Deny it denies it.
//   - Statement is a list, also of one, and Condition may be an empty object.
//   - What the documentation does not name is refused: a Sid, an operator with IfExists, numbers and booleans without
//     quotes, wildcards in a principal.
package ram
