// Package revoker removes egress rules, and creates them again, without ever guessing what happened.
//
// A [Revocation] is the intent to remove one rule instance. It is on record before anything is done about it, and ends
// in exactly one [Outcome]. The revocations of a group are carried by calls ([Call]) of up to [MaxRulesPerCall] rules.
// [Revoker.Settle] works on the revocations of one group until none is open, or until nothing more can be done now:
//
//  1. The group is read and decided about again, all of it ([Checker]).
//  2. What this shows to be over ends: rules that are gone, that changed, that need not go any more.
//  3. For what still stands a call is recorded ([Journal]), then sent ([Sender]), then its answer is recorded.
//  4. The group is listed until the rules are gone from it. Only that confirms a revocation, never an answer. Rules that
//     stay are tried again from 1, a limited number of times.
//
// It may be stopped between any two steps, by a crash too: the next Settle goes on from what is on record. A call whose
// answer is not known may still take effect for a while; in that time its revocations end in nothing but success. It is
// repeated byte for byte, its token included, after a check and while it is young, or else left alone until that time
// is over. Anything else is another call with another token.
//
// [Revoker.Restore] creates a rule again that was removed, in the same manner.
//
//	r, err := revoker.New(revoker.Options{Journal: store, Checker: checker, Sender: sender, …})
//	for _, work := range open {
//		settled, err := r.Settle(ctx, &work) // groups do not depend on one another
//		if settled.Stop != "" { … }          // the whole account cannot be worked on
//	}
//
// Nothing here logs, counts, or knows the time by itself.
package revoker

import (
	"context"
	"errors"
	"time"
)

// The times and bounds of the protocol.
const (
	// SendWithin is how long after a check, or after the listing of a restore, a call may be sent.
	SendWithin = 10 * time.Second
	// Flight is how long after its deadline a call without a known answer may still take effect: the time that a client
	// waits for the answer, which is 30 s, and 60 s for the cloud to be slow in.
	Flight = 30*time.Second + 60*time.Second
	// RepeatWithin is how long after it was first recorded a call may be sent again with its token. How long the cloud
	// remembers tokens is not documented, so it is kept short.
	RepeatWithin = 10 * time.Minute
	// MaxCalls is how many calls carry one revocation, or one restore, at most. Calls that were not sent or were
	// throttled do not count.
	MaxCalls = 5
	// GiveUpAfter is how long a revocation or restore is worked on at most.
	GiveUpAfter = 24 * time.Hour
	// PollFor is how long the group is listed, at growing intervals, for the effect of calls.
	PollFor = 15 * time.Second
)

// Options are what a Revoker works with. All but Restores and Reached must be set.
type Options struct {
	Journal  Journal
	Restores RestoreJournal // nil: Restore must not be called
	Checker  Checker
	Sender   Sender
	Now      func() time.Time
	Wait     func(ctx context.Context, d time.Duration) error // an error only once ctx is done
	NewID    func() string                                    // for calls; never the same twice, over restarts too
	// Reached is told every step that was completed, by its name: see [Steps]. Tests stop the work there.
	Reached func(step string)
}

func (o *Options) validate() error {
	switch {
	case o.Journal == nil:
		return errors.New("revoker without a journal")
	case o.Checker == nil:
		return errors.New("revoker without a checker")
	case o.Sender == nil:
		return errors.New("revoker without a sender")
	case o.Now == nil || o.Wait == nil:
		return errors.New("revoker without a clock")
	case o.NewID == nil:
		return errors.New("revoker without IDs for calls")
	}
	return nil
}

// Revoker works on revocations and restores. It keeps nothing between two calls of its methods, which may run at the
// same time for different groups. Two that work on one group at the same time, in one process or in several, must be
// kept apart by the caller.
type Revoker struct {
	o Options
}

// New makes a Revoker.
func New(o Options) (*Revoker, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Reached == nil {
		o.Reached = func(string) {}
	}
	return &Revoker{o: o}, nil
}

// The steps of [Revoker.Settle], in their order; those of [Revoker.Restore] are the same behind [RestorePrefix], but
// for the check, which they have none of.
const (
	StepChecked      = "checked"
	StepCallRecorded = "call-recorded"
	StepSent         = "sent"
	StepAnswered     = "answered"
	StepListed       = "listed"
	StepFinished     = "finished"

	RestorePrefix = "restore-"
)

// Steps gives the names of all steps.
func Steps() []string {
	return []string{
		StepChecked, StepCallRecorded, StepSent, StepAnswered, StepListed, StepFinished,
		RestorePrefix + StepListed, RestorePrefix + StepCallRecorded, RestorePrefix + StepSent,
		RestorePrefix + StepAnswered, RestorePrefix + StepFinished,
	}
}
