package reach

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Bounds of what is said of spaces; the rest is counted.
const (
	maxNamed   = 3   // places
	maxPlaces  = 130 // characters of all places after the first
	maxTraffic = 80  // characters of the protocols and ports of one place, or they are counted as well
	maxRanges  = 3   // ranges of one protocol
)

// A place is traffic to one destination, with everything that goes there in one phrase.
type place struct {
	what  string  // protocols, ports and sources, in words
	to    string  // the destination, in words
	width float64 // to sort by
}

// sumUp names the widest of some spaces and counts the rest, of which more were left out before. Empty if there are none.
func sumUp(tracts []tract, more int) string {
	places := placesOf(tracts)
	if len(places) == 0 {
		return ""
	}
	phrases, size := []string{}, 0
	for i, p := range places {
		phrase := p.what + " to " + p.to
		if i > 0 && places[i-1].what == p.what {
			phrase = p.to
		}
		if size += len(phrase); i == maxNamed || i > 0 && size > maxPlaces {
			break
		}
		phrases = append(phrases, phrase)
	}
	if more += len(places) - len(phrases); more > 0 {
		phrases = append(phrases, fmt.Sprintf("%d more", more))
	}
	return inWords(phrases)
}

// told gives the form for people of some spaces, if it is known, and how many are left out of it.
func told(tracts []tract, spaces []Space, more int) ([]tract, int) {
	if tracts != nil {
		return tracts, 0
	}
	return asTracts(spaces), more
}

// shortly names the widest of what a rule decides, which is not all there is as a rule.
func shortly(by By) string {
	tracts, _ := told(by.tracts, by.Space, 0)
	places := placesOf(tracts)
	switch len(places) {
	case 0:
		return ""
	case 1:
		return places[0].what + " to " + places[0].to
	default:
		return places[0].what + " to " + places[0].to + " and more"
	}
}

// placesOf gathers tracts by where they are, the widest first, equally wide ones in the order they came in.
func placesOf(tracts []tract) []place {
	type where struct {
		cidr, source        netip.Prefix
		outside, group, nic string
		family              Family
		sourcePorts         sg.PortRange
	}
	found := map[where]int{}
	var first []*tract
	var all []traffic
	for i := range tracts {
		s := &tracts[i]
		w := where{s.CIDR, s.Source, s.outsideKey(), s.Group, s.NIC, s.Family, s.SourcePorts}
		at, ok := found[w]
		if !ok {
			at = len(all)
			found[w] = at
			first, all = append(first, s), append(all, traffic{})
		}
		all[at].add(&s.Space)
	}
	places := make([]place, len(all))
	for i := range all {
		t := &all[i]
		t.normalize()
		places[i] = place{what: t.String() + origin(&first[i].Space), to: first[i].target(), width: t.width(first[i])}
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(b.width, a.width) })
	return places
}

func (r *tract) outsideKey() string {
	var key []byte
	for _, p := range r.outside {
		a := p.Addr().As16()
		key = append(append(key, byte(p.Bits())), a[:]...) //nolint:gosec // at most 128
	}
	return string(key)
}

// maxOutside bounds the networks that are named as left out of a block.
const maxOutside = 2

// target is the destination of a tract in words.
func (r *tract) target() string {
	text := target(&r.Space)
	switch n := len(r.outside); {
	case n == 0:
		return text
	case n > maxOutside:
		return fmt.Sprintf("%s except %d networks", text, n)
	default:
		var names []string
		for _, p := range r.outside {
			names = append(names, p.String())
		}
		return text + " except " + inWords(names)
	}
}

// target is the destination of a space in words.
func target(s *Space) string {
	switch {
	case s.Group == "":
		return s.CIDR.String()
	case s.Family == IPv4:
		return "IPv4 members of " + clip(s.Group, maxRuleName)
	case s.Family == IPv6:
		return "IPv6 members of " + clip(s.Group, maxRuleName)
	default:
		return "members of " + clip(s.Group, maxRuleName)
	}
}

