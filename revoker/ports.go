package revoker

import (
	"context"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Journal keeps what was intended and what came of it. What a method has recorded is durable when it returns nil. After
// an error nobody knows whether it is, so nothing more is sent.
type Journal interface {
	// Record keeps a call before it is sent, with its exact parameters and token. It refuses an ID that it knows.
	Record(ctx context.Context, call *Call) error
	// Answer keeps what came of sending a recorded call.
	Answer(ctx context.Context, callID string, answer Answer) error
	// Finish ends open revocations, all of them or none.
	Finish(ctx context.Context, endings []Ending) error
}

// RestoreJournal is what [Journal] is, for restores.
type RestoreJournal interface {
	// Record is [Journal.Record]; the call carries one restore.
	Record(ctx context.Context, call *Call) error
	// Answer is [Journal.Answer].
	Answer(ctx context.Context, callID string, answer Answer) error
	// FinishRestore ends an open restore: the outcome, rule ID, detail and end that it is given with.
	FinishRestore(ctx context.Context, restore *Restore) error
}

// Checker reads the cloud anew. Nothing that was read before a call of it may go into the answer.
type Checker interface {
	// Check reads the group whole and decides again about the open revocations of the work, by policies, guards and
	// mode as they are now. An error means that it could not be read whole or not decided: nothing may be done now.
	Check(ctx context.Context, work *Work) (*Check, error)
	// List gives a complete listing of the group. An error means that what is there is not known.
	List(ctx context.Context, ref sg.GroupRef) (*Listing, error)
}

// Check is what a group holds, and what is to become of its open revocations.
type Check struct {
	Listing

	Withdrawn map[string]string // why a revocation, by its ID, no longer stands; those not in it do
	// ReadAt is when the reading ended. Calls must be on their way [SendWithin] after it. The end and not the
	// beginning counts, or a group with too many pages for that time could never be worked on.
	ReadAt time.Time
}

// Sender sends calls.
type Sender interface {
	// Send sends what [Call.Request] gives, once, and never again. It writes nothing to the network after the call's
	// deadline, or once ctx is done; the answer is then [CallUnsent]. Its state follows from its class: see [StateOf].
	Send(ctx context.Context, call *Call) Answer
}

// StateOf is the state that an answer of a class leaves a call in. Whatever does not say that nothing was done leaves
// it unknown. That a peer is gone says nothing about the rule, so that is unknown, too.
func StateOf(class sg.Class) CallState {
	switch class {
	case sg.ClassOK:
		return CallSucceeded
	case sg.ClassGone, sg.ClassGroupGone, sg.ClassProtected, sg.ClassThrottled, sg.ClassDenied, sg.ClassInvalid,
		sg.ClassIdempotency:
		return CallRefused
	case sg.ClassUnsent:
		return CallUnsent
	case sg.ClassPeerGone, sg.ClassInProgress, sg.ClassTransient, sg.ClassCancelled:
		return CallUnknown
	default:
		return CallUnknown
	}
}
