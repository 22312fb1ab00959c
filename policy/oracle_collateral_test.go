package policy_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// This file judges collateral by brute force, in a universe so small that every packet in it can be looked at: eight
// addresses of each family for the destination, eight for the source and one of each family elsewhere, eight ports and
// one elsewhere, four protocols. A set is a mask of what it holds.

// axis is one property of a packet.
type axis struct {
	key    string
	points int
	// blind is the part of the points of which a list without any of them says nothing: a family each.
	blind []uint
	text  func(point int) string // how a policy writes the element for one point
	// spans tells whether runs of points can be written as one element a-b.
	spans bool
}

const (
	low8  = uint(0x00ff) // the IPv4 addresses
	high8 = uint(0xff00) // the IPv6 addresses
	// Addresses and ports elsewhere, which no list names.
	other     = 8
	ipv6Other = 9
)

func axes() []axis {
	port := func(point int) string { return fmt.Sprint(80 + point) }
	return []axis{
		{key: "destination", points: 16, blind: []uint{low8, high8}, spans: true, text: func(point int) string {
			if point < 8 {
				return fmt.Sprintf("10.0.0.%d", point)
			}
			return fmt.Sprintf("fd00::%x", point-8)
		}},
		{key: "source", points: 8, blind: []uint{low8 | 1<<other, 1 << ipv6Other}, spans: true, text: func(point int) string {
			return fmt.Sprintf("10.1.0.%d", point)
		}},
		{key: "ports", points: 8, blind: nil, spans: true, text: port},
		{key: "source-ports", points: 8, blind: nil, spans: true, text: port},
		{key: "protocol", points: 3, blind: nil, text: func(point int) string { return []string{"tcp", "udp", "gre"}[point] }},
	}
}

// term is a `match` of this universe: a relation, or a nested one.
type term struct {
	op       string // relation, any, all, not
	children []term

	axis     int
	relation string
	elements []uint
}

// conjunction is a way in which a match is true: relations that all hold, each with what it objects to on its axis.
type conjunction []objection

type objection struct {
	axis int
	to   uint
}

// packets is what a rule permits, by axis; some axes it has no say in, such as the ports of ICMP.
type packets []uint

// truth gives Kleene's truth of a relation about the rule.
func (m *term) truth(r packets, unset []bool, a *axis) truth {
	set, union := r[m.axis], uint(0)
	for _, e := range m.elements {
		union |= e
	}
	if set == 0 || unset[m.axis] && m.relation == "outside" {
		return isUnknown
	}
	blind := false
	for _, part := range a.blind {
		blind = blind || set&part != 0 && union&part == 0
		if union&part == 0 {
			set &^= part
		}
	}
	found := map[string]bool{
		"overlaps": set&union != 0,
		"within":   set&^union != 0, // negated below
		"outside":  set&^union != 0,
		"covers":   slices.ContainsFunc(m.elements, func(e uint) bool { return e&^set == 0 }),
		"equals":   slices.Contains(m.elements, r[m.axis]),
	}[m.relation]
	result := isFalse
	switch {
	case found:
		result = isTrue
	case blind:
		result = isUnknown
	}
	if m.relation == "within" {
		result = result.not()
	}
	return result
}

// ways lists how the match is true, or under `not` false.
func (m *term) ways(r packets, unset []bool, want truth) []conjunction {
	switch m.op {
	case "not":
		return m.children[0].ways(r, unset, want.not())
	case "relation":
		a := &axes()[m.axis]
		if m.truth(r, unset, a) != want {
			return nil
		}
		if m.relation != "overlaps" || want == isFalse {
			return []conjunction{{}}
		}
		o := objection{axis: m.axis}
		for _, e := range m.elements {
			o.to |= e
		}
		return []conjunction{{o}}
	}
	if (m.op == "any") == (want == isTrue) { // one branch is enough
		var list []conjunction
		for i := range m.children {
			list = append(list, m.children[i].ways(r, unset, want)...)
		}
		return list
	}
	list := []conjunction{{}}
	for i := range m.children {
		var longer []conjunction
		for _, way := range m.children[i].ways(r, unset, want) {
			for _, before := range list {
				longer = append(longer, slices.Concat(before, way))
			}
		}
		list = longer
	}
	return list
}

// leavesOver looks at every packet that the rule permits for one that a conjunction does not object to.
func (c conjunction) leavesOver(r packets) bool {
	packet := make([]int, len(r))
	var look func(axis int) bool
	look = func(axis int) bool {
		if axis == len(r) {
			return slices.ContainsFunc(c, func(o objection) bool { return o.to>>packet[o.axis]&1 == 0 })
		}
		if r[axis] == 0 {
			return look(axis + 1) // the rule has no such property, and no conjunction objects to it
		}
		for point := range 16 {
			if packet[axis] = point; r[axis]>>point&1 == 1 && look(axis+1) {
				return true
			}
		}
		return false
	}
	return look(0)
}

func drawTerm(t *rapid.T, depth int) term {
	kind := "relation"
	if depth > 0 {
		kind = rapid.SampledFrom([]string{"relation", "relation", "any", "all", "not"}).Draw(t, "op")
	}
	m := term{op: kind}
	switch kind {
	case "relation":
		m.axis = rapid.IntRange(0, len(axes())-1).Draw(t, "axis")
		m.relation = rapid.SampledFrom([]string{"overlaps", "overlaps", "overlaps", "within", "outside", "covers", "equals"}).
			Draw(t, "relation")
		for range rapid.IntRange(1, 3).Draw(t, "elements") {
			m.elements = append(m.elements, drawRun(t, &axes()[m.axis]))
		}
	case "not":
		m.children = []term{drawTerm(t, depth-1)}
	default:
		m.children = []term{drawTerm(t, depth-1), drawTerm(t, depth-1)}
	}
	return m
}

