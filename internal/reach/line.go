package reach

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// line is ports cut at the ends of what rules say of them.
type line struct {
	ranges []sg.PortRange
	masks  []bitset // of each range: the rules that speak of it
}

// anyPort is the line of what has no ports, or where nobody asks for them.
func anyPort(everywhere bitset) *line {
	return &line{ranges: []sg.PortRange{{}}, masks: []bitset{everywhere}}
}

// portsOfRule is what a rule says of ports.
type portsOfRule struct {
	rule   int
	ranges []sg.PortRange
}

// newLine cuts the ports from 1 to 65535 within bounds, of which the rules of everywhere speak anyway.
func newLine(rules []portsOfRule, bounds []sg.PortRange, everywhere bitset) *line {
	cuts := []int{1, maxPort + 1}
	for _, r := range rules {
		for _, p := range r.ranges {
			cuts = append(cuts, int(p.Low), int(p.High)+1)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	l := &line{}
	for i := range len(cuts) - 1 {
		p := sg.PortRange{Low: uint16(cuts[i]), High: uint16(cuts[i+1] - 1)} //nolint:gosec // between 1 and 65535
		if portsMeet([]sg.PortRange{p}, bounds) {
			l.ranges = append(l.ranges, p)
		}
	}
	words := len(everywhere)
	backing := make([]uint64, words*len(l.ranges))
	for i := range l.ranges {
		m := bitset(backing[i*words : (i+1)*words : (i+1)*words])
		copy(m, everywhere)
		l.masks = append(l.masks, m)
	}
	for _, r := range rules {
		for _, p := range r.ranges {
			l.mark(r.rule, p)
		}
	}
	return l
}

const maxPort = 65535

// mark notes that a rule speaks of the ranges within p, which begins and ends where ranges do or lies outside of them.
func (l *line) mark(rule int, p sg.PortRange) {
	from, _ := slices.BinarySearchFunc(l.ranges, p.Low, func(r sg.PortRange, low uint16) int { return int(r.Low) - int(low) })
	for i := from; i < len(l.ranges) && l.ranges[i].High <= p.High; i++ {
		l.masks[i].add(rule)
	}
}
