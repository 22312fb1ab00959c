package reach

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// patch is some addresses times some sides, in the least boxes.
type patch struct {
	to    []stretch
	ranks ranks
	sides []side
	six   bool
	nic   string
}

func (p *patch) boxes() int { return p.ranks.total() * len(p.sides) }

// ranks counts blocks by how wide they are, those of [cloudServices] as wider than all others.
type ranks [2 * 129]int32

func (r *ranks) total() int {
	n := int32(0)
	for _, count := range r {
		n += count
	}
	return int(n)
}

// patches gives an area divided by addresses or by sides, whichever takes fewer boxes.
func (w *walk) patches(flat, wide []slab) []patch {
	patched := func(slabs []slab) (list []patch, boxes int) {
		for _, p := range slabs {
			one := patch{to: w.stretches(p.blocks), sides: p.sides, six: w.six, nic: w.nicName()}
			for _, s := range one.to {
				s.each(w.six, func(c chunk) bool {
					one.ranks[c.rank()]++
					return true
				})
			}
			n := one.ranks.total()
			w.steps += n
			list = append(list, one)
			boxes += n * len(p.sides)
		}
		return list, boxes
	}
	list, n := patched(flat)
	if other, m := patched(wide); m > 0 && m <= n {
		return other
	}
	return list
}

// widest appends the boxes of a patch, or n of them at least if there are more: the widest ones.
func (p *patch) widest(list []Space, n int) []Space {
	sides := p.sides
	few := p.boxes() > n
	var to []chunk
	if !few {
		for _, s := range p.to {
			to = s.chunks(to, p.six)
		}
	} else {
		to = p.widestChunks(n)
		sides = slices.Clone(p.sides)
		slices.SortStableFunc(sides, func(a, b side) int { return cmp.Compare(portsIn(b.ports), portsIn(a.ports)) })
	}
	for i := range to {
		for k := range sides {
			if few && (i+1)*(k+1) > n { // as many are wider
				break
			}
			s := sides[k].space()
			s.CIDR, s.NIC = to[i].prefix(p.six), p.nic
			list = append(list, s)
		}
	}
	return list
}

func portsIn(p sg.PortRange) int { return int(p.High) - int(p.Low) }

// widestChunks gives the n widest blocks of a patch, the widest first, but those of [cloudServices] before all others.
func (p *patch) widestChunks(n int) []chunk {
	widest := make([]chunk, min(n, p.ranks.total()))
	var starts ranks // where the blocks of each rank go
	place := int32(0)
	for r := len(starts) - 1; r >= 0; r-- {
		starts[r] = place
		place += p.ranks[r]
	}
	for _, s := range p.to {
		s.each(p.six, func(c chunk) bool {
			at := &starts[c.rank()]
			if int(*at) < len(widest) {
				widest[*at] = c
			}
			*at++
			return true
		})
	}
	return widest
}

func (s chunk) rank() int {
	const (
		services     = 100<<24 | 64<<16 // the first address of [cloudServices], and how many bits of it are free
		servicesFree = 22
	)
	// An IPv6 block of so low addresses is reserved: it does no harm that it counts as well.
	free := max(s.hosts, servicesFree)
	if s.low.hi == 0 && s.low.lo>>free == services>>free {
		return int(s.hosts) + len(ranks{})/2
	}
	return int(s.hosts)
}

// portion is what is said of one protocol: of addresses, in two forms, and of members of groups.
type portion struct {
	patches []patch
	groups  []Space
	tracts  []tract
}

// bundle is portions by protocol, in the order in which they were found.
type bundle struct {
	protocols []sg.Protocol
	portions  []portion
}

func (b *bundle) add(ly *layer, p portion) {
	for _, protocol := range ly.protocols {
		i := slices.Index(b.protocols, protocol)
		if i < 0 {
			i = len(b.protocols)
			b.protocols, b.portions = append(b.protocols, protocol), append(b.portions, portion{})
		}
		to := &b.portions[i]
		to.patches = append(to.patches, p.patches...)
		to.groups = append(to.groups, p.groups...)
		to.tracts = append(to.tracts, p.tracts...)
	}
}

func (b *bundle) of(p sg.Protocol) *portion {
	if i := slices.Index(b.protocols, p); i >= 0 {
		return &b.portions[i]
	}
	return &portion{}
}

// titled is a portion by the names that spaces have for protocols.
type titled struct {
	*portion

	protocol string
	except   []uint8
}

