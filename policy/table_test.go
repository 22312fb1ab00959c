package policy

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// meetsAndLeaves tells whether a range meets a list and whether it leaves it, by cutting the range down by one element
// after the other, and whether the list has elements of the family at all.
func meetsAndLeaves(elements []element, f family, s span) (meets, leaves, speaks bool) {
	rest := []span{s}
	for _, e := range elements {
		if e.family != f {
			continue
		}
		speaks = true
		var next []span
		for _, r := range rest {
			if e.span.high.less(r.low) || r.high.less(e.span.low) {
				next = append(next, r)
				continue
			}
			meets = true
			if r.low.less(e.span.low) {
				next = append(next, span{r.low, before(e.span.low)})
			}
			if e.span.high.less(r.high) {
				next = append(next, span{e.span.high.next(), r.high})
			}
		}
		rest = next
	}
	return meets, speaks && len(rest) > 0, speaks
}

func before(a address) address {
	if a.lo == 0 {
		a.hi--
	}
	a.lo--
	return a
}

func TestTheTableAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.SampledFrom([]int{1, 3, 32, 33, 70}).Draw(t, "lists")
		each := rapid.SampledFrom([]int{1, 5, 40}).Draw(t, "elements") // 40 × 70 makes more intervals than are searched
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		lists, elements := make([]*addressList, count), make([][]element, count)
		var bounds [families][]address
		for i := range lists {
			for range 1 + random.IntN(each) {
				e := randomElement(random)
				elements[i] = append(elements[i], e)
				bounds[e.family] = append(bounds[e.family], e.span.low, e.span.high)
			}
			lists[i] = newAddressList("", elements[i])
			lists[i].index = i
		}
		words := (2*count + 63) / 64
		table := newTable(lists, words)
		for range 200 {
			q := randomElement(random)
			// Half of the questions begin or end where an interval does, or beside it.
			if near := bounds[q.family]; len(near) > 0 && random.IntN(2) == 0 {
				q.span = spanNear(random, near, q.span)
			}
			got := make([]uint64, words)
			table.or(q.family, q.span, got)
			for i := range lists {
				meets, leaves, speaks := meetsAndLeaves(elements[i], q.family, q.span)
				if hasBit(got, inBit(i)) != meets || hasBit(got, outBit(i)) != leaves || lists[i].speaksOf(q.family) != speaks {
					t.Fatalf("%s %+v of list %d %+v: in %t out %t, want in %t out %t", q.family, q.span, i, elements[i],
						hasBit(got, inBit(i)), hasBit(got, outBit(i)), meets, leaves)
				}
			}
		}
	})
}

// spanNear moves one end of a range to a bound or beside it, where the range allows it.
func spanNear(random *rand.Rand, near []address, s span) span {
	moved := s
	end := &moved.low
	if random.IntN(2) == 0 {
		end = &moved.high
	}
	*end = near[random.IntN(len(near))]
	zero, last := address{}, address{hi: ^uint64(0), lo: ^uint64(0)}
	switch random.IntN(3) {
	case 0:
		if *end != zero {
			*end = before(*end)
		}
	case 1:
		if *end != last && end.lo != 1<<32-1 {
			*end = end.next()
		}
	}
	if moved.high.less(moved.low) {
		return s
	}
	return moved
}

// randomElement makes blocks and ranges of all sizes, many at the ends of the address space.
func randomElement(random *rand.Rand) element {
	length := 4
	if random.IntN(2) == 0 {
		length = 16
	}
	bytes := make([]byte, length)
	for i := range bytes {
		bytes[i] = byte(random.Uint32() & random.Uint32()) // low ones are near one another
	}
	if random.IntN(8) == 0 {
		for i := range bytes {
			bytes[i] = 0xff
		}
	}
	addr, _ := netip.AddrFromSlice(bytes)
	if addr.Is4In6() {
		addr = netip.IPv6Unspecified()
	}
	block := netip.PrefixFrom(addr, random.IntN(addr.BitLen()+1)).Masked()
	e := element{family: familyOf(addr), span: spanOf(block)}
	if random.IntN(4) == 0 && e.span.low != e.span.high { // a range that is no block
		e.span.low = e.span.low.next()
	}
	return e
}

