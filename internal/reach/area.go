package reach

import (
	"encoding/binary"
	"slices"
)

// area is cells that have an outcome in common: blocks of destinations by which sides of them it is.
type area struct {
	parts  []part
	weight float64 // how much it is, by which witnesses are sorted: shares of the family times ports
}

type part struct {
	sides  int32 // number of the set
	blocks []int32
}

func (a *area) add(sides, at int32) {
	for i := range a.parts {
		if a.parts[i].sides == sides {
			a.parts[i].blocks = append(a.parts[i].blocks, at)
			return
		}
	}
	a.parts = append(a.parts, part{sides, []int32{at}})
}

// slab is some blocks of destinations times some sides.
type slab struct {
	blocks []int32
	sides  []side
}

// flat divides an area by addresses: none is in two slabs.
func (w *walk) flat(a *area) []slab {
	slabs := make([]slab, len(a.parts))
	for i := range a.parts {
		slabs[i] = slab{a.parts[i].blocks, w.sides.sets[a.parts[i].sides]}
	}
	return slabs
}

// wide divides an area by sides: none is in two slabs. Nil if that is not worth the work.
func (w *walk) wide(a *area) []slab {
	if len(a.parts) < 2 || len(a.parts) > maxParts {
		return nil
	}
	type same struct {
		blocks []int32
		spots  []spot
	}
	var found gathered[same] // the columns that the same parts have
	for _, c := range w.columns(a) {
		var key []byte
		for _, i := range c.parts[0] {
			key = binary.LittleEndian.AppendUint32(key, uint32(i)) //nolint:gosec // an index
		}
		s := found.of(key)
		if s.spots = append(s.spots, c.spot); s.blocks != nil {
			continue
		}
		for _, i := range c.parts[0] {
			s.blocks = append(s.blocks, a.parts[i].blocks...)
		}
		w.steps += len(s.blocks)
	}
	slabs := make([]slab, len(found.list))
	for i, s := range found.list {
		slabs[i] = slab{s.blocks, w.sides.canonical(nil, s.spots)}
	}
	return slabs
}

// maxParts bounds the parts of an area that are put together by sides: beyond, an answer may have more boxes than it needs.
const maxParts = 200

// stretches are the addresses of blocks, without what lies in others, sorted and joined.
func (w *walk) stretches(blocks []int32) []stretch {
	const many = 8 // so many times fewer blocks than there are take less to sort than to look for
	if len(blocks)*many > len(w.to.blocks) {
		return w.to.inOrder(blocks)
	}
	var list []stretch
	for _, at := range blocks {
		list = w.to.stretches(int(at), list)
	}
	return joined(list)
}

// count adds up what an area closes.
func (w *walk) count(q *question, a *area) {
	total := 0.0
	var blocks []int32
	for i := range a.parts {
		addresses := 0.0
		for _, at := range a.parts[i].blocks {
			addresses += w.to.size(int(at))
		}
		total += addresses * float64(w.sides.ports[a.parts[i].sides])
		blocks = append(blocks, a.parts[i].blocks...)
	}
	for _, p := range w.layer.protocols {
		if !slices.Contains(w.analysis.protocols()[:ownPlanes], p) {
			key := restKey{w.nic, w.six}
			q.rest[key] = append(q.rest[key], w.stretches(blocks)...)
			continue
		}
		q.closed.add(total, w.six)
	}
}