// drawRun gives a run of points that one element can stand for.
func drawRun(t *rapid.T, a *axis) uint {
	from := rapid.IntRange(0, a.points-1).Draw(t, "from")
	run := uint(1) << from
	if !a.spans {
		return run
	}
	for p := from + 1; p < a.points && p != 8 && rapid.IntRange(0, 2).Draw(t, "longer") > 0; p++ { // 8 begins a family
		run |= 1 << p
	}
	return run
}

func (m *term) yaml() string {
	switch m.op {
	case "not":
		return "not: {" + m.children[0].yaml() + "}"
	case "any", "all":
		return fmt.Sprintf("%s: [{%s}, {%s}]", m.op, m.children[0].yaml(), m.children[1].yaml())
	}
	a := &axes()[m.axis]
	var texts []string
	for _, e := range m.elements {
		first, last := -1, 0
		for p := range 16 {
			if e>>p&1 == 1 && first < 0 {
				first = p
			}
			if e>>p&1 == 1 {
				last = p
			}
		}
		text := a.text(first)
		if last > first {
			text += "-" + a.text(last)
		}
		texts = append(texts, `"`+text+`"`)
	}
	return fmt.Sprintf("%s: {%s: [%s]}", a.key, m.relation, strings.Join(texts, ", "))
}

// drawPackets draws a rule and what it permits.
func drawPackets(t *rapid.T) (rule sg.Rule, permits packets, unset []bool) {
	f := sg.Fields{ID: "sgr-1", Policy: "accept", Priority: "1"}
	permits, unset = make(packets, len(axes())), make([]bool, len(axes()))
	draw := func(axis int) (texts []string) { // several runs
		for range rapid.IntRange(1, 3).Draw(t, "runs") {
			run := drawRun(t, &axes()[axis])
			permits[axis] |= run
		}
		for p := range axes()[axis].points {
			if permits[axis]>>p&1 == 1 {
				texts = append(texts, axes()[axis].text(p))
			}
		}
		return texts
	}
	prefixes, ports := &sg.PrefixList{ID: "pl-1"}, &sg.PortList{ID: "prl-1"}
	f.PrefixListID, f.PortListID = "pl-1", "prl-1"
	for _, text := range draw(0) {
		addr := netip.MustParseAddr(text)
		prefixes.Entries = append(prefixes.Entries, netip.PrefixFrom(addr, addr.BitLen()))
	}
	for _, text := range draw(2) {
		var port uint16
		if _, err := fmt.Sscan(text, &port); err != nil {
			t.Fatal(err)
		}
		ports.Ranges = append(ports.Ranges, sg.PortRange{Low: port, High: port})
	}
	f.Protocol = rapid.SampledFrom([]string{"tcp", "udp", "all"}).Draw(t, "protocol")
	permits[4] = map[string]uint{"tcp": 1, "udp": 2, "all": 15}[f.Protocol]
	// A source is one block, so it is one address here; without one it is every address of the destination's families.
	if unset[1] = rapid.Bool().Draw(t, "no source"); unset[1] {
		if permits[0]&low8 != 0 {
			permits[1] = low8 | 1<<other
		}
		if permits[0]&high8 != 0 {
			permits[1] |= 1 << ipv6Other
		}
	} else {
		host := rapid.IntRange(0, 7).Draw(t, "source")
		f.SourceCIDR4, permits[1] = axes()[1].text(host), 1<<host
	}
	if unset[3] = rapid.Bool().Draw(t, "no source ports"); unset[3] {
		permits[3] = low8 | 1<<other
	} else {
		run := drawRun(t, &axes()[3])
		first, last := 0, 0
		for p := range 8 {
			if run>>p&1 == 1 {
				last = p
			}
		}
		for run>>first&1 == 0 {
			first++
		}
		f.SourcePorts, permits[3] = fmt.Sprintf("%d/%d", 80+first, 80+last), run
	}
	rule = sg.NewRule(&f)
	rule.Destination.List, rule.PortList = prefixes, ports
	return rule, permits, unset
}

func TestCollateralAgreesWithLookingAtEveryPacket(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		match := drawTerm(t, 3)
		text := policyWith("{" + match.yaml() + "}")
		set, err := policy.Load(memory(map[string]string{"p.yaml": text}), []string{"p.yaml"})
		if err != nil {
			t.Fatalf("loading: %v\n%s", err, text)
		}
		for range 12 {
			rule, permits, unset := drawPackets(t)
			var got, want []bool // nothing, or whether there is collateral
			for _, f := range set.Evaluator("prod", present()).Evaluate(&sg.Group{}, []sg.Rule{rule}) {
				got = append(got, f.Violations[0].Collateral)
			}
			if ways := match.ways(permits, unset, isTrue); len(ways) > 0 {
				want = []bool{!slices.ContainsFunc(ways, func(c conjunction) bool { return !c.leavesOver(permits) })}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s\nrule %+v\npermits %b\n(-brute force +evaluator):\n%s", match.yaml(), rule, permits, diff)
			}
		}
	})
}
