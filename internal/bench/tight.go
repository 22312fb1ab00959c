package main

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
	"sort"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// number is an address as a number of up to 128 bits.
type number struct{ high, low uint64 }

func (n number) less(o number) bool { return n.high < o.high || n.high == o.high && n.low < o.low }

func (n number) next() number {
	if n.low++; n.low == 0 {
		n.high++
	}
	return n
}

// ends are the first and the last address of a block.
func ends(p netip.Prefix) (first, last number) {
	host := p.Addr().BitLen() - p.Bits()
	if p.Addr().Is4() {
		b := p.Addr().As4()
		first.low = uint64(binary.BigEndian.Uint32(b[:]))
	} else {
		b := p.Addr().As16()
		first = number{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
	}
	last = first
	if host >= 64 {
		last.high |= 1<<(host-64) - 1
		last.low = math.MaxUint64
	} else {
		last.low |= 1<<host - 1
	}
	return first, last
}

// tightTable cuts the addresses of a family where a set begins or ends, and has for each piece the policies whose set
// holds it, and for allow-lists those whose set does not.
type tightTable struct {
	starts []number
	masks  []verdict
	slots  []int32 // by the top 16 bits: the piece that holds the first address with them
	four   bool
}

func newTightTable(sets [][]netip.Prefix, four bool) *tightTable {
	type edge struct {
		at     number
		policy int
		step   int
	}
	var edges []edge
	for i, set := range sets {
		for _, p := range set {
			if p.Addr().Is4() != four {
				continue
			}
			first, last := ends(p)
			edges = append(edges, edge{first, i, 1})
			after := last.next()
			if after != (number{}) && (!four || after.low <= math.MaxUint32) {
				edges = append(edges, edge{after, i, -1})
			}
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		switch {
		case a.at.less(b.at):
			return -1
		case b.at.less(a.at):
			return 1
		}
		return 0
	})
	t := &tightTable{four: four}
	var depth [policies]int
	push := func(at number) {
		var mask verdict
		for i, d := range depth {
			if (d > 0) != (formOf(i) == allowsOnly) {
				mask |= 1 << i
			}
		}
		t.starts, t.masks = append(t.starts, at), append(t.masks, mask)
	}
	if len(edges) == 0 || (edges[0].at != number{}) {
		push(number{})
	}
	for i := 0; i < len(edges); {
		at := edges[i].at
		for ; i < len(edges) && edges[i].at == at; i++ {
			depth[edges[i].policy] += edges[i].step
		}
		push(at)
	}
	t.index()
	return t
}

func (t *tightTable) top(n number) int {
	if t.four {
		return int(n.low >> 16)
	}
	return int(n.high >> 48)
}

func (t *tightTable) index() {
	t.slots = make([]int32, 1<<16+1)
	for slot := range t.slots {
		t.slots[slot] = int32(sort.Search(len(t.starts), func(i int) bool { return t.top(t.starts[i]) >= slot })) - 1 //nolint:gosec // few
	}
}

func (t *tightTable) find(n number) int {
	slot := t.top(n)
	low, high := max(int(t.slots[slot]), 0), int(t.slots[slot+1])+1
	for high-low > 1 {
		middle := int(uint(low+high) >> 1)
		if n.less(t.starts[middle]) {
			high = middle
		} else {
			low = middle
		}
	}
	return low
}

// tight is a loop written by hand for these policies: one search in one table of pieces, and the ports compared in
// place. It knows single blocks and nothing else.
func tight(w *workload) *engine {
	four, six := newTightTable(w.sets, true), newTightTable(w.sets, false)
	var ported verdict
	for i := range w.sets {
		if formOf(i) == withPorts {
			ported |= 1 << i
		}
	}
	forbidden := forbiddenPorts()
	one := func(r *sg.Rule) verdict {
		if r.Action != sg.Accept {
			return 0
		}
		table := six
		if r.Destination.CIDR.Addr().Is4() {
			table = four
		}
		first, last := ends(r.Destination.CIDR)
		var mask verdict
		for i := table.find(first); i < len(table.starts) && !last.less(table.starts[i]); i++ {
			mask |= table.masks[i]
		}
		if mask&ported == 0 {
			return mask
		}
		if r.Protocol == sg.TCP || r.Protocol == sg.AllProtocols {
			for _, p := range forbidden {
				if r.Ports.Low <= p[1] && p[0] <= r.Ports.High {
					return mask
				}
			}
		}
		return mask &^ ported
	}
	return &engine{name: "hand-tight loop", judge: func(from, to int, into []verdict) int {
		violating := 0
		for i := from; i < to; i++ {
			v := one(&w.rules[i])
			if v != 0 {
				violating++
			}
			if into != nil {
				into[i] = v
			}
		}
		return violating
	}}
}
