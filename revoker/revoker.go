// Package revoker removes egress rules without ever guessing what happened.
//
// In this version it holds the pure part of that protocol: what can become of a revocation ([Outcome]), and the exact
// request that carries revocations ([Call]) with its ClientToken. Nothing here talks to the cloud.
//
//	calls, err := revoker.Split(batch, newID) // at most 100 rules each
//	for _, call := range calls {
//		parameters := call.Parameters() // what is recorded before sending is what is sent
//	}
//
// A repeat of a call must repeat it byte for byte, its token included; anything else is another call with another
// token. Both follow from the token being derived from the call alone.
package revoker

// Outcome is how a revocation, the intent to remove one rule, ends. Every revocation ends in exactly one; the empty
// outcome means that it is still open.
type Outcome string

// The outcomes. Each is final.
const (
	// Confirmed says that a call was sent and that complete listings of the group lack the rule since. An answer of
	// the cloud alone, even success, never makes this outcome.
	Confirmed Outcome = "confirmed"
	// AlreadyAbsent says that the rule was gone before anything was sent.
	AlreadyAbsent Outcome = "already_absent"
	// Changed says that the rule under this ID was no longer the one that was decided on. Nothing was sent.
	Changed Outcome = "changed"
	// Withdrawn says that policies, guards or mode no longer wanted the removal. Nothing was sent.
	Withdrawn Outcome = "withdrawn"
	// Failed says that the rule is still there after all attempts.
	Failed Outcome = "failed"
)

// Outcomes gives all of them, in the order in which they are documented.
func Outcomes() []Outcome {
	return []Outcome{Confirmed, AlreadyAbsent, Changed, Withdrawn, Failed}
}