// feedOf gives that many distinct prefixes of both families, the same at every call; every eighth is IPv6.
func feedOf(count int) []netip.Prefix {
	random := rand.New(rand.NewPCG(1, 2027))
	seen := make(map[netip.Prefix]bool, count)
	prefixes := make([]netip.Prefix, 0, count)
	for len(prefixes) < count {
		var p netip.Prefix
		if len(prefixes)%8 == 7 {
			var bytes [16]byte
			binary.BigEndian.PutUint64(bytes[:], 0x2000<<48|random.Uint64()>>3)
			p = netip.PrefixFrom(netip.AddrFrom16(bytes), 32+random.IntN(33)).Masked()
		} else {
			var bytes [4]byte
			binary.BigEndian.PutUint32(bytes[:], random.Uint32())
			p = netip.PrefixFrom(netip.AddrFrom4(bytes), 16+random.IntN(17)).Masked()
		}
		if !seen[p] {
			seen[p] = true
			prefixes = append(prefixes, p)
		}
	}
	return prefixes
}

func feedElements(prefixes []netip.Prefix) []element {
	elements := make([]element, len(prefixes))
	for i, p := range prefixes {
		elements[i] = element{family: familyOf(p.Addr()), span: spanOf(p)}
	}
	return elements
}

// bytesOf is the memory that a table and its list hold.
func bytesOf(t *table, list *addressList) int {
	size := int(unsafe.Sizeof(*t))
	for f := range list.elements {
		size += cap(list.elements[f])*int(unsafe.Sizeof(span{})) + cap(list.least[f])*int(unsafe.Sizeof(address{}))
	}
	for f := range t.families {
		iv := &t.families[f]
		size += cap(iv.starts)*int(unsafe.Sizeof(address{})) + 4*cap(iv.short) + 8*cap(iv.masks) + 4*cap(iv.first)
		for _, level := range iv.blocks {
			size += 8 * cap(level)
		}
	}
	return size
}

func TestTheTableTakesAtMost160BytesAPrefix(t *testing.T) {
	t.Parallel()
	const count = 100_000
	list := newAddressList("", feedElements(feedOf(count)))
	list.prepareElements()
	per := float64(bytesOf(newTable([]*addressList{list}, 1), list)) / count
	t.Logf("%.0f bytes a prefix", per)
	if per > 160 {
		t.Errorf("the table takes %.0f bytes a prefix, more than 160", per)
	}
}

func BenchmarkBuildTable(b *testing.B) {
	const count = 100_000
	elements := feedElements(feedOf(count))
	var built *table
	var list *addressList
	for b.Loop() {
		list = newAddressList("", elements)
		built = newTable([]*addressList{list}, 1)
	}
	b.ReportMetric(float64(bytesOf(built, list))/count, "B/prefix")
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/build")
}

func TestMergingKeepsTheUnion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var spans []span
		for range random.IntN(20) {
			low := address{lo: random.Uint64N(60)}
			spans = append(spans, span{low, address{lo: low.lo + random.Uint64N(8)}})
		}
		original := slices.Clone(spans)
		merged := merge(spans)
		if !slices.Equal(original, spans) {
			t.Fatal("the argument was changed")
		}
		holds := func(spans []span, a address) bool {
			return slices.ContainsFunc(spans, func(s span) bool { return span{a, a}.within(s) })
		}
		for i := range uint64(80) {
			if a := (address{lo: i}); holds(merged, a) != holds(spans, a) {
				t.Fatalf("%v merged to %v: differs at %d", spans, merged, i)
			}
		}
		for i := range len(merged) - 1 {
			if !merged[i].high.next().less(merged[i+1].low) {
				t.Fatalf("%v merged to %v: two touch", spans, merged)
			}
		}
	})
}

func TestElementsAreReadExactly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0.0.0.0/0":       "IPv4 {0 0}-{0 4294967295}",
		"255.255.255.255": "IPv4 {0 4294967295}-{0 4294967295}",
		"::/0":            "IPv6 {0 0}-{18446744073709551615 18446744073709551615}",
		"::1":             "IPv6 {0 1}-{0 1}",
		"::/64":           "IPv6 {0 0}-{0 18446744073709551615}",
		"::/63":           "IPv6 {0 0}-{1 18446744073709551615}",
		"0.0.0.1-0.0.1.0": "IPv4 {0 1}-{0 256}",
		"::1-::1:0:0:0:0": "IPv6 {0 1}-{1 0}",
	} {
		e, err := parseElement(text)
		if got := fmt.Sprintf("%s %v-%v", e.family, e.span.low, e.span.high); err != nil || got != want {
			t.Errorf("%s: got %s (%v), want %s", text, got, err, want)
		}
	}
}

func (s span) within(t span) bool { return !s.low.less(t.low) && !t.high.less(s.high) }
