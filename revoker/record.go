package revoker

import (
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Origin is what a revocation was decided by. It bounds under which mode the revocation may be carried out.
type Origin string

// The origins.
const (
	// BySchedule is a sweep of the daemon: carried out under mode enforce only.
	BySchedule Origin = "schedule"
	// ByCommand is a person at a command line: carried out under the modes manual and enforce.
	ByCommand Origin = "command"
)

// Cause is a policy that made a rule a candidate for revocation, in the version that did.
type Cause struct {
	Policy string
	Hash   string
}

// Attribution is how well a confirmed revocation is known to be ours.
type Attribution string

// The attributions.
const (
	// Answered says that the cloud answered our call with success.
	Answered Attribution = "answered"
	// Presumed says that a call was, or may have been, sent, that its answer was lost, and that the rule is gone.
	Presumed Attribution = "presumed"
)

// Revocation is the intent to remove one rule instance, and what became of it.
type Revocation struct {
	ID       string // unique among all revocations ever made
	Sweep    string
	Ref      sg.GroupRef
	Rule     sg.Rule // as it was decided on, whole
	Policies []Cause // at least one, by name
	Origin   Origin
	Actor    string // who ran the command, or the daemon
	Created  time.Time
	// Effect is what removing the rule was going to do when it was decided, in a word and in a sentence. Empty: not known.
	Effect Effect

	Outcome     Outcome // empty: still open
	Attribution Attribution
	Detail      string // why it ended as it did, for people
	Ended       time.Time
}

// Effect is what a removal was going to do: the class of the analysis (closes, none, opens, mixed, unknown), and its
// sentence for people.
type Effect struct {
	Class    string
	Sentence string
}

// CallState is how far a call got.
type CallState string

// The states of a call. A recorded one may be on its way: nobody knows, after a crash, whether it was sent.
const (
	CallRecorded  CallState = "recorded"
	CallSucceeded CallState = "succeeded" // the cloud said success, which proves nothing
	CallRefused   CallState = "refused"   // the cloud said that it did nothing
	CallUnknown   CallState = "unknown"   // no answer that says whether something was done
	CallUnsent    CallState = "unsent"    // nothing was written to the network
)

// Answer is what came of sending a call.
type Answer struct {
	State     CallState // any but CallRecorded
	Class     sg.Class
	Code      string // of the cloud; may be empty
	RequestID string // of the cloud; may be empty
	Detail    string // for people; clean of secrets
	At        time.Time
}

// Work is what is open in one group: its open revocations, and every call that carries one of them, oldest first.
type Work struct {
	Ref         sg.GroupRef
	Revocations []Revocation
	Calls       []Call
}

// Ending is the final outcome of one revocation.
type Ending struct {
	Revocation  string // its ID
	Outcome     Outcome
	Attribution Attribution // of [Confirmed] only
	Detail      string
	At          time.Time
}

// RestoreOutcome is how a restore ends. Empty means that it is still open.
type RestoreOutcome string

// The outcomes of a restore.
const (
	// Restored says that a complete listing has the rule again, created by our call.
	Restored RestoreOutcome = "restored"
	// AlreadyThere says that a rule of the same content was there before anything was sent.
	AlreadyThere RestoreOutcome = "already_there"
	// RestoreFailed says that the rule is not there after all attempts.
	RestoreFailed RestoreOutcome = "failed"
)

// Restore is the intent to create a revoked rule again, and what became of it.
type Restore struct {
	ID         string // unique among all restores ever made
	Revocation string // the revocation that is undone
	Ref        sg.GroupRef
	Rule       sg.Rule // as it was revoked
	HoldUntil  time.Time
	Actor      string
	Created    time.Time

	Outcome RestoreOutcome
	RuleID  string // of the rule that is there now
	Detail  string
	Ended   time.Time
}

// RestoreWork is an open restore and every call that was made for it, oldest first.
type RestoreWork struct {
	Restore Restore
	Calls   []Call
}

// Listing is a complete listing of a group's rules.
type Listing struct {
	Gone  bool // the group is proven not to exist; there are no rules then
	Rules []sg.Rule
	Pages int       // of the larger of its parts; one that has several can hide a rule while it shifts
	At    time.Time // before the reading began
}