// origin says where the traffic of a space comes from, as far as that is restricted.
func origin(s *Space) string {
	text := ""
	if s.NIC != "" {
		text = " (" + s.NIC + ")"
	}
	if s.Source.IsValid() {
		text += " from " + s.Source.String()
	}
	if !s.SourcePorts.IsZero() {
		if !s.Source.IsValid() {
			text += " from any address,"
		}
		text += " source port " + portText(s.SourcePorts)
	}
	return text
}

// traffic is the protocols and ports that go to one place.
type traffic struct {
	tcp, udp []sg.PortRange
	plain    []string // the other protocols, in words, without those of rest
	numbers  []uint8  // of plain
	rest     bool     // every protocol that has no name, but for except
	except   []uint8
}

func (t *traffic) add(s *Space) {
	switch s.Protocol {
	case sg.TCP.String():
		t.tcp = append(t.tcp, s.Ports)
	case sg.UDP.String():
		t.udp = append(t.udp, s.Ports)
	case ProtocolOther:
		t.rest, t.except = true, s.Except
	case sg.ICMP.String(), sg.ICMPv6.String(), sg.GRE.String():
		t.plain = append(t.plain, s.Protocol)
	default:
		t.plain = append(t.plain, "protocol "+s.Protocol)
		if p, err := sg.ParseProtocol(s.Protocol); err == nil {
			n, _ := p.Number()
			t.numbers = append(t.numbers, n)
		}
	}
}

// normalize joins what belongs together: ranges that touch, and numbers of which the rest is there.
func (t *traffic) normalize() {
	t.tcp, t.udp = joinRanges(t.tcp), joinRanges(t.udp)
	t.except = slices.DeleteFunc(slices.Clone(t.except), func(n uint8) bool { return slices.Contains(t.numbers, n) })
	if t.rest {
		t.plain = slices.DeleteFunc(t.plain, func(p string) bool { return strings.HasPrefix(p, "protocol ") })
	}
	slices.Sort(t.plain)
	t.plain = slices.Compact(t.plain)
}

func (t *traffic) String() string {
	if missing, ok := t.missing(); ok {
		if len(missing) == 0 {
			return "everything"
		}
		return "everything but " + inWords(missing)
	}
	text := inWords(t.parts(portsOf))
	if len(text) > maxTraffic {
		text = inWords(t.parts(countPorts))
	}
	return text
}

// missing is what a rule for everything has beyond, if it is little enough to put it that way.
func (t *traffic) missing() ([]string, bool) {
	if !t.rest || len(t.plain) < 2 || len(t.tcp)+len(t.udp) == 0 {
		return nil, false
	}
	var missing []string
	for protocol, have := range map[sg.Protocol][]sg.PortRange{sg.TCP: t.tcp, sg.UDP: t.udp} {
		switch gaps := gapsOf(have); {
		case len(have) == 0:
			missing = append(missing, protocol.String())
		case len(gaps) > 0:
			missing = append(missing, portsOf(protocol.String(), gaps))
		}
	}
	for _, p := range []sg.Protocol{sg.ICMP, sg.ICMPv6, sg.GRE} {
		if !slices.Contains(t.plain, p.String()) {
			missing = append(missing, p.String())
		}
	}
	for _, n := range t.except {
		missing = append(missing, fmt.Sprintf("protocol %d", n))
	}
	slices.Sort(missing)
	return missing, len(missing) <= 2 && len(inWords(missing)) <= maxTraffic
}

// parts says protocol by protocol what there is.
func (t *traffic) parts(say func(protocol string, ranges []sg.PortRange) string) []string {
	var parts []string
	switch {
	case len(t.tcp) > 0 && slices.Equal(t.tcp, t.udp):
		parts = append(parts, say("tcp and udp", t.tcp))
	default:
		if len(t.tcp) > 0 {
			parts = append(parts, say("tcp", t.tcp))
		}
		if len(t.udp) > 0 {
			parts = append(parts, say("udp", t.udp))
		}
	}
	if len(t.plain) > maxNamed+1 {
		parts = append(parts, t.plain[:maxNamed]...)
		parts = append(parts, fmt.Sprintf("%d more protocols", len(t.plain)-maxNamed))
	} else {
		parts = append(parts, t.plain...)
	}
	switch {
	case t.rest && len(t.except) > 0 && len(t.except) <= maxNamed:
		numbers := make([]string, len(t.except))
		for i, n := range t.except {
			numbers[i] = fmt.Sprint(n)
		}
		return append(parts, "other protocols but "+inWords(numbers))
	case t.rest && len(t.except) > 0:
		return append(parts, fmt.Sprintf("most other protocols (%d left out)", len(t.except)))
	case t.rest:
		return append(parts, "other protocols")
	default:
		return parts
	}
}

