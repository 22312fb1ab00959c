package reach

import (
	"math/bits"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// walk goes through the traffic of one layer that rules in question speak of, cell by cell: the addresses of a block that
// are in no smaller one, one range of ports, the sources of a block that are in no smaller one, one range of source ports.
// No rule tells two points of a cell apart. Ports and sources are cut by the rules that speak of the block alone, so that
// there are few cells where few rules overlap.
type walk struct {
	*analysis
	*layer

	to         *tree
	everywhere []int32   // rules that speak of every address
	opaque     [][]int16 // of each rule, by position: the sets on which it depends; nil if there are none in the layer
	sides      sideSets

	block     int     // at hand
	chain     []int32 // the rules that speak of it, in the order in which they are asked
	batchOf   bitset  // of the chain
	singlesOf bitset
	wildOf    bitset
	plain     bool // no rule of the chain is wild or depends on sets
	sourced   bool // a rule of the chain goes by sources
	ports     portSweep
	origins   portSweep
	here      spot
	touched   []*question

	base     bitset // the rules of the cell that are in no batch
	view     bitset // of a question: the rules of the cell that are there before
	removed  bitset // of these the ones that are removed
	speaking bitset // of these the ones of which it is known when they are asked
	staying  bitset // of these the ones that are not removed
}

// spot is the part of a cell beside its destination.
type spot struct {
	ports   sg.PortRange // zero without ports
	from    []stretch    // sources; nil: any
	sources sg.PortRange // source ports; zero: any
}

func newWalk(a *analysis, ly *layer) *walk {
	w := &walk{analysis: a, layer: ly}
	w.sides.six = ly.six
	var entries []entry
	for _, at := range w.choose() {
		r := &w.rules[at]
		if r.toSet >= 0 {
			w.everywhere = append(w.everywhere, int32(at)) //nolint:gosec // a position
		} else {
			for _, b := range w.List.to(r) {
				if b.six == w.six {
					entries = append(entries, entry{b, int32(at)}) //nolint:gosec // a position
				}
			}
		}
		w.dependsOn(at)
	}
	w.to = newTree(w.six, entries)
	return w
}

// choose finds the rules of the layer that can matter. Looking at pairs pays for a few rules in question only.
func (w *walk) choose() []int {
	const few = 8
	var asked []int
	for _, at := range w.layer.speaking {
		if w.asks(at) {
			asked = append(asked, at)
		}
	}
	if len(asked) > few {
		return w.layer.speaking
	}
	return slices.DeleteFunc(w.layer.speaking, func(at int) bool {
		return !w.asks(at) &&
			!slices.ContainsFunc(asked, func(r int) bool { return w.meet(&w.rules[at], &w.rules[r]) })
	})
}

// dependsOn notes the opaque sets that decide whether a rule speaks of a point of the layer within its extents.
func (w *walk) dependsOn(at int) {
	r := &w.rules[at]
	var sets []int16
	for _, s := range []int16{r.toSet, r.ownSet} {
		if s >= 0 {
			sets = append(sets, s)
		}
	}
	if w.ported && r.portSet >= 0 {
		sets = append(sets, r.portSet)
	}
	if !w.ported && r.bareSet >= 0 {
		sets = append(sets, r.bareSet)
	}
	if sets == nil {
		return
	}
	if w.opaque == nil {
		w.opaque = make([][]int16, len(w.rules))
	}
	slices.Sort(sets)
	w.opaque[at] = slices.Compact(sets)
}

// setsOf are the sets on which a rule of the chain depends.
func (w *walk) setsOf(k int) []int16 {
	if w.opaque == nil {
		return nil
	}
	return w.opaque[w.chain[k]]
}

func (w *walk) rule(k int) *rule { return &w.rules[w.chain[k]] }

// run goes through all cells.
func (w *walk) run() {
	c := chains{tree: w.to}
	for at := range w.to.blocks {
		w.chain = c.at(int32(at), w.everywhere)
		w.steps += len(w.chain) / 4 // cheap ones
		if w.over() {
			return
		}
		if !w.to.hollow[at] && slices.ContainsFunc(w.chain, func(r int32) bool { return w.asks(int(r)) }) {
			w.enter(at)
			w.alongPorts()
			w.leave()
		}
	}
}

// enter gets ready for a block.
func (w *walk) enter(at int) {
	n := len(w.chain)
	w.block, w.plain, w.sourced = at, true, false
	for _, b := range []*bitset{
		&w.batchOf, &w.singlesOf, &w.wildOf, &w.base, &w.view, &w.removed, &w.speaking, &w.staying,
	} {
		*b = b.resized(n)
	}
	for k, at := range w.chain {
		r := &w.rules[at]
		if w.batch[at] {
			w.batchOf.add(k)
		}
		if w.single[at] != nil {
			w.singlesOf.add(k)
		}
		if r.wild() {
			w.wildOf.add(k)
		}
		w.plain = w.plain && !r.wild() && len(w.setsOf(k)) == 0
		w.sourced = w.sourced || !r.from.empty() || r.source != sg.PortRange{}
	}
	w.here = spot{}
}

// leave takes over what was found of a block.
func (w *walk) leave() {
	for _, q := range w.touched {
		for i := range q.found {
			f := &q.found[i]
			w.steps += len(f.spots)
			sides := w.sides.of(f.spots)
			a := q.results[f.outcome]
			if a == nil {
				a = &area{}
				q.results[f.outcome] = a
			}
			a.add(sides, int32(w.block)) //nolint:gosec // bounded by the rules of groups
			if f.kind >= permitted {
				a.weight += w.to.size(w.block) / w.to.blocks[0].stretch().size() * float64(w.sides.ports[sides])
			}
		}
		q.found = q.found[:0]
	}
	w.touched = w.touched[:0]
}

func (w *walk) alongPorts() {
	w.ports.reset(len(w.chain))
	for k := range w.chain {
		switch r := w.rule(k); {
		case !w.ported || r.portSet >= 0:
			w.ports.always(k)
		default:
			for _, p := range w.portsOf(r) {
				w.ports.add(k, p)
			}
		}
	}
	if !w.ported {
		w.alongSources()
		return
	}
	w.steps += len(w.ports.ends)
	w.ports.run(func(p sg.PortRange) {
		if w.steps += len(w.base); !w.over() && w.inQuestion(w.ports.active) {
			w.here.ports = p
			w.alongSources()
		}
	})
}

func (w *walk) inQuestion(rules bitset) bool {
	return w.whole != nil && rules.meets(w.batchOf) || rules.meets(w.singlesOf)
}

// alongSources goes through the sources of what the rules of w.ports.active speak of.
func (w *walk) alongSources() {
	var entries []entry
	all := newBitsetIf(w.sourced, len(w.chain))
	limited := false
	for i, word := range w.ports.active {
		for ; w.sourced && word != 0; word &= word - 1 {
			k := i<<6 + bits.TrailingZeros64(word)
			r := w.rule(k)
			limited = limited || r.source != sg.PortRange{}
			if r.from.empty() {
				all.add(k)
			}
			for _, b := range w.from(r) {
				entries = append(entries, entry{b, int32(k)}) //nolint:gosec // a place in a chain
			}
		}
	}
	if !limited && entries == nil {
		w.cell(w.ports.active)
		return
	}
	from := newTree(w.six, entries)
	for f, mask := range from.masks(all) {
		if w.steps += len(mask) + 1; w.over() {
			return
		}
		if !from.hollow[f] && w.inQuestion(mask) {
			w.here.from = from.stretches(f, nil)
			w.alongSourcePorts(mask)
		}
	}
	w.here.from = nil
}

func newBitsetIf(needed bool, n int) bitset {
	if !needed {
		return nil
	}
	return newBitset(n)
}

func (w *walk) alongSourcePorts(rules bitset) {
	w.origins.reset(len(w.chain))
	for i, word := range rules {
		for ; word != 0; word &= word - 1 {
			k := i<<6 + bits.TrailingZeros64(word)
			if r := w.rule(k); !w.ported || r.source == (sg.PortRange{}) {
				w.origins.always(k)
			} else {
				w.origins.add(k, r.source)
			}
		}
	}
	if len(w.origins.ends) == 0 {
		w.cell(rules)
		return
	}
	w.origins.run(func(p sg.PortRange) {
		if w.steps += len(rules); w.inQuestion(w.origins.active) {
			w.here.sources = p
			w.cell(w.origins.active)
		}
	})
	w.here.sources = sg.PortRange{}
}

// cell asks every question of which a rule speaks of the cell at hand, given all rules that speak of it.
func (w *walk) cell(rules bitset) {
	w.steps += len(rules) + 1
	for i, word := range rules {
		w.base[i] = word &^ w.batchOf[i]
	}
	if w.whole != nil && rules.meets(w.batchOf) {
		for i, word := range rules {
			w.view[i], w.removed[i] = word, word&w.batchOf[i]
		}
		w.decide(w.whole)
	}
	for i, word := range rules {
		for word &= w.singlesOf[i]; word != 0; word &= word - 1 {
			k := i<<6 + bits.TrailingZeros64(word)
			q := w.single[w.chain[k]]
			if w.plain {
				w.decideOne(q, k)
				continue
			}
			copy(w.view, w.base)
			w.view.add(k)
			clear(w.removed)
			w.removed.add(k)
			w.decide(q)
		}
	}
}

// outcome is something about a cell that is part of an answer.
type outcome struct {
	kind outcomeKind
	by   int32 // of permitted and dropped: the position of the rule, or theDefault; of group kinds: the number of the groups
	of   int16 // of permitted and dropped: the set whose members it is about; everyPoint, or someSet
}

type outcomeKind uint8

const (
	closing outcomeKind = iota
	opening
	closingGroups
	openingGroups
	permitted
	dropped
)

// What an outcome may be about in the place of the members of a set.
const (
	everyPoint int16 = -1 // all of the cell
	someSet    int16 = -2 // nobody can say what of it
)

// found is the spots of the block at hand that have an outcome.
type found struct {
	outcome

	spots []spot
}

// note adds the cell at hand to an outcome.
func (w *walk) note(q *question, kind outcomeKind, by int32, of int16) {
	o := outcome{kind, by, of}
	at := slices.IndexFunc(q.found, func(f found) bool { return f.outcome == o })
	if at < 0 {
		at = len(q.found)
		if at == 0 {
			w.touched = append(w.touched, q)
		}
		if w.steps += at; at < cap(q.found) { // with the memory of what was found before
			q.found = q.found[:at+1]
			q.found[at].outcome, q.found[at].spots = o, q.found[at].spots[:0]
		} else {
			q.found = append(q.found, found{outcome: o})
		}
	}
	f := &q.found[at]
	if n := len(f.spots); n > 0 && f.spots[n-1].touches(&w.here) {
		f.spots[n-1].ports.High = w.here.ports.High
		return
	}
	f.spots = append(f.spots, w.here)
}

// touches tells whether a spot goes on in the next one, which differs in ports.
func (s *spot) touches(next *spot) bool {
	return s.from == nil && next.from == nil && s.sources == (sg.PortRange{}) && next.sources == (sg.PortRange{}) &&
		s.ports.High < next.ports.Low && s.ports.High+1 == next.ports.Low
}
