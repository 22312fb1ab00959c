package ecsapi

import (
	"fmt"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Error is why a call gave no result. All of its texts are clean: no credential, no signature, no URL, no line end.
//
// With [errors.Is] an Error is [sg.ErrGroupGone] if its class is group-gone, [sg.ErrThrottled] if throttled, and
// [sg.ErrDenied] if denied; a cancelled one is the error of the context that ended.
type Error struct {
	Action     string
	Region     string // empty for calls that belong to no region
	Code       string // of the cloud; empty if no answer of the cloud was understood
	RequestID  string // of the cloud; empty likewise
	HTTPStatus int    // zero if there was no answer
	Class      Class
	Message    string // the cloud's words, or ours if the cloud did not speak

	hint  string
	cause error // nil, or the error of the caller's context: never the SDK's or the network's, which hold signed URLs
}

// Error is the whole story in one line: the call, the code, the request ID to quote to the cloud's support, the
// message, and the hint.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("calling " + e.Action)
	if e.Region != "" {
		b.WriteString(" in " + e.Region)
	}
	b.WriteString(": ")
	if e.Code != "" {
		b.WriteString(e.Code + ": ")
	}
	b.WriteString(e.Message)
	var facts []string
	if e.HTTPStatus != 0 {
		facts = append(facts, fmt.Sprintf("http %d", e.HTTPStatus))
	}
	if e.RequestID != "" {
		facts = append(facts, "request id "+e.RequestID)
	}
	if len(facts) > 0 {
		b.WriteString(" (" + strings.Join(facts, ", ") + ")")
	}
	if e.hint != "" {
		b.WriteString("; " + e.hint)
	}
	return b.String()
}

// Hint is what to do next, in one lower-case clause. It may be empty.
func (e *Error) Hint() string { return e.hint }

// Is maps classes to the errors of the domain.
func (e *Error) Is(target error) bool {
	switch target {
	case sg.ErrGroupGone:
		return e.Class == GroupGone
	case sg.ErrThrottled:
		return e.Class == Throttled
	case sg.ErrDenied:
		return e.Class == Denied
	default:
		return false
	}
}

// Unwrap gives the error of the caller's context, if that is what ended the call.
func (e *Error) Unwrap() error { return e.cause }

// Hints that do not depend on a code.
const (
	hintNetwork = "is the endpoint up? check accounts[].endpoint and the network between here and there"
	hintBetween = "something between here and the cloud answered: check for a captive portal, a proxy or a wrong " +
		"accounts[].endpoint"
	hintTLS = "the certificate of the endpoint was not accepted: check accounts[].endpoint, its ca, and for a proxy " +
		"that breaks up tls"
	hintProxy    = "check HTTPS_PROXY and NO_PROXY"
	hintThrottle = "lower accounts[].quotas, or try again when other users of this account call less"
	hintAgain    = "try again; if it stays, check what is between here and the cloud"
	hintReport   = "report this: it is a fault of the program"
	hintLate     = "if it stays, check accounts[].quotas, for which it waits its turn, and the way to the endpoint"
	hintUnknown  = "whether it took effect is not known: read the group before anything else is sent"
	hintQuote    = "try again; if it stays, quote the request id to the cloud's support"
)

// hintOf says what to do about a code of the cloud. identified tells whether there is a request ID to quote.
func hintOf(action, code string, class Class, identified bool) string {
	switch {
	case strings.HasPrefix(code, "InvalidAccessKeyId"), code == "Forbidden.AccessKeyDisabled":
		return "check " + envKeyID + ": the key is unknown or disabled"
	case code == "SignatureDoesNotMatch" || code == "IncompleteSignature":
		return "the secret does not belong to the key: check " + envSecret
	case code == "MissingSecurityToken" || strings.HasPrefix(code, "InvalidSecurityToken"):
		return "the key is a temporary one: set " + envSecurityToken + " to its current token"
	case strings.HasPrefix(code, "InvalidTimeStamp") || code == "IllegalTimestamp":
		return "set the clock of this machine: the cloud accepts 15 minutes of difference"
	case code == "InvalidRegionId.NotFound":
		return "check accounts[].regions: the cloud does not know this region"
	case code == "InvalidApi.NotFound" || code == "InvalidProduct.NotFound":
		return "check accounts[].endpoint: it does not serve this api"
	case class == Throttled:
		return hintThrottle
	case class == Denied:
		return "grant the ram action " + ramAction(action) + ", see deploy/ram/" + ramFile(action)
	case class == Transient && identified:
		return hintQuote
	case class == Transient:
		return hintAgain
	default:
		return ""
	}
}

// ramAction names an action as RAM policies do.
func ramAction(action string) string {
	if action == actionIdentity {
		return "sts:" + action
	}
	return "ecs:" + action
}

// ramFile names the file of deploy/ram with the policy that allows an action.
func ramFile(action string) string {
	switch action {
	case actionRevoke:
		return "revoke.json"
	case actionAuthorize:
		return "restore.json"
	default:
		return "scan.json"
	}
}
