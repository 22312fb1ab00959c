package reach

import (
	"math/bits"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// theDefault stands for the default among the local rules of a walk.
const theDefault = -1

// decide says what becomes of the present cell.
func (w *walk) decide(at int, column int32) {
	before, after := w.first(false), w.first(true)
	w.steps += 2
	change, certain := w.change(before, after)
	if tops := w.deciding(); tops {
		w.decides = true
		if w.doubtful(at, column) {
			return
		}
	} else if before.certain {
		w.shadows[w.at(before.rule)] = true
	}
	switch {
	case !certain:
		w.byMembers(column)
	case change < 0:
		w.note(closing, 0, column)
	case change > 0:
		w.note(opening, 0, column)
	}
	if !after.certain {
		return
	}
	accepts := w.action(after.rule) == sg.Accept
	if accepts && meets(w.cell, w.accepts) {
		w.note(permitted, int32(after.rule), column) //nolint:gosec // few rules
	}
	if !accepts && meets(w.cell, w.drops) {
		w.note(dropped, int32(after.rule), column) //nolint:gosec // few rules
	}
}

// first is the first rule that speaks of a cell, or the default. It is certain if no set decides whether it does.
type first struct {
	rule    int
	certain bool
}

// first finds the first rule of the present cell, of those that stay or of all.
func (w *walk) first(staying bool) first {
	for i, word := range w.cell {
		if staying {
			word &^= w.removed[i]
		}
		if word != 0 {
			r := i<<6 + bits.TrailingZeros64(word)
			return first{r, len(w.opaque[r]) == 0 && !w.rules[w.local[r]].wild()}
		}
	}
	return first{theDefault, true}
}

// change compares what the first rules do: -1 if the cell is closed, 1 if it is opened. It is not certain if sets decide.
func (w *walk) change(before, after first) (change int, certain bool) {
	if !before.certain || !after.certain {
		return 0, false
	}
	b, a := w.action(before.rule), w.action(after.rule)
	switch {
	case a == b:
		return 0, true
	case b == sg.Accept:
		return -1, true
	}
	return 1, true
}

func (w *walk) action(rule int) sg.Action {
	if rule == theDefault {
		return w.fallback
	}
	return w.rules[w.local[rule]].action
}

// at is the position of a local rule in the list, or theDefault.
func (w *walk) at(rule int) int {
	if rule == theDefault {
		return theDefault
	}
	return w.local[rule]
}

// deciding tells whether a removed rule decides about the cell, or may: no rule comes before it for certain. Rules of the
// same order do the same, so that none of them comes before another.
func (w *walk) deciding() bool {
	limit := int64(-1) // the order of the first rule that speaks of the cell for certain
	for i, word := range w.cell {
		for ; word != 0; word &= word - 1 {
			r := i<<6 + bits.TrailingZeros64(word)
			rule := &w.rules[w.local[r]]
			w.steps++
			if limit >= 0 && rule.order() > limit && !rule.wild() {
				return false
			}
			if w.removed.has(r) {
				return true
			}
			if limit < 0 && len(w.opaque[r]) == 0 && !rule.wild() {
				limit = rule.order()
			}
		}
	}
	return false
}

// doubtful notes what a rule may do that is odd in action or priority, and tells whether the cell is undecided for it.
func (w *walk) doubtful(at int, column int32) bool {
	result := w.fate()
	for i, word := range w.cell {
		for word &= w.removed[i]; word != 0; word &= word - 1 {
			r := w.local[i<<6+bits.TrailingZeros64(word)]
			if rule := &w.rules[r]; rule.wild() && (rule.action == "" || result != rule.action) {
				w.doubt(rule.ownSet)
				return true
			}
		}
	}
	for _, r := range w.odd {
		rule := &w.rules[r]
		if !w.mayMeet(rule, at, column) {
			continue
		}
		if b := w.before(); rule.action == "" || result == "" || b == "" || b != result || rule.action != result {
			w.doubt(rule.ownSet)
			return true
		}
	}
	return false
}

// fate is what happens to the cell once the rules are removed; empty if sets decide.
func (w *walk) fate() sg.Action {
	if after := w.first(true); after.certain {
		return w.action(after.rule)
	}
	return ""
}

// before is what happens to the cell before; empty if sets decide, or what an odd rule does.
func (w *walk) before() sg.Action {
	if b := w.first(false); b.certain {
		return w.action(b.rule)
	}
	return ""
}

// mayMeet tells whether a rule that is not among the local ones may speak of a cell.
func (w *walk) mayMeet(r *rule, at int, column int32) bool {
	p, f, s := w.cellOf(column)
	return (r.toSet >= 0 || slices.ContainsFunc(w.List.to(r), func(b block) bool { return b.overlaps(&w.to.blocks[at]) })) &&
		(r.from.empty() || slices.ContainsFunc(w.List.from(r), func(b block) bool { return b.overlaps(&w.from.blocks[f]) })) &&
		(!w.ported || r.portSet >= 0 || portsMeet(w.portsOf(r), []sg.PortRange{w.ports.ranges[p]})) &&
		(!w.ported || r.source == sg.PortRange{} || w.sources.ranges[s] == sg.PortRange{} ||
			portsMeet([]sg.PortRange{r.source}, []sg.PortRange{w.sources.ranges[s]}))
}

// cellOf gives the parts of a column: ports, block of sources, source ports.
func (w *walk) cellOf(column int32) (p, f, s int) {
	c := int(column)
	s = c % len(w.sources.ranges)
	c /= len(w.sources.ranges)
	return c / len(w.from.blocks), c % len(w.from.blocks), s
}
