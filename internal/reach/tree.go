package reach

import (
	"cmp"
	"math"
	"slices"
)

// words is a set of the rules of a layer, by their place in it: the first bit is the rule that is asked first.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) add(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }

// tree is the address blocks that rules of a layer speak of, nested, the whole family being its root. Blocks of addresses
// are either disjoint or one lies in the other.
type tree struct {
	blocks []block
	parent []int
	child  []int   // first one, or 0
	next   []int   // sibling, or 0
	own    [][]int // rules that speak of exactly this block
	hollow []bool  // smaller blocks make up all of it
}

// entry is a block that a rule speaks of.
type entry struct {
	block

	rule int
}

func newTree(isSix bool, entries []entry) *tree {
	root := block{six: isSix, high: address{lo: math.MaxUint32}}
	if isSix {
		root.high = address{math.MaxUint64, math.MaxUint64}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(a.low.compare(b.low), cmp.Compare(a.bits, b.bits), cmp.Compare(a.rule, b.rule))
	})
	t := &tree{}
	t.push(root, -1)
	for i := range entries {
		e := &entries[i]
		at := len(t.blocks) - 1
		for !t.blocks[at].contains(&e.block) {
			at = t.parent[at]
		}
		if t.blocks[at].bits != e.bits {
			at = t.push(e.block, at)
		}
		t.own[at] = append(t.own[at], e.rule)
	}
	t.link()
	t.hollow = make([]bool, len(t.blocks))
	for at := range t.blocks {
		t.hollow[at] = t.child[at] != 0 && len(t.stretches(at, nil)) == 0
	}
	return t
}

func (t *tree) push(b block, parent int) int {
	t.blocks, t.parent = append(t.blocks, b), append(t.parent, parent)
	t.own = append(t.own, nil)
	return len(t.blocks) - 1
}

// link makes the lists of children, in the order of addresses.
func (t *tree) link() {
	t.child, t.next = make([]int, len(t.blocks)), make([]int, len(t.blocks))
	for at := len(t.blocks) - 1; at > 0; at-- {
		p := t.parent[at]
		t.next[at], t.child[p] = t.child[p], at
	}
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
		for _, r := range t.own[at] {
			m.add(r)
		}
		all[at] = m
	}
	return all
}
