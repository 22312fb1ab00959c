package policy

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// Truth is a value of Kleene's logic.
type Truth string

// The three values.
const (
	True    Truth = "true"
	False   Truth = "false"
	Unknown Truth = "unknown"
)

// Gap says why something is [Unknown]. The three are treated differently: an exception of which something was not read
// might apply, one that does not speak of the rule does not.
type Gap string

// Gaps.
const (
	NotRead       Gap = "not-read"       // what is compared could not be read, or is missing
	DoesNotSpeak  Gap = "does-not-speak" // the clause has nothing to say of such a rule
	InvalidExpiry Gap = "invalid-expiry" // an expiry date stands there and cannot be understood
)

// Explanation is what every policy of a set makes of one rule, and why.
type Explanation struct {
	Group *sg.Group
	Rule  *sg.Rule
	// Finding is what [Evaluator.Evaluate] says of the rule; nil if no policy objects to it.
	Finding  *Finding
	Policies []Judgement // all of the set, in its order
}

// Judgement is what one policy makes of a rule.
type Judgement struct {
	Policy *Policy
	Groups ScopeExplanation
	Match  Node // also of a policy that does not speak of the group
	// Violation is nil if the policy does not object to the rule.
	Violation *Violation
	// Excess is what makes [Violation.Collateral] true: what the rule permits beyond what the policy objects to.
	Excess []Excess
	// Exceptions are all that name the policy, in the set's order, whether or not the policy objects.
	Exceptions []ExceptionExplanation
}

// ExceptionExplanation is what one exception makes of a rule.
type ExceptionExplanation struct {
	Exception *Exception
	Groups    ScopeExplanation
	Match     Node
	Expired   bool
	// Applies is true if the exception takes the rule out of the policies that it names, and unknown if it might, could
	// everything be read.
	Applies Truth
}

// ScopeExplanation tells whether a group is in a `groups`.
type ScopeExplanation struct {
	Pos  strictyaml.Pos
	In   Truth // unknown: an expiry date decides and cannot be understood
	Keys []ScopeKey
}

// ScopeKey is one key of a `groups`, or one tag of it.
type ScopeKey struct {
	Key   string
	Asks  string // as the policy writes it
	Has   string // the group's value, empty if it has none
	Truth Truth
	Why   string // for people; may be empty
}

// Node is one part of a `match` as it stands in its file.
type Node struct {
	Pos strictyaml.Pos
	// Key is the key of the file, without its relation. It is empty for a mapping, all keys of which must hold: the
	// `match` itself and what stands in `any`, `all` and `not`.
	Key   string
	Asks  string // what the key asks for, its relation included; empty for mappings, any, all and not
	Has   string // the rule's value
	Truth Truth
	Gap   Gap    // of a clause that is unknown; empty otherwise
	Why   string // what decided, or why it is unknown, for people; may be empty
	// Children are those of mappings, any, all and not. All of them are there, also where one alone decides.
	Children []Node
}

// Excess is a clause that is true of a rule which permits more than the clause objects to.
type Excess struct {
	Pos  strictyaml.Pos
	Text string // what the clause is about and what is permitted beyond it, for people
}

// Explain says what every policy makes of a rule and why. What it says of each is what [Evaluator.Evaluate] says; beyond
// that it looks at every clause, also at those that decide nothing, and at policies that do not speak of the group.
// The evaluator's counts of [Evaluator.Use] stay as they were.
func (e *Evaluator) Explain(group *sg.Group, rule *sg.Rule) *Explanation {
	fresh := e.set.Evaluator(e.account, e.now)
	result := &Explanation{Group: group, Rule: rule}
	for _, finding := range fresh.Evaluate(group, []sg.Rule{*rule}) {
		finding.Rule = rule
		result.Finding = &finding
	}
	x := explainer{Evaluator: fresh, group: group}
	fresh.probe.fill(rule)
	for _, p := range fresh.set.Policies {
		result.Policies = append(result.Policies, x.policy(p, result.Finding))
	}
	return result
}

// explainer explains one rule, for which the evaluator's probe is filled.
type explainer struct {
	*Evaluator

	group *sg.Group
}

func (x *explainer) policy(p *Policy, finding *Finding) Judgement {
	result := Judgement{Policy: p, Groups: x.scope(&p.groups), Match: x.mapping(&p.written)}
	for _, exception := range x.set.Exceptions {
		if exception.Covers(p) {
			result.Exceptions = append(result.Exceptions, x.exception(exception))
		}
	}
	if finding == nil {
		return result
	}
	for i := range finding.Violations {
		if v := &finding.Violations[i]; v.Policy == p {
			result.Violation = v
			if v.Collateral {
				result.Excess = p.match.excess(x.probe, assumption(v.InvalidExpiry), nil)
			}
		}
	}
	return result
}

func (x *explainer) exception(e *Exception) ExceptionExplanation {
	result := ExceptionExplanation{
		Exception: e, Groups: x.scope(&e.groups), Match: x.mapping(&e.written), Expired: e.Expired(x.now), Applies: False,
	}
	applies := e.match.eval(x.probe, asRead)
	switch {
	case result.Expired || result.Groups.In == False || applies == no:
	case result.Groups.In == True && applies == yes:
		result.Applies = True
	default:
		result.Applies = Unknown
	}
	return result
}

// truthOf is a value without the reason why it is not known.
func truthOf(v value) Truth {
	switch v {
	case yes:
		return True
	case no:
		return False
	case silent, unread, badExpiry:
	}
	return Unknown
}

// gapOf is why a value is not known, and empty if it is.
func gapOf(v value) Gap {
	switch v {
	case silent:
		return DoesNotSpeak
	case unread:
		return NotRead
	case badExpiry:
		return InvalidExpiry
	case yes, no:
	}
	return ""
}

func (t Truth) not() Truth {
	switch t {
	case True:
		return False
	case False:
		return True
	case Unknown:
	}
	return t
}

// allOf is the truth of all nodes together, anyOf that of at least one of them.
func allOf(nodes []Node) Truth { return joinTruth(nodes, True, False) }
func anyOf(nodes []Node) Truth { return joinTruth(nodes, False, True) }

// joinTruth gives decisive if a node has that truth, and otherwise Unknown if a node has, and otherwise usual.
func joinTruth(nodes []Node, usual, decisive Truth) Truth {
	has := func(t Truth) bool { return slices.ContainsFunc(nodes, func(n Node) bool { return n.Truth == t }) }
	switch {
	case has(decisive):
		return decisive
	case has(Unknown):
		return Unknown
	}
	return usual
}
