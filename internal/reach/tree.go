package reach

import (
	"cmp"
	"slices"
)

// bitset is a set of the rules that speak of a block, by their place among these: the first bit is the rule that is asked
// first.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) add(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b bitset) remove(i int)   { b[i>>6] &^= 1 << (i & 63) }
func (b bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }

// resized gives an empty bitset for n rules, in the memory of b if that suffices.
func (b bitset) resized(n int) bitset {
	words := (n + 63) / 64
	if cap(b) < words {
		return make(bitset, words)
	}
	b = b[:words]
	clear(b)
	return b
}

func (b bitset) meets(o bitset) bool {
	for i := range b {
		if b[i]&o[i] != 0 {
			return true
		}
	}
	return false
}

// tree is the address blocks that rules speak of, nested, the whole family being its root. Blocks of addresses are either
// disjoint or one lies in the other. Parents come before their children, these in the order of addresses.
type tree struct {
	blocks  []block
	parent  []int32
	child   []int32 // first one, or 0
	next    []int32 // sibling, or 0
	entries []entry
	own     []extent  // of entries: the rules that speak of exactly this block
	hollow  []bool    // smaller blocks make up all of it
	sizes   []float64 // see [tree.size]
	order   []owned   // all addresses by the block that they are in; see [tree.inOrder]
}

// owned is addresses of a block that are in none within it.
type owned struct {
	stretch

	block int32
}

// entry is a block that a rule speaks of.
type entry struct {
	block

	rule int32
}

func newTree(isSix bool, entries []entry) *tree {
	all := wholeFamily(isSix)
	root := block{six: isSix, low: all.low, high: all.high}
	slices.SortFunc(entries, func(a, b entry) int {
		if c := a.low.compare(b.low); c != 0 {
			return c
		}
		if a.bits != b.bits {
			return cmp.Compare(a.bits, b.bits)
		}
		return cmp.Compare(a.rule, b.rule)
	})
	n := len(entries) + 1
	t := &tree{
		entries: entries, blocks: make([]block, 0, n), parent: make([]int32, 0, n), own: make([]extent, 0, n),
	}
	t.push(root, -1, 0)
	for i := range entries {
		e := &entries[i]
		at := int32(len(t.blocks) - 1) //nolint:gosec // bounded by the rules of groups
		for !t.blocks[at].contains(&e.block) {
			at = t.parent[at]
		}
		if t.blocks[at].bits != e.bits {
			at = t.push(e.block, at, i)
		}
		t.own[at].to = uint32(i + 1)
	}
	t.link()
	t.hollow = make([]bool, len(t.blocks))
	for at := range t.blocks {
		t.hollow[at] = t.child[at] != 0 && t.filled(at)
	}
	return t
}

// push appends a block of which the entries from one on speak.
func (t *tree) push(b block, parent int32, from int) int32 {
	t.blocks, t.parent = append(t.blocks, b), append(t.parent, parent)
	t.own = append(t.own, extent{uint32(from), uint32(from)}) //nolint:gosec // bounded by the rules of groups
	return int32(len(t.blocks) - 1)                           //nolint:gosec // bounded by the rules of groups
}

// link makes the lists of children, in the order of addresses.
func (t *tree) link() {
	t.child, t.next = make([]int32, len(t.blocks)), make([]int32, len(t.blocks))
	for at := len(t.blocks) - 1; at > 0; at-- {
		p := t.parent[at]
		t.next[at], t.child[p] = t.child[p], int32(at) //nolint:gosec // bounded by the rules of groups
	}
}

// filled tells whether the blocks within a block leave nothing of it.
func (t *tree) filled(at int) bool {
	low, high := t.blocks[at].low, t.blocks[at].high
	for c := t.child[at]; c != 0; c = t.next[c] {
		b := &t.blocks[c]
		if b.low != low {
			return false
		}
		if b.high == high {
			return true
		}
		low = b.high.next()
	}
	return false
}

