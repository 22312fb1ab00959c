package policy

import (
	"math"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// newFilter makes the filter of a set, whose lists must still be merged.
func newFilter(policies []*Policy, lists []*addressList, atomWords int) *filter {
	f := &filter{words: (len(policies) + 63) / 64, used: make([]uint64, atomWords)}
	f.byAtom = make([]uint64, 64*atomWords*f.words)
	portLists, numbered := portListsOf(policies)
	b := bounds{
		probe:     &probe{rule: &sg.Rule{}},
		addresses: addressWeights(lists),
		ports:     portWeights(portLists),
		portLists: numbered,
	}
	byPortAtom := make([][]uint64, 2*len(portLists))
	for i := range byPortAtom {
		byPortAtom[i] = make([]uint64, f.words)
	}
	for _, situation := range f.situations(policies) {
		*b.probe.rule = situation
		masks := f.situation(&situation)
		for i, p := range policies {
			bound := b.of(&p.match)
			if !bound.possible {
				continue
			}
			setBit(masks[possible*f.words:], i)
			if bound.addresses.anything {
				setBit(masks[anyAddress*f.words:], i)
			}
			if bound.ports.anything {
				setBit(masks[anyPort*f.words:], i)
			}
			for _, atom := range bound.addresses.atoms {
				setBit(f.used, atom)
				setBit(f.byAtom[atom*f.words:], i)
			}
			for _, atom := range bound.ports.atoms {
				setBit(byPortAtom[atom], i)
			}
		}
	}
	f.ports = newPortMasks(portLists, byPortAtom, f.words)
	return f
}

// situations numbers the classes of protocols, makes room for the masks of all situations, and gives a rule for each.
func (f *filter) situations(policies []*Policy) []sg.Rule {
	var clauses []*protocolClause
	for _, p := range policies {
		p.match.leaves(func(c clause) {
			if c, is := c.(*protocolClause); is {
				clauses = append(clauses, c)
			}
		})
	}
	classes := map[string]uint16{}
	var rules []sg.Rule
	for p := sg.AllProtocols; int(p) < protocolSlots-1; p++ {
		told := []byte{byte(truth(p.HasPorts()))} // what tells protocols apart
		for _, c := range clauses {
			told = append(told, byte(c.of(p)))
		}
		class, known := classes[string(told)]
		if !known {
			class = uint16(len(classes)) //nolint:gosec // no more than there are protocols
			classes[string(told)] = class
			rules = append(rules, situationsOf(p)...)
		}
		f.classes[slotOf(p)] = class
	}
	f.masks = make([]uint64, len(rules)*maskParts*f.words)
	return rules
}

// situationsOf gives a rule for each situation that a protocol can be in.
func situationsOf(p sg.Protocol) []sg.Rule {
	var rules []sg.Rule
	for _, action := range []sg.Action{"", sg.Accept, sg.Drop} {
		for _, kind := range []sg.DestinationKind{sg.NoDestination, sg.CIDR4, sg.CIDR6, sg.FromList, sg.PeerGroup} {
			rules = append(rules, sg.Rule{Protocol: p, Action: action, Destination: sg.Destination{Kind: kind}})
		}
	}
	return rules
}

// addressWeights gives the share of all addresses that have an atom, by atom, added up over the families.
func addressWeights(lists []*addressList) []float64 {
	weights := make([]float64, 2*len(lists))
	for i, l := range lists {
		for f := range families {
			if !l.speaksOf(f) {
				continue
			}
			var held float64
			for _, s := range l.merged[f] {
				held += s.count() / f.whole().count()
			}
			weights[inBit(i)] += held
			weights[outBit(i)] += 1 - held
		}
	}
	return weights
}

// portListsOf numbers the lists that the policies compare destination ports with; equal ones are one.
func portListsOf(policies []*Policy) (lists []*numberList, numbered map[*numberList]int) {
	numbered = map[*numberList]int{}
	byContent := map[string]int{}
	for _, p := range policies {
		p.match.leaves(func(c clause) {
			ports, is := c.(*portsClause)
			if !is || ports.side != destinationSide {
				return
			}
			key := ports.list.canonical()
			number, known := byContent[key]
			if !known {
				number = len(lists)
				byContent[key], lists = number, append(lists, ports.list)
			}
			numbered[ports.list] = number
		})
	}
	return lists, numbered
}

func portWeights(lists []*numberList) []float64 {
	weights := make([]float64, 2*len(lists))
	for i, l := range lists {
		for _, n := range l.merged {
			weights[inBit(i)] += float64(n.high-n.low+1) / math.MaxUint16
		}
		weights[outBit(i)] = 1 - weights[inBit(i)]
	}
	return weights
}

// newPortMasks cuts the ports where a list begins or ends. byAtom has the policies that need an atom of a list.
func newPortMasks(lists []*numberList, byAtom [][]uint64, words int) portMasks {
	m := portMasks{words: words, starts: []uint16{0}, all: make([]uint64, words)}
	for _, l := range lists {
		for _, n := range l.merged {
			m.starts = append(m.starts, uint16(n.low)) //nolint:gosec // a port
			if n.high < math.MaxUint16 {
				m.starts = append(m.starts, uint16(n.high+1)) //nolint:gosec // a port
			}
		}
	}
	slices.Sort(m.starts)
	m.starts = slices.Compact(m.starts)
	m.masks = make([]uint64, len(m.starts)*words)
	for i, start := range m.starts {
		mask := m.masks[i*words:][:words]
		for l, list := range lists {
			atom := outBit(l)
			if list.meets([]numbers{{low: int(start), high: int(start)}}) {
				atom = inBit(l)
			}
			orInto(mask, byAtom[atom])
		}
		orInto(m.all, mask)
	}
	return m
}

// leaves calls f for every clause of the matcher.
func (m *matcher) leaves(f func(clause)) {
	if m.op == opLeaf {
		f(m.clause)
	}
	for i := range m.children {
		m.children[i].leaves(f)
	}
}
