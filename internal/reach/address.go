package reach

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"slices"
)

// address is an address of either family as a number. IPv4 ones are in the low 32 bits.
type address struct{ hi, lo uint64 }

func addressOf(a netip.Addr) address {
	if a.Is4() {
		b := a.As4()
		return address{lo: uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return address{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (a address) addr(six bool) netip.Addr {
	if !six {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(a.lo)) //nolint:gosec // IPv4 has 32 bits
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
	return netip.AddrFrom16(b)
}

func (a address) compare(b address) int {
	if a.hi != b.hi {
		return cmp.Compare(a.hi, b.hi)
	}
	return cmp.Compare(a.lo, b.lo)
}

func (a address) less(b address) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

// next is the address after a; after the last one comes the first.
func (a address) next() address {
	lo, carry := bits.Add64(a.lo, 1, 0)
	return address{a.hi + carry, lo}
}

func (a address) previous() address {
	lo, borrow := bits.Sub64(a.lo, 1, 0)
	return address{a.hi - borrow, lo}
}

// last is the last address of the block of 2^hosts addresses that begins at a.
func (a address) last(hosts int) address {
	if hosts > 64 {
		return address{a.hi | (1<<(hosts-64) - 1), math.MaxUint64}
	}
	if hosts == 64 {
		return address{a.hi, math.MaxUint64}
	}
	return address{a.hi, a.lo | (1<<hosts - 1)}
}

// trailing is how many zero bits the address ends with.
func (a address) trailing() int {
	if a.lo != 0 {
		return bits.TrailingZeros64(a.lo)
	}
	return 64 + bits.TrailingZeros64(a.hi)
}

// stretch is the addresses from low to high of one family.
type stretch struct{ low, high address }

// wholeFamily is all addresses of a family.
func wholeFamily(six bool) stretch { return stretch{high: address{}.last(width(six))} }

// size is how many addresses it is.
func (s stretch) size() float64 {
	lo, borrow := bits.Sub64(s.high.lo, s.low.lo, 0)
	hi, _ := bits.Sub64(s.high.hi, s.low.hi, borrow)
	return float64(hi)*(1<<63)*2 + float64(lo) + 1
}

// chunk is a block of addresses in short: its first one, and how many bits of it are free.
type chunk struct {
	low   address
	hosts uint8
}

func (s chunk) prefix(six bool) netip.Prefix {
	return netip.PrefixFrom(s.low.addr(six), width(six)-int(s.hosts))
}

func width(six bool) int {
	if six {
		return 128
	}
	return 32
}

// each visits the fewest blocks that make up the stretch, as long as that is wanted.
func (s stretch) each(six bool, visit func(chunk) bool) {
	for low := s.low; ; {
		hosts := min(low.trailing(), width(six))
		for s.high.less(low.last(hosts)) {
			hosts--
		}
		if !visit(chunk{low, uint8(hosts)}) { //nolint:gosec // at most 128
			return
		}
		end := low.last(hosts)
		if !end.less(s.high) {
			return
		}
		low = end.next()
	}
}

// chunks appends the fewest blocks that make up the stretch.
func (s stretch) chunks(list []chunk, six bool) []chunk {
	s.each(six, func(c chunk) bool {
		list = append(list, c)
		return true
	})
	return list
}

// joined sorts stretches, in place, and merges those that overlap or touch.
func joined(list []stretch) []stretch {
	slices.SortFunc(list, func(a, b stretch) int { return a.low.compare(b.low) })
	merged := list[:0:0]
	for _, s := range list {
		if n := len(merged); n > 0 && (!merged[n-1].high.less(s.low) || merged[n-1].high.next() == s.low) {
			if merged[n-1].high.less(s.high) {
				merged[n-1].high = s.high
			}
			continue
		}
		merged = append(merged, s)
	}
	return merged
}
