package reach

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Compile makes a list of the rules of a group. Rules are named by their index in rules from then on. It does not fail:
// what cannot be understood makes effects unknown where it matters.
func Compile(group *sg.Group, rules []sg.Rule, o Options) *List {
	c := compiler{
		List:  &List{why: strings.Clone(o.Incomplete), classic: group.Classic()},
		known: map[opaque]int16{}, lists: map[*sg.PrefixList]extent{}, portLists: map[*sg.PortList]extent{},
	}
	switch group.Type {
	case sg.TypeNormal:
		c.fallback = sg.Accept
	case sg.TypeEnterprise:
		c.fallback = sg.Drop
	default:
		c.fail(fmt.Sprintf("the group is of type %q, of which it is not known what it permits", group.Type))
	}
	compiled := make([]rule, 0, len(rules))
	for i := range rules {
		compiled = append(compiled, c.rule(&rules[i], group.ID))
	}
	if len(c.sets) > math.MaxInt16 {
		c.fail("too complex: it has more lists and groups that are not known than can be told apart")
	}
	c.arrange(compiled, c.relevant(compiled, o.Only))
	return c.List
}

// compiler compiles the rules of one group.
type compiler struct {
	*List

	known     map[opaque]int16
	lists     map[*sg.PrefixList]extent
	portLists map[*sg.PortList]extent
}

// fail keeps the first reason.
func (c *compiler) fail(why string) {
	if c.why == "" {
		c.why = why
	}
}

// relevant tells which rules can matter to those that are asked about: only what has traffic in common with one of them.
func (c *compiler) relevant(rules []rule, only []int) []bool {
	keep := make([]bool, len(rules))
	if only == nil {
		for i := range keep {
			keep[i] = true
		}
		return keep
	}
	if c.why != "" { // nothing is looked at
		return keep
	}
	for i := range rules {
		keep[i] = slices.Contains(only, i) ||
			slices.ContainsFunc(only, func(k int) bool { return c.meet(&rules[i], &rules[k]) })
	}
	return keep
}

// meet tells whether two rules may have traffic in common.
func (l *List) meet(a, b *rule) bool {
	return a.nic&b.nic != 0 && a.families&b.families != 0 &&
		(a.protocol == b.protocol || a.all() || b.all()) &&
		(a.toSet >= 0 || b.toSet >= 0 || blocksMeet(l.to(a), l.to(b))) &&
		(a.from.empty() || b.from.empty() || blocksMeet(l.from(a), l.from(b))) &&
		(!a.protocol.HasPorts() || !b.protocol.HasPorts() || a.portSet >= 0 || b.portSet >= 0 || a.all() && b.all() ||
			portsMeet(l.portsOf(a), l.portsOf(b)))
}

// all tells whether the rule is, or may be, about every protocol.
func (r *rule) all() bool { return r.protocol == sg.AllProtocols }

func (l *List) to(r *rule) []block             { return l.blocks[r.to.from:r.to.to] }
func (l *List) from(r *rule) []block           { return l.blocks[r.from.from:r.from.to] }
func (l *List) portsOf(r *rule) []sg.PortRange { return l.ports[r.ports.from:r.ports.to] }

func blocksMeet(a, b []block) bool {
	for i := range a {
		for k := range b {
			if a[i].overlaps(&b[k]) {
				return true
			}
		}
	}
	return false
}

func portsMeet(a, b []sg.PortRange) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Low <= y.High && y.Low <= x.High {
				return true
			}
		}
	}
	return false
}

// arrange puts the rules that are kept into the order in which they are asked.
func (c *compiler) arrange(rules []rule, keep []bool) {
	order := make([]int, 0, len(rules))
	for i := range rules {
		if keep[i] {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return compareRules(&rules[a], &rules[b]) })
	c.position = make([]int, len(rules))
	for i := range c.position {
		c.position[i] = -1
	}
	c.rules = make([]rule, len(order))
	for at, i := range order {
		c.rules[at], c.position[i] = rules[i], at
		c.rules[at].id = strings.Clone(rules[i].id)
	}
}

// rule compiles one rule. What is not known of it is everything, and then it depends on a set of its own whether it
// matches.
func (c *compiler) rule(r *sg.Rule, group string) rule {
	result := rule{
		id: r.ID, group: group, priority: int32(r.Priority), action: r.Action, protocol: r.Protocol, //nolint:gosec // small
		nic: c.nics(r.NICType), toSet: -1, portSet: -1, ownSet: -1, bareSet: -1,
	}
	if r.ID == "" {
		result.text = words(r)
	}
	if r.Unreadable != "" {
		result.ownSet = c.set(unreadableRule, ruleName(r))
	}
	if r.Protocol == sg.NoProtocol {
		result.protocol = sg.AllProtocols
	}
	c.source(&result, r)
	c.destination(&result, r)
	c.destinationPorts(&result, r)
	if result.protocol != sg.TCP && result.protocol != sg.UDP && (result.source != sg.PortRange{} || r.PortListID != "") {
		result.bareSet = c.set(unreadableRule, ruleName(r))
	}
	return result
}

