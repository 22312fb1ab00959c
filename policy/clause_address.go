package policy

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// side is the end of the traffic that a clause is about: where it goes to, or where it comes from.
type side uint8

const (
	destinationSide side = iota
	sourceSide
)

// addressClause compares the destination or the source of a rule with an address list.
type addressClause struct {
	side     side
	relation relation
	list     *addressList
}

func (c *addressClause) eval(p *probe) value {
	a := c.addresses(p)
	switch {
	case a.unset && c.relation == outside: // an allow-list of sources is not about rules that restrict none
		return silent
	case a.state != yes:
		return a.state
	case c.list.unread:
		return unread
	}
	switch c.relation {
	case overlaps:
		return c.found(a, hasBit(a.words, inBit(c.list.index)))
	case within:
		return c.found(a, hasBit(a.words, outBit(c.list.index))).not()
	case outside:
		return c.found(a, hasBit(a.words, outBit(c.list.index)))
	case covers:
		return c.found(a, c.any(a, c.list.holdsWithin))
	case equals:
		one := len(a.spans[ipv4])+len(a.spans[ipv6]) == 1
		return c.found(a, one && c.any(a, c.list.holds))
	}
	return no
}

// addresses are those of the rule's side that the clause is about.
func (c *addressClause) addresses(p *probe) *addresses {
	if c.side == destinationSide {
		return &p.dest
	}
	return p.sourceAddresses()
}

// found is the truth of a relation that one part of the addresses is enough for: yes if there is one, and otherwise
// silent if the list says nothing about a family of theirs.
func (c *addressClause) found(a *addresses, there bool) value {
	switch {
	case there:
		return yes
	case c.silentOn(a):
		return silent
	}
	return no
}

// silentOn tells whether there are addresses of a family of which the list has no element.
func (c *addressClause) silentOn(a *addresses) bool {
	for f := range families {
		if len(a.spans[f]) > 0 && !c.list.speaksOf(f) {
			return true
		}
	}
	return false
}

func (c *addressClause) any(a *addresses, holds func(family, span) bool) bool {
	for f := range families {
		if slices.ContainsFunc(a.spans[f], func(s span) bool { return holds(f, s) }) {
			return true
		}
	}
	return false
}

func (c *addressClause) collateral(p *probe) bool {
	if c.relation != overlaps {
		return false
	}
	a := c.addresses(p)
	return hasBit(a.words, outBit(c.list.index)) || c.silentOn(a)
}

func (c *addressClause) because(p *probe) string {
	return fmt.Sprintf("%s %s %s %s", c.key(), c.valueText(p), phrase(c.relation), c.list.text)
}

// key is the key of a policy file that makes such a clause.
func (c *addressClause) key() string {
	if c.side == sourceSide {
		return "source"
	}
	return "destination"
}

// valueText is what the clause compares with its list, for people.
func (c *addressClause) valueText(p *probe) string {
	if c.side == sourceSide {
		return sourceText(p.rule)
	}
	return destinationText(p.rule)
}

func (c *addressClause) canonical() string {
	return fmt.Sprintf("%s %s %s", c.key(), c.relation, hex.EncodeToString(c.list.content[:]))
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
		return blockText(r.Destination.CIDR, r.Destination.Text)
	case sg.FromList:
		return "prefix list " + r.Destination.Text
	case sg.PeerGroup:
		if r.Destination.Owner != "" {
			return fmt.Sprintf("group %s of account %s", r.Destination.Text, r.Destination.Owner)
		}
		return "group " + r.Destination.Text
	case sg.NoDestination:
	}
	return "(not understood)"
}

// blockText names an address block, and how the cloud spells it where that is not how policies do.
func blockText(cidr netip.Prefix, text string) string {
	if text == cidr.String() || text == cidr.Addr().String() {
		return text
	}
	return fmt.Sprintf("%s (written %s)", cidr, text)
}

// sourceText names the source of a rule for people.
func sourceText(r *sg.Rule) string {
	switch {
	case r.Source.CIDR.IsValid():
		return blockText(r.Source.CIDR, r.Source.Text)
	case r.Source.Text == "":
		return "(unset: any)"
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
