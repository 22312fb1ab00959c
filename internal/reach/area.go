package reach

import (
	"cmp"
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// area is cells that have an outcome in common: blocks of destinations by which columns (ports and sources) of them it is.
type area struct {
	parts []part
	known map[string]int
}

type part struct {
	columns []int32 // ascending
	blocks  []int
}

func newArea() *area { return &area{known: map[string]int{}} }

func (a *area) add(columns []int32, at int) {
	key := make([]byte, 0, 4*len(columns))
	for _, c := range columns {
		key = binary.LittleEndian.AppendUint32(key, uint32(c)) //nolint:gosec // columns count from 0
	}
	i, known := a.known[string(key)]
	if !known {
		i = len(a.parts)
		a.known[string(key)] = i
		a.parts = append(a.parts, part{columns: slices.Clone(columns)})
	}
	a.parts[i].blocks = append(a.parts[i].blocks, at)
}

// stretches are the addresses of blocks, without what lies in others.
func (w *walk) stretches(blocks []int) []stretch {
	var list []stretch
	for _, at := range blocks {
		list = w.to.stretches(at, list)
	}
	slices.SortFunc(list, func(a, b stretch) int { return a.low.compare(b.low) })
	return joined(list)
}

// spaces gives the boxes of an area, without protocol: by addresses or by columns, whichever takes fewer.
func (w *walk) spaces(a *area) []Space {
	wide := w.byColumns(a)
	if len(a.parts) == 1 {
		return wide
	}
	var flat []Space
	for i := range a.parts {
		flat = w.boxes(flat, w.stretches(a.parts[i].blocks), a.parts[i].columns)
		if len(flat) >= len(wide) {
			return wide
		}
	}
	return flat
}

// byColumns puts together the columns that have the same addresses.
func (w *walk) byColumns(a *area) []Space {
	parts := map[int32][]byte{} // of each column: the numbers of the parts that have it
	for i := range a.parts {
		for _, c := range a.parts[i].columns {
			parts[c] = append(parts[c], byte(i), byte(i>>8), byte(i>>16), byte(i>>24))
		}
	}
	columns := map[string][]int32{}
	var order []string
	for _, c := range slices.Sorted(maps.Keys(parts)) {
		key := string(parts[c])
		if columns[key] == nil {
			order = append(order, key)
		}
		columns[key] = append(columns[key], c)
	}
	var list []Space
	for _, key := range order {
		var blocks []int
		for k := 0; k < len(key); k += 4 {
			i := int(key[k]) | int(key[k+1])<<8 | int(key[k+2])<<16 | int(key[k+3])<<24
			blocks = append(blocks, a.parts[i].blocks...)
		}
		list = w.boxes(list, w.stretches(blocks), columns[key])
	}
	return list
}

// boxes appends the boxes of some addresses times some columns.
func (w *walk) boxes(list []Space, to []stretch, columns []int32) []Space {
	var prefixes []netip.Prefix
	for _, s := range to {
		prefixes = s.prefixes(prefixes, w.six)
	}
	if len(prefixes)*len(columns) > maxBoxes {
		w.tooMany = true
		return list
	}
	sides := w.sides(columns)
	for _, p := range prefixes {
		for _, s := range sides {
			s.CIDR = p
			list = append(list, s)
		}
	}
	return list
}

// maxBoxes bounds the boxes of an answer.
const maxBoxes = 200_000

// sides gives the boxes of columns, without destination.
func (w *walk) sides(columns []int32) []Space {
	bySources := map[string][]sg.PortRange{} // the ports that have the same sources
	sources := map[string][]int32{}
	var order []string
	each := int32(len(w.from.blocks) * len(w.sources.ranges)) //nolint:gosec // bounded by the rules of a group
	for from := 0; from < len(columns); {
		p := columns[from] / each
		to := from
		var key []byte
		var cells []int32
		for ; to < len(columns) && columns[to]/each == p; to++ {
			c := columns[to] % each
			cells = append(cells, c)
			key = binary.LittleEndian.AppendUint32(key, uint32(c)) //nolint:gosec // columns count from 0
		}
		if sources[string(key)] == nil {
			order, sources[string(key)] = append(order, string(key)), cells
		}
		bySources[string(key)] = append(bySources[string(key)], w.ports.ranges[p])
		from = to
	}
	var list []Space
	for _, key := range order {
		for _, from := range w.sourceSides(sources[key]) {
			for _, p := range joinedPorts(bySources[key]) {
				from.Ports = p
				list = append(list, from)
			}
		}
	}
	return list
}

// sourceSides gives the boxes of cells of sources and source ports.
func (w *walk) sourceSides(cells []int32) []Space {
	n := int32(len(w.sources.ranges)) //nolint:gosec // bounded by the rules of a group
	ports := make([][]int32, len(w.from.blocks))
	for _, c := range cells {
		ports[c/n] = append(ports[c/n], c%n)
	}
	var list []Space
	done := make([]bool, len(ports))
	for f := range ports {
		if done[f] || len(ports[f]) == 0 {
			continue
		}
		var blocks []stretch
		for g := f; g < len(ports); g++ {
			if !done[g] && slices.Equal(ports[f], ports[g]) {
				done[g] = true
				blocks = w.from.stretches(g, blocks)
			}
		}
		list = append(list, w.sourceBoxes(blocks, ports[f])...)
	}
	return list
}

func (w *walk) sourceBoxes(blocks []stretch, ports []int32) []Space {
	slices.SortFunc(blocks, func(a, b stretch) int { return a.low.compare(b.low) })
	var prefixes []netip.Prefix
	for _, s := range joined(blocks) {
		prefixes = s.prefixes(prefixes, w.six)
	}
	ranges := make([]sg.PortRange, 0, len(ports))
	for _, s := range ports {
		ranges = append(ranges, w.sources.ranges[s])
	}
	var list []Space
	for _, p := range prefixes {
		if p.Bits() == 0 {
			p = netip.Prefix{}
		}
		for _, r := range joinedPorts(ranges) {
			if r == sg.AllPorts() {
				r = sg.PortRange{}
			}
			list = append(list, Space{Source: p, SourcePorts: r})
		}
	}
	return list
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

// compareSpaces is the order of answers within a protocol.
func compareSpaces(a, b Space) int {
	return cmp.Or(
		cmp.Compare(b2i(a.Group != ""), b2i(b.Group != "")),
		cmp.Compare(b2i(a.CIDR.Addr().Is6()), b2i(b.CIDR.Addr().Is6())),
		a.CIDR.Addr().Compare(b.CIDR.Addr()), cmp.Compare(a.CIDR.Bits(), b.CIDR.Bits()),
		cmp.Compare(a.Group, b.Group), cmp.Compare(a.Family, b.Family),
		cmp.Compare(a.Ports.Low, b.Ports.Low), cmp.Compare(a.Ports.High, b.Ports.High),
		a.Source.Addr().Compare(b.Source.Addr()), cmp.Compare(a.Source.Bits(), b.Source.Bits()),
		cmp.Compare(a.SourcePorts.Low, b.SourcePorts.Low), cmp.Compare(a.SourcePorts.High, b.SourcePorts.High),
		cmp.Compare(a.NIC, b.NIC),
	)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
