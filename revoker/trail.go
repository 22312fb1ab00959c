package revoker

import (
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// trail is every call that was made for a piece of work, oldest first. What it tells of a revocation follows from what
// is on record alone, so that it is the same after a restart.
type trail []Call

// of gives the calls that carry a revocation or restore.
func (t trail) of(id string) trail {
	var calls trail
	for i := range t {
		if slices.Contains(t[i].Carries, id) {
			calls = append(calls, t[i])
		}
	}
	return calls
}

// maySent tells whether any of the calls was, or may have been, sent with effect.
func (t trail) maySent() bool {
	return slices.ContainsFunc(t, func(c Call) bool {
		return c.State == CallSucceeded || c.State == CallRecorded || c.State == CallUnknown
	})
}

// succeeded tells whether the cloud answered any of the calls with success.
func (t trail) succeeded() bool {
	return slices.ContainsFunc(t, func(c Call) bool { return c.State == CallSucceeded })
}

// inFlight tells whether any of the calls may still take effect.
func (t trail) inFlight(now time.Time) bool {
	return slices.ContainsFunc(t, func(c Call) bool {
		return (c.State == CallRecorded || c.State == CallUnknown) && now.Before(c.Deadline.Add(Flight))
	})
}

// tried is how many of the calls count for [MaxCalls].
func (t trail) tried() int {
	n := 0
	for i := range t {
		if t[i].State != CallUnsent && t[i].Answer.Class != sg.ClassThrottled {
			n++
		}
	}
	return n
}

// refusedAs gives the latest of the calls that was refused with a class.
func (t trail) refusedAs(class sg.Class) (*Call, bool) {
	for _, call := range slices.Backward(t) {
		if call.State == CallRefused && call.Answer.Class == class {
			return &call, true
		}
	}
	return nil, false
}

// last describes for people what came of the latest call that may have been sent.
func (t trail) last() string {
	for _, call := range slices.Backward(t) {
		switch call.State {
		case CallUnsent:
		case CallRecorded:
			return "no answer is known"
		case CallSucceeded, CallRefused, CallUnknown:
			return describe(call.Answer)
		}
	}
	return "nothing was sent"
}

func describe(a Answer) string {
	switch {
	case a.Code != "" && a.Detail != "":
		return a.Code + ": " + a.Detail
	case a.Code != "":
		return a.Code
	case a.Detail != "":
		return a.Detail
	default:
		return string(a.Class)
	}
}

// repeats gives the calls, ready to be recorded, that repeat earlier ones: those whose answer is not known, or which
// were throttled, which are young enough, and of which everything they carry still stands.
func (t trail) repeats(now time.Time, stands map[string]bool) []Call {
	var repeats []Call
	for i := range t {
		first := &t[i]
		if first.First() != first.ID || now.Sub(first.Recorded) > RepeatWithin {
			continue
		}
		n, open := 0, false
		for j := range t {
			if t[j].First() != first.ID {
				continue
			}
			n++
			if t[j].State != CallUnsent {
				open = t[j].repeatable()
			}
		}
		if open && !slices.ContainsFunc(first.Carries, func(id string) bool { return !stands[id] }) {
			repeats = append(repeats, first.repeat(n))
		}
	}
	return repeats
}

func (c *Call) repeatable() bool {
	return c.State == CallRecorded || c.State == CallUnknown || c.Answer.Class == sg.ClassThrottled
}

// Sent tells whether any call of the work was, or may have been, sent with effect. If not, its revocations can be given
// up without a look at the cloud.
func (w *Work) Sent() bool { return trail(w.Calls).maySent() }
