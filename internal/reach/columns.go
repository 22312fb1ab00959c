package reach

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

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
