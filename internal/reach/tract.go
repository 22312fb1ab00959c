package reach

import "net/netip"

// tract is a space in the form in which people speak of it: a block, without some blocks that lie in it.
type tract struct {
	Space

	outside   []netip.Prefix
	addresses float64 // how many it has; 0: all of the block
}

// tracts gives an area in the form for people: by addresses or by sides, whichever takes fewer blocks.
func (w *walk) tracts(flat, wide []slab) []tract {
	list, n := w.tractsOf(flat)
	if wide != nil {
		if other, m := w.tractsOf(wide); m <= n {
			return other
		}
	}
	return list
}

// tractsOf also counts the blocks that there are to read.
func (w *walk) tractsOf(slabs []slab) (list []tract, blocks int) {
	for _, p := range slabs {
		found, n := w.outline(p.blocks)
		if chunks := w.fewer(p.blocks, n); chunks != nil {
			found, n = found[:0], len(chunks)
			for _, s := range chunks {
				found = append(found, tract{Space: Space{CIDR: s.prefix(w.six)}})
			}
		}
		blocks += n + len(found)*(len(p.sides)-1)
		for _, r := range found {
			for i := range p.sides {
				one := r
				one.Space = p.sides[i].space()
				one.CIDR, one.NIC = r.CIDR, w.nicName()
				list = append(list, one)
			}
		}
		w.steps += len(list) / 8
	}
	return list, blocks
}

// fewer gives the blocks that make up the addresses of some blocks, if they are no more than n.
func (w *walk) fewer(blocks []int32, n int) []chunk {
	var chunks []chunk
	stretches := w.stretches(blocks)
	if len(stretches) > n {
		return nil
	}
	for _, s := range stretches {
		if chunks = s.chunks(chunks, w.six); len(chunks) > n {
			return nil
		}
	}
	return chunks
}

// outline gives some blocks, each without the blocks within, as the outermost ones and what of these is not among them.
// It counts all that it names.
func (w *walk) outline(blocks []int32) (list []tract, named int) {
	t := w.to
	in := make([]bool, len(t.blocks))
	for _, at := range blocks {
		in[at] = true
	}
	for at := len(t.blocks) - 1; at >= 0; at-- { // a block that smaller ones fill up is in if all of these are
		if !t.hollow[at] {
			continue
		}
		in[at] = true
		for c := t.child[at]; c != 0; c = t.next[c] {
			in[at] = in[at] && in[c]
		}
	}
	of := make([]int32, len(t.blocks)) // of each that is in, its tract
	for at := range t.blocks {
		above := t.parent[at]
		inside := above >= 0 && in[above]
		switch {
		case in[at] && inside:
			of[at] = of[above]
		case in[at]:
			of[at] = int32(len(list)) //nolint:gosec // bounded by the rules of groups
			list = append(list, tract{Space: Space{CIDR: t.blocks[at].prefix()}})
			named++
		case inside:
			r := &list[of[above]]
			r.outside = append(r.outside, t.blocks[at].prefix())
			named++
		}
		if in[at] && !t.hollow[at] {
			list[of[at]].addresses += t.size(at)
		}
	}
	return list, named
}

func (b *block) prefix() netip.Prefix { return netip.PrefixFrom(b.low.addr(b.six), int(b.bits)) }

// asTracts gives spaces of which no other form is known.
func asTracts(spaces []Space) []tract {
	list := make([]tract, len(spaces))
	for i := range spaces {
		list[i].Space = spaces[i]
	}
	return list
}

// tractsOfAll gives the tracts of portions with their protocols.
func tractsOfAll(portions []titled) []tract {
	var list []tract
	for _, p := range portions {
		from := len(list)
		list = append(list, p.tracts...)
		list = append(list, asTracts(p.groups)...)
		for i := range list[from:] {
			list[from+i].Protocol, list[from+i].Except = p.protocol, p.except
		}
	}
	return list
}
