package revoker

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// MaxRulesPerCall is how many rules one request can name.
// Source: RevokeSecurityGroupEgress, parameter SecurityGroupRuleId.N.
const MaxRulesPerCall = 100

// The actions that a call can have.
const (
	ActionRevoke    = "RevokeSecurityGroupEgress"
	ActionAuthorize = "AuthorizeSecurityGroupEgress"
)

// Parameter is one parameter of a request.
type Parameter struct {
	Name  string
	Value string
}

// Call is one request that changes rules of one group. What is sent of it never changes: it is sent as it is recorded,
// byte for byte and at most once, or not at all. Make it with [NewRevokeCalls], [NewFlatCall] or [NewRestoreCall].
type Call struct {
	// ID is unique among all calls ever made. It is never sent, but part of the token. A call that repeats another one
	// has its parameters and its token: its ID is that of the first of them, a tilde, and which repeat it is.
	ID      string
	Action  string
	Ref     sg.GroupRef
	Carries []string // IDs of the revocations it carries, in the order of the parameters, or of one restore
	// Parameters are what is asked for, in a fixed order: all but the ClientToken, which follows from them, and what
	// every request carries (action, version, signature).
	Parameters []Parameter
	Recorded   time.Time
	Deadline   time.Time // nothing is written to the network after it

	State  CallState
	Answer Answer // zero while recorded
}

// repeatMark stands in an ID between that of the first call and the number of the repeat.
const repeatMark = "~"

// First is the ID of the first call that was made with these parameters and this token: its own unless it is a repeat.
func (c *Call) First() string {
	first, _, _ := strings.Cut(c.ID, repeatMark)
	return first
}

// Request is what is sent: the parameters in their order, the ClientToken last. What every request carries (action,
// version, signature) is not among them.
func (c *Call) Request() []Parameter {
	return append(slices.Clone(c.Parameters), Parameter{Name: "ClientToken", Value: c.ClientToken()})
}

// repeat gives the n-th call that repeats this one, not yet recorded.
func (c *Call) repeat(n int) Call {
	return Call{
		ID: c.First() + repeatMark + strconv.Itoa(n), Action: c.Action, Ref: c.Ref,
		Carries: slices.Clone(c.Carries), Parameters: slices.Clone(c.Parameters),
	}
}
