package policy

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// toAddr is the opposite of [toAddress].
func (a address) toAddr(f family) netip.Addr {
	if f == ipv4 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(a.lo)) //nolint:gosec // an IPv4 address has 32 bits
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
	return netip.AddrFrom16(b)
}

// text writes a range as policies do: as an address, a block, or a-b.
func (s span) text(f family) string {
	low, high := s.low.toAddr(f), s.high.toAddr(f)
	if s.low == s.high {
		return low.String()
	}
	for bits := range low.BitLen() {
		block := netip.PrefixFrom(low, bits)
		if block == block.Masked() && spanOf(block) == s {
			return block.String()
		}
	}
	return fmt.Sprintf("%s-%s", low, high)
}

func (s span) meets(other span) bool { return !s.high.less(other.low) && !other.high.less(s.low) }

// previous is the address before a, which is not the first.
func (a address) previous() address {
	if a.lo == 0 {
		a.hi--
	}
	a.lo--
	return a
}

// without gives what is left of s where the merged spans are taken out.
func (s span) without(merged []span) []span {
	var left []span
	for _, m := range merged {
		if !m.meets(s) {
			continue
		}
		if s.low.less(m.low) {
			left = append(left, span{low: s.low, high: m.low.previous()})
		}
		if !m.high.less(s.high) {
			return left
		}
		s.low = m.high.next()
	}
	return append(left, s)
}

// missing names the addresses of a set that the list does not hold, the families of which it has no element included.
func (l *addressList) missing(d *addresses) []string {
	var texts []string
	for f := range families {
		merged := merge(l.elements[f])
		for _, s := range d.spans[f] {
			for _, gap := range s.without(merged) {
				texts = append(texts, gap.text(f))
			}
		}
	}
	return texts
}

// meeting names the elements of the list that have something in common with a set.
func (l *addressList) meeting(d *addresses, counts func(element, of span) bool) []string {
	var texts []string
	for f := range families {
		for _, e := range l.elements[f] {
			if slices.ContainsFunc(d.spans[f], func(s span) bool { return counts(e, s) }) {
				texts = append(texts, e.text(f))
			}
		}
	}
	return texts
}

// why says what decided a relation of addresses that is true or false.
func (c *addressClause) why(a *addresses, v value) string {
	return decided(c.relation, v, evidence{
		meets: func() []string { return c.list.meeting(a, span.meets) },
		holds: func() []string {
			return c.list.meeting(a, func(e, of span) bool { return !e.low.less(of.low) && !of.high.less(e.high) })
		},
		missing: func() []string { return c.list.missing(a) },
	})
}

// evidence names what a relation between a rule's value and a list can turn on.
type evidence struct {
	meets   func() []string // elements of the list with which the value has something in common
	holds   func() []string // elements of the list that lie within the value
	missing func() []string // parts of the value that are not in the list
}

// decided says what decided a relation that is true or false.
func decided(r relation, v value, e evidence) string {
	switch r {
	case overlaps:
		if v == yes {
			return "it meets " + shortList(e.meets())
		}
		return "nothing of it is in the list"
	case within, outside:
		if (r == within) == (v == yes) {
			return "all of it is in the list"
		}
		return "not in the list: " + shortList(e.missing())
	case covers:
		if v == yes {
			return "it holds " + shortList(e.holds())
		}
		return "it holds no element of the list whole"
	case equals:
		if v == yes {
			return "it is an element of the list"
		}
	}
	return "it is no element of the list"
}

// silence says of which families of a destination the list has no element.
func (l *addressList) silence(d *addresses) string {
	var names []string
	for f := range families {
		if len(d.spans[f]) > 0 && !l.speaksOf(f) {
			names = append(names, f.String())
		}
	}
	return "the list has no " + strings.Join(names, " and no ") + " address, so it says nothing of this rule"
}
