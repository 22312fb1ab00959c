package cloud

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Limits of AssumeRole.
const (
	shortestSession  = 15 * time.Minute
	usualSession     = time.Hour
	maxSessionPolicy = 2048
	actionAssumeRole = "sts:AssumeRole"
)

type assumeRoleResponse struct {
	RequestID   string             `json:"RequestId"`
	User        assumedRoleUser    `json:"AssumedRoleUser"`
	Credentials sessionCredentials `json:"Credentials"`
}

type assumedRoleUser struct {
	AssumedRoleID string `json:"AssumedRoleId"`
	ARN           string `json:"Arn"`
}

type sessionCredentials struct {
	AccessKeyID     string `json:"AccessKeyId"`
	AccessKeySecret string `json:"AccessKeySecret"`
	SecurityToken   string `json:"SecurityToken"`
	Expiration      string `json:"Expiration"`
}

// assumption is what AssumeRole asks for.
type assumption struct {
	arn      string
	session  string
	external string
	duration time.Duration // 0 if it does not say.
	scope    *ram.Policy
}

// assumeRole begins a session of a role, of whatever account. A session may assume a further role.
func assumeRole(c *call) (any, error) {
	who := c.caller.holder
	if who.kind == accountItself {
		return nil, wire.Refusef(wire.CodeNoPermission, "Roles may not be assumed by root accounts.")
	}
	want, err := readAssumption(c.params)
	if err != nil {
		return nil, err
	}
	r, err := c.assumable(want)
	if err != nil {
		return nil, err
	}
	if want.duration == 0 {
		want.duration = min(usualSession, r.maxSession)
	}
	if want.duration > r.maxSession {
		return nil, wire.Refuse(wire.CodeSessionDuration)
	}
	expires := c.now.Add(want.duration).Truncate(time.Second) // As it is told.
	session := c.beginSession(&principal{
		kind: sessionOfRole, account: r.account, id: r.id, name: r.name, session: want.session, policies: r.policies,
		scope: want.scope,
	}, expires)
	if session == nil {
		return nil, wire.Refuse(wire.CodeThrottlingUser)
	}
	return &assumeRoleResponse{
		RequestID: c.requestID,
		User:      assumedRoleUser{AssumedRoleID: r.id + ":" + want.session, ARN: want.arn + "/" + want.session},
		Credentials: sessionCredentials{
			AccessKeyID: session.ID, AccessKeySecret: session.Secret, SecurityToken: session.Token,
			Expiration: expires.Format("2006-01-02T15:04:05Z"),
		},
	}, nil
}

// beginSession begins a session, or one that nobody has if the call is not to have an effect.
func (c *call) beginSession(holder *principal, expires time.Time) *Credential {
	if c.world != c.cloud.world {
		return newSessions(uint64(expires.Unix()), 1).begin(holder, c.now, expires) //nolint:gosec // G115: any seed will do.
	}
	return c.cloud.sessions.begin(holder, c.now, expires)
}

// assumable finds the role that a caller may assume: both its own policies and the trust policy of the role must allow
// it. Whoever may not assume it by the former is not told whether it exists; in what order the cloud does this is not
// documented.
func (c *call) assumable(want *assumption) (*role, error) {
	who := c.caller.holder
	context := c.circumstances()
	if denied := c.denied(actionAssumeRole, []ask{{resource: want.arn, context: context}}); denied != nil {
		return nil, &wire.Refusal{Code: wire.CodeNoPermission, Denied: denied}
	}
	r := c.cloud.findRole(want.arn)
	if r == nil {
		return nil, wire.Refusef(wire.CodeRoleNotFound, "The role not exists: "+want.arn+".")
	}
	if want.external != "" {
		context["sts:ExternalId"] = []string{want.external}
	}
	if !r.trust.Trusts(ram.Principal{Account: who.account, ARN: who.arn()}, context) {
		return nil, &wire.Refusal{
			Code: wire.CodeNoPermission, Denied: who.denial(actionAssumeRole, ram.Implicit, policyOfTrust),
		}
	}
	return r, nil
}

// isWord tells whether a text has as many characters as it may, each of them a letter, a digit or one of some others.
func isWord(text string, low, high int, others string) bool {
	for _, c := range []byte(text) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return low <= len(text) && len(text) <= high
}

// isRoleARN tells whether a text could be the ARN of a role, whose name has at most 64 characters.
func isRoleARN(text string) bool {
	rest, ok := strings.CutPrefix(text, "acs:ram::")
	account, name, found := strings.Cut(rest, ":role/")
	return ok && found && IsAccountID(account) && isWord(name, 1, 64, "._-")
}

// readAssumption reads the parameters. SourceIdentity, which no document explains, is taken and not used.
func readAssumption(p wire.Params) (*assumption, error) {
	want := &assumption{arn: p.Get("RoleArn"), session: p.Get("RoleSessionName"), external: p.Get("ExternalId")}
	switch {
	case want.arn == "":
		return nil, wire.Refuse(wire.CodeRoleMissing)
	case !isRoleARN(want.arn):
		return nil, wire.Refuse(wire.CodeRoleARN)
	case want.session == "":
		return nil, wire.Refuse(wire.CodeSessionMissing)
	case !isWord(want.session, 2, 64, ".@-_"):
		return nil, wire.Refuse(wire.CodeSessionName)
	case want.external != "" && !isWord(want.external, 2, 1224, "_+=,.@:/-"):
		return nil, wire.Refuse(wire.CodeExternalID)
	}
	// The longest session is up to the role; no role has one of more than 12 hours in the cloud, but an estate may.
	seconds, ok := p.Int("DurationSeconds", 0, int(shortestSession/time.Second), int(365*24*time.Hour/time.Second))
	if !ok {
		return nil, wire.Refuse(wire.CodeSessionDuration)
	}
	want.duration = time.Duration(seconds) * time.Second
	return want, want.limit(p.Get("Policy"))
}

// limit reads a session policy. No code is documented for one that is too long; here it is that of a malformed one.
func (a *assumption) limit(document string) (err error) {
	if document == "" {
		return nil
	}
	if utf8.RuneCountInString(document) > maxSessionPolicy {
		return wire.Refusef(wire.CodePolicyGrammar, "The parameter Policy is longer than 2048 characters.")
	}
	if a.scope, err = ram.Parse([]byte(document)); err != nil {
		return wire.Refusef(wire.CodePolicyGrammar, "The parameter Policy has not passed grammar check: "+err.Error())
	}
	return nil
}
