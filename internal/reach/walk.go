package reach

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// walk goes through the traffic of one layer that removed rules speak of, cell by cell: the addresses of a block that are
// in no smaller one, one range of ports, the sources of a block that are in no smaller one, one range of source ports. No
// rule tells two points of a cell apart.
type walk struct {
	*analysis
	*layer

	local    []int // of the layer's rules, those that can matter, by position
	removed  bitset
	accepts  bitset // removed rules that accept, and those that drop, in the local numbers
	drops    bitset
	to       *tree
	toMasks  []bitset
	ports    *line
	from     *tree
	fromMask []bitset
	sources  *line
	opaque   [][]int16 // of each local rule, the sets on which it depends

	cell     bitset // the rules that speak of the present cell
	found    map[outcome][]int32
	outcomes []outcome // in found, in the order of their first cell within the block
	results  map[outcome]*area
}

// outcome is something about a cell that is part of an answer.
type outcome struct {
	kind outcomeKind
	by   int32 // of permitted and dropped: the local rule, or -1 for the default; of group kinds: the number of the groups
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

func newWalk(a *analysis, p *layer) *walk {
	w := &walk{analysis: a, layer: p, found: map[outcome][]int32{}, results: map[outcome]*area{}}
	w.choose()
	n := len(w.local)
	w.removed, w.accepts, w.drops, w.cell = newBitset(n), newBitset(n), newBitset(n), newBitset(n)
	w.opaque = make([][]int16, n)
	for i, at := range w.local {
		r := &w.rules[at]
		w.opaque[i] = w.dependsOn(r)
		if !w.gone[at] {
			continue
		}
		w.removed.add(i)
		if r.action != sg.Drop {
			w.accepts.add(i)
		}
		if r.action != sg.Accept {
			w.drops.add(i)
		}
	}
	w.cut()
	return w
}

// choose finds the rules of the layer that can matter. Looking at pairs pays for a few removed rules only.
func (w *walk) choose() {
	var removed []int
	for _, at := range w.speaking {
		if w.gone[at] {
			removed = append(removed, at)
		}
	}
	if len(removed) > fewRules {
		w.local = w.speaking
		return
	}
	for _, at := range w.speaking {
		if w.gone[at] || slices.ContainsFunc(removed, func(r int) bool { return w.meet(&w.rules[at], &w.rules[r]) }) {
			w.local = append(w.local, at)
		}
	}
}

const fewRules = 8

// dependsOn gives the opaque sets that decide whether a rule speaks of a point of the layer within its extents.
func (w *walk) dependsOn(r *rule) []int16 {
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
	slices.Sort(sets)
	return slices.Compact(sets)
}

// cut cuts the layer along what its rules say.
func (w *walk) cut() {
	n := len(w.local)
	toAll, fromAll, portAll, sourceAll := newBitset(n), newBitset(n), newBitset(n), newBitset(n)
	var to, from []entry
	var ports, sources []portsOfRule
	var bounds, sourceBounds []sg.PortRange
	for i, at := range w.local {
		r := &w.rules[at]
		to = w.entries(to, toAll, i, r.toSet >= 0, w.List.to(r))
		from = w.entries(from, fromAll, i, r.from.empty(), w.List.from(r))
		if !w.ported {
			continue
		}
		own, every := w.portsOf(r), r.portSet >= 0
		if every {
			portAll.add(i)
			own = []sg.PortRange{sg.AllPorts()}
		} else {
			ports = append(ports, portsOfRule{i, own})
		}
		if w.gone[at] {
			bounds = append(bounds, own...)
		}
		if r.source == (sg.PortRange{}) {
			sourceAll.add(i)
		} else {
			sources = append(sources, portsOfRule{i, []sg.PortRange{r.source}})
		}
		if w.gone[at] && len(sourceBounds) == 0 {
			sourceBounds = []sg.PortRange{sg.AllPorts()}
		}
	}
	w.to, w.from = newTree(w.six, to), newTree(w.six, from)
	w.toMasks, w.fromMask = w.to.masks(toAll), w.from.masks(fromAll)
	if !w.ported {
		full := newBitset(n)
		for i := range n {
			full.add(i)
		}
		w.ports, w.sources = anyPort(full), anyPort(full)
		return
	}
	w.ports = newLine(ports, bounds, portAll)
	if len(sources) == 0 {
		w.sources = anyPort(sourceAll)
	} else {
		w.sources = newLine(sources, sourceBounds, sourceAll)
	}
}

// entries appends the blocks of one family that a rule speaks of; one that speaks of all addresses is added to all.
func (w *walk) entries(list []entry, all bitset, i int, every bool, blocks []block) []entry {
	if every {
		all.add(i)
		return list
	}
	for _, b := range blocks {
		if b.six == w.six {
			list = append(list, entry{b, i})
		}
	}
	return list
}

// run goes through all cells.
func (w *walk) run() {
	for at := range w.to.blocks {
		if w.over() {
			return
		}
		if w.to.hollow[at] || !meets(w.toMasks[at], w.removed) {
			continue
		}
		w.block(at)
	}
}

// block goes through the cells of a block of destinations.
func (w *walk) block(at int) {
	clear(w.found)
	w.outcomes = w.outcomes[:0]
	column := int32(0)
	for p := range w.ports.ranges {
		for f := range w.from.blocks {
			for s := range w.sources.ranges {
				w.steps += len(w.cell)
				if !w.from.hollow[f] && w.gather(at, p, f, s) {
					w.decide(at, column)
				}
				column++
			}
		}
		if w.over() {
			return
		}
	}
	for _, o := range w.outcomes {
		if w.results[o] == nil {
			w.results[o] = newArea()
		}
		w.results[o].add(w.found[o], at)
	}
}

// gather finds the rules that speak of a cell, and tells whether a removed one does.
func (w *walk) gather(at, p, f, s int) bool {
	to, ports, from, sources := w.toMasks[at], w.ports.masks[p], w.fromMask[f], w.sources.masks[s]
	some := uint64(0)
	for i := range w.cell {
		w.cell[i] = to[i] & ports[i] & from[i] & sources[i]
		some |= w.cell[i] & w.removed[i]
	}
	return some != 0
}

func meets(a, b bitset) bool {
	for i := range a {
		if a[i]&b[i] != 0 {
			return true
		}
	}
	return false
}

// note adds a cell to an outcome.
func (w *walk) note(kind outcomeKind, by, column int32) {
	o := outcome{kind, by}
	columns := w.found[o]
	if len(columns) == 0 {
		w.outcomes = append(w.outcomes, o)
	}
	w.found[o] = append(columns, column)
}
