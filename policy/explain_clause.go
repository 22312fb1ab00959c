package policy

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// telling is a clause in words: its key, what it asks for, what the rule has, and why that is true, false or unknown.
type telling struct{ key, asks, has, why string }

func (c *addressClause) tell(p *probe, v value) telling {
	a := c.addresses(p)
	t := telling{key: c.key(), asks: c.relation.String() + " " + c.list.text, has: c.valueText(p)}
	switch {
	case v == silent && a.unset && c.relation == outside:
		t.why = "the rule restricts no source, so an allow-list of sources says nothing of it"
	case a.state != yes && c.side == sourceSide && p.rule.Source.Text != "":
		t.why = noSense("source", p.rule.Source.Text)
	case a.state != yes:
		t.why = noAddresses(p.rule)
	case v == silent:
		t.why = c.list.silence(a)
	case v == unread:
		t.why = "the contents of a set were not read"
	default:
		t.why = c.why(a, v)
	}
	return t
}

func (c *addressClause) excess(p *probe) string {
	beyond := shortList(c.list.missing(c.addresses(p)))
	return fmt.Sprintf("%s %s permits more than %s: also %s", c.key(), c.valueText(p), c.list.text, beyond)
}

// noAddresses says why nothing is known of the addresses of a destination.
func noAddresses(r *sg.Rule) string {
	switch d := &r.Destination; d.Kind {
	case sg.PeerGroup:
		return "a destination group has no addresses of its own"
	case sg.FromList:
		if d.List != nil && len(d.List.Entries) == 0 {
			return fmt.Sprintf("prefix list %s is empty: it permits nothing today, and anything tomorrow", d.Text)
		}
		return fmt.Sprintf("prefix list %s was not read", d.Text)
	case sg.CIDR4, sg.CIDR6, sg.NoDestination:
	}
	return "the destination could not be understood"
}

func (c *nameClause) tell(p *probe, v value) telling {
	t := telling{key: c.key(), asks: c.text, has: destinationText(p.rule)}
	if v == unread {
		t.why = noAddresses(p.rule)
	}
	return t
}

func (c *priorityClause) tell(p *probe, v value) telling {
	t := telling{key: "priority", asks: c.relation.String() + " " + c.list.text, has: strconv.Itoa(p.rule.Priority)}
	if v == unread {
		t.has, t.why = p.rule.Raw.Priority, noSense("priority", p.rule.Raw.Priority)
	}
	return t
}

func (c *kindClause) tell(p *probe, v value) telling {
	t := telling{key: "destination-kind", asks: joined(c.kinds), has: string(p.rule.Destination.Kind)}
	if v == unread {
		t.why = noAddresses(p.rule)
	}
	return t
}

func (c *widerClause) tell(p *probe, v value) telling {
	var asks []string
	for f, name := range [families]string{"ipv4", "ipv6"} {
		if c.limit[f] > 0 {
			asks = append(asks, fmt.Sprintf("%s: %d", name, c.limit[f]))
		}
	}
	t := telling{key: "wider-than", asks: strings.Join(asks, ", "), has: destinationText(p.rule)}
	switch {
	case p.dest.state != yes:
		t.why = noAddresses(p.rule)
	case v == silent:
		t.why = "it says nothing of the address family of this rule"
	case v == yes:
		block, _ := c.find(p)
		t.why = fmt.Sprintf("/%d is shorter than /%d", block.Bits(), c.limit[familyOf(block.Addr())])
	}
	return t
}

func (c *portsClause) tell(p *probe, v value) telling {
	r := p.rule
	t := telling{key: c.key(), asks: c.relation.String() + " " + c.list.text, has: c.valueText(p)}
	switch {
	case v == silent && !r.Protocol.HasPorts():
		t.has, t.why = "none", fmt.Sprintf("protocol %s has no ports", r.Protocol)
	case v == silent:
		t.why = "the rule restricts no source port, so an allow-list of source ports says nothing of it"
	case v != unread:
		ports, _ := c.ports(p)
		t.why = c.list.why(c.relation, ports, v)
	case r.Protocol == sg.NoProtocol:
		t.why = noSense("protocol", r.Raw.Protocol)
	case c.side == sourceSide:
		t.why = noSense("source port range", r.Raw.SourcePorts)
	case r.PortListID != "" && r.PortList != nil:
		t.why = fmt.Sprintf("port list %s is empty: it permits nothing today, and anything tomorrow", r.PortListID)
	case r.PortListID != "":
		t.why = fmt.Sprintf("port list %s was not read", r.PortListID)
	default:
		t.why = noSense("port range", r.Raw.PortRange)
	}
	return t
}

