package policy

import (
	"math/bits"
	"slices"
)

// table answers, for a range of addresses and all address lists of a policy set at once, which lists the range meets
// and which it leaves.
//
// The lists' bounds cut the addresses of a family into intervals within which nothing changes. Each interval has a
// mask with two bits a list: inBit if the list holds the interval, outBit if it does not. A range's answer is the OR
// of the masks of the intervals it touches: inBit means that it overlaps the list, outBit that it is not within it.
// So the cost of a look-up does not depend on how many lists there are or how long they are: it is one search, and for
// a range over many intervals two look-ups more in a sparse table of ORs over blocks of intervals.
type table struct {
	words    int
	families [families]intervals
}

func inBit(list int) int  { return 2 * list }
func outBit(list int) int { return 2*list + 1 }

// intervals is the table of one family.
type intervals struct {
	starts []address // where each interval begins; the first is 0
	masks  []uint64  // words per interval
	blocks [][]uint64
	// first[k] is the interval that holds the first address whose top 16 bits are k, to shorten the search.
	first []uint32
	shift func(address) int
}

const (
	blockBits  = 4 // 16 intervals a block
	firstSlots = 1 << 16
	// fewIntervals is how many are searched without the index, which costs 256 KiB.
	fewIntervals = 512
)

// newTable builds the table. Bits from 2·len(lists) on are left to the caller.
func newTable(lists []*addressList, words int) *table {
	t := &table{words: words}
	for f := range families {
		t.families[f] = newIntervals(lists, f, words)
	}
	return t
}

// edge is where a list begins or ends to hold addresses.
type edge struct {
	at   address
	list int
}

func newIntervals(lists []*addressList, f family, words int) intervals {
	var edges []edge
	mask := make([]uint64, words)
	for i, l := range lists {
		if !l.speaksOf(f) {
			continue
		}
		setBit(mask, outBit(i))
		for _, s := range l.merged[f] {
			edges = append(edges, edge{at: s.low, list: i})
			if after := s.high.next(); f.has(after) {
				edges = append(edges, edge{at: after, list: i})
			}
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return a.at.compare(b.at) })
	t := intervals{shift: topBits(f)}
	t.starts = make([]address, 0, len(edges)+1)
	t.masks = make([]uint64, 0, (len(edges)+1)*words)
	t.push(address{}, mask)
	for i := 0; i < len(edges); {
		at := edges[i].at
		for ; i < len(edges) && edges[i].at == at; i++ {
			flipBit(mask, inBit(edges[i].list))
			flipBit(mask, outBit(edges[i].list))
		}
		t.push(at, mask)
	}
	t.starts, t.masks = slices.Clip(t.starts), slices.Clip(t.masks)
	t.buildBlocks(words)
	t.buildFirst()
	return t
}

// push begins an interval at an address, in order; one that begins where the last one does takes its place.
func (t *intervals) push(at address, mask []uint64) {
	if n := len(t.starts); n > 0 && t.starts[n-1] == at {
		copy(t.masks[(n-1)*len(mask):], mask)
		return
	}
	t.starts = append(t.starts, at)
	t.masks = append(t.masks, mask...)
}

// buildBlocks makes level k hold the OR over 2^k blocks from each block on.
func (t *intervals) buildBlocks(words int) {
	count := len(t.starts) >> blockBits
	if count == 0 {
		return
	}
	level := make([]uint64, count*words)
	for i := range count << blockBits {
		orInto(level[i>>blockBits*words:][:words], t.masks[i*words:])
	}
	t.blocks = append(t.blocks, level)
	for width := 1; 2*width <= count; width *= 2 {
		next := make([]uint64, (count-2*width+1)*words)
		for i := range count - 2*width + 1 {
			into := next[i*words:][:words]
			copy(into, level[i*words:])
			orInto(into, level[(i+width)*words:])
		}
		t.blocks = append(t.blocks, next)
		level = next
	}
}

// topBits gives the function that takes the top 16 bits of an address of a family.
func topBits(f family) func(address) int {
	if f == ipv4 {
		return func(a address) int { return int(a.lo >> 16 & 0xffff) }
	}
	return func(a address) int { return int(a.hi >> 48) }
}

func (t *intervals) buildFirst() {
	if len(t.starts) <= fewIntervals {
		return
	}
	t.first = make([]uint32, firstSlots+1)
	slot := 0
	for i, start := range t.starts {
		for ; slot <= t.shift(start); slot++ {
			t.first[slot] = uint32(max(i-1, 0))
		}
	}
	for ; slot <= firstSlots; slot++ {
		t.first[slot] = uint32(len(t.starts) - 1) //nolint:gosec // bounded by the size of the files
	}
}

// find gives the interval that holds an address.
func (t *intervals) find(a address) int {
	low, high := 0, len(t.starts)
	if t.first != nil {
		slot := t.shift(a)
		low, high = int(t.first[slot]), int(t.first[slot+1])+1
	}
	for high-low > 1 {
		middle := int(uint(low+high) >> 1)
		if a.less(t.starts[middle]) {
			high = middle
		} else {
			low = middle
		}
	}
	return low
}

// or adds the bits of a range to into. The range must be of the family.
func (t *table) or(f family, s span, into []uint64) {
	iv := &t.families[f]
	from := iv.find(s.low)
	to := from
	if from+1 < len(iv.starts) && !s.high.less(iv.starts[from+1]) { // most rules lie in one interval
		to = iv.find(s.high)
	}
	firstBlock, endBlock := (from+1<<blockBits-1)>>blockBits, (to+1)>>blockBits
	if firstBlock >= endBlock {
		for i := from; i <= to; i++ {
			orInto(into, iv.masks[i*t.words:])
		}
		return
	}
	for i := from; i < firstBlock<<blockBits; i++ {
		orInto(into, iv.masks[i*t.words:])
	}
	for i := endBlock << blockBits; i <= to; i++ {
		orInto(into, iv.masks[i*t.words:])
	}
	level := bits.Len(uint(endBlock-firstBlock)) - 1
	orInto(into, iv.blocks[level][firstBlock*t.words:])
	orInto(into, iv.blocks[level][(endBlock-1<<level)*t.words:])
}

func orInto(into, from []uint64) {
	for w := range into {
		into[w] |= from[w]
	}
}

func setBit(words []uint64, bit int)      { words[bit>>6] |= 1 << (bit & 63) }
func flipBit(words []uint64, bit int)     { words[bit>>6] ^= 1 << (bit & 63) }
func hasBit(words []uint64, bit int) bool { return words[bit>>6]&(1<<(bit&63)) != 0 }
