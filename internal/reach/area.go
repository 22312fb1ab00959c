package reach

import (
	"encoding/binary"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
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
	spots := map[string][]spot{}
	var keys []string
	blocks := map[string][]int32{}
	for _, c := range w.columns(a) {
		var key []byte
		for _, i := range c.parts[0] {
			key = binary.LittleEndian.AppendUint32(key, uint32(i)) //nolint:gosec // an index
		}
		if blocks[string(key)] == nil {
			keys = append(keys, string(key))
			for _, i := range c.parts[0] {
				blocks[string(key)] = append(blocks[string(key)], a.parts[i].blocks...)
			}
			w.steps += len(blocks[string(key)])
		}
		spots[string(key)] = append(spots[string(key)], c.spot)
	}
	slabs := make([]slab, len(keys))
	for i, key := range keys {
		slabs[i] = slab{blocks[key], w.sides.canonical(nil, spots[key])}
	}
	return slabs
}

// maxParts bounds the parts of an area that are put together by sides: beyond, an answer may have more boxes than it needs.
const maxParts = 200

// column is a smallest range of ports, sources and source ports: no side of some areas cuts it.
type column struct {
	spot

	parts [][]int32 // of each area, those that have it
}

// cuts are the smallest ranges along each of the three.
type cuts struct {
	ports   []int // where each begins; the last one is where the last one ends
	sources []stretch
	origins []int
}

// columns gives the columns of areas that are in one of them at least, in order.
func (w *walk) columns(areas ...*area) []column {
	c := w.cutsOf(areas)
	p, f, s := max(1, len(c.ports)-1), max(1, len(c.sources)), max(1, len(c.origins)-1)
	if w.steps += p * f * s; w.over() {
		return nil
	}
	grid := make([]column, p*f*s)
	for n, a := range areas {
		for i := range a.parts {
			for _, one := range w.sides.sets[a.parts[i].sides] {
				c.each(&one, func(at int) {
					w.steps++
					if grid[at].parts == nil {
						grid[at].parts = make([][]int32, len(areas))
					}
					grid[at].parts[n] = append(grid[at].parts[n], int32(i)) //nolint:gosec // an index
				})
			}
		}
	}
	var list []column
	for at := range grid {
		if grid[at].parts != nil {
			grid[at].spot = c.spot(at)
			list = append(list, grid[at])
		}
	}
	return list
}

func (w *walk) cutsOf(areas []*area) *cuts {
	c := &cuts{}
	var starts []address // of stretches of sources
	whole := wholeFamily(w.six)
	for _, a := range areas {
		for i := range a.parts {
			for _, one := range w.sides.sets[a.parts[i].sides] {
				if !one.ports.IsZero() {
					c.ports = append(c.ports, int(one.ports.Low), int(one.ports.High)+1)
				}
				if one.source.IsValid() {
					b := newBlock(one.source)
					if starts = append(starts, b.low); b.high != whole.high {
						starts = append(starts, b.high.next())
					}
				}
				if !one.sourcePorts.IsZero() {
					c.origins = append(c.origins, int(one.sourcePorts.Low), int(one.sourcePorts.High)+1)
				}
			}
		}
	}
	if c.origins != nil {
		c.origins = append(c.origins, 1, maxPort+1)
	}
	for _, list := range []*[]int{&c.ports, &c.origins} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if starts != nil {
		starts = append(starts, whole.low)
		slices.SortFunc(starts, address.compare)
		starts = slices.Compact(starts)
		for i, low := range starts {
			high := whole.high
			if i+1 < len(starts) {
				high = starts[i+1].previous()
			}
			c.sources = append(c.sources, stretch{low, high})
		}
	}
	return c
}

// each visits the columns of a side, by their places in the grid.
func (c *cuts) each(one *side, visit func(at int)) {
	f, s := max(1, len(c.sources)), max(1, len(c.origins)-1)
	from, to := rangesOf(c.ports, one.ports)
	sFrom, sTo := rangesOf(c.origins, one.sourcePorts)
	fFrom, fTo := 0, f
	if one.source.IsValid() && c.sources != nil {
		b := newBlock(one.source)
		fFrom, _ = slices.BinarySearchFunc(c.sources, b.low, func(s stretch, low address) int { return s.low.compare(low) })
		fTo = fFrom
		for fTo < len(c.sources) && !b.high.less(c.sources[fTo].high) {
			fTo++
		}
	}
	for p := from; p < to; p++ {
		for k := fFrom; k < fTo; k++ {
			for o := sFrom; o < sTo; o++ {
				visit((p*f+k)*s + o)
			}
		}
	}
}

// rangesOf are the smallest ranges that a range of ports is made of; zero stands for all.
func rangesOf(cuts []int, p sg.PortRange) (from, to int) {
	if p.IsZero() {
		return 0, max(1, len(cuts)-1)
	}
	from, _ = slices.BinarySearch(cuts, int(p.Low))
	to, _ = slices.BinarySearch(cuts, int(p.High)+1)
	return from, to
}

// spot is the column at a place in the grid.
func (c *cuts) spot(at int) spot {
	f, s := max(1, len(c.sources)), max(1, len(c.origins)-1)
	var one spot
	if c.ports != nil {
		one.ports = rangeOf(c.ports, at/s/f)
	}
	if c.sources != nil {
		one.from = c.sources[at/s%f : at/s%f+1]
	}
	if c.origins != nil {
		one.sources = rangeOf(c.origins, at%s)
	}
	return one
}

func rangeOf(cuts []int, i int) sg.PortRange {
	return sg.PortRange{Low: uint16(cuts[i]), High: uint16(cuts[i+1] - 1)} //nolint:gosec // between 1 and 65535
}

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
	slices.SortFunc(list, func(a, b stretch) int { return a.low.compare(b.low) })
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

func (s *side) space() Space {
	return Space{Ports: s.ports, Source: s.source, SourcePorts: s.sourcePorts}
}

// nicName is the kind of interface of the layer, in the classic network.
func (w *walk) nicName() string {
	switch {
	case !w.classic:
		return ""
	case w.nic == internet:
		return sg.NICInternet
	}
	return sg.NICIntranet
}