func ruleName(r *sg.Rule) string {
	if r.ID != "" {
		return strings.Clone(r.ID)
	}
	return words(r)
}

// words names a rule that has no ID.
func words(r *sg.Rule) string {
	action := cmp.Or(string(r.Action), "rule for")
	if r.Ports.IsZero() || r.Ports == sg.AllPorts() {
		return fmt.Sprintf("%s %s to %s", action, r.Protocol, r.Destination.Text)
	}
	return fmt.Sprintf("%s %s %s to %s", action, r.Protocol, r.Ports, r.Destination.Text)
}

// set gives the number of an opaque set.
func (c *compiler) set(kind opaqueKind, name string) int16 {
	s := opaque{kind: kind, name: strings.Clone(name)}
	if i, there := c.known[s]; there {
		return i
	}
	i := int16(len(c.sets)) //nolint:gosec // checked at the end
	c.known[s] = i
	c.sets = append(c.sets, s)
	return i
}

// nics are the interfaces that a rule is about. In a VPC there is one kind.
func (c *compiler) nics(text string) nics {
	switch {
	case !c.classic:
		return intranet
	case text == sg.NICInternet:
		return internet
	case text == sg.NICIntranet:
		return intranet
	}
	return intranet | internet
}

const bothFamilies = four | six

func (c *compiler) source(result *rule, r *sg.Rule) {
	result.families = bothFamilies
	result.source = r.SourcePorts
	if r.Source.CIDR.IsValid() {
		result.from = c.keep(r.Source.CIDR)
		result.families = ofFamily(r.Source.CIDR)
	}
}

func ofFamily(p netip.Prefix) families {
	if p.Addr().Is4() {
		return four
	}
	return six
}

// keep appends blocks to those of the list.
func (c *compiler) keep(prefixes ...netip.Prefix) extent {
	e := extent{from: uint32(len(c.blocks))} //nolint:gosec // bounded by the rules of a group
	for _, p := range prefixes {
		c.blocks = append(c.blocks, newBlock(p))
	}
	e.to = uint32(len(c.blocks)) //nolint:gosec // bounded by the rules of a group
	return e
}

func (c *compiler) destination(result *rule, r *sg.Rule) {
	d := &r.Destination
	switch {
	case d.Kind == sg.PeerGroup:
		result.toSet = c.set(peerGroup, d.Text)
	case d.Kind == sg.FromList && d.List != nil:
		e, there := c.lists[d.List]
		if !there {
			e = c.keep(d.List.Entries...)
			c.lists[d.List] = e
		}
		result.to = e
		result.families &= c.familiesOf(e)
	case d.Kind == sg.FromList:
		result.toSet = c.set(unreadList, d.Text)
	case d.CIDR.IsValid():
		result.to = c.keep(d.CIDR)
		result.families &= ofFamily(d.CIDR)
	default: // not understood: the rule has a set of its own
		result.to = c.keep(netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0))
	}
}

func (c *compiler) familiesOf(e extent) families {
	var f families
	for i := e.from; i < e.to; i++ {
		if c.blocks[i].six {
			f |= six
		} else {
			f |= four
		}
	}
	return f
}

func (c *compiler) destinationPorts(result *rule, r *sg.Rule) {
	switch {
	case !result.protocol.HasPorts():
	case r.PortListID != "" && r.PortList != nil:
		e, there := c.portLists[r.PortList]
		if !there {
			e = c.keepPorts(r.PortList.Ranges...)
			c.portLists[r.PortList] = e
		}
		result.ports = e
	case r.PortListID != "":
		result.portSet = c.set(unreadPorts, r.PortListID)
	case r.Ports.IsZero(): // not understood
		result.ports = c.keepPorts(sg.AllPorts())
	default:
		result.ports = c.keepPorts(r.Ports)
	}
}

func (c *compiler) keepPorts(ranges ...sg.PortRange) extent {
	e := extent{from: uint32(len(c.ports))} //nolint:gosec // bounded by the rules of a group
	c.ports = append(c.ports, ranges...)
	e.to = uint32(len(c.ports)) //nolint:gosec // bounded by the rules of a group
	return e
}
