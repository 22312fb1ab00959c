package policy

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// address is an IPv4 or IPv6 address as a number. Families never meet in one list, so it does not say which.
type address struct{ hi, lo uint64 }

func (a address) compare(b address) int {
	return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo))
}

func (a address) less(b address) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

// next is the address after a; it wraps at the end of IPv6.
func (a address) next() address {
	if a.lo++; a.lo == 0 {
		a.hi++
	}
	return a
}

func toAddress(a netip.Addr) address {
	if a.Is4() {
		b := a.As4()
		return address{lo: uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return address{hi: binary.BigEndian.Uint64(b[:8]), lo: binary.BigEndian.Uint64(b[8:])}
}

// span is a range of addresses of one family, both ends included.
type span struct{ low, high address }

// spanOf is the range of a masked prefix.
func spanOf(p netip.Prefix) span {
	low := toAddress(p.Addr())
	host := p.Addr().BitLen() - p.Bits()
	high := low
	switch {
	case host >= 64:
		high.lo = ^uint64(0)
		high.hi |= 1<<(host-64) - 1
	default:
		high.lo |= 1<<host - 1
	}
	return span{low: low, high: high}
}

// family tells IPv4 from IPv6.
type family uint8

const (
	ipv4 family = iota
	ipv6
	families
)

func (f family) String() string {
	if f == ipv4 {
		return "IPv4"
	}
	return "IPv6"
}

// whole is every address of the family.
func (f family) whole() span {
	if f == ipv4 {
		return span{high: address{lo: 1<<32 - 1}}
	}
	return span{high: address{hi: ^uint64(0), lo: ^uint64(0)}}
}

// has tells whether an address that follows one of the family is still of it.
func (f family) has(next address) bool {
	if f == ipv4 {
		return next.lo <= 1<<32-1
	}
	return next != address{}
}

func familyOf(a netip.Addr) family {
	if a.Is4() {
		return ipv4
	}
	return ipv6
}

// element is one entry of an address list as a policy writes it: a block, an address or a range a-b.
type element struct {
	family family
	span   span
}

// parseElement reads an entry of a policy or set. Unlike data of the cloud it must be exact: no host bits, no
// IPv4-mapped IPv6, no zone.
func parseElement(text string) (element, error) {
	if low, high, isRange := strings.Cut(text, "-"); isRange {
		return parseRange(text, low, high)
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		addr, addrErr := netip.ParseAddr(text)
		if addrErr != nil {
			return element{}, fmt.Errorf("%q is no address block, address or range a-b", text)
		}
		if err := exactAddr(text, addr); err != nil {
			return element{}, err
		}
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	if err := exactAddr(text, prefix.Addr()); err != nil {
		return element{}, err
	}
	if masked := prefix.Masked(); masked != prefix {
		return element{}, fmt.Errorf("%q has host bits set; write %s or the one address meant", text, masked)
	}
	return element{family: familyOf(prefix.Addr()), span: spanOf(prefix)}, nil
}

func parseRange(text, low, high string) (element, error) {
	from, errLow := netip.ParseAddr(low)
	to, errHigh := netip.ParseAddr(high)
	if errLow != nil || errHigh != nil {
		return element{}, fmt.Errorf("%q is no address range: write two addresses as a-b", text)
	}
	for _, a := range []netip.Addr{from, to} {
		if err := exactAddr(text, a); err != nil {
			return element{}, err
		}
	}
	if from.Is4() != to.Is4() {
		return element{}, fmt.Errorf("%q mixes IPv4 and IPv6", text)
	}
	if to.Less(from) {
		return element{}, fmt.Errorf("%q ends before it begins", text)
	}
	return element{family: familyOf(from), span: span{low: toAddress(from), high: toAddress(to)}}, nil
}

func exactAddr(text string, a netip.Addr) error {
	switch {
	case a.Zone() != "":
		return fmt.Errorf("%q has a zone, which no security group rule can mean", text)
	case a.Is4In6():
		return fmt.Errorf("%q is IPv4 written as IPv6; write the IPv4 form", text)
	}
	return nil
}

// wide tells whether an element spans more than a /8 of IPv4 or a /16 of IPv6, which in a set is more often a slip
// than meant.
func (e element) wide() bool {
	size := address{hi: e.span.high.hi - e.span.low.hi, lo: e.span.high.lo - e.span.low.lo}
	if e.span.high.lo < e.span.low.lo {
		size.hi--
	}
	if e.family == ipv4 {
		return size.lo > 1<<24-1
	}
	return size.hi > 1<<48-1
}

// merge sorts spans and joins those that overlap or touch.
func merge(spans []span) []span {
	if len(spans) == 0 {
		return nil
	}
	sorted := slices.Clone(spans)
	slices.SortFunc(sorted, func(a, b span) int {
		return cmp.Or(a.low.compare(b.low), a.high.compare(b.high))
	})
	merged := sorted[:1]
	for _, s := range sorted[1:] {
		last := &merged[len(merged)-1]
		touches := !last.high.less(s.low) || last.high.next() == s.low
		switch {
		case !touches:
			merged = append(merged, s)
		case last.high.less(s.high):
			last.high = s.high
		}
	}
	return slices.Clip(merged)
}
