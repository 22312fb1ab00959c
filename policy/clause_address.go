package policy

import (
	"encoding/hex"
	"fmt"
	"net/netip"
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
	switch c.relation {
	case overlaps:
		return c.found(d, hasBit(p.words, inBit(c.list.index)))
	case within:
		return c.found(d, hasBit(p.words, outBit(c.list.index))).not()
	case outside:
		return c.found(d, hasBit(p.words, outBit(c.list.index)))
	case covers:
		return c.found(d, c.any(d, c.list.holdsWithin))
	case equals:
		one := len(d.spans[ipv4])+len(d.spans[ipv6]) == 1
		return c.found(d, one && c.any(d, c.list.holds))
	}
	return no
}

// found is the truth of a relation that one part of the destination is enough for: yes if there is one, and otherwise
// silent if the list says nothing about a family of the destination.
func (c *addressClause) found(d *destination, there bool) value {
	switch {
	case there:
		return yes
	case c.silentOn(d):
		return silent
	}
	return no
}

// silentOn tells whether the destination has addresses of a family of which the list has no element.
func (c *addressClause) silentOn(d *destination) bool {
	for f := range families {
		if len(d.spans[f]) > 0 && !c.list.speaksOf(f) {
			return true
		}
	}
	return false
}

func (c *addressClause) any(d *destination, holds func(family, span) bool) bool {
	for f := range families {
		if slices.ContainsFunc(d.spans[f], func(s span) bool { return holds(f, s) }) {
			return true
		}
	}
	return false
}

func (c *addressClause) collateral(p *probe) bool {
	return c.relation == overlaps && (hasBit(p.words, outBit(c.list.index)) || c.silentOn(&p.dest))
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
func (c *widerClause) find(p *probe) (block netip.Prefix, v value) {
	if p.dest.state != yes {
		return block, p.dest.state
	}
	d := &p.rule.Destination
	if d.Kind != sg.FromList {
		return d.CIDR, c.judge(d.CIDR)
	}
	result := no
	for _, e := range d.List.Entries {
		switch c.judge(e) {
		case yes:
			return e, yes
		case silent:
			result = silent
		case no, unread, badExpiry:
		}
	}
	return block, result
}

func (c *widerClause) judge(block netip.Prefix) value {
	limit := c.limit[familyOf(block.Addr())]
	if limit == 0 {
		return silent
	}
	return truth(block.Bits() < limit)
}

func (c *widerClause) because(p *probe) string {
	block, _ := c.find(p)
	if !block.IsValid() { // a list of which no entry is too wide, under `not`
		return fmt.Sprintf("an entry of %s is wider than /%d or /%d", destinationText(p.rule), c.limit[ipv4], c.limit[ipv6])
	}
	return fmt.Sprintf("destination %s is wider than /%d", block, c.limit[familyOf(block.Addr())])
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
