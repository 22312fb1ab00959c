package policy

import (
	"math/bits"
	"net/netip"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Bounds of what is told of an objection: beyond them nobody would write narrower rules by hand.
const (
	maxExtents  = 16   // of a union
	maxObjected = 256  // blocks or ranges of an extent
	maxCompared = 4096 // elements of a list that a rule is compared with one by one
)

// objection is what a true matcher objects to of a rule, as a union of extents. Not told: more, or nobody can say.
type objection struct {
	extents []sg.Extent
	told    bool
}

// wholly objects to the whole rule.
func wholly() objection { return objection{extents: []sg.Extent{{}}, told: true} }

// objects says what a true matcher objects to: of an `all` what all children do, of an `any` what one of the true ones
// does. Clauses that compare no sets object to the rule as it is.
func (m *matcher) objects(p *probe, assume assumption) objection {
	switch m.op {
	case opLeaf:
		c, can := m.clause.(objector)
		if !can || m.negated {
			if c, blind := m.clause.(collateralClause); blind && !m.negated && c.collateral(p) {
				return objection{} // an expression: it says that there is more, and not what
			}
			return wholly()
		}
		return c.objects(p)
	case opAll:
		all := wholly()
		for i := range m.children {
			all = all.and(m.children[i].objects(p, assume))
		}
		return all
	case opAny:
		some := objection{told: true}
		for i := range m.children {
			if c := &m.children[i]; c.eval(p, assume) == yes {
				some = some.or(c.objects(p, assume))
			}
		}
		return some
	case opNot:
	}
	return objection{}
}

// objected gives the extents of an objection to less than the whole rule, and nil for others.
func (m *matcher) objected(p *probe, assume assumption) []sg.Extent {
	o := m.objects(p, assume)
	if !o.told || slices.ContainsFunc(o.extents, isWhole) {
		return nil
	}
	return o.extents
}

func isWhole(e sg.Extent) bool {
	return e.Protocols == nil && e.Destinations == nil && e.Ports == nil && e.Sources == nil && e.SourcePorts == nil
}

func (o objection) or(other objection) objection {
	if !o.told || !other.told || len(o.extents)+len(other.extents) > maxExtents {
		return objection{}
	}
	return objection{extents: append(slices.Clip(o.extents), other.extents...), told: true}
}

func (o objection) and(other objection) objection {
	if !o.told || !other.told || len(o.extents)*len(other.extents) > maxExtents {
		return objection{}
	}
	both := objection{told: true}
	for _, a := range o.extents {
		for _, b := range other.extents {
			both.extents = append(both.extents, sg.Extent{
				Protocols:    shared(a.Protocols, b.Protocols, commonProtocol),
				Destinations: shared(a.Destinations, b.Destinations, commonBlock),
				Ports:        shared(a.Ports, b.Ports, commonPorts),
				Sources:      shared(a.Sources, b.Sources, commonBlock),
				SourcePorts:  shared(a.SourcePorts, b.SourcePorts, commonPorts),
			})
		}
	}
	return both
}

// shared gives what two lists have in common, nil being everything.
func shared[T any](a, b []T, meet func(a, b T) (T, bool)) []T {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	list := []T{}
	for _, x := range a {
		for _, y := range b {
			if both, some := meet(x, y); some {
				list = append(list, both)
			}
		}
	}
	return list
}

func commonProtocol(a, b sg.Protocol) (sg.Protocol, bool) { return a, a == b }

func commonBlock(a, b netip.Prefix) (netip.Prefix, bool) {
	if a.Bits() < b.Bits() {
		a, b = b, a
	}
	return a, a.Overlaps(b)
}

func commonPorts(a, b sg.PortRange) (sg.PortRange, bool) {
	both := sg.PortRange{Low: max(a.Low, b.Low), High: min(a.High, b.High)}
	return both, both.Low <= both.High
}

// objector is a clause that can object to a part of a rule and says which.
type objector interface {
	objects(p *probe) objection
}

func (c *addressClause) objects(p *probe) objection {
	a := c.addresses(p)
	if c.relation != outside && !c.collateral(p) {
		return wholly()
	}
	blocks := []netip.Prefix{}
	for f := range families {
		if len(c.list.elements[f]) > maxCompared {
			return objection{}
		}
		merged := merge(c.list.elements[f])
		for _, s := range a.spans[f] {
			parts := s.without(merged)
			if c.relation == overlaps {
				parts = s.meetings(merged)
			}
			for _, part := range parts {
				blocks = part.blocks(blocks, f)
			}
		}
	}
	if len(blocks) > maxObjected {
		return objection{}
	}
	if c.side == sourceSide {
		return objection{extents: []sg.Extent{{Sources: blocks}}, told: true}
	}
	return objection{extents: []sg.Extent{{Destinations: blocks}}, told: true}
}

// meetings gives what s has in common with merged spans.
func (s span) meetings(merged []span) []span {
	var parts []span
	for _, m := range merged {
		if !m.meets(s) {
			continue
		}
		part := s
		if part.low.less(m.low) {
			part.low = m.low
		}
		if m.high.less(part.high) {
			part.high = m.high
		}
		parts = append(parts, part)
	}
	return parts
}

// blocks appends the fewest blocks that make up the span, and stops once there are more than anybody asks for.
func (s span) blocks(list []netip.Prefix, f family) []netip.Prefix {
	width := s.low.toAddr(f).BitLen()
	for low := s.low; len(list) <= maxObjected; {
		hosts := min(low.zeros(), width)
		for s.high.less(spanOf(netip.PrefixFrom(low.toAddr(f), width-hosts)).high) {
			hosts--
		}
		block := netip.PrefixFrom(low.toAddr(f), width-hosts)
		list = append(list, block)
		end := spanOf(block).high
		if !end.less(s.high) {
			break
		}
		low = end.next()
	}
	return list
}

// zeros is how many zero bits the address ends with.
func (a address) zeros() int {
	if a.lo != 0 {
		return bits.TrailingZeros64(a.lo)
	}
	return 64 + bits.TrailingZeros64(a.hi)
}

func (c *portsClause) objects(p *probe) objection {
	if c.relation != outside && !c.collateral(p) && p.rule.Protocol != sg.AllProtocols {
		return wholly()
	}
	if c.relation != outside && c.relation != overlaps {
		return wholly()
	}
	ports, _ := c.ports(p)
	ranges := []sg.PortRange{}
	for _, n := range ports {
		for _, part := range c.parts(n) {
			ranges = append(ranges, sg.PortRange{Low: uint16(part.low), High: uint16(part.high)}) //nolint:gosec // ports
		}
	}
	if len(ranges) > maxObjected {
		return objection{}
	}
	e := sg.Extent{Ports: ranges}
	if c.side == sourceSide {
		e = sg.Extent{SourcePorts: ranges}
	}
	if p.rule.Protocol == sg.AllProtocols { // others have no ports
		e.Protocols = []sg.Protocol{sg.TCP, sg.UDP}
	}
	return objection{extents: []sg.Extent{e}, told: true}
}

// parts gives what of a range is in the list, or outside of it.
func (c *portsClause) parts(n numbers) []numbers {
	var inside, beyond []numbers
	low := n.low
	for _, m := range c.list.merged {
		if m.high < n.low || n.high < m.low {
			continue
		}
		part := numbers{max(n.low, m.low), min(n.high, m.high)}
		if low < part.low {
			beyond = append(beyond, numbers{low, part.low - 1})
		}
		inside, low = append(inside, part), part.high+1
	}
	if low <= n.high {
		beyond = append(beyond, numbers{low, n.high})
	}
	if c.relation == outside {
		return beyond
	}
	return inside
}

func (c *protocolClause) objects(p *probe) objection {
	_, single := p.rule.Protocol.Number()
	if single || c.full || c.relation != outside && c.relation != overlaps {
		return wholly()
	}
	list := []sg.Protocol{}
	for n := range 256 {
		if hasBit(c.numbers[:], n) == (c.relation == overlaps) {
			list = append(list, sg.Protocol(n+1))
		}
	}
	return objection{extents: []sg.Extent{{Protocols: list}}, told: true}
}