// portsOf is tcp/22, 80 and 443; all tcp ports; tcp and udp port 53.
func portsOf(protocol string, ranges []sg.PortRange) string {
	if slices.Equal(ranges, []sg.PortRange{sg.AllPorts()}) {
		return "all " + protocol + " ports"
	}
	texts := make([]string, 0, maxRanges+1)
	for i, r := range ranges {
		if i == maxRanges && len(ranges) > maxRanges+1 {
			texts = append(texts, fmt.Sprintf("%d more ranges", len(ranges)-i))
			break
		}
		texts = append(texts, portText(r))
	}
	switch {
	case !strings.Contains(protocol, " "):
		return protocol + "/" + inWords(texts)
	case len(ranges) == 1 && ranges[0].Low == ranges[0].High:
		return protocol + " port " + texts[0]
	default:
		return protocol + " ports " + inWords(texts)
	}
}

// countPorts is portsOf, shorter.
func countPorts(protocol string, ranges []sg.PortRange) string {
	if len(ranges) == 1 {
		return portsOf(protocol, ranges)
	}
	return fmt.Sprintf("%s (%d port ranges)", protocol, len(ranges))
}

// portText is a range as people write it: 443 or 8000-9000.
func portText(r sg.PortRange) string {
	if r.Low == r.High {
		return fmt.Sprint(r.Low)
	}
	return fmt.Sprintf("%d-%d", r.Low, r.High)
}

// joinRanges sorts ranges and joins those that overlap or touch.
func joinRanges(ranges []sg.PortRange) []sg.PortRange {
	slices.SortFunc(ranges, func(a, b sg.PortRange) int { return cmp.Compare(a.Low, b.Low) })
	var out []sg.PortRange
	for _, r := range ranges {
		if n := len(out); n > 0 && int(r.Low) <= int(out[n-1].High)+1 {
			out[n-1].High = max(out[n-1].High, r.High)
			continue
		}
		out = append(out, r)
	}
	return out
}

// gapsOf is the ports that are in none of some joined ranges.
func gapsOf(ranges []sg.PortRange) []sg.PortRange {
	var gaps []sg.PortRange
	next := 1
	for _, r := range ranges {
		if int(r.Low) > next {
			gaps = append(gaps, sg.PortRange{Low: uint16(next), High: r.Low - 1})
		}
		next = int(r.High) + 1
	}
	if next <= math.MaxUint16 {
		gaps = append(gaps, sg.PortRange{Low: uint16(next), High: math.MaxUint16})
	}
	return gaps
}

// width is how wide the traffic to a place is: the logarithm of its (address, port) pairs as a share of the family's
// addresses. An IPv6 network of 64 bits counts as much as one IPv4 address, and a group, of which nobody knows how many
// members it has, as a network of 24 bits.
func (t *traffic) width(s *tract) float64 {
	pairs := float64(len(t.plain))
	if t.rest {
		pairs++
	}
	for _, r := range slices.Concat(t.tcp, t.udp) {
		pairs += float64(r.High-r.Low) + 1
	}
	bits := 24.0
	switch {
	case s.Group != "":
	case s.CIDR.Addr().Is4():
		bits = s.bits()
	default:
		bits = min(s.bits()/2, 32)
	}
	return math.Log2(pairs) - bits
}

// bits is how long the prefix of a block of as many addresses is.
func (r *tract) bits() float64 {
	if r.addresses == 0 {
		return float64(r.CIDR.Bits())
	}
	return float64(r.CIDR.Addr().BitLen()) - math.Log2(r.addresses)
}

// inWords joins phrases as people do: a, b and c.
func inWords(phrases []string) string {
	if len(phrases) < 2 {
		return strings.Join(phrases, "")
	}
	last := len(phrases) - 1
	return strings.Join(phrases[:last], ", ") + " and " + phrases[last]
}
