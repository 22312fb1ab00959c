package policy

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// addressClause compares the destination of a rule with an address list.
type addressClause struct {
	relation relation
	list     *addressList
}

func (c *addressClause) eval(p *probe) value {
	d := &p.dest
	if d.state != yes {
		return d.state
	}
	if !c.list.speaksOf(d.family) {
		return silent
	}
	switch c.relation {
	case overlaps:
		return truth(hasBit(p.words, inBit(c.list.index)))
	case within:
		return truth(!hasBit(p.words, outBit(c.list.index)))
	case outside:
		return truth(hasBit(p.words, outBit(c.list.index)))
	case covers:
		for _, s := range d.spans {
			if c.list.holdsWithin(d.family, s) {
				return yes
			}
		}
		return no
	case equals:
		return truth(len(d.spans) == 1 && c.list.holds(d.family, d.spans[0]))
	}
	return no
}

func (c *addressClause) collateral(p *probe) bool {
	return c.relation == overlaps && hasBit(p.words, outBit(c.list.index))
}

// need is an atom without which the clause cannot be true.
func (c *addressClause) need() int {
	if c.relation == outside {
		return outBit(c.list.index)
	}
	return inBit(c.list.index)
}

func (c *addressClause) because(p *probe) string {
	return fmt.Sprintf("destination %s %s %s", destinationText(p.rule), phrase(c.relation), c.list.text)
}

func (c *addressClause) canonical() string {
	return fmt.Sprintf("destination %s %s", c.relation, hex.EncodeToString(c.list.content[:]))
}

// phrase is a relation as a verb.
func phrase(r relation) string {
	switch r {
	case within, outside:
		return "is " + r.String()
	case overlaps, covers, equals:
	}
	return r.String()
}

// destinationText names the destination of a rule for people.
func destinationText(r *sg.Rule) string {
	switch r.Destination.Kind {
	case sg.CIDR4, sg.CIDR6:
		cidr, text := r.Destination.CIDR, r.Destination.Text
		if text == cidr.String() || text == cidr.Addr().String() {
			return text
		}
		return fmt.Sprintf("%s (written %s)", cidr, text)
	case sg.FromList:
		return "prefix list " + r.Destination.Text
	case sg.PeerGroup:
		return "group " + r.Destination.Text
	case sg.NoDestination:
	}
	return "(not understood)"
}

// kindClause asks for the form of the destination.
type kindClause struct{ kinds []sg.DestinationKind }

func (c *kindClause) eval(p *probe) value {
	kind := p.rule.Destination.Kind
	if kind == sg.NoDestination {
		return unread
	}
	return truth(slices.Contains(c.kinds, kind))
}

func (c *kindClause) because(p *probe) string {
	return fmt.Sprintf("destination-kind is %s", p.rule.Destination.Kind)
}

func (c *kindClause) canonical() string {
	names := make([]string, len(c.kinds))
	for i, k := range c.kinds {
		names[i] = string(k)
	}
	return "destination-kind " + sortedList(names)
}

// widerClause asks for a destination whose prefix is shorter than a limit, per family. 0 is no limit: it says nothing
// about that family.
type widerClause struct{ limit [families]int }

func (c *widerClause) eval(p *probe) value {
	_, v := c.find(p)
	return v
}

// find gives the first block of the destination that is too wide.
func (c *widerClause) find(p *probe) (string, value) {
	if p.dest.state != yes {
		return "", p.dest.state
	}
	limit := c.limit[p.dest.family]
	if limit == 0 {
		return "", silent
	}
	d := &p.rule.Destination
	if d.Kind != sg.FromList {
		return d.CIDR.String(), truth(d.CIDR.Bits() < limit)
	}
	for _, e := range d.List.Entries {
		if e.Bits() < limit {
			return e.String(), yes
		}
	}
	return "", no
}

func (c *widerClause) because(p *probe) string {
	block, _ := c.find(p)
	return fmt.Sprintf("destination %s is wider than /%d", block, c.limit[p.dest.family])
}

func (c *widerClause) canonical() string {
	return fmt.Sprintf("wider-than %d %d", c.limit[ipv4], c.limit[ipv6])
}

// shortList names the first entries of a list and how many more there are.
func shortList(entries []string) string {
	const shown = 3
	if len(entries) <= shown+1 {
		return strings.Join(entries, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(entries[:shown], ", "), len(entries)-shown)
}