// titled gives the portions in the order of answers. Of the numbers that rules name, those about which the same is said as
// of the rest are part of it.
func (b *bundle) titled(numbers []sg.Protocol) []titled {
	for i := range b.portions {
		b.portions[i].groups = bothFamiliesOf(b.portions[i].groups)
	}
	var list []titled
	for _, p := range []sg.Protocol{sg.TCP, sg.UDP, sg.ICMP, sg.ICMPv6, sg.GRE} {
		list = append(list, titled{b.of(p), p.String(), nil})
	}
	rest := b.of(theRest)
	var except []uint8
	for _, p := range numbers {
		own := b.of(p)
		if !rest.empty() && own.equal(rest) {
			continue
		}
		n, _ := p.Number()
		except = append(except, n)
		list = append(list, titled{own, strconv.Itoa(int(n)), nil})
	}
	return append(list, titled{rest, ProtocolOther, except})
}

func (p *portion) empty() bool { return len(p.patches)+len(p.groups) == 0 }

// equal tells whether two portions of protocols without ports are about the same. If they are cut in different ways it may
// say that they are not.
func (p *portion) equal(o *portion) bool {
	return slices.EqualFunc(p.patches, o.patches, func(a, b patch) bool {
		return a.six == b.six && a.nic == b.nic && slices.Equal(a.to, b.to) && slices.Equal(a.sides, b.sides)
	}) && slices.EqualFunc(p.groups, o.groups, sameSpace)
}

// spaces gives the spaces of portions, or the n widest of them, and how many more there are.
func spaces(portions []titled, n int) (list []Space, more int) {
	total := 0
	for _, p := range portions {
		from := len(list)
		list = append(list, p.groups...)
		total += len(p.groups)
		for i := range p.patches {
			total += p.patches[i].boxes()
			list = p.patches[i].widest(list, n)
			if own := list[from:]; len(own) > 16*n { // with more patches than anybody reads
				kept, _ := widest(own, n)
				list = append(list[:from], kept...)
			}
		}
		own := list[from:]
		for i := range own {
			own[i].Protocol, own[i].Except = p.protocol, p.except
		}
		slices.SortFunc(own, compareSpaces)
	}
	list, _ = widest(list, n)
	return list, total - len(list)
}

func sameSpace(a, b Space) bool { return compareSpaces(a, b) == 0 }

// bothFamiliesOf puts together what is said of the members of a group in both families.
func bothFamiliesOf(list []Space) []Space {
	var merged []Space
	for _, s := range list {
		other := slices.IndexFunc(merged, func(o Space) bool {
			if o.Family == s.Family || o.Family == AnyFamily {
				return false
			}
			o.Family = s.Family
			return sameSpace(o, s)
		})
		if other < 0 {
			merged = append(merged, s)
			continue
		}
		merged[other].Family = AnyFamily
	}
	return merged
}

// widest gives the n widest of some spaces in their order, but those about which [Effect.Warning] warns before all others.
func widest(list []Space, n int) (kept []Space, left int) {
	if len(list) <= n {
		return list, 0
	}
	type place struct {
		at    int
		width float64
	}
	order := make([]place, len(list))
	for i := range list {
		order[i] = place{i, list[i].width()}
		if list[i].answersForCloud() {
			order[i].width = math.MaxFloat64
		}
	}
	slices.SortStableFunc(order, func(a, b place) int { return cmp.Compare(b.width, a.width) })
	order = order[:n]
	slices.SortFunc(order, func(a, b place) int { return cmp.Compare(a.at, b.at) })
	for _, o := range order {
		kept = append(kept, list[o.at])
	}
	return kept, len(list) - n
}

// width is about how much traffic a space is, on a log scale. Groups come first: nobody knows how wide they are.
func (s *Space) width() float64 {
	ports := 0.0
	if !s.Ports.IsZero() {
		ports = math.Log2(float64(s.Ports.High) - float64(s.Ports.Low) + 1)
	}
	if s.Group != "" {
		return math.MaxFloat64 / 2
	}
	return float64(s.CIDR.Addr().BitLen()-s.CIDR.Bits()) + ports
}

// compareSpaces is the order of answers within a protocol.
func compareSpaces(a, b Space) int {
	if a.CIDR != b.CIDR {
		return cmp.Or(cmp.Compare(b2i(a.CIDR.Addr().Is6()), b2i(b.CIDR.Addr().Is6())),
			cmp.Compare(b2i(!a.CIDR.IsValid()), b2i(!b.CIDR.IsValid())), comparePrefixes(a.CIDR, b.CIDR))
	}
	if a.Ports != b.Ports {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Family, b.Family),
			cmp.Compare(a.Ports.Low, b.Ports.Low), cmp.Compare(a.Ports.High, b.Ports.High))
	}
	return cmp.Or(
		cmp.Compare(a.Group, b.Group), cmp.Compare(a.Family, b.Family), comparePrefixes(a.Source, b.Source),
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
