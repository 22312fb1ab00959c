package reach

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// List is the rules of a group, or of several merged, in a compact form that shares no memory with them. It is safe for
// concurrent use.
type List struct {
	why      string    // every effect is unknown, and why; empty if not
	fallback sg.Action // what happens where no rule speaks
	classic  bool
	merged   bool   // of several groups
	rules    []rule // in the order in which they are asked
	position []int  // of each rule by the index that it was given with; -1: left out, since it cannot matter
	blocks   []block
	ports    []sg.PortRange
	sets     []opaque
}

// positions are those of rules, by the indexes that they were given with.
func (l *List) positions(indexes []int) []int {
	list := make([]int, 0, len(indexes))
	for _, i := range indexes {
		if at := l.position[i]; at >= 0 {
			list = append(list, at)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Ref names rule i, as it was given to [Compile]. The zero value stands for one that was left out.
func (l *List) Ref(i int) Ref {
	at := l.position[i]
	if at < 0 {
		return Ref{}
	}
	r := &l.rules[at]
	return Ref{ID: r.id, Text: r.text, Group: r.group, Priority: int(r.priority), Action: r.action}
}

// rule is one rule in compact form. What it is about is a product of blocks, ports, sources and source ports.
type rule struct {
	id       string
	text     string // in words; empty if there is an ID
	group    string
	to       extent       // of blocks; empty with an opaque destination
	from     extent       // of blocks, at most one; empty: any source
	ports    extent       // of ports; empty with opaque ports
	source   sg.PortRange // ports; zero: any
	priority int32        // 0: not known
	protocol sg.Protocol
	action   sg.Action // empty: not known
	nic      nics
	families families // in which it can match
	toSet    int16    // the opaque set in the place of to, or -1
	portSet  int16    // likewise of ports
	ownSet   int16    // where this set does not hold, the rule does not match either; or -1
	bareSet  int16    // likewise for protocols without ports, of which it is not said whether the rule is about them
}

// extent is a part of a slice.
type extent struct{ from, to uint32 }

func (e extent) empty() bool { return e.from == e.to }

type nics uint8

const (
	intranet nics = 1 << iota
	internet
)

type families uint8

const (
	four families = 1 << iota
	six
)

// wild tells whether it is not known when the rule is asked, or what it does.
func (r *rule) wild() bool { return r.priority == 0 || r.action == "" }

// order is when a rule is asked: rules of the same order do the same, so that among them there is no first.
func (r *rule) order() int64 {
	o := int64(r.priority) << 1
	if r.action == sg.Accept {
		o++
	}
	return o
}

// opaque is a set of which the contents are not known.
type opaque struct {
	kind opaqueKind
	name string
}

type opaqueKind uint8

const (
	peerGroup opaqueKind = iota
	unreadList
	unreadPorts
	unreadableRule
)

func compareRules(a, b *rule) int {
	return cmp.Or(cmp.Compare(a.order(), b.order()), strings.Compare(a.id, b.id), strings.Compare(a.text, b.text))
}

// Merge makes the list of an interface that is in several groups, which must be of one type, as the cloud demands; every
// effect is unknown otherwise. Rule i of lists[k] is named {k, i} in what the [Merged] is asked.
func Merge(lists ...*List) *Merged {
	m := &Merged{list: &List{merged: true}}
	taken := map[opaque]int16{}
	for k, l := range lists {
		m.add(l, k == 0, taken)
		m.offsets = append(m.offsets, make([]int, len(l.position)))
	}
	m.arrange(lists)
	return m
}

// At names a rule of a [Merged]: the index of its list, and its own index there.
type At struct{ List, Rule int }

// Merged is several lists merged. It is safe for concurrent use.
type Merged struct {
	list    *List
	offsets [][]int // position in the list of each rule by list and index
}

// add appends the rules of a list, with the parts that they refer to.
func (m *Merged) add(l *List, first bool, taken map[opaque]int16) {
	all := m.list
	switch {
	case all.why != "":
	case l.why != "":
		all.why = l.why
	case first:
		all.fallback, all.classic = l.fallback, l.classic
	case l.fallback != all.fallback || l.classic != all.classic:
		all.why = "the groups of the interface are not of one type, which the cloud does not allow"
	}
	blocks, ports := uint32(len(all.blocks)), uint32(len(all.ports)) //nolint:gosec // bounded by the rules of groups
	all.blocks, all.ports = append(all.blocks, l.blocks...), append(all.ports, l.ports...)
	set := func(i int16) int16 {
		if i < 0 {
			return i
		}
		if known, there := taken[l.sets[i]]; there {
			return known
		}
		taken[l.sets[i]] = int16(len(all.sets)) //nolint:gosec // see [Compile]
		all.sets = append(all.sets, l.sets[i])
		return taken[l.sets[i]]
	}
	for i := range l.rules {
		r := l.rules[i]
		r.to, r.from = r.to.shifted(blocks), r.from.shifted(blocks)
		r.ports = r.ports.shifted(ports)
		r.toSet, r.portSet, r.ownSet, r.bareSet = set(r.toSet), set(r.portSet), set(r.ownSet), set(r.bareSet)
		all.rules = append(all.rules, r)
	}
}

func (e extent) shifted(by uint32) extent { return extent{e.from + by, e.to + by} }

// arrange brings the rules of all lists into one order.
func (m *Merged) arrange(lists []*List) {
	order := make([]int, len(m.list.rules))
	for i := range order {
		order[i] = i
	}
	rules := m.list.rules
	slices.SortStableFunc(order, func(a, b int) int { return compareRules(&rules[a], &rules[b]) })
	sorted, now := make([]rule, len(rules)), make([]int, len(rules))
	for to, from := range order {
		sorted[to], now[from] = rules[from], to
	}
	m.list.rules = sorted
	base := 0
	for k, l := range lists {
		for i, p := range l.position {
			m.offsets[k][i] = -1
			if p >= 0 {
				m.offsets[k][i] = now[base+p]
			}
		}
		base += len(l.rules)
	}
}

// Effect is as [List.Effect], with scope [ScopeInterface].
func (m *Merged) Effect(absent, removed []At) *Effect {
	e := m.list.effect(m.positions(absent), m.positions(removed))
	e.Scope = ScopeInterface
	return e
}

func (m *Merged) positions(names []At) []int {
	list := make([]int, 0, len(names))
	for _, n := range names {
		if p := m.offsets[n.List][n.Rule]; p >= 0 {
			list = append(list, p)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// block is an address block of one family: the addresses from low to high.
type block struct {
	low, high address
	bits      uint8
	six       bool
}

func newBlock(p netip.Prefix) block {
	low := addressOf(p.Addr())
	bits := uint8(p.Bits()) //nolint:gosec // at most 128
	return block{low: low, high: low.last(p.Addr().BitLen() - p.Bits()), bits: bits, six: p.Addr().Is6()}
}

func (b *block) contains(o *block) bool {
	return b.six == o.six && !o.low.less(b.low) && !b.high.less(o.high)
}

func (b *block) stretch() stretch { return stretch{b.low, b.high} }

func (b *block) overlaps(o *block) bool {
	return b.six == o.six && !o.high.less(b.low) && !b.high.less(o.low)
}
