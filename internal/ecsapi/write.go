package ecsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// The only calls that change something.
const (
	actionRevoke    = "RevokeSecurityGroupEgress"
	actionAuthorize = "AuthorizeSecurityGroupEgress"
)

// Write is a call that changes rules. What is in Parameters is sent as it is, in any order, together with what every
// request carries (action, version, signature).
type Write struct {
	Action     string // RevokeSecurityGroupEgress or AuthorizeSecurityGroupEgress: no other is ever sent
	Region     sg.Region
	Parameters map[string]string // RegionId and ClientToken included, which must be there
	NotAfter   time.Time         // no byte of the request is written to the network after it; required
	// Hold is asked once the call has had its turn: an error keeps it from being sent. Nil: nothing does.
	Hold func(ctx context.Context) error
}

var (
	errNotWrite   = errors.New("not an action that this program may write with")
	errNoNotAfter = errors.New("no time after which it must not be sent")
	errNoToken    = errors.New("no ClientToken among its parameters, so a repeat would not be harmless")
	errNoRequest  = errors.New("no request id in it")
)

// Write makes one attempt of a call that changes something, and never a second: whether to repeat is for the caller to
// decide, after a look at what is there now. It waits for its turn like every call, but not past w.NotAfter. The
// request ID is the cloud's and is given with errors too, if there is one.
//
// The error is an [*Error]. Its class says what is known of the outcome:
//
//   - [Unsent]: not one byte of the request was written to the network, and none will be: it was too late, ctx ended
//     before, w.Hold objected, or there was no connection to write to.
//   - [Transient]: nobody knows. A byte or more may have been written, and no answer of the cloud was understood, or it
//     was one that does not say whether something was done. That ctx ended meanwhile makes no difference.
//   - [Throttled]: the cloud refused it for the quota, or does so for so long that it was not even sent.
//   - [Invalid] without a code: w is not whole, or has a value that the cloud is documented to refuse. Nothing was sent.
//   - Any other: the cloud's refusal.
//
// That there is no error means that the cloud said success, which proves nothing: look.
func (c *Client) Write(ctx context.Context, w *Write) (requestID string, err error) {
	q := &request{
		product: productECS, version: versionECS, action: w.Action, region: w.Region, params: w.Parameters,
		gate: &gate{until: w.NotAfter, now: c.options.Now}, hold: w.Hold,
	}
	if err := w.validate(); err != nil {
		return "", c.fail(q, Invalid, fault{err.Error(), hintReport})
	}
	failed := c.call(ctx, q, func(body string) error {
		requestID = c.redactor.name(requestIDOf(body))
		if requestID == "" {
			return errNoRequest
		}
		return nil
	})
	if failed != nil {
		return failed.RequestID, failed.Error
	}
	return requestID, nil
}

func (w *Write) validate() error {
	switch {
	case w.Action != actionRevoke && w.Action != actionAuthorize:
		return fmt.Errorf("%q: %w", w.Action, errNotWrite)
	case w.NotAfter.IsZero():
		return errNoNotAfter
	case w.Parameters["ClientToken"] == "":
		return errNoToken
	case w.Region.ID == "" || w.Parameters["RegionId"] != w.Region.ID:
		return fmt.Errorf("its RegionId is %q, that of the call %q: expected the same", w.Parameters["RegionId"],
			w.Region.ID)
	}
	for name, value := range w.Parameters {
		if isCommon(name) {
			return fmt.Errorf("parameter %s: it is set by the signing", name)
		}
		if err := validateValue(name, value); err != nil {
			return fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	return nil
}

const (
	// maxToken is how long a ClientToken may be.
	// Source: How to ensure idempotence (ECS).
	maxToken = 64
	// maxPriority is the last priority that rules can be named with; those of the cloud's own have others.
	// Source: RevokeSecurityGroupEgress and AuthorizeSecurityGroupEgress, parameter Priority.
	maxPriority = 100
	// maxItems is how many items a list may have.
	// Source: RevokeSecurityGroupEgress, parameters SecurityGroupRuleId.N and Permissions.N.
	maxItems = 100
)

var (
	errTokenASCII = errors.New("expected printable ASCII")
	errPriority   = fmt.Errorf("expected a number from 1 to %d", maxPriority)
	errItems      = fmt.Errorf("more than %d items", maxItems)
)

// validateValue refuses what the cloud is documented to refuse, where a value alone shows it.
func validateValue(name, value string) error {
	list, item, isItem := strings.Cut(name, ".")
	if isItem {
		index, field, _ := strings.Cut(item, ".")
		if n, err := strconv.Atoi(index); err == nil && n > maxItems {
			return errItems
		}
		if list == "Permissions" {
			name = field
		}
	}
	switch name {
	case "ClientToken":
		if len(value) > maxToken {
			return fmt.Errorf("%d characters: expected at most %d", len(value), maxToken)
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return errTokenASCII
		}
	case "Priority":
		if n, err := strconv.Atoi(value); err != nil || n < 1 || n > maxPriority || strconv.Itoa(n) != value {
			return errPriority
		}
	}
	return nil
}

// isCommon tells whether a parameter is one that signing sets, and so would overwrite.
func isCommon(name string) bool {
	return strings.HasPrefix(name, "Signature") || slices.Contains([]string{
		"Action", "Version", "Format", "Timestamp", "AccessKeyId", "SecurityToken", "BearerToken",
	}, name)
}

// judge corrects the class of a failed write by what is known of its bytes, see [Client.Write]. Reads stay as they are.
func (q *request) judge(f *failure) *failure {
	if q.gate == nil || f == nil {
		return f
	}
	unsent := q.gate.close()
	switch {
	case f.Class != Transient && f.Class != Cancelled: // the cloud spoke, or this program before it came to sending
	case unsent:
		if q.gate.isLate() {
			f.Message, f.hint, f.cause = errLate.Error(), hintLate, nil
		}
		f.Class, f.Message = Unsent, "nothing was sent: "+f.Message
	default:
		// The error of a context would tell callers that this ended as they asked for.
		f.Class, f.cause = Transient, nil
		switch f.hint {
		case "", hintAgain, hintQuote:
			f.hint = hintUnknown
		default:
			f.hint = hintUnknown + "; " + f.hint
		}
	}
	return f
}
