package reach_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// The oracle knows a small universe point by point, and what a list of rules does with each point, from the words of the
// package comment alone. It shares nothing with the engine.

// theNumber stands for protocols that are none of the five and that rules name, restNumber for those that none names.
const (
	theNumber  = 50
	restNumber = 99
)

// point is traffic. Points stand for all traffic that no rule of the universe tells from them.
type point struct {
	protocol string // tcp, udp, icmp, icmpv6, gre, or a number
	to       netip.Addr
	port     int // 0: the protocol has none
	from     netip.Addr
	fromPort int
	nic      string
}

// weights are how many addresses and ports the points stand for.
func weightOfAddress(a netip.Addr) float64 {
	switch {
	case a == outside4():
		return 1<<32 - 8
	case a == outside6():
		return 1<<63*2*(1<<63)*2 - 4
	}
	return 1
}

func outside4() netip.Addr { return netip.MustParseAddr("11.0.0.0") }
func outside6() netip.Addr { return netip.MustParseAddr("2001:db8:ffff::") }

// portCuts are where ranges of ports begin; each range ends before the next one begins.
func portCuts() []int { return []int{1, 80, 85, 91, 443, 444, 65536} }

func portWeight(port int) float64 {
	cuts := portCuts()
	i := slices.Index(cuts, port)
	return float64(cuts[i+1] - cuts[i])
}

