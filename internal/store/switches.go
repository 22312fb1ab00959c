package store

import (
	"errors"
	"fmt"
	"time"
)

// Switches are what holds revocations back everywhere. They say nothing about restores, which are always allowed.
type Switches struct {
	Armed  bool // a person has said that this store may be acted on; a new store is not armed
	Paused bool
	// Behind is why the store cannot be the one that was worked on last, as the checkpoint file says, and what to do
	// about it. Empty if it can.
	Behind string
	Reason string // of the last Pause or Resume, as are the rest
	Actor  string
	Since  time.Time
}

// ErrOnHold says that a revoking call was not recorded since [Switches.Hold] objects. Nothing may be sent.
var ErrOnHold = errors.New("nothing may be revoked now")

// Hold says why nothing may be revoked, and what to do about it. It is empty if nothing holds.
func (s Switches) Hold() string {
	switch {
	case s.Behind != "":
		return s.Behind
	case !s.Armed:
		return "the store is new and not armed: look at a report first, then run `egress-janitor resume --reason ...`"
	case s.Paused:
		return fmt.Sprintf("paused by %s at %s: %s; `egress-janitor resume --reason ...` ends it",
			s.Actor, s.Since.Format(time.RFC3339), s.Reason)
	}
	return ""
}
