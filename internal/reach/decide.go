package reach

import (
	"math/bits"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// theDefault stands for the default in the place of a rule.
const theDefault = -1

// decideOne says what becomes of the cell at hand if the one rule at place k is removed, and no set decides about anything.
// It is what [walk.decide] comes to then, which is most of the time.
func (w *walk) decideOne(q *question, k int) {
	w.steps++
	q.asked = true
	other := w.firstBut(w.base, k)
	r := w.rule(k)
	if other >= 0 && w.rule(other).order() < r.order() {
		q.shadows[int(w.chain[other])] = true
	} else {
		q.decides = true
		if after := w.action(other); after != r.action {
			kind := opening
			if after == sg.Drop {
				kind = closing
			}
			w.note(q, kind, 0, everyPoint)
		}
	}
	w.witness(q, other, r.action == sg.Accept, r.action == sg.Drop, everyPoint)
}

// firstBut is the first of some rules that is not the one at place k, or the default.
func (w *walk) firstBut(rules bitset, k int) int {
	for i, word := range rules {
		if k>>6 == i {
			word &^= 1 << (k & 63)
		}
		if word != 0 {
			return i<<6 + bits.TrailingZeros64(word)
		}
	}
	return theDefault
}

// witness notes by which rule traffic of removed ones stays as it was.
func (w *walk) witness(q *question, by int, accepts, drops bool, of int16) {
	action, at := w.action(by), int32(theDefault)
	if by >= 0 {
		at = w.chain[by]
	}
	if accepts && action == sg.Accept {
		w.note(q, permitted, at, of)
	}
	if drops && action == sg.Drop {
		w.note(q, dropped, at, of)
	}
}

// decide says what becomes of the cell at hand if the rules of w.removed are removed from those of w.view.
func (w *walk) decide(q *question) {
	w.steps += 4 + len(w.view)
	q.asked = true
	odd := false
	for i, word := range w.view {
		w.speaking[i] = word &^ (w.wildOf[i] &^ w.removed[i])
		w.staying[i] = w.speaking[i] &^ w.removed[i]
		odd = odd || word&w.wildOf[i] != 0
	}
	before, after := w.first(w.speaking), w.first(w.staying)
	switch {
	case !w.decides():
		w.each(w.removed, func(r int) {
			w.deciders(w.speaking, r, func(by int, _ bool) {
				if by >= 0 {
					q.shadows[int(w.chain[by])] = true
				}
			})
		})
	default:
		q.decides = true
		if odd && w.doubtful(q, before, after) {
			return
		}
	}
	w.compare(q, before, after)
	if after.certain {
		accepts, drops := w.removes()
		w.witness(q, after.rule, accepts, drops, everyPoint)
		return
	}
	w.each(w.removed, func(r int) {
		accepts, drops := w.rule(r).action != sg.Drop, w.rule(r).action != sg.Accept
		w.deciders(w.staying, r, func(by int, certain bool) { w.witness(q, by, accepts, drops, w.about(r, by, certain)) })
	})
}

// compare notes the difference between what is done before and after.
func (w *walk) compare(q *question, before, after first) {
	if !before.certain || !after.certain {
		w.byMembers(q)
		return
	}
	switch b, a := w.action(before.rule), w.action(after.rule); {
	case a == b:
	case b == sg.Accept:
		w.note(q, closing, 0, everyPoint)
	default:
		w.note(q, opening, 0, everyPoint)
	}
}

// about says of what traffic a rule decides in the place of the removed rule r: of members of a group, if either is about
// these.
func (w *walk) about(r, by int, certain bool) int16 {
	set := w.rule(r).toSet
	if set < 0 && by >= 0 {
		set = w.rule(by).toSet
	}
	switch {
	case set >= 0 && w.sets[set].kind == peerGroup:
		return set
	case certain && (by < 0 || len(w.setsOf(by)) == 0):
		return everyPoint
	}
	return someSet
}

// removes tells what the removed rules of the cell do.
func (w *walk) removes() (accepts, drops bool) {
	w.each(w.removed, func(r int) {
		accepts = accepts || w.rule(r).action != sg.Drop
		drops = drops || w.rule(r).action != sg.Accept
	})
	return accepts, drops
}

// each goes through rules in the order in which they are asked.
func (w *walk) each(rules bitset, do func(k int)) {
	for i, word := range rules {
		for ; word != 0; word &= word - 1 {
			do(i<<6 + bits.TrailingZeros64(word))
		}
	}
}

// first is the first rule that speaks of a cell, or the default. It is certain if no set decides whether it does.
type first struct {
	rule    int
	certain bool
}

func (w *walk) first(rules bitset) first {
	for i, word := range rules {
		if word != 0 {
			k := i<<6 + bits.TrailingZeros64(word)
			return first{k, len(w.setsOf(k)) == 0 && !w.rule(k).wild()}
		}
	}
	return first{theDefault, true}
}

// deciders are those of some rules that can be the first to speak of a point of which rule r speaks, up to the one that
// speaks of it for certain, or the default. A rule can be if none before it depends on no more sets than it does, beside
// those of r.
func (w *walk) deciders(rules bitset, r int, do func(by int, certain bool)) {
	var before []int
	for i, word := range rules {
		for ; word != 0; word &= word - 1 {
			k := i<<6 + bits.TrailingZeros64(word)
			w.steps += len(before) + 1
			if w.rule(k).wild() || w.preceded(before, k, r) {
				continue
			}
			certain := within(w.setsOf(k), w.setsOf(r), nil)
			if do(k, certain); certain {
				return
			}
			before = append(before, k)
		}
	}
	do(theDefault, true)
}

// preceded tells whether one of some rules speaks wherever both k and r do.
func (w *walk) preceded(before []int, k, r int) bool {
	for _, b := range before {
		if within(w.setsOf(b), w.setsOf(k), w.setsOf(r)) {
			return true
		}
	}
	return false
}

// within tells whether all of some sets are among others.
func within(sets, a, b []int16) bool {
	for _, s := range sets {
		if !slices.Contains(a, s) && !slices.Contains(b, s) {
			return false
		}
	}
	return true
}

func (w *walk) action(rule int) sg.Action {
	if rule == theDefault {
		return w.fallback
	}
	return w.rule(rule).action
}

// decides tells whether a removed rule decides about the cell, or may: no rule comes before it wherever it speaks. Rules of
// the same order do the same, so that none of them comes before another.
func (w *walk) decides() bool {
	decides := false
	w.each(w.removed, func(r int) { decides = decides || !w.overruled(r) })
	return decides
}

func (w *walk) overruled(r int) bool {
	if w.rule(r).wild() {
		return false
	}
	order, own := w.rule(r).order(), w.setsOf(r)
	for i, word := range w.speaking {
		for ; word != 0; word &= word - 1 {
			k := i<<6 + bits.TrailingZeros64(word)
			rule := w.rule(k)
			if w.steps++; k >= r || rule.order() >= order {
				return false
			}
			if !rule.wild() && within(w.setsOf(k), own, nil) {
				return true
			}
		}
	}
	return false
}

// doubtful notes what a rule may do that is odd in action or priority, and tells whether the cell is undecided for it.
func (w *walk) doubtful(q *question, before, after first) bool {
	was, is := w.fate(before), w.fate(after)
	undecided := false
	w.each(w.view, func(k int) {
		r := w.rule(k)
		if undecided || !r.wild() {
			return
		}
		known := r.action != "" && is == r.action
		if !w.removed.has(k) {
			known = known && was == is
		}
		if !known {
			q.doubt(r.ownSet)
			undecided = true
		}
	})
	return undecided
}

// fate is what happens to the cell; empty if sets decide, or what an odd rule does.
func (w *walk) fate(f first) sg.Action {
	if f.certain {
		return w.action(f.rule)
	}
	return ""
}
