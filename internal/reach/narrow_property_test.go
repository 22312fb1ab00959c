package reach

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// packet is a point of the small universe that narrowing is tried in: the rule is about 10.0.0.0/29, or parts of it.
type packet struct {
	protocol         sg.Protocol
	to, from         netip.Addr
	port, sourcePort uint16
}

// packets are all points of the universe that differ in anything a drawn rule or extent can name.
func packets() []packet {
	var all []packet
	from := []netip.Addr{netip.MustParseAddr("10.1.0.0"), netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("11.0.0.0")}
	for _, protocol := range append(named(), 51, 52) {
		ports, sourcePorts := []uint16{0}, []uint16{0}
		if protocol.HasPorts() {
			ports, sourcePorts = []uint16{1, 2, 3, 4, 5, 65535}, []uint16{1, 2, 65535}
		}
		for host := range byte(8) {
			for _, source := range from {
				for _, port := range ports {
					for _, sourcePort := range sourcePorts {
						all = append(all, packet{protocol, netip.AddrFrom4([4]byte{10, 0, 0, host}), source, port, sourcePort})
					}
				}
			}
		}
	}
	return all
}

func inPrefixes(list []netip.Prefix, a netip.Addr) bool {
	return list == nil || slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// inPorts goes by ports; what has none is in no list of them.
func inPorts(list []sg.PortRange, port uint16) bool {
	return list == nil || port != 0 && slices.ContainsFunc(list, func(r sg.PortRange) bool { return r.Low <= port && port <= r.High })
}

func (k packet) inExtent(e sg.Extent) bool {
	protocol := e.Protocols == nil || slices.Contains(e.Protocols, k.protocol) || slices.Contains(e.Protocols, sg.AllProtocols)
	return protocol && inPrefixes(e.Destinations, k.to) && inPrefixes(e.Sources, k.from) &&
		inPorts(e.Ports, k.port) && inPorts(e.SourcePorts, k.sourcePort)
}

func (k packet) inRule(r *sg.Rule) bool {
	e := sg.Extent{Protocols: []sg.Protocol{r.Protocol}, Destinations: []netip.Prefix{r.Destination.CIDR}}
	if r.Destination.List != nil {
		e.Destinations = r.Destination.List.Entries
	}
	if r.Source.CIDR.IsValid() {
		e.Sources = []netip.Prefix{r.Source.CIDR}
	}
	if k.port != 0 {
		e.Ports = []sg.PortRange{r.Ports}
	}
	if k.port != 0 && !r.SourcePorts.IsZero() {
		e.SourcePorts = []sg.PortRange{r.SourcePorts}
	}
	return k.inExtent(e)
}

func (k packet) inSpace(s Space) bool {
	protocol := s.Protocol == k.protocol.String()
	if number, _ := k.protocol.Number(); s.Protocol == ProtocolOther {
		protocol = !slices.Contains(named(), k.protocol) && !slices.Contains(s.Except, number)
	}
	return protocol && s.CIDR.Contains(k.to) && (!s.Source.IsValid() || s.Source.Contains(k.from))
}

// asRule reads a permission as the cloud would.
func asRule(t *testing.T, p Permission) sg.Rule {
	t.Helper()
	r := sg.NewRule(&sg.Fields{
		Protocol: p.IPProtocol, PortRange: p.PortRange, SourcePorts: p.SourcePortRange, CIDR4: p.DestCidrIP,
		PrefixListID: p.DestPrefixListID, SourceCIDR4: p.SourceCidrIP, Policy: p.Policy, Priority: p.Priority, NICType: p.NicType,
	})
	if r.Unreadable != "" {
		t.Fatalf("permission %+v: %s", p, r.Unreadable)
	}
	return r
}

func drawPrefix(r *rand.Rand, base string, widest, longest int) netip.Prefix {
	bits := widest + r.IntN(longest-widest+1)
	bytes := netip.MustParseAddr(base).As4()
	bytes[3] |= byte(r.IntN(1 << (longest - widest)))
	return netip.PrefixFrom(netip.AddrFrom4(bytes), bits).Masked()
}

func drawPorts(r *rand.Rand, high int) sg.PortRange {
	low := 1 + r.IntN(high)
	return sg.PortRange{Low: uint16(low), High: uint16(low + r.IntN(high-low+1))}
}

// drawSome gives nothing in some cases, which is no restriction, otherwise one or two values.
func drawSome[T any](r *rand.Rand, restricted float64, draw func() T) []T {
	if r.Float64() >= restricted {
		return nil
	}
	list := []T{draw()}
	if r.IntN(3) == 0 {
		list = append(list, draw())
	}
	return list
}

func drawNarrow(r *rand.Rand) (sg.Rule, []sg.Extent) {
	f := sg.Fields{ID: "sgr-x", Protocol: "all", PortRange: "-1/-1", Policy: "accept", Priority: "1", NICType: sg.NICIntranet}
	switch r.IntN(4) {
	case 0, 1:
		f.Protocol, f.PortRange = "tcp", []string{"1/4", "2/3", "1/65535"}[r.IntN(3)]
		f.SourcePorts = []string{"", "", "1/2"}[r.IntN(3)]
	case 2:
		f.Protocol = []string{"icmp", "50"}[r.IntN(2)]
	}
	f.SourceCIDR4 = []string{"", "", "10.1.0.0/31", "10.1.0.1/32"}[r.IntN(4)]
	if f.CIDR4 = drawPrefix(r, "10.0.0.0", 29, 31).String(); r.IntN(4) == 0 {
		f.CIDR4, f.PrefixListID = "", "pl-x"
	}
	rule := sg.NewRule(&f)
	if f.PrefixListID != "" {
		rule.Destination.List = &sg.PrefixList{Entries: []netip.Prefix{
			drawPrefix(r, "10.0.0.0", 29, 32), drawPrefix(r, "10.0.0.0", 30, 32),
		}}
	}
	objected := make([]sg.Extent, 1+r.IntN(3))
	for i := range objected {
		objected[i] = sg.Extent{
			Protocols: drawSome(r, 0.5, func() sg.Protocol {
				return []sg.Protocol{sg.TCP, sg.UDP, sg.ICMP, sg.ICMPv6, sg.GRE, 51, sg.AllProtocols}[r.IntN(7)]
			}),
			Destinations: drawSome(r, 0.7, func() netip.Prefix { return drawPrefix(r, "10.0.0.0", 28, 32) }),
			Ports:        drawSome(r, 0.5, func() sg.PortRange { return drawPorts(r, 4) }),
			Sources:      drawSome(r, 0.2, func() netip.Prefix { return drawPrefix(r, "10.1.0.0", 31, 32) }),
			SourcePorts:  drawSome(r, 0.1, func() sg.PortRange { return drawPorts(r, 2) }),
		}
	}
	return rule, objected
}

// The rules of a proposal and what is left are, together, what the rule permits beyond the objections: no more, no less.
func TestNarrowKeepsExactlyTheRest(t *testing.T) {
	t.Parallel()
	universe := packets()
	group := &sg.Group{ID: "sg-1", Type: sg.TypeEnterprise, VPC: "vpc-1"}
	outcomes := map[string]int{}
	for seed := range uint64(2_000) {
		rule, objected := drawNarrow(rand.New(rand.NewPCG(seed, 1)))
		n := Narrow(group, &rule, objected, -10_000) // room for whatever it takes
		var rules []sg.Rule
		var left []Space
		if n != nil {
			left = n.Left
			for _, p := range n.Rules {
				rules = append(rules, asRule(t, p))
			}
			if len(rules) != n.Needed && rule.Destination.List == nil {
				t.Fatalf("seed %d: %d rules, but %d needed: %s", seed, len(rules), n.Needed, n.Sentence)
			}
		}
		rest, objection := 0, false
		var wrong []packet
		for _, k := range universe {
			objects := slices.ContainsFunc(objected, k.inExtent)
			objection = objection || objects && k.inRule(&rule)
			if want := k.inRule(&rule) && !objects; want {
				rest++
			}
			kept := slices.ContainsFunc(rules, func(r sg.Rule) bool {
				r.Destination.List = listOf(&r, &rule)
				return k.inRule(&r)
			})
			unkept := slices.ContainsFunc(left, k.inSpace)
			beside := slices.ContainsFunc(objected, func(e sg.Extent) bool { return reaches(e, k) })
			if n != nil && (kept || unkept) != (k.inRule(&rule) && !objects) || unkept && (kept || !beside) {
				wrong = append(wrong, k)
			}
		}
		switch {
		case len(wrong) > 0:
			t.Fatalf("seed %d: %+v\nwithout %+v\nis not %s\nin %v", seed, rule, objected, n.Sentence, wrong[:min(3, len(wrong))])
		case n == nil && rest > 0 && objection:
			t.Fatalf("seed %d: no proposal for %+v\nwithout %+v", seed, rule, objected)
		case n != nil && (rest == 0 || !objection):
			t.Fatalf("seed %d: %s\nfor %+v\nwithout %+v", seed, n.Sentence, rule, objected)
		case n == nil:
			outcomes["nothing"]++
		case len(left) > 0:
			outcomes["left"]++
		default:
			outcomes["rules"]++
		}
	}
	for _, outcome := range []string{"nothing", "left", "rules"} {
		if outcomes[outcome] < 100 {
			t.Errorf("%d times %s: the draw does not reach what it should: %v", outcomes[outcome], outcome, outcomes)
		}
	}
}

// reaches tells whether an objection is about anything between the addresses of a packet. Where none is, a rule for all
// protocols keeps everything, so that nothing may be left.
func reaches(e sg.Extent, k packet) bool {
	withPorts := e.Ports != nil || e.SourcePorts != nil
	return inPrefixes(e.Destinations, k.to) && inPrefixes(e.Sources, k.from) &&
		(!withPorts || e.Protocols == nil || slices.ContainsFunc(e.Protocols, sg.Protocol.HasPorts))
}

// listOf gives a proposed rule for a prefix list the entries of the old one.
func listOf(r, old *sg.Rule) *sg.PrefixList {
	if r.Destination.Kind == sg.FromList {
		return old.Destination.List
	}
	return nil
}

// spans are the ranges that a rule can have of some cells: all of them, or, of addresses, those that are prefixes.
func spans(cells int, isPrefix bool) []span {
	var all []span
	for lo := range cells {
		for hi := lo + 1; hi <= cells; hi++ {
			if size := hi - lo; !isPrefix || size&(size-1) == 0 && lo%size == 0 {
				all = append(all, span{lo, hi})
			}
		}
	}
	return all
}

// fewest is the smallest number of boxes that have exactly some cells in them, 4*row + column, with one of the spans of rows
// each. It tries one box more until that is enough.
func fewest(cells uint32, rows []span) int {
	var boxes []uint32
	for _, r := range rows {
		for _, c := range spans(4, false) {
			box := uint32(0)
			for row := r.lo; row < r.hi; row++ {
				box |= (1<<c.hi - 1<<c.lo) << (4 * row)
			}
			if box&^cells == 0 {
				boxes = append(boxes, box)
			}
		}
	}
	// A box within another one is never needed.
	boxes = slices.DeleteFunc(slices.Clone(boxes), func(b uint32) bool {
		return slices.ContainsFunc(boxes, func(o uint32) bool { return o != b && b&^o == 0 })
	})
	var enough func(open uint32, n int) bool
	enough = func(open uint32, n int) bool {
		if open == 0 || n == 0 {
			return open == 0
		}
		first := uint32(1) << bits.TrailingZeros32(open)
		return slices.ContainsFunc(boxes, func(b uint32) bool { return b&first != 0 && enough(open&^b, n-1) })
	}
	for n := 0; ; n++ {
		if enough(cells, n) {
			return n
		}
	}
}

func TestNarrowTakesTheFewestRules(t *testing.T) {
	t.Parallel()
	group := &sg.Group{ID: "sg-1", Type: sg.TypeEnterprise, VPC: "vpc-1"}
	port := func(cell int) []sg.PortRange { return []sg.PortRange{{Low: uint16(cell + 1), High: uint16(cell + 1)}} }
	for name, test := range map[string]struct {
		sourcePorts string
		rows        []span
		row         func(e *sg.Extent, row int)
		missed      int // how often there may be one rule less
	}{
		"over addresses and ports": {rows: spans(8, true), row: func(e *sg.Extent, row int) {
			e.Destinations = prefixes(fmt.Sprintf("10.0.0.%d/32", row))
		}},
		"nearly, over source ports and ports": {sourcePorts: "1/8", rows: spans(8, false), row: func(e *sg.Extent, row int) {
			e.SourcePorts = port(row)
		}, missed: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule := sg.NewRule(&sg.Fields{
				ID: "sgr-x", Protocol: "tcp", PortRange: "1/4", SourcePorts: test.sourcePorts, CIDR4: "10.0.0.0/29",
				Policy: "accept", Priority: "1",
			})
			sizes, missed := map[int]int{}, 0
			for seed := range uint64(4_000) {
				r := rand.New(rand.NewPCG(seed, 2))
				cells := (r.Uint32() | r.Uint32()) &^ (1 << r.IntN(32)) // something is objected to
				var objected []sg.Extent
				for cell := range 32 {
					if cells>>cell&1 == 0 {
						e := sg.Extent{Ports: port(cell % 4)}
						test.row(&e, cell/4)
						objected = append(objected, e)
					}
				}
				n := Narrow(group, &rule, objected, 0)
				want := fewest(cells, test.rows)
				if n.Needed == want+1 {
					missed++
				}
				if n.Needed < want || n.Needed > want+1 || missed > test.missed {
					t.Fatalf("seed %d: %d rules, want %d for cells %032b: %s", seed, n.Needed, want, cells, n.Sentence)
				}
				sizes[n.Needed]++
			}
			if len(sizes) < 8 {
				t.Errorf("the draw does not reach what it should: %v", sizes)
			}
		})
	}
}

func BenchmarkNarrow(b *testing.B) {
	group := &sg.Group{ID: "sg-1", Type: sg.TypeEnterprise, VPC: "vpc-1"}
	rule := sg.NewRule(&sg.Fields{
		ID: "sgr-x", Protocol: "all", PortRange: "-1/-1", CIDR4: "0.0.0.0/0", Policy: "accept", Priority: "1",
	})
	many := make([]sg.Extent, 200)
	for i := range many {
		many[i].Destinations = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(i * 7), byte(i), byte(i * 3)}), 24)}
		if i%2 == 0 {
			many[i].Ports = []sg.PortRange{{Low: uint16(i + 1), High: uint16(i + 1)}}
		}
	}
	for name, objected := range map[string][]sg.Extent{
		"port":    {{Protocols: []sg.Protocol{sg.UDP}, Ports: []sg.PortRange{{Low: 53, High: 53}}}},
		"address": {{Destinations: []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")}, Ports: []sg.PortRange{{Low: 22, High: 22}}}},
		"many":    many,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Narrow(group, &rule, objected, 0)
			}
		})
	}
}
