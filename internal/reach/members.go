package reach

import (
	"math/bits"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// maxSets bounds on how many sets a cell may depend: all their combinations are looked at.
const maxSets = 10

// byMembers says what becomes of a cell where sets decide that are not known: for every combination of whether the point
// is in them.
func (w *walk) byMembers(column int32) {
	sets := w.setsOfCell()
	if len(sets) > maxSets {
		w.doubt(sets...)
		return
	}
	combinations := 1 << len(sets)
	var closed, opened []int
	for m := range combinations {
		w.steps += len(sets) + 1
		switch b, a := w.under(sets, m, false), w.under(sets, m, true); {
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
		w.note(closing, 0, column)
	case len(opened) == combinations:
		w.note(opening, 0, column)
	case len(opened) == 0:
		w.groups(closingGroups, sets, closed, column)
	case len(closed) == 0:
		w.groups(openingGroups, sets, opened, column)
	default:
		w.doubt(sets...)
	}
}

// setsOfCell are the sets on which rules depend up to the first one that does not, before and after.
func (w *walk) setsOfCell() []int16 {
	var sets []int16
	for i, word := range w.cell {
		for ; word != 0; word &= word - 1 {
			r := i<<6 + bits.TrailingZeros64(word)
			w.steps++
			sets = append(sets, w.opaque[r]...)
			if len(w.opaque[r]) == 0 && !w.removed.has(r) {
				slices.Sort(sets)
				return slices.Compact(sets)
			}
		}
	}
	slices.Sort(sets)
	return slices.Compact(sets)
}

// under is what happens to a point of the cell that is in the sets of a combination.
func (w *walk) under(sets []int16, combination int, staying bool) sg.Action {
	for i, word := range w.cell {
		if staying {
			word &^= w.removed[i]
		}
		for ; word != 0; word &= word - 1 {
			r := i<<6 + bits.TrailingZeros64(word)
			w.steps++
			speaks := true
			for _, s := range w.opaque[r] {
				k, _ := slices.BinarySearch(sets, s)
				speaks = speaks && combination&(1<<k) != 0
			}
			if speaks {
				return w.rules[w.local[r]].action
			}
		}
	}
	return w.fallback
}

// groups notes that the members of groups are closed or opened, if the combinations are all those with at least one of
// them; otherwise the cell is undecided.
func (w *walk) groups(kind outcomeKind, sets []int16, combinations []int, column int32) {
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
		w.doubt(sets...)
		return
	}
	var chosen []int16
	for k, s := range sets {
		if mask&(1<<k) != 0 {
			chosen = append(chosen, s)
		}
	}
	w.note(kind, w.choice(chosen), column)
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