func (c *portsClause) excess(p *probe) string {
	ports, _ := c.ports(p)
	beyond := shortList(c.list.missing(ports))
	return fmt.Sprintf("%s %s permits more than %s: also %s", c.key(), c.valueText(p), c.list.text, beyond)
}

func (c *protocolClause) tell(p *probe, v value) telling {
	t := telling{key: "protocol", asks: c.relation.String() + " " + c.text, has: p.rule.Protocol.String()}
	if v == unread {
		t.why = noSense("protocol", p.rule.Raw.Protocol)
	}
	return t
}

func (c *protocolClause) excess(p *probe) string {
	return fmt.Sprintf("protocol %s permits more than %s: every other protocol too", p.rule.Protocol, c.text)
}

func (c *actionClause) tell(p *probe, v value) telling {
	t := telling{key: "rule-action", asks: string(c.action), has: cmp.Or(string(p.rule.Action), p.rule.Raw.Action)}
	if c.implied {
		t.asks += " (the default)"
	}
	if v == unread {
		t.why = noSense("policy", p.rule.Raw.Action)
	}
	return t
}

func (everyClause) tell(*probe, value) telling { return telling{key: "every-rule", asks: "true"} }

func (c *olderClause) tell(p *probe, v value) telling {
	t := telling{key: "older-than", asks: c.text, has: p.rule.Raw.Created}
	switch {
	case v != unread:
		t.why = fmt.Sprintf("the rule is %s old", ageText(p.now.Sub(p.rule.Created)))
	case p.rule.Raw.Created == "":
		t.why = "the cloud gave no CreateTime"
	default:
		t.why = noSense("CreateTime", p.rule.Raw.Created)
	}
	return t
}

// ageText is a duration in days, or in hours if it is shorter than two of them.
func ageText(d time.Duration) string {
	const day = 24 * time.Hour
	if d < 2*day {
		return d.Truncate(time.Minute).String()
	}
	return fmt.Sprintf("%d days", d/day)
}

func (c *descriptionClause) tell(p *probe, _ value) telling {
	t := telling{key: "description", asks: "empty: true", has: fmt.Sprintf("%q", p.rule.Description)}
	if c.matches != nil {
		t.asks = fmt.Sprintf("matches: %s", c.matches)
	}
	return t
}

func (c *expiredClause) tell(p *probe, v value) telling {
	t := telling{
		key: "expired", asks: fmt.Sprintf("description: %s", c.pattern), has: fmt.Sprintf("%q", p.rule.Description),
	}
	text, _ := c.find(p)
	switch v {
	case badExpiry:
		t.why = "a date that the expression finds in the description cannot be understood" + unparsed(c.pattern, p, c.zone)
	case unread:
		t.why = "the expression finds no date in the description"
	case yes, no, silent:
		end, err := parseExpiry(text, c.zone)
		if err == nil {
			t.why = text + " " + passes(end, p.now, c.zone)
		}
	}
	return t
}

// unparsed names the first date in a description that cannot be understood.
func unparsed(pattern *regexp.Regexp, p *probe, zone *time.Location) string {
	for _, m := range pattern.FindAllStringSubmatch(p.rule.Description, -1) {
		if _, err := parseExpiry(m[1], zone); err != nil {
			return fmt.Sprintf(": %q", m[1])
		}
	}
	return ""
}

func noSense(what, text string) string {
	if text == "" {
		return "the cloud gave no " + what
	}
	return fmt.Sprintf("the %s %q could not be understood", what, text)
}
