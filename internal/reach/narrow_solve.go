package reach

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// kept is one rule of a proposal.
type kept struct {
	protocol    sg.Protocol
	destination netip.Prefix // not valid: the group or list of the old rule
	source      netip.Prefix // not valid: any
	ports       sg.PortRange // zero: does not apply, or the port list of the old rule instead
	sourcePorts sg.PortRange // zero: any
}

// solve finds the rules for all planes, and what is left. False if that is too much.
func (r *remainder) solve() (rules []kept, left []Space, ok bool) {
	for _, p := range r.planes {
		k, l, ok := r.solvePlane(p)
		if !ok {
			return nil, nil, false
		}
		rules, left = append(rules, k...), append(left, l...)
	}
	slices.SortStableFunc(rules, func(a, b kept) int {
		return cmp.Or(cmp.Compare(rank(a.protocol), rank(b.protocol)), comparePrefixes(a.destination, b.destination),
			cmp.Compare(a.ports.Low, b.ports.Low), comparePrefixes(a.source, b.source),
			cmp.Compare(a.sourcePorts.Low, b.sourcePorts.Low))
	})
	return rules, left, true
}

// named are the protocols that rules have names for, in the order of reports.
func named() []sg.Protocol { return []sg.Protocol{sg.TCP, sg.UDP, sg.ICMP, sg.ICMPv6, sg.GRE} }

// rank orders protocols: all of them, those with names, numbers.
func rank(p sg.Protocol) int {
	if p == sg.AllProtocols {
		return -1
	}
	if i := slices.Index(named(), p); i >= 0 {
		return i
	}
	return len(named()) + int(p)
}

