package policy

import (
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// probe is a rule prepared for evaluation: what the table says of its destination is looked up once and shared by all
// policies.
type probe struct {
	rule  *sg.Rule
	now   time.Time
	words []uint64 // the atoms that hold; address atoms only if dest is known

	dest         destination
	sawBadExpiry bool
}

// destination is the set of addresses of a rule, where it has one.
type destination struct {
	state value            // yes: known; unread or silent: why not
	spans [families][]span // merged; both families only in a prefix list with IPv4-mapped entries
	one   [1]span          // backs spans for a single block
}

// atoms numbers the facts about a rule that a look-up gives: two per address list, one per protocol relation, one per
// action. A policy that needs an atom which does not hold need not be evaluated.
type atoms struct {
	count     int
	protocols []protocolAtom
	accept    int
	drop      int
}

type protocolAtom struct {
	bit    int
	clause *protocolClause
}

func (a atoms) action(action sg.Action) int {
	if action == sg.Drop {
		return a.drop
	}
	return a.accept
}

// protocolSlots is all, unknown and the 256 numbers; see slotOf.
const protocolSlots = 258

func slotOf(p sg.Protocol) int { return int(p) + 1 }

// index is the compiled form that all policies of a set share.
type index struct {
	table     *table
	words     int
	protocols []uint64 // words per slot
	accept    int
	drop      int
}

func newIndex(lists []*addressList, a atoms) *index {
	x := &index{words: (a.count + 63) / 64, accept: a.accept, drop: a.drop}
	x.table = newTable(lists, x.words)
	x.protocols = make([]uint64, protocolSlots*x.words)
	for p := sg.AllProtocols; int(p) < protocolSlots-1; p++ {
		for _, atom := range a.protocols {
			if atom.clause.of(p) == yes {
				setBit(x.protocols[slotOf(p)*x.words:][:x.words], atom.bit)
			}
		}
	}
	return x
}

// fill looks a rule up.
func (x *index) fill(p *probe, rule *sg.Rule, lists *listCache) {
	p.rule = rule
	p.sawBadExpiry = false
	copy(p.words, x.protocols[slotOf(rule.Protocol)*x.words:][:x.words])
	switch rule.Action {
	case sg.Accept:
		setBit(p.words, x.accept)
	case sg.Drop:
		setBit(p.words, x.drop)
	}
	switch rule.Destination.Kind {
	case sg.CIDR4, sg.CIDR6:
		d := &p.dest
		f := familyOf(rule.Destination.CIDR.Addr())
		d.state, d.one[0] = yes, spanOf(rule.Destination.CIDR)
		d.spans = [families][]span{}
		d.spans[f] = d.one[:]
		x.table.or(f, d.one[0], p.words)
	case sg.FromList:
		known := lists.get(x, rule.Destination.List)
		p.dest.state, p.dest.spans = known.state, known.spans
		if known.state == yes {
			orInto(p.words, known.words)
		}
	case sg.PeerGroup:
		p.dest.state = silent
	case sg.NoDestination:
		p.dest.state = unread
	}
}

// listCache keeps what prefix lists come to, so that each is worked out once.
type listCache struct {
	known map[*sg.PrefixList]*listSpans
}

type listSpans struct {
	state value
	spans [families][]span
	words []uint64
}

func (c *listCache) get(x *index, list *sg.PrefixList) *listSpans {
	if known, ok := c.known[list]; ok {
		return known
	}
	// An empty list permits nothing today and anything tomorrow: what an exception says of it is not known.
	s := &listSpans{state: unread}
	if list != nil && len(list.Entries) > 0 {
		s.state, s.words = yes, make([]uint64, x.words)
		for _, e := range list.Entries {
			f := familyOf(e.Addr())
			s.spans[f] = append(s.spans[f], spanOf(e))
		}
		for f := range s.spans {
			s.spans[f] = merge(s.spans[f])
			for _, span := range s.spans[f] {
				x.table.or(family(f), span, s.words)
			}
		}
	}
	c.known[list] = s
	return s
}
