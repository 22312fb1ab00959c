package reach

import (
	"math/bits"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// maxSets bounds on how many sets a cell may depend: all their combinations are looked at.
const maxSets = 10

// byMembers says what becomes of the cell at hand where sets decide that are not known: for every combination of whether
// the point is in them.
func (w *walk) byMembers(q *question) {
	sets := w.setsOfCell()
	if len(sets) > maxSets {
		q.doubt(sets...)
		return
	}
	combinations := 1 << len(sets)
	var closed, opened []int
	for m := range combinations {
		w.steps += len(sets) + 1
		switch b, a := w.under(w.speaking, sets, m), w.under(w.staying, sets, m); {
		case a == b:
		case b == sg.Accept:
			closed = append(closed, m)
		default:
			opened = append(opened, m)
		}
	}
	switch {
	case len(closed) == 0 && len(opened) == 0:
	case len(closed) == combinations:
		w.note(q, closing, 0, everyPoint)
	case len(opened) == combinations:
		w.note(q, opening, 0, everyPoint)
	case len(opened) == 0:
		w.groups(q, closingGroups, sets, closed)
	case len(closed) == 0:
		w.groups(q, openingGroups, sets, opened)
	default:
		q.doubt(sets...)
	}
}

// setsOfCell are the sets on which rules depend up to the first one that does not, before and after.
func (w *walk) setsOfCell() []int16 {
	var sets []int16
	for i, word := range w.speaking {
		for ; word != 0; word &= word - 1 {
			k := i<<6 + bits.TrailingZeros64(word)
			w.steps++
			sets = append(sets, w.setsOf(k)...)
			if len(w.setsOf(k)) == 0 && !w.removed.has(k) {
				slices.Sort(sets)
				return slices.Compact(sets)
			}
		}
	}
	slices.Sort(sets)
	return slices.Compact(sets)
}

// under is what some rules do with a point of the cell that is in the sets of a combination.
func (w *walk) under(rules bitset, sets []int16, combination int) sg.Action {
	for i, word := range rules {
		for ; word != 0; word &= word - 1 {
			k := i<<6 + bits.TrailingZeros64(word)
			w.steps++
			speaks := true
			for _, s := range w.setsOf(k) {
				n, _ := slices.BinarySearch(sets, s)
				speaks = speaks && combination&(1<<n) != 0
			}
			if speaks {
				return w.rule(k).action
			}
		}
	}
	return w.fallback
}

// groups notes that the members of groups are closed or opened, if the combinations are all those with at least one of
// them; otherwise the cell is undecided.
func (w *walk) groups(q *question, kind outcomeKind, sets []int16, combinations []int) {
	mask := 0
	for k, s := range sets {
		if slices.Contains(combinations, 1<<k) && w.sets[s].kind == peerGroup {
			mask |= 1 << k
		}
	}
	all := 0
	for m := range 1 << len(sets) {
		if m&mask != 0 {
			all++
		}
	}
	for _, m := range combinations {
		if m&mask == 0 {
			all = -1
		}
	}
	if all != len(combinations) {
		q.doubt(sets...)
		return
	}
	var chosen []int16
	for k, s := range sets {
		if mask&(1<<k) != 0 {
			chosen = append(chosen, s)
		}
	}
	w.note(q, kind, w.choice(chosen), everyPoint)
}

// choice numbers a choice of groups.
func (w *walk) choice(groups []int16) int32 {
	for i, known := range w.choices {
		if slices.Equal(known, groups) {
			return int32(i)
		}
	}
	w.choices = append(w.choices, groups)
	return int32(len(w.choices) - 1) //nolint:gosec // few
}

// members notes that the members of groups are closed or opened, if that is so for all addresses of the family.
func (w *walk) members(q *question, into *bundle, o outcome, certain *area) {
	a := q.results[o]
	if certain == nil {
		certain = &area{}
	}
	groups := w.choices[o.by]
	var spots []spot
	for _, c := range w.columns(a, certain) {
		if c.parts[0] == nil {
			continue
		}
		var blocks []int32
		for n, of := range []*area{a, certain} {
			for _, i := range c.parts[n] {
				blocks = append(blocks, of.parts[i].blocks...)
			}
		}
		if all := w.stretches(blocks); len(all) != 1 || all[0] != wholeFamily(w.six) {
			q.doubt(groups...)
			continue
		}
		spots = append(spots, c.spot)
	}
	sides := w.sides.canonical(nil, spots)
	var list []Space
	for _, g := range groups {
		list = append(list, w.membersOf(g, sides)...)
	}
	into.add(w.layer, portion{groups: list})
}

// membersOf gives the spaces of the members of a set in the family of the layer.
func (w *walk) membersOf(set int16, sides []side) []Space {
	family := IPv4
	if w.six {
		family = IPv6
	}
	list := make([]Space, len(sides))
	for i := range sides {
		list[i] = sides[i].space()
		list[i].Group, list[i].Family, list[i].NIC = w.sets[set].name, family, w.nicName()
	}
	return list
}
