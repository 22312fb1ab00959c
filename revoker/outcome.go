package revoker

// Outcome is how a revocation, the intent to remove one rule, ends. Every revocation ends in exactly one; the empty
// outcome means that it is still open.
type Outcome string

// The outcomes. Each is final.
const (
	// Confirmed says that a call was sent and that complete listings of the group lack the rule since. An answer of
	// the cloud alone, even success, never makes this outcome.
	Confirmed Outcome = "confirmed"
	// AlreadyAbsent says that the rule is gone, and that no call of ours can have removed it: none was sent, or all were
	// refused.
	AlreadyAbsent Outcome = "already_absent"
	// Changed says that the rule under this ID was no longer the one that was decided on. It was left alone.
	Changed Outcome = "changed"
	// Withdrawn says that policies, guards or mode no longer wanted the removal. The rule was left alone.
	Withdrawn Outcome = "withdrawn"
	// Failed says that the rule is still there after all attempts, or that it cannot be removed at all.
	Failed Outcome = "failed"
)

// Outcomes gives all of them, in the order in which they are documented.
func Outcomes() []Outcome {
	return []Outcome{Confirmed, AlreadyAbsent, Changed, Withdrawn, Failed}
}
