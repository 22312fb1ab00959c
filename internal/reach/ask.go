package reach

import "slices"

// Bounds of answers that are asked for one by one; see [List.Effect].
const (
	manySpaces    = 20_000
	manyWitnesses = 16
)

// Effect says what removing some rules does in the list from which the absent ones were removed before. Scope is
// [ScopeGroup].
//
// Its work is bounded by [MaxSteps]; beyond that the class is [Unknown].
func (l *List) Effect(absent, removed []int) *Effect {
	return l.effect(l.positions(absent), l.positions(removed))
}

// Effects says what removing the rules of a batch together does, and for each of some rules what removing it does in the
// list without the rest of the batch, as [List.Effect] would one by one but in one walk. Effects have no more than a number
// of spaces; see [Effect.Limit].
//
// The work is bounded by 5 [MaxSteps] for all of them; beyond that the class is [Unknown], the batch first answered.
func (l *List) Effects(batch, rules []int, spaces int) (whole *Effect, each []*Effect) {
	at := make([]int, len(rules))
	for i, r := range rules {
		at[i] = l.position[r]
	}
	return l.effects(&request{batch: l.positions(batch), rules: at, bounds: inSweeps(spaces)})
}

// Effects is as [List.Effects] with scope [ScopeInterface], in a list from which the absent rules were removed before.
func (m *Merged) Effects(absent, batch, rules []At, spaces int) (whole *Effect, each []*Effect) {
	r := request{absent: m.positions(absent), batch: m.positions(batch), bounds: inSweeps(spaces)}
	for _, n := range rules {
		r.rules = append(r.rules, m.offsets[n.List][n.Rule])
	}
	whole, each = m.list.effects(&r)
	for _, e := range append(slices.Clone(each), whole) {
		e.Scope = ScopeInterface
	}
	return whole, each
}

// MaxSteps bounds the work of one walk, in rules looked at and the like: no more than about 50 ms.
const MaxSteps = 4_000_000

// request is questions about a list, by positions.
type request struct {
	absent, batch []int
	rules         []int // -1: one that was left out
	whole         bool  // the batch is asked about as well

	bounds bounds
}

// inSweeps bounds answers of which there are many: words say what the first witness decides.
func inSweeps(spaces int) bounds { return bounds{spaces: spaces, witnesses: 1} }

func (l *List) effect(absent, removed []int) *Effect {
	if l.why != "" {
		return l.unknown(l.why)
	}
	r := request{absent: absent, batch: removed, whole: true, bounds: bounds{manySpaces, manyWitnesses, true}}
	a := l.walked(&r)
	if a.over() {
		return l.unknown(tooComplex)
	}
	return a.result(a.whole)
}

func (l *List) effects(r *request) (whole *Effect, each []*Effect) {
	each = make([]*Effect, len(r.rules))
	if l.why != "" {
		for i := range each {
			each[i] = l.unknown(l.why)
		}
		return l.unknown(l.why), each
	}
	r.whole = true
	if a := l.walked(r); !a.over() {
		a.results(r, each)
		return a.result(a.whole), each
	}
	whole = l.unknown(tooComplex)
	if a := l.walked(&request{absent: r.absent, batch: r.batch, whole: true, bounds: r.bounds}); !a.over() {
		whole = a.result(a.whole)
	}
	left := 3 * MaxSteps // for one rule after the other
	for i, at := range r.rules {
		if each[i] = l.unknown(tooComplex); left <= 0 {
			continue
		}
		one := *r
		one.whole, one.rules = false, []int{at}
		a := l.walked(&one)
		if left -= a.steps; !a.over() {
			a.results(&one, each[i:i+1])
		}
	}
	return whole, each
}

// walked answers questions as far as the work is bounded.
func (l *List) walked(r *request) *analysis {
	n := len(l.rules)
	a := &analysis{
		List: l, bounds: r.bounds, absent: make([]bool, n), batch: make([]bool, n), single: make([]*question, n),
	}
	for _, at := range r.absent {
		a.absent[at] = true
	}
	for _, at := range r.batch {
		a.batch[at] = !a.absent[at]
	}
	for _, at := range r.rules {
		if at >= 0 && a.single[at] == nil {
			a.single[at] = newQuestion()
			a.questions = append(a.questions, a.single[at])
		}
	}
	if r.whole {
		a.whole = newQuestion()
		a.questions = append(a.questions, a.whole)
	}
	a.answer()
	return a
}

// results gives the answers about single rules.
func (a *analysis) results(r *request, each []*Effect) {
	for i, at := range r.rules {
		q := newQuestion()
		if at >= 0 {
			q = a.single[at]
		}
		each[i] = a.result(q)
	}
}
