package policy

import (
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// probe is a rule prepared for evaluation: what the table says of its destination is looked up once and shared by all
// policies, and so is what it says of the source, once a clause asks for it.
type probe struct {
	index *index
	lists *listCache
	now   time.Time

	account string
	group   *sg.Group // of the rule; for expressions

	rule  *sg.Rule
	words []uint64 // the atoms of dest; none if it is not known

	dest         addresses
	source       addresses // see sourceAddresses
	knowsSource  bool
	ports        [1]numbers // backs the ports of a rule without a port list
	sawBadExpiry bool
}

func newProbe(x *index, now time.Time) *probe {
	p := &probe{index: x, now: now, words: make([]uint64, x.words), lists: newListCache()}
	p.dest.words = p.words
	p.source.words = make([]uint64, x.words)
	return p
}

// addresses are the set of addresses that a rule goes to or comes from, where it has one.
type addresses struct {
	state value            // yes: known; unread or silent: why not
	unset bool             // of a source: the rule restricts none
	spans [families][]span // merged; both families only in a prefix list with IPv4-mapped entries, or where unset
	words []uint64         // what the table says of them; of no meaning unless they are known
	one   [families]span   // backs spans for a single block
}

// add adds a block, the first of its family.
func (a *addresses) add(t *table, f family, s span) {
	a.one[f] = s
	a.spans[f] = a.one[f : f+1]
	t.or(f, s, a.words)
}

// protocolSlots is all, unknown and the 256 numbers; see slotOf.
const protocolSlots = 258

func slotOf(p sg.Protocol) int { return int(p) + 1 }

// index is the compiled form of the address lists that all policies and exceptions of a set share.
type index struct {
	table *table
	words int // of a mask of atoms: two per list, see [inBit] and [outBit]
}

// fill looks a rule up.
func (p *probe) fill(rule *sg.Rule) {
	x := p.index
	p.rule = rule
	p.sawBadExpiry, p.knowsSource = false, false
	clear(p.words)
	switch rule.Destination.Kind {
	case sg.CIDR4, sg.CIDR6:
		p.dest.state, p.dest.spans = yes, [families][]span{}
		p.dest.add(x.table, familyOf(rule.Destination.CIDR.Addr()), spanOf(rule.Destination.CIDR))
	case sg.FromList:
		known := p.lists.prefixes(x, rule.Destination.List)
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

// sourceAddresses looks the source of the rule up when the first clause asks for it: few policies do.
func (p *probe) sourceAddresses() *addresses {
	a := &p.source
	if p.knowsSource {
		return a
	}
	p.knowsSource = true
	a.state, a.unset, a.spans = yes, false, [families][]span{}
	clear(a.words)
	switch source := &p.rule.Source; {
	case source.CIDR.IsValid():
		a.add(p.index.table, familyOf(source.CIDR.Addr()), spanOf(source.CIDR))
	case source.Text != "":
		a.state = unread
	default:
		p.anySource(a)
	}
	return a
}

// anySource is the source of a rule that restricts none: every address of the families that its destination has.
func (p *probe) anySource(a *addresses) {
	a.unset = true
	of := [families]bool{ipv4: true, ipv6: true} // a group may have both
	if p.rule.Destination.Kind != sg.PeerGroup {
		a.state = p.dest.state
		for f := range families {
			of[f] = len(p.dest.spans[f]) > 0
		}
	}
	for f := range families {
		if a.state == yes && of[f] {
			a.add(p.index.table, f, f.whole())
		}
	}
}

// listCache keeps what prefix lists and port lists come to, so that each is worked out once.
type listCache struct {
	prefixLists map[*sg.PrefixList]*listSpans
	portLists   map[*sg.PortList][]numbers
}

func newListCache() *listCache {
	return &listCache{prefixLists: map[*sg.PrefixList]*listSpans{}, portLists: map[*sg.PortList][]numbers{}}
}

type listSpans struct {
	state value
	spans [families][]span
	words []uint64
}

func (c *listCache) prefixes(x *index, list *sg.PrefixList) *listSpans {
	if known, ok := c.prefixLists[list]; ok {
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
	c.prefixLists[list] = s
	return s
}

// ports gives the ports of a list, merged. None are those of a list that is empty or was not read.
func (c *listCache) ports(list *sg.PortList) []numbers {
	if list == nil {
		return nil
	}
	known, ok := c.portLists[list]
	if !ok {
		for _, r := range list.Ranges {
			known = append(known, portNumbers(r))
		}
		known = mergeNumbers(known)
		c.portLists[list] = known
	}
	return known
}
