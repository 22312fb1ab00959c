package reach

import (
	"cmp"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

const maxPort = 65535

// portSweep goes along ports, from one end of a rule's range to the next, with the rules that speak of what is between.
type portSweep struct {
	ends   []portEnd
	depth  []int16 // of each rule, how many of its ranges the present port is in
	active bitset
}

// portEnd is where a range of a rule begins, or the port after its end.
type portEnd struct {
	port  int32
	rule  int32
	depth int16 // 1 or -1
}

func (s *portSweep) reset(rules int) {
	s.ends = s.ends[:0]
	s.active = s.active.resized(rules)
	if cap(s.depth) < rules {
		s.depth = make([]int16, rules)
	}
	s.depth = s.depth[:rules]
	clear(s.depth)
}

// add makes a rule speak of a range.
func (s *portSweep) add(rule int, p sg.PortRange) {
	if p.Low <= 1 && p.High == maxPort {
		s.always(rule)
		return
	}
	s.ends = append(s.ends, portEnd{max(1, int32(p.Low)), int32(rule), 1}, //nolint:gosec // a place in a chain
		portEnd{int32(p.High) + 1, int32(rule), -1}) //nolint:gosec // a place in a chain
}

// always makes a rule speak of every port.
func (s *portSweep) always(rule int) {
	s.depth[rule]++
	s.active.add(rule)
}

// run visits the ranges between the ends, in their order. The rules that speak of each are in active.
func (s *portSweep) run(visit func(sg.PortRange)) {
	slices.SortFunc(s.ends, func(a, b portEnd) int { return cmp.Compare(a.port, b.port) })
	from := int32(1)
	for _, e := range s.ends {
		if e.port > from {
			visit(sg.PortRange{Low: uint16(from), High: uint16(e.port - 1)}) //nolint:gosec // between 1 and 65535
			from = e.port
		}
		if s.depth[e.rule] += e.depth; s.depth[e.rule] > 0 {
			s.active.add(int(e.rule))
		} else {
			s.active.remove(int(e.rule))
		}
	}
	if from <= maxPort {
		visit(sg.PortRange{Low: uint16(from), High: maxPort})
	}
}