func addresses() []netip.Addr {
	list := []netip.Addr{outside4(), outside6()}
	for i := range byte(8) {
		list = append(list, netip.AddrFrom4([4]byte{10, 0, 0, i}))
	}
	for i := range 4 {
		list = append(list, netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", i)))
	}
	return list
}

func sources(six bool) []netip.Addr {
	if six {
		return []netip.Addr{netip.MustParseAddr("2001:db8:5::"), netip.MustParseAddr("2001:db8:5::1"), netip.MustParseAddr("::9")}
	}
	return []netip.Addr{netip.MustParseAddr("172.16.0.0"), netip.MustParseAddr("172.16.0.1"), netip.MustParseAddr("9.9.9.9")}
}

func sourcePorts() []int { return []int{500, 1500} }

// columns are the points without destination. Where no rule asks for a source, one stands for all.
func (w *world) columns(six bool) []point {
	all, allPorts := sources(six), sourcePorts()
	if !slices.ContainsFunc(w.rules, func(r sg.Rule) bool { return r.Source.CIDR.IsValid() }) {
		all = all[len(all)-1:]
	}
	if !slices.ContainsFunc(w.rules, func(r sg.Rule) bool { return !r.SourcePorts.IsZero() }) {
		allPorts = allPorts[:1]
	}
	var list []point
	for _, nic := range w.nics() {
		for _, p := range []string{"tcp", "udp", "icmp", "icmpv6", "gre", strconv.Itoa(theNumber), strconv.Itoa(restNumber)} {
			ports, fromPorts := []int{0}, []int{0}
			if p == "tcp" || p == "udp" {
				ports, fromPorts = portCuts()[:len(portCuts())-1], allPorts
			}
			for _, port := range ports {
				for _, from := range all {
					for _, fromPort := range fromPorts {
						list = append(list, point{protocol: p, port: port, from: from, fromPort: fromPort, nic: nic})
					}
				}
			}
		}
	}
	return list
}

// world is rules and what is asked of them.
type world struct {
	group   sg.Group
	rules   []sg.Rule
	absent  []int
	removed []int
	sets    []string // the sets of unknown contents
}

func (w *world) nics() []string {
	if w.group.Classic() {
		return []string{sg.NICInternet, sg.NICIntranet}
	}
	return []string{""}
}

// matches tells whether a rule speaks of a point that is in the sets of a combination.
func (w *world) matches(r *sg.Rule, p *point, in int) bool {
	member := func(set string) bool { return in&(1<<slices.Index(w.sets, set)) != 0 }
	bare := p.port == 0
	if r.Unreadable != "" && !member("rule "+r.ID) {
		return false
	}
	if p.nic != "" && r.NICType != p.nic {
		return false
	}
	if r.Protocol != sg.AllProtocols && r.Protocol != sg.NoProtocol && r.Protocol.String() != p.protocol {
		return false
	}
	switch {
	case r.Destination.Kind == sg.PeerGroup:
		if !member(r.Destination.Text) {
			return false
		}
	case r.Destination.Kind == sg.FromList && r.Destination.List == nil:
		if !member(r.Destination.Text) {
			return false
		}
	case r.Destination.Kind == sg.FromList:
		if !slices.ContainsFunc(r.Destination.List.Entries, func(e netip.Prefix) bool { return e.Contains(p.to) }) {
			return false
		}
	case !r.Destination.CIDR.Contains(p.to):
		return false
	}
	if r.Source.CIDR.IsValid() && !r.Source.CIDR.Contains(p.from) {
		return false
	}
	if bare {
		return r.SourcePorts.IsZero() && r.PortListID == "" || member("rule "+r.ID)
	}
	within := func(ports sg.PortRange, port int) bool { return int(ports.Low) <= port && port <= int(ports.High) }
	switch {
	case r.PortListID != "" && r.PortList == nil:
		if !member(r.PortListID) {
			return false
		}
	case r.PortListID != "":
		if !slices.ContainsFunc(r.PortList.Ranges, func(l sg.PortRange) bool { return within(l, p.port) }) {
			return false
		}
	case r.Ports.IsZero(): // not understood
	case !within(r.Ports, p.port):
		return false
	}
	return r.SourcePorts.IsZero() || within(r.SourcePorts, p.fromPort)
}

// decider is what decides about a point: a rule by its index, or -1.
func (w *world) decider(p *point, in int, gone []int) (rule int, permitted bool) {
	best := -1
	for i := range w.rules {
		if slices.Contains(gone, i) || !w.matches(&w.rules[i], p, in) {
			continue
		}
		if best < 0 || before(&w.rules[i], &w.rules[best]) {
			best = i
		}
	}
	if best < 0 {
		return best, w.group.Type == sg.TypeNormal
	}
	return best, w.rules[best].Action == sg.Accept
}

// before tells whether a rule is asked before another, the ID deciding among equals.
func before(a, b *sg.Rule) bool {
	switch {
	case a.Priority != b.Priority:
		return a.Priority < b.Priority
	case a.Action != b.Action:
		return a.Action == sg.Drop
	}
	return a.ID < b.ID
}

func (w *world) sameOrder(a, b int) bool {
	return a >= 0 && b >= 0 && w.rules[a].Priority == w.rules[b].Priority && w.rules[a].Action == w.rules[b].Action
}

// truth is what the oracle says of a world.
type truth struct {
	class         reach.Class
	closes, opens map[point]bool  // addresses that are closed whatever is in the sets
	groupsClosed  map[member]bool // of columns
	groupsOpened  map[member]bool //
	closed        reach.Pairs     //
	shadowedBy    map[string]bool // names, "default" for it
	permittedBy   map[string]bool //
	droppedBy     map[string]bool //
	witnessed     bool            // the witnesses are known: nothing is opaque
}

// member is a column of a family with a group as destination.
type member struct {
	column point
	group  string
	six    bool
}

func (w *world) truth() *truth {
	t := &truth{
		closes: map[point]bool{}, opens: map[point]bool{}, groupsClosed: map[member]bool{}, groupsOpened: map[member]bool{},
		shadowedBy: map[string]bool{}, permittedBy: map[string]bool{}, droppedBy: map[string]bool{},
		witnessed: len(w.sets) == 0,
	}
	unknown := false
	for _, six := range []bool{false, true} {
		for _, column := range w.columns(six) {
			unknown = !w.column(t, column, six) || unknown
		}
	}
	closes, opens := len(t.closes)+len(t.groupsClosed) > 0, len(t.opens)+len(t.groupsOpened) > 0
	switch {
	case unknown:
		t.class = reach.Unknown
	case closes && opens:
		t.class = reach.Mixed
	case closes:
		t.class = reach.Closes
	case opens:
		t.class = reach.Opens
	default:
		t.class = reach.None
	}
	t.count()
	if t.witnessed {
		w.witnesses(t)
	}
	return t
}

// column judges all destinations of one family with one set of ports and sources, and tells whether all is decided.
func (w *world) column(t *truth, column point, six bool) bool {
	combinations := 1 << len(w.sets)
	gone := append(slices.Clone(w.absent), w.removed...)
	decided := true
	doubtful := map[string]int{} // truth tables that are not constant, and of how many addresses
	certain := map[int]int{}     // sign of constant ones
	total := 0
	tables := map[string][]int{}
	for _, to := range addresses() {
		if to.Is6() != six {
			continue
		}
		total++
		p := column
		p.to = to
		table := make([]int, combinations)
		for in := range combinations {
			_, was := w.decider(&p, in, w.absent)
			_, is := w.decider(&p, in, gone)
			switch {
			case was && !is:
				table[in] = -1
			case !was && is:
				table[in] = 1
			}
		}
		if len(slices.Compact(slices.Clone(table))) == 1 {
			certain[table[0]]++
			switch table[0] {
			case -1:
				t.closes[p] = true
			case 1:
				t.opens[p] = true
			}
			continue
		}
		key := fmt.Sprint(table)
		doubtful[key]++
		tables[key] = table
	}
	if len(doubtful) == 0 {
		return decided
	}
	if len(doubtful) > 1 {
		return false
	}
	for key, n := range doubtful {
		sign, groups, ok := w.groupsOf(tables[key])
		if !ok || n+certain[sign] != total {
			return false
		}
		for _, g := range groups {
			m := member{column: column, group: g, six: six}
			if sign < 0 {
				t.groupsClosed[m] = true
			} else {
				t.groupsOpened[m] = true
			}
		}
	}
	return decided
}

// groupsOf tells whether a truth table is one sign exactly for the members of some groups.
func (w *world) groupsOf(table []int) (sign int, groups []string, ok bool) {
	mask := 0
	for k, s := range w.sets {
		if v := table[1<<k]; v != 0 && strings.HasPrefix(s, "sg-") {
			mask |= 1 << k
			groups = append(groups, s)
			sign = v
		}
	}
	for in, v := range table {
		want := 0
		if in&mask != 0 {
			want = sign
		}
		if v != want {
			return 0, nil, false
		}
	}
	return sign, groups, mask != 0
}

// count counts what is closed: an address and port for any source once; what is no TCP, UDP, ICMP or GRE together once.
func (t *truth) count() {
	seen := map[string]bool{}
	for p := range t.closes {
		protocol := p.protocol
		if protocol == strconv.Itoa(theNumber) || protocol == strconv.Itoa(restNumber) {
			protocol = "other"
		}
		key := fmt.Sprint(protocol, p.to, p.port, p.nic)
		if seen[key] {
			continue
		}
		seen[key] = true
		n := weightOfAddress(p.to)
		if p.port > 0 {
			n *= portWeight(p.port)
		}
		if p.to.Is4() {
			t.closed.IPv4 += n
		} else {
			t.closed.IPv6 += n
		}
	}
}

func (w *world) name(rule int) string {
	if rule < 0 {
		return "default"
	}
	return w.rules[rule].ID
}

// witnesses finds who decides about the removed rules' traffic. Nothing is opaque.
func (w *world) witnesses(t *truth) {
	gone := append(slices.Clone(w.absent), w.removed...)
	decides := false
	for _, six := range []bool{false, true} {
		for _, column := range w.columns(six) {
			for _, to := range addresses() {
				p := column
				if p.to = to; to.Is6() != six {
					continue
				}
				accept, drop := false, false
				first, _ := w.decider(&p, 0, w.absent)
				for _, r := range w.removed {
					if !w.matches(&w.rules[r], &p, 0) {
						continue
					}
					accept = accept || w.rules[r].Action == sg.Accept
					drop = drop || w.rules[r].Action == sg.Drop
					decides = decides || r == first || w.sameOrder(r, first)
				}
				if !accept && !drop {
					continue
				}
				t.shadowedBy[w.name(first)] = true
				switch last, permitted := w.decider(&p, 0, gone); {
				case permitted && accept:
					t.permittedBy[w.name(last)] = true
				case !permitted && drop:
					t.droppedBy[w.name(last)] = true
				}
			}
		}
	}
	if decides {
		clear(t.shadowedBy)
	} else {
		clear(t.permittedBy)
		clear(t.droppedBy)
	}
}
