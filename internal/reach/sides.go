package reach

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// side is a box of ports, sources and source ports.
type side struct {
	ports       sg.PortRange // zero without ports
	source      netip.Prefix // not valid: any
	sourcePorts sg.PortRange // zero: any
}

func (s *side) space() Space {
	return Space{Ports: s.ports, Source: s.source, SourcePorts: s.sourcePorts}
}

// sideSets are sets of spots, each as the same sides however it was cut, by number.
type sideSets struct {
	six    bool
	known  map[string]int32
	sets   [][]side
	ports  []int // how many each is about; without ports, one
	buffer []byte
	list   []side
}

// of gives the number of the set of some spots: disjoint ones, in the order of ports, and of sources for the same ports.
func (s *sideSets) of(spots []spot) int32 {
	s.list = s.canonical(s.list[:0], spots)
	s.buffer = s.buffer[:0]
	for i := range s.list {
		s.buffer = s.list[i].appendKey(s.buffer)
	}
	if n, known := s.known[string(s.buffer)]; known {
		return n
	}
	if s.known == nil {
		s.known = map[string]int32{}
	}
	n := int32(len(s.sets)) //nolint:gosec // bounded by the work
	s.known[string(s.buffer)] = n
	s.sets = append(s.sets, slices.Clone(s.list))
	s.ports = append(s.ports, portTotal(spots))
	return n
}

func (s *side) appendKey(key []byte) []byte {
	key = binary.LittleEndian.AppendUint16(key, s.ports.Low)
	key = binary.LittleEndian.AppendUint16(key, s.ports.High)
	if !s.source.IsValid() && s.sourcePorts.IsZero() {
		return append(key, 0)
	}
	a := s.source.Addr().As16()
	key = append(append(key, 1, byte(s.source.Bits())), a[:]...) //nolint:gosec // at most 128
	key = binary.LittleEndian.AppendUint16(key, s.sourcePorts.Low)
	return binary.LittleEndian.AppendUint16(key, s.sourcePorts.High)
}

// portTotal counts the ports of spots, each once.
func portTotal(spots []spot) int {
	n := 0
	for i := range spots {
		if i == 0 || spots[i].ports != spots[i-1].ports {
			n += int(spots[i].ports.High) - int(spots[i].ports.Low) + 1
		}
	}
	return n
}

// canonical appends the sides that are made up of spots: the ports that have the same sources together.
func (s *sideSets) canonical(list []side, spots []spot) []side {
	if !slices.ContainsFunc(spots, func(p spot) bool { return p.from != nil || p.sources != sg.PortRange{} }) {
		for i := range spots {
			list = appendPorts(list, side{ports: spots[i].ports})
		}
		return list
	}
	type part struct {
		sources []side
		ports   []sg.PortRange
	}
	var parts gathered[part]
	for from := 0; from < len(spots); {
		to := from + 1
		for to < len(spots) && spots[to].ports == spots[from].ports {
			to++
		}
		sources := s.sources(spots[from:to])
		var key []byte
		for i := range sources {
			key = sources[i].appendKey(key)
		}
		p := parts.of(key)
		p.sources, p.ports = sources, append(p.ports, spots[from].ports)
		from = to
	}
	for _, p := range parts.list {
		ports := joinedPorts(p.ports)
		for _, one := range p.sources {
			for _, one.ports = range ports {
				list = append(list, one)
			}
		}
	}
	return list
}

// appendPorts appends a side, or makes the last one longer.
func appendPorts(list []side, next side) []side {
	if n := len(list); n > 0 && !next.ports.IsZero() && int(list[n-1].ports.High)+1 == int(next.ports.Low) {
		list[n-1].ports.High = next.ports.High
		return list
	}
	return append(list, next)
}

// sources gives the boxes of sources and source ports of spots that have their ports in common.
func (s *sideSets) sources(spots []spot) []side {
	type part struct {
		from  []stretch
		ports []sg.PortRange
	}
	var parts gathered[part]
	for at := 0; at < len(spots); {
		from, ports := s.addresses(&spots[at]), []sg.PortRange{}
		to := at
		for ; to < len(spots) && slices.Equal(s.addresses(&spots[to]), from); to++ {
			ports = append(ports, spots[to].sources)
		}
		ports = joinedPorts(ports)
		var key []byte
		for i, p := range ports {
			if p == sg.AllPorts() {
				p, ports[i] = sg.PortRange{}, sg.PortRange{}
			}
			key = (&side{sourcePorts: p}).appendKey(key)
		}
		p := parts.of(key)
		p.ports, p.from = ports, append(p.from, from...)
		at = to
	}
	var list []side
	for _, p := range parts.list {
		for _, b := range chunksOf(p.from, s.six) {
			one := side{}
			if int(b.hosts) < width(s.six) {
				one.source = b.prefix(s.six)
			}
			for _, one.sourcePorts = range p.ports {
				list = append(list, one)
			}
		}
	}
	slices.SortFunc(list, func(a, b side) int {
		if c := a.source.Addr().Compare(b.source.Addr()); c != 0 {
			return c
		}
		return int(a.sourcePorts.Low) - int(b.sourcePorts.Low)
	})
	return list
}

func (s *sideSets) addresses(p *spot) []stretch {
	if p.from == nil {
		return []stretch{wholeFamily(s.six)}
	}
	return p.from
}

// chunksOf gives the fewest blocks that make up stretches, which need no order.
func chunksOf(list []stretch, six bool) []chunk {
	var chunks []chunk
	for _, s := range joined(list) {
		chunks = s.chunks(chunks, six)
	}
	return chunks
}

// joinedPorts merges ranges that are sorted.
func joinedPorts(list []sg.PortRange) []sg.PortRange {
	var merged []sg.PortRange
	for _, r := range list {
		if n := len(merged); n > 0 && !r.IsZero() && int(merged[n-1].High)+1 >= int(r.Low) {
			merged[n-1].High = max(merged[n-1].High, r.High)
			continue
		}
		merged = append(merged, r)
	}
	return merged
}

// gathered is what has a key in common, in the order in which the keys came.
type gathered[T any] struct {
	known map[string]int
	list  []T
}

// of gives what is gathered under a key. It is good until the next one is asked for.
func (g *gathered[T]) of(key []byte) *T {
	if g.known == nil {
		g.known = map[string]int{}
	}
	i, there := g.known[string(key)]
	if !there {
		i = len(g.list)
		g.known[string(key)] = i
		g.list = append(g.list, *new(T))
	}
	return &g.list[i]
}
