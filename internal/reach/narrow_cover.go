package reach

import (
	"cmp"
	"slices"
)

// The dimensions of what a rule for one protocol permits.
const (
	alongDestination = iota
	alongSource
	alongPort
	alongSourcePort
	dimensions
)

// A piece is a box of cells that one rule can permit.
type piece struct {
	spans       [dimensions]span
	destination int // shapes
	source      int
}

// region is a set of boxes of cells over four axes.
type region struct {
	axes [dimensions]*axis
	// sums[c] is how many cells that are in the region lie below c in every dimension, so that every box is counted in
	// constant time.
	sums   []int32
	stride [dimensions]int
}

// maxCells bounds the size of a region, and so the memory and time of narrowing.
const maxCells = 1 << 18

// newRegion tells for every cell whether it is in a region. Nil if there are too many cells.
func newRegion(axes [dimensions]*axis, in func(cell [dimensions]int) bool) *region {
	r := &region{axes: axes}
	size := 1
	for d := dimensions - 1; d >= 0; d-- {
		r.stride[d] = size
		if size *= axes[d].cells + 1; size > maxCells {
			return nil
		}
	}
	r.sums = make([]int32, size)
	r.each(func(cell [dimensions]int) {
		if in(cell) {
			r.sums[r.at(cell)] = 1
		}
	})
	for d := range dimensions {
		for i := r.stride[d]; i < size; i++ {
			if i/r.stride[d]%(axes[d].cells+1) > 0 {
				r.sums[i] += r.sums[i-r.stride[d]]
			}
		}
	}
	return r
}

// at is the place of a cell in sums.
func (r *region) at(cell [dimensions]int) int {
	i := 0
	for d, c := range cell {
		i += (c + 1) * r.stride[d]
	}
	return i
}

// each visits all cells, whether they are in the region or not.
func (r *region) each(visit func(cell [dimensions]int)) {
	for d := range r.axes[0].cells {
		for s := range r.axes[1].cells {
			for p := range r.axes[2].cells {
				for q := range r.axes[3].cells {
					visit([dimensions]int{d, s, p, q})
				}
			}
		}
	}
}

// count is how many cells of a box are in the region.
func (r *region) count(spans *[dimensions]span) int {
	total := 0
	for corner := range 1 << dimensions {
		i, sign := 0, 1
		for d := range dimensions {
			c := spans[d].hi
			if corner>>d&1 == 1 {
				c, sign = spans[d].lo, -sign
			}
			i += c * r.stride[d]
		}
		total += sign * int(r.sums[i])
	}
	return total
}

func (r *region) has(cell [dimensions]int) bool {
	var spans [dimensions]span
	for d, c := range cell {
		spans[d] = span{c, c + 1}
	}
	return r.count(&spans) == 1
}

// holds tells whether all of a box is in the region.
func (r *region) holds(spans *[dimensions]span) bool {
	volume := 1
	for _, s := range spans {
		volume *= s.size()
	}
	return r.count(spans) == volume
}

// maxPieces bounds how many pieces are looked at, and maxWork how many times cells are held against them.
const (
	maxPieces = 1 << 13
	maxWork   = 1 << 22
)

// largest are the pieces in a region of which none is part of another, if they have something of must in them. False if
// there are too many.
func (r *region) largest(must *region) ([]piece, bool) {
	var pieces []piece
	work := 0
	for d, destination := range r.axes[alongDestination].shapes {
		for s, source := range r.axes[alongSource].shapes {
			for lo := range r.axes[alongSourcePort].cells {
				for hi := r.axes[alongSourcePort].cells; hi > lo; hi-- {
					p := piece{destination: d, source: s}
					p.spans = [dimensions]span{destination.span, source.span, {}, {lo, hi}}
					if work += r.axes[alongPort].cells; work > maxWork {
						return nil, false
					}
					if pieces = r.runs(pieces, p, must); len(pieces) > maxPieces {
						return nil, false
					}
				}
			}
		}
	}
	return pieces, true
}

// runs adds the longest spans of ports for which a piece is in the region and cannot be larger.
func (r *region) runs(pieces []piece, p piece, must *region) []piece {
	ports := r.axes[alongPort].cells
	for lo := 0; lo < ports; {
		hi := lo
		for ; hi < ports; hi++ {
			p.spans[alongPort] = span{hi, hi + 1}
			if !r.holds(&p.spans) {
				break
			}
		}
		if p.spans[alongPort] = (span{lo, hi}); hi > lo && must.count(&p.spans) > 0 && !r.growable(&p) {
			pieces = append(pieces, p)
		}
		lo = hi + 1
	}
	return pieces
}

