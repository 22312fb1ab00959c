package reach

import (
	"math"
	"net/netip"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// An axis is one dimension of traffic, cut into cells such that nothing that narrowing looks at distinguishes two points
// of a cell. What one rule can speak of is a span of adjacent cells.
type axis struct {
	cells int
	// shapes are the spans that a rule can have. Of addresses these are prefixes, in the order of a walk from the widest
	// down, each with the index of the next wider one (-1: none). Ports have none: every span will do.
	shapes []shape
	ranges []sg.PortRange // of ports, by cell
}

// span is cells lo to hi, hi not included.
type span struct{ lo, hi int }

func (s span) size() int { return s.hi - s.lo }

type shape struct {
	span
	parent int
	prefix netip.Prefix // not valid: any address
}

// onePoint is the axis of what narrowing does not look into.
func onePoint() *axis {
	return &axis{cells: 1, shapes: []shape{{span: span{0, 1}, parent: -1}}}
}

// set is the cells of an axis that something is about; nil is all of them.
type set []bool

func (s set) has(cell int) bool { return s == nil || s[cell] }

// node is a prefix of the tree that addresses are cut by.
type node struct {
	prefix   netip.Prefix
	children []*node
	in       []bool // of a leaf: which lists of prefixes hold it
}

// member is a prefix of one of the lists.
type member struct {
	prefix netip.Prefix
	list   int
}

// addressAxis cuts the addresses of some roots by lists of prefixes, and tells which cells each list holds. A list that is
// nil holds everything. If wide, the first shape is all roots together and has no prefix; without it there is one root.
func addressAxis(roots []netip.Prefix, wide bool, lists [][]netip.Prefix) (*axis, []set) {
	a, sets := &axis{}, make([]set, len(lists))
	top := -1
	if len(roots) > 1 {
		a.shapes, top = append(a.shapes, shape{parent: -1}), 0
	}
	for _, root := range roots {
		var members []member
		in := make([]bool, len(lists))
		for i, l := range lists {
			in[i] = l == nil
			for _, p := range l {
				if p.Overlaps(root) {
					members = append(members, member{p, i})
				}
			}
		}
		a.flatten(cut(root, members, in), top, sets)
	}
	if wide {
		a.shapes[0].prefix, a.shapes[0].hi = netip.Prefix{}, a.cells
	}
	for i := range sets {
		if lists[i] == nil {
			sets[i] = nil
		}
	}
	return a, sets
}

// cut splits a prefix until every list holds all of a leaf or nothing of it.
func cut(prefix netip.Prefix, members []member, in []bool) *node {
	in = slices.Clone(in)
	var inside []member
	for _, m := range members {
		if m.prefix.Bits() <= prefix.Bits() {
			in[m.list] = true
		} else {
			inside = append(inside, m)
		}
	}
	if len(inside) == 0 {
		return &node{prefix: prefix, in: in}
	}
	n := &node{prefix: prefix}
	for _, half := range halves(prefix) {
		n.children = append(n.children, cut(half, slices.DeleteFunc(slices.Clone(inside), func(m member) bool {
			return !m.prefix.Overlaps(half)
		}), in))
	}
	low, high := n.children[0], n.children[1]
	if low.children == nil && high.children == nil && slices.Equal(low.in, high.in) {
		return &node{prefix: prefix, in: low.in}
	}
	return n
}

// halves are the two prefixes that a prefix consists of; it must not be a single address.
func halves(p netip.Prefix) [2]netip.Prefix {
	bytes := p.Addr().AsSlice()
	bytes[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	upper, _ := netip.AddrFromSlice(bytes)
	return [2]netip.Prefix{netip.PrefixFrom(p.Addr(), p.Bits()+1), netip.PrefixFrom(upper, p.Bits()+1)}
}

func (a *axis) flatten(n *node, parent int, sets []set) {
	at := len(a.shapes)
	a.shapes = append(a.shapes, shape{span: span{lo: a.cells}, parent: parent, prefix: n.prefix})
	for _, child := range n.children {
		a.flatten(child, at, sets)
	}
	if n.children == nil {
		a.cells++
		for i := range sets {
			sets[i] = append(sets[i], n.in[i])
		}
	}
	a.shapes[at].hi = a.cells
}

// portAxis cuts the ports by lists of ranges, and tells which cells each list holds; nil is all ports.
func portAxis(lists [][]sg.PortRange) (*axis, []set) {
	starts := []int{1, math.MaxUint16 + 1}
	for _, l := range lists {
		for _, r := range l {
			starts = append(starts, int(r.Low), int(r.High)+1)
		}
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	a := &axis{cells: len(starts) - 1}
	for i := range a.cells {
		a.ranges = append(a.ranges, sg.PortRange{Low: uint16(starts[i]), High: uint16(starts[i+1] - 1)}) //nolint:gosec // in range
	}
	sets := make([]set, len(lists))
	for i, l := range lists {
		if l == nil {
			continue
		}
		sets[i] = make(set, a.cells)
		for _, r := range l {
			from, _ := slices.BinarySearch(starts, int(r.Low))
			for cell := from; cell < a.cells && a.ranges[cell].High <= r.High; cell++ {
				sets[i][cell] = true
			}
		}
	}
	return a, sets
}

// portsIn is the range of a span of an axis of ports.
func (a *axis) portsIn(s span) sg.PortRange {
	return sg.PortRange{Low: a.ranges[s.lo].Low, High: a.ranges[s.hi-1].High}
}
