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
	count  int
	starts []address // where each interval begins; the first is 0
	short  []uint32  // the same for IPv4, in a quarter of the memory, which is what a search mostly waits for
	masks  []uint64  // words per interval
	blocks [][]uint64
	// first[k] is the interval that holds the first address whose top bits are k, to shorten the search; drop is how many
	// bits are below them in the number that has them.
	first []uint32
	drop  int
}

const (
	blockBits = 4 // 16 intervals a block
	// fewIntervals is how many are searched without the index of 16 bits, which costs 256 KiB.
	fewIntervals = 512
)

// newTable builds the table; words is how many the bits of all lists take.
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
	var t intervals
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
	t.buildFirst(f)
	t.count = len(t.starts)
	if f == ipv4 {
		t.shorten()
	}
	return t
}

// shorten puts the starts of IPv4 into short.
func (t *intervals) shorten() {
	t.short = make([]uint32, len(t.starts))
	for i, start := range t.starts {
		t.short[i] = uint32(start.lo) //nolint:gosec // an address of IPv4
	}
	t.starts = nil
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

// buildFirst indexes the intervals by as many of the top bits as are worth the memory. Lists of IPv4 are spread over its
// addresses, so that even eight bits leave a short search; those of IPv6 share theirs.
func (t *intervals) buildFirst(f family) {
	var indexed int
	switch {
	case len(t.starts) > fewIntervals:
		indexed = 16
	case f == ipv4 && len(t.starts) > 1:
		indexed = 8
	default:
		return
	}
	t.drop = 64 - indexed
	if f == ipv4 {
		t.drop = 32 - indexed
	}
	t.first = make([]uint32, 1<<indexed+1)
	slot := 0
	for i, start := range t.starts {
		for ; slot <= t.top(f, start); slot++ {
			t.first[slot] = uint32(max(i-1, 0))
		}
	}
	for ; slot < len(t.first); slot++ {
		t.first[slot] = uint32(len(t.starts) - 1) //nolint:gosec // bounded by the size of the files
	}
}

// top gives the top bits of an address.
func (t *intervals) top(f family, a address) int {
	if f == ipv4 {
		return int(a.lo >> t.drop) //nolint:gosec // 16 bits at most
	}
	return int(a.hi >> t.drop) //nolint:gosec // 16 bits at most
}

// find gives the interval that holds an address.
func (t *intervals) find(a address) int {
	if t.short != nil {
		return t.findShort(uint32(a.lo)) //nolint:gosec // an address of IPv4
	}
	low, high := 0, t.count
	if t.first != nil {
		slot := a.hi >> t.drop
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

// findShort is find for IPv4.
func (t *intervals) findShort(a uint32) int {
	low, high := 0, t.count
	if t.first != nil {
		slot := a >> t.drop
		low, high = int(t.first[slot]), int(t.first[slot+1])+1
	}
	for high-low > 1 {
		middle := int(uint(low+high) >> 1)
		if a < t.short[middle] {
			high = middle
		} else {
			low = middle
		}
	}
	return low
}

// endsBefore tells whether an interval ends before an address.
func (t *intervals) endsBefore(i int, a address) bool {
	switch {
	case i+1 >= t.count:
		return false
	case t.short != nil:
		return t.short[i+1] <= uint32(a.lo) //nolint:gosec // an address of IPv4
	}
	return !a.less(t.starts[i+1])
}

// or adds the bits of a range to into. The range must be of the family.
func (t *table) or(f family, s span, into []uint64) {
	iv := &t.families[f]
	from := iv.find(s.low)
	to := from
	if iv.endsBefore(from, s.high) {
		to = iv.find(s.high)
	} else if t.words == 1 { // most rules lie in one interval, and most sets need one word
		into[0] |= iv.masks[from]
		return
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