// stretches appends the addresses of a block that are in none of the blocks within it.
func (t *tree) stretches(at int, list []stretch) []stretch {
	low, high := t.blocks[at].low, t.blocks[at].high
	for c := t.child[at]; c != 0; c = t.next[c] {
		if b := &t.blocks[c]; low.less(b.low) {
			list = append(list, stretch{low, b.low.previous()})
		}
		if t.blocks[c].high == high {
			return list
		}
		low = t.blocks[c].high.next()
	}
	return append(list, stretch{low, high})
}

// inOrder gives the addresses of some blocks that are in none within them, sorted and joined.
func (t *tree) inOrder(blocks []int32) []stretch {
	if t.order == nil {
		var own []stretch
		for at := range t.blocks {
			own = t.stretchesUnlessHollow(at, own[:0])
			for _, s := range own {
				t.order = append(t.order, owned{s, int32(at)})
			}
		}
		slices.SortFunc(t.order, func(a, b owned) int { return a.low.compare(b.low) })
	}
	in := make([]bool, len(t.blocks))
	for _, at := range blocks {
		in[at] = true
	}
	var list []stretch
	for i := range t.order {
		o := &t.order[i]
		switch n := len(list); {
		case !in[o.block]:
		case n > 0 && list[n-1].high.next() == o.low:
			list[n-1].high = o.high
		default:
			list = append(list, o.stretch)
		}
	}
	return list
}

func (t *tree) stretchesUnlessHollow(at int, list []stretch) []stretch {
	if t.hollow[at] {
		return list
	}
	return t.stretches(at, list)
}

// size is how many addresses of a block are in none of the blocks within it. It adds up what is left: to take away what is
// within would lose a few addresses of many.
func (t *tree) size(at int) float64 {
	if t.sizes == nil {
		t.sizes = make([]float64, len(t.blocks))
		var own []stretch
		for at := range t.blocks {
			own = t.stretchesUnlessHollow(at, own[:0])
			for _, s := range own {
				t.sizes[at] += s.size()
			}
		}
	}
	return t.sizes[at]
}

// masks gives for each block the rules that speak of all of it, given those that speak of every address.
func (t *tree) masks(everywhere bitset) []bitset {
	all := make([]bitset, len(t.blocks))
	words := len(everywhere)
	backing := make([]uint64, words*len(t.blocks))
	for at := range t.blocks {
		m := bitset(backing[at*words : (at+1)*words : (at+1)*words])
		if at == 0 {
			copy(m, everywhere)
		} else {
			copy(m, all[t.parent[at]])
		}
		for _, e := range t.entries[t.own[at].from:t.own[at].to] {
			m.add(int(e.rule))
		}
		all[at] = m
	}
	return all
}

// chains goes through the blocks of a tree from parents to children and gives for each the rules that speak of all of it,
// in the order in which they are asked.
type chains struct {
	tree   *tree
	chain  []int32 // of the blocks on the way from the root, one after the other
	blocks []int32
	ends   []int
}

// at gives the chain of a block, which is the root or comes after the last one that was asked for. It is good until then.
func (c *chains) at(block int32, everywhere []int32) []int32 {
	above := everywhere
	for n := len(c.blocks); n > 0 && c.blocks[n-1] != c.tree.parent[block]; n-- {
		c.blocks, c.ends = c.blocks[:n-1], c.ends[:n-1]
	}
	start := 0
	if n := len(c.blocks); n > 0 {
		start = c.ends[n-1]
		from := 0
		if n > 1 {
			from = c.ends[n-2]
		}
		above = c.chain[from:start]
	}
	c.chain = c.chain[:start]
	own := c.tree.entries[c.tree.own[block].from:c.tree.own[block].to]
	for len(above) > 0 || len(own) > 0 {
		var r int32
		if len(own) == 0 || len(above) > 0 && above[0] <= own[0].rule {
			r, above = above[0], above[1:]
		} else {
			r, own = own[0].rule, own[1:]
		}
		if n := len(c.chain); n == start || c.chain[n-1] != r {
			c.chain = append(c.chain, r)
		}
	}
	c.blocks, c.ends = append(c.blocks, block), append(c.ends, len(c.chain))
	return c.chain[start:]
}