func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(
		cmp.Compare(a.Addr().BitLen(), b.Addr().BitLen()), a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// solvePlane narrows one plane. What nobody objects to in any protocol stays with rules for all protocols, as these are the
// only ones that permit the protocols without names; the rest of it takes rules for each.
func (r *remainder) solvePlane(p *plane) (rules []kept, left []Space, ok bool) {
	if r.rule.Protocol != sg.AllProtocols {
		rules, ok = r.solveProtocol(p, r.rule.Protocol, nil)
		return rules, nil, ok
	}
	addresses := p.withoutPorts()
	untouched := newRegion(addresses, func(cell [dimensions]int) bool { return p.permits(cell) && !r.anyObjected(p, cell) })
	if untouched == nil {
		return nil, nil, false
	}
	pieces, ok := cover(untouched, untouched)
	if !ok {
		return nil, nil, false
	}
	for i := range pieces {
		rules = append(rules, r.kept(p, sg.AllProtocols, &pieces[i]))
	}
	for _, protocol := range named() {
		if !possible(protocol, p.family) {
			continue
		}
		more, ok := r.solveProtocol(p, protocol, untouched)
		if !ok {
			return nil, nil, false
		}
		rules = append(rules, more...)
	}
	left, ok = r.left(p, untouched)
	return rules, left, ok
}

// possible tells whether the cloud takes a rule for a protocol to destinations of a family: not for the other's ICMP. A
// destination that may be of both families is treated as IPv4, as its rules are mostly.
// Source: AuthorizeSecurityGroupEgress, the errors InvalidParam.Ipv4ProtocolConflictWithIpv6Address and the other way round.
func possible(protocol sg.Protocol, family Family) bool {
	switch protocol { //nolint:exhaustive // the others are of both families
	case sg.ICMP:
		return family != IPv6
	case sg.ICMPv6:
		return family == IPv6
	default:
		return true
	}
}

// withoutPorts are the axes of what has no ports.
func (p *plane) withoutPorts() [dimensions]*axis {
	return [dimensions]*axis{p.axes[alongDestination], p.axes[alongSource], onePoint(), onePoint()}
}

// permits tells whether the rule is about the addresses of a cell.
func (p *plane) permits(cell [dimensions]int) bool {
	return p.rule[alongDestination].has(cell[alongDestination]) && p.rule[alongSource].has(cell[alongSource])
}

// speaksOf tells whether an extent is about the addresses of a cell.
func (p *plane) speaksOf(extent int, cell [dimensions]int) bool {
	e := &p.extent[extent]
	return e[alongDestination].has(cell[alongDestination]) && e[alongSource].has(cell[alongSource])
}

// anyObjected tells whether anything that goes between the addresses of a cell is objected to.
func (r *remainder) anyObjected(p *plane, cell [dimensions]int) bool {
	for i := range r.objected {
		if p.speaksOf(i, cell) {
			return true
		}
	}
	return false
}

// objects tells whether a protocol is objected to in a cell.
func (r *remainder) objects(p *plane, protocol sg.Protocol, cell [dimensions]int) bool {
	ports := protocol == sg.TCP || protocol == sg.UDP
	for i := range r.objected {
		if e := &p.extent[i]; speaksOf(&r.objected[i], protocol) && p.speaksOf(i, cell) &&
			(!ports || e[alongPort].has(cell[alongPort]) && e[alongSourcePort].has(cell[alongSourcePort])) {
			return true
		}
	}
	return false
}

// solveProtocol finds rules for one protocol; nothing has to be done where the region done is.
func (r *remainder) solveProtocol(p *plane, protocol sg.Protocol, done *region) ([]kept, bool) {
	axes := p.axes
	ports := protocol == sg.TCP || protocol == sg.UDP
	if !ports {
		axes = p.withoutPorts()
	}
	may := newRegion(axes, func(cell [dimensions]int) bool {
		return p.permits(cell) && !r.objects(p, protocol, cell) &&
			(!ports || p.rule[alongPort].has(cell[alongPort]) && p.rule[alongSourcePort].has(cell[alongSourcePort]))
	})
	if may == nil {
		return nil, false
	}
	must := may
	if done != nil {
		must = newRegion(axes, func(cell [dimensions]int) bool {
			return may.has(cell) && !done.has([dimensions]int{cell[alongDestination], cell[alongSource]})
		})
	}
	pieces, ok := cover(may, must)
	if !ok {
		return nil, false
	}
	rules := make([]kept, len(pieces))
	for i := range pieces {
		rules[i] = r.kept(p, protocol, &pieces[i])
	}
	return rules, true
}

// kept is the rule for a piece.
func (r *remainder) kept(p *plane, protocol sg.Protocol, c *piece) kept {
	k := kept{protocol: protocol, source: p.axes[alongSource].shapes[c.source].prefix}
	if !r.byList {
		k.destination = p.axes[alongDestination].shapes[c.destination].prefix
	}
	if protocol != sg.TCP && protocol != sg.UDP {
		return k
	}
	if !r.portList {
		k.ports = p.axes[alongPort].portsIn(c.spans[alongPort])
	}
	k.sourcePorts = p.axes[alongSourcePort].portsIn(c.spans[alongSourcePort])
	if k.sourcePorts == sg.AllPorts() && r.rule.SourcePorts.IsZero() {
		k.sourcePorts = sg.PortRange{}
	}
	return k
}

// left is what the old rule permits of protocols that have no rule of their own.
func (r *remainder) left(p *plane, untouched *region) ([]Space, bool) {
	pieces := func(protocol sg.Protocol) ([]piece, bool) {
		lost := newRegion(p.withoutPorts(), func(cell [dimensions]int) bool {
			return p.permits(cell) && !untouched.has(cell) && !r.objects(p, protocol, cell)
		})
		return cover(lost, lost)
	}
	// Extents name neither [sg.NoProtocol] nor most of the protocols without a name: what is objected to of it is so of them.
	others, ok := pieces(sg.NoProtocol)
	if !ok {
		return nil, false
	}
	var spaces []Space
	var except []uint8
	for _, protocol := range r.unkept(p.family) {
		lost, ok := pieces(protocol)
		number, _ := protocol.Number()
		switch isNamed := slices.Contains(named(), protocol); {
		case !ok:
			return nil, false
		case !isNamed && slices.Equal(lost, others):
			continue
		case !isNamed:
			except = append(except, number)
		}
		spaces = append(spaces, r.boxes(p, lost, Space{Protocol: protocol.String()})...)
	}
	return append(spaces, r.boxes(p, others, Space{Protocol: ProtocolOther, Except: except})...), true
}

// unkept are the protocols that cannot have rules, as far as anything names them.
func (r *remainder) unkept(family Family) []sg.Protocol {
	var protocols []sg.Protocol
	for i := range r.objected {
		for _, protocol := range r.objected[i].Protocols {
			if protocol > sg.NoProtocol && !slices.Contains(named(), protocol) {
				protocols = append(protocols, protocol)
			}
		}
	}
	slices.Sort(protocols)
	protocols = slices.Compact(protocols)
	others := slices.DeleteFunc(named(), func(protocol sg.Protocol) bool { return possible(protocol, family) })
	return append(others, protocols...)
}

// boxes are the spaces of some pieces without ports.
func (r *remainder) boxes(p *plane, pieces []piece, s Space) []Space {
	var spaces []Space
	for i := range pieces {
		spaces = append(spaces, r.destinations(r.kept(p, sg.NoProtocol, &pieces[i]), s)...)
	}
	return spaces
}

// spaces is what a rule of a proposal permits.
func (r *remainder) spaces(k kept) []Space {
	var all []Space
	switch {
	case k.protocol == sg.AllProtocols:
		for _, protocol := range named() {
			s := Space{Protocol: protocol.String()}
			if protocol.HasPorts() {
				s.Ports = sg.AllPorts()
			}
			all = append(all, r.destinations(k, s)...)
		}
		return append(all, r.destinations(k, Space{Protocol: ProtocolOther})...)
	case r.portList && r.rule.PortList != nil:
		for _, ports := range r.rule.PortList.Ranges {
			all = append(all, r.destinations(k, Space{Protocol: k.protocol.String(), Ports: ports})...)
		}
		return all
	case r.portList:
		return r.destinations(k, Space{Protocol: k.protocol.String() + " ports of " + r.rule.PortListID})
	default:
		return r.destinations(k, Space{Protocol: k.protocol.String(), Ports: k.ports})
	}
}

// destinations completes a space by the addresses of a rule of a proposal: one space for each entry of a list.
func (r *remainder) destinations(k kept, s Space) []Space {
	s.Source, s.SourcePorts = k.source, k.sourcePorts
	if r.classic {
		s.NIC = r.nic
	}
	to := &r.rule.Destination
	switch {
	case k.destination.IsValid():
		s.CIDR = k.destination
		return []Space{s}
	case to.Kind == sg.PeerGroup:
		s.Group = to.Text
		return []Space{s}
	}
	var spaces []Space
	for _, entry := range to.List.Entries {
		if s.CIDR = entry; !s.Source.IsValid() || familyOf(s.Source) == familyOf(entry) {
			spaces = append(spaces, s)
		}
	}
	return spaces
}

// weight is how many rules of the quota a rule of a proposal counts for.
// Source: ECS user guide, "Limits": a rule for a prefix list counts as the entries that the list may have, which is no less
// than it has.
func (r *remainder) weight(k kept) int {
	if list := r.rule.Destination.List; !k.destination.IsValid() && list != nil {
		return max(1, len(list.Entries))
	}
	return 1
}

// How much of something is objected to.
const (
	not = iota
	partly
	wholly
)

// objectedOf tells how much is objected to of what the rule permits to a prefix.
func (r *remainder) objectedOf(group *sg.Group, entry netip.Prefix) int {
	rule := *r.rule
	rule.Destination = sg.Destination{Kind: sg.KindOf(entry), Text: entry.String(), CIDR: entry}
	one := newRemainder(group, &rule, r.objected)
	if one == nil {
		return not
	}
	if rules, left, ok := one.solve(); !ok || len(rules) > 0 || len(left) > 0 {
		return partly
	}
	return wholly
}