// growable tells whether a piece is part of a larger one that differs in another dimension than ports.
func (r *region) growable(p *piece) bool {
	for d, at := range [...]int{alongDestination: p.destination, alongSource: p.source} {
		parent := r.axes[d].shapes[at].parent
		if parent < 0 {
			continue
		}
		larger := p.spans
		larger[d] = r.axes[d].shapes[parent].span
		if r.holds(&larger) {
			return true
		}
	}
	wider := p.spans
	if wider[alongSourcePort].lo--; wider[alongSourcePort].lo >= 0 && r.holds(&wider) {
		return true
	}
	wider = p.spans
	wider[alongSourcePort].hi++
	return wider[alongSourcePort].hi <= r.axes[alongSourcePort].cells && r.holds(&wider)
}

// cover finds pieces of a region that have all of must, which is part of it, in them. It takes what has no alternative, then
// always the piece that has most of what is missing. False if there is too much to look at.
//
// Where only addresses and ports are cut there are no alternatives, so that the pieces are the fewest: a piece of a prefix
// is the only one for any port that it has and the next wider prefix has not, unless it has that port in wider pieces of
// both halves. These are then needed, each for the same reason, and the piece is not. With source ports cut as well about
// one random region in a thousand could do with one piece less.
func cover(may, must *region) ([]piece, bool) {
	pieces, ok := may.largest(must)
	if !ok {
		return nil, false
	}
	c := &covering{pieces: pieces}
	work := 0
	must.each(func(cell [dimensions]int) {
		if work += len(pieces); work > maxWork || !must.has(cell) {
			return
		}
		var by []int
		for i := range pieces {
			if pieces[i].covers(cell) {
				by = append(by, i)
			}
		}
		c.by = append(c.by, by)
	})
	if work > maxWork {
		return nil, false
	}
	return c.solve(), true
}

func (p *piece) covers(cell [dimensions]int) bool {
	for d, c := range cell {
		if c < p.spans[d].lo || c >= p.spans[d].hi {
			return false
		}
	}
	return true
}

// covering is a choice of pieces in the making.
type covering struct {
	pieces []piece
	by     [][]int // of each cell, the pieces that cover it

	cells   [][]int // of each piece, the cells that it covers
	gain    []int   // of each piece, how many of these none of the chosen covers
	covered []bool  // cells
	open    int     // how many cells are not covered
	chosen  []int
}

func (c *covering) solve() []piece {
	c.simplify()
	c.cells, c.gain = make([][]int, len(c.pieces)), make([]int, len(c.pieces))
	for cell, by := range c.by {
		for _, p := range by {
			c.cells[p] = append(c.cells[p], cell)
			c.gain[p]++
		}
	}
	c.covered, c.open = make([]bool, len(c.by)), len(c.by)
	for _, by := range c.by {
		if len(by) == 1 {
			c.choose(by[0])
		}
	}
	for c.open > 0 {
		c.choose(slices.Index(c.gain, slices.Max(c.gain)))
	}
	slices.Sort(c.chosen)
	out := make([]piece, len(c.chosen))
	for i, p := range c.chosen {
		out[i] = c.pieces[p]
	}
	return out
}

// simplify leaves out cells that are covered whenever another one is, as far as that is cheap to see.
func (c *covering) simplify() {
	fewestFirst := func(a, b []int) int { return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b)) }
	slices.SortFunc(c.by, fewestFirst)
	c.by = slices.CompactFunc(c.by, slices.Equal)
	needed := make([]bool, len(c.pieces))
	c.by = slices.DeleteFunc(c.by, func(by []int) bool {
		if slices.ContainsFunc(by, func(p int) bool { return needed[p] }) {
			return true
		}
		if len(by) == 1 {
			needed[by[0]] = true
		}
		return false
	})
}

func (c *covering) choose(p int) {
	c.chosen = append(c.chosen, p)
	for _, cell := range c.cells[p] {
		if c.covered[cell] {
			continue
		}
		c.covered[cell] = true
		c.open--
		for _, other := range c.by[cell] {
			c.gain[other]--
		}
	}
}
