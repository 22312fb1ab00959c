package policy

import (
	"cmp"
	"fmt"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// portsClause compares the destination ports or the source ports of a rule with a list of ranges.
type portsClause struct {
	side     side
	relation relation
	list     *numberList
}

func (c *portsClause) eval(p *probe) value {
	if c.relation == outside && c.side == sourceSide && p.rule.Protocol.HasPorts() && unsetSourcePorts(p.rule) {
		return silent // an allow-list of source ports is not about rules that restrict none
	}
	ports, state := c.ports(p)
	if state != yes {
		return state
	}
	return truth(c.list.compare(c.relation, ports))
}

// ports are those of the rule's side that the clause is about, merged; the state is yes if they are known.
func (c *portsClause) ports(p *probe) (ports []numbers, state value) {
	r := p.rule
	switch {
	case r.Protocol == sg.NoProtocol:
		return nil, unread
	case !r.Protocol.HasPorts():
		return nil, silent
	}
	one := r.Ports
	switch {
	case c.side == sourceSide && unsetSourcePorts(r):
		one = sg.AllPorts()
	case c.side == sourceSide:
		one = r.SourcePorts
	case r.PortListID != "":
		// An empty list is as unknown as an empty prefix list.
		ports = p.lists.ports(r.PortList)
		return ports, known(len(ports) > 0)
	}
	p.ports[0] = portNumbers(one)
	return p.ports[:], known(!one.IsZero())
}

// known is the state of what a clause compares.
func known(is bool) value {
	if is {
		return yes
	}
	return unread
}

// unsetSourcePorts tells whether a rule says nothing of source ports: it has all. Ports that are not understood are
// something else.
func unsetSourcePorts(r *sg.Rule) bool {
	return r.SourcePorts.IsZero() && (r.Raw.SourcePorts == "" || r.Raw.SourcePorts == sg.PortRange{}.String())
}

func (c *portsClause) collateral(p *probe) bool {
	if c.relation != overlaps {
		return false
	}
	ports, _ := c.ports(p)
	return !c.list.holds(ports)
}

func (c *portsClause) because(p *probe) string {
	return fmt.Sprintf("%s %s %s %s", c.key(), c.valueText(p), phrase(c.relation), c.list.text)
}

// key is the key of a policy file that makes such a clause.
func (c *portsClause) key() string {
	if c.side == sourceSide {
		return "source-ports"
	}
	return "ports"
}

// valueText is what the clause compares with its list, for people.
func (c *portsClause) valueText(p *probe) string {
	ports, state := c.ports(p)
	switch {
	case c.side == sourceSide && state == yes && unsetSourcePorts(p.rule):
		return "(unset: any)"
	case c.side == destinationSide && p.rule.PortListID != "":
		return fmt.Sprintf("%s (port list %s)", cmp.Or(numbersText(ports), "unknown"), p.rule.PortListID)
	case state != yes:
		return "(not understood)"
	}
	return numbersText(ports)
}

func (c *portsClause) canonical() string {
	return fmt.Sprintf("%s %s %s", c.key(), c.relation, c.list.canonical())
}

// portNumbers is a range of ports as numbers.
func portNumbers(r sg.PortRange) numbers { return numbers{low: int(r.Low), high: int(r.High)} }

// parsePorts reads an element of a ports list: `443` or `8000-9000`.
func parsePorts(text string) (numbers, error) {
	return parseNumbers(text, numberKind{what: "port", example: "443 or 8000-9000", most: 65535})
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
