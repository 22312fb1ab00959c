package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// portsClause compares the destination ports of a rule with a list of ranges.
type portsClause struct {
	relation relation
	text     string
	elements []sg.PortRange // sorted
	merged   []sg.PortRange // their union
}

func newPortsClause(r relation, text string, elements []sg.PortRange) *portsClause {
	c := &portsClause{relation: r, text: text, elements: elements}
	byLow := func(a, b sg.PortRange) int {
		if a.Low != b.Low {
			return int(a.Low) - int(b.Low)
		}
		return int(a.High) - int(b.High)
	}
	slices.SortFunc(c.elements, byLow)
	c.elements = slices.Compact(c.elements)
	for _, e := range c.elements {
		if n := len(c.merged); n > 0 && int(e.Low) <= int(c.merged[n-1].High)+1 {
			c.merged[n-1].High = max(c.merged[n-1].High, e.High)
			continue
		}
		c.merged = append(c.merged, e)
	}
	return c
}

func (c *portsClause) eval(p *probe) value {
	r := p.rule
	switch {
	case r.Protocol == sg.NoProtocol:
		return unread
	case !r.Protocol.HasPorts():
		return silent
	case r.Ports.IsZero(): // a port list, or not understood
		return unread
	}
	switch c.relation {
	case overlaps:
		return truth(slices.ContainsFunc(c.merged, func(e sg.PortRange) bool {
			return e.Low <= r.Ports.High && r.Ports.Low <= e.High
		}))
	case within:
		return truth(c.holds(r.Ports))
	case outside:
		return truth(!c.holds(r.Ports))
	case covers:
		return truth(slices.ContainsFunc(c.elements, func(e sg.PortRange) bool {
			return r.Ports.Low <= e.Low && e.High <= r.Ports.High
		}))
	case equals:
		return truth(slices.Contains(c.elements, r.Ports))
	}
	return no
}

func (c *portsClause) holds(d sg.PortRange) bool {
	return slices.ContainsFunc(c.merged, func(e sg.PortRange) bool { return e.Low <= d.Low && d.High <= e.High })
}

func (c *portsClause) collateral(p *probe) bool {
	return c.relation == overlaps && !c.holds(p.rule.Ports)
}

func (c *portsClause) because(p *probe) string {
	return fmt.Sprintf("ports %s %s %s", portsText(p.rule.Ports), phrase(c.relation), c.text)
}

func (c *portsClause) canonical() string {
	names := make([]string, len(c.elements))
	for i, e := range c.elements {
		names[i] = e.String()
	}
	return fmt.Sprintf("ports %s %s", c.relation, sortedList(names))
}

// portsText writes a range as policies do.
func portsText(r sg.PortRange) string {
	if r.Low == r.High {
		return strconv.Itoa(int(r.Low))
	}
	return fmt.Sprintf("%d-%d", r.Low, r.High)
}

// parsePorts reads an element of a ports list: `443` or `8000-9000`.
func parsePorts(text string) (sg.PortRange, error) {
	low, high, isRange := strings.Cut(text, "-")
	if !isRange {
		high = low
	}
	from, errLow := strconv.ParseUint(low, 10, 16)
	to, errHigh := strconv.ParseUint(high, 10, 16)
	switch {
	case errLow != nil || errHigh != nil || low[0] == '0' || high[0] == '0': // octal to some, and 0 is no port
		return sg.PortRange{}, fmt.Errorf("%q is no port: write 443 or 8000-9000, from 1 to 65535", text)
	case from > to:
		return sg.PortRange{}, fmt.Errorf("the port range %q ends before it begins", text)
	}
	return sg.PortRange{Low: uint16(from), High: uint16(to)}, nil
}

// protocolClause compares the protocol of a rule with a list. A rule for all protocols is the set of all numbers.
type protocolClause struct {
	relation relation
	text     string
	numbers  [4]uint64 // the union
	all      bool      // an element is `all`
	full     bool      // the union is every number
}

func newProtocolClause(r relation, text string, elements []sg.Protocol) *protocolClause {
	c := &protocolClause{relation: r, text: text}
	for _, e := range elements {
		if n, single := e.Number(); single {
			setBit(c.numbers[:], int(n))
		} else {
			c.all = true
		}
	}
	c.full = c.all || c.numbers == [4]uint64{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
	return c
}

// of is the truth about a protocol. It depends on nothing else of a rule, so the index holds it for every protocol.
func (c *protocolClause) of(p sg.Protocol) value {
	if p == sg.NoProtocol {
		return unread
	}
	number, single := p.Number()
	named := single && hasBit(c.numbers[:], int(number))
	inside := c.full || named
	switch c.relation {
	case overlaps:
		return truth(!single || inside)
	case within:
		return truth(inside)
	case outside:
		return truth(!inside)
	case covers:
		return truth(!single || named)
	case equals:
		return truth(named || !single && c.all)
	}
	return no
}

func (c *protocolClause) eval(p *probe) value { return c.of(p.rule.Protocol) }

func (c *protocolClause) collateral(p *probe) bool {
	if c.relation != overlaps || c.full {
		return false
	}
	_, single := p.rule.Protocol.Number()
	return !single
}

func (c *protocolClause) because(p *probe) string {
	return fmt.Sprintf("protocol %s %s %s", p.rule.Protocol, phrase(c.relation), c.text)
}

func (c *protocolClause) canonical() string {
	return fmt.Sprintf("protocol %s %x %t", c.relation, c.numbers, c.all)
}
