package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// policies is how many policies every engine judges by; a verdict is a mask with a bit for each.
const policies = 20

// verdict says which policies a rule violates, by their numbers.
type verdict uint32

// form is how a policy asks about its own set of addresses.
type form int

const (
	forbids    form = iota // the destination overlaps the set
	withPorts              // the same, for TCP and some ports
	allowsOnly             // the destination is not within the set
)

// formOf gives the form of a policy: ten forbid addresses, eight forbid them for some ports, two are allow-lists, which
// most rules satisfy.
func formOf(policy int) form {
	switch {
	case policy >= 18:
		return allowsOnly
	case policy >= 10:
		return withPorts
	}
	return forbids
}

// forbiddenPorts are what the policies with ports are about.
func forbiddenPorts() [3][2]uint16 { return [...][2]uint16{{22, 22}, {3306, 3306}, {8000, 9000}} }

// everywhere are the blocks that the allow-lists have beside their prefixes.
func everywhere() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/1"), netip.MustParsePrefix("128.0.0.0/1"), netip.MustParsePrefix("::/0"),
	}
}

// workload is what all engines are given.
type workload struct {
	nested bool             // the policies ask the same in a roundabout way, with any, all and not
	sets   [][]netip.Prefix // one for each policy
	rules  []sg.Rule
}

// drawSets deals that many prefixes to the policies. They are like those of feeds: sizes from /16 to /32, one of eight
// IPv6, the same in every run.
func drawSets(prefixes int) [][]netip.Prefix {
	random := rand.New(rand.NewPCG(1, 2027)) //nolint:gosec // the same in every run is what is wanted
	sets := make([][]netip.Prefix, policies)
	seen := make(map[netip.Prefix]bool, prefixes)
	for len(seen) < prefixes {
		var p netip.Prefix
		if len(seen)%8 == 7 {
			var bytes [16]byte
			binary.BigEndian.PutUint64(bytes[:], 0x2000<<48|random.Uint64()>>3)
			p = netip.PrefixFrom(netip.AddrFrom16(bytes), 32+random.IntN(33)).Masked()
		} else {
			var bytes [4]byte
			binary.BigEndian.PutUint32(bytes[:], random.Uint32())
			p = netip.PrefixFrom(netip.AddrFrom4(bytes), 16+random.IntN(17)).Masked()
		}
		if !seen[p] {
			sets[len(seen)%policies] = append(sets[len(seen)%policies], p)
			seen[p] = true
		}
	}
	for i := range sets {
		if formOf(i) == allowsOnly {
			sets[i] = append(sets[i], everywhere()...)
		} else { // every set speaks of both families
			sets[i] = append(sets[i], netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::1/128"))
		}
	}
	return sets
}

// drawRules draws distinct rules of a realistic mix: most to few addresses, some wider, some IPv6.
func drawRules(count int) []sg.Rule {
	random := rand.New(rand.NewPCG(3, 2027)) //nolint:gosec // the same in every run is what is wanted
	rules := make([]sg.Rule, count)
	for i := range rules {
		f := sg.Fields{ID: fmt.Sprintf("sgr-%d", i), Protocol: "tcp", PortRange: "443/443", Policy: "accept", Priority: "1"}
		switch random.IntN(10) {
		case 0:
			f.Protocol, f.PortRange = "all", "-1/-1"
		case 1:
			f.Protocol, f.PortRange = "udp", "53/53"
		case 2:
			f.PortRange = "8000/9000"
		}
		switch kind := random.IntN(20); {
		case kind == 0:
			f.CIDR6 = fmt.Sprintf("2001:db8:%x::/48", random.IntN(1<<16))
		case kind < 4:
			f.CIDR4 = fmt.Sprintf("%d.%d.0.0/16", random.IntN(224), random.IntN(256))
		default:
			f.CIDR4 = fmt.Sprintf("%d.%d.%d.%d/%d", random.IntN(224), random.IntN(256), random.IntN(256), random.IntN(256),
				24+random.IntN(9))
		}
		rules[i] = sg.NewRule(&f)
	}
	return rules
}

// file writes the policies as a policy file and the files of its sets.
func (w *workload) file() (policy string, sets map[string]string) {
	sets = map[string]string{}
	var text strings.Builder
	text.WriteString("version: 1\nsets:\n")
	for i, prefixes := range w.sets {
		var lines strings.Builder
		for _, p := range prefixes {
			fmt.Fprintln(&lines, p)
		}
		sets[fmt.Sprintf("s%d.txt", i)] = lines.String()
		fmt.Fprintf(&text, "  s%d: {file: s%d.txt, allow-wide: true}\n", i, i)
	}
	text.WriteString("policies:\n")
	for i := range w.sets {
		fmt.Fprintf(&text, "  - {name: p%02d, description: d, severity: low, owner: o, groups: all, action: report, match: %s}\n",
			i, w.match(i))
	}
	return text.String(), sets
}

// match writes what one policy asks. The nested forms mean the same as the plain ones.
func (w *workload) match(policy int) string {
	plain := map[form]string{
		forbids:    "{destination: [$s%d]}",
		withPorts:  "{destination: [$s%d], protocol: [tcp], ports: [22, 3306, 8000-9000]}",
		allowsOnly: "{destination: {outside: [$s%d]}}",
	}
	if w.nested {
		plain = map[form]string{
			forbids: `{any: [{all: [{destination: [$s%d]}, {not: {protocol: {within: [gre]}}}]}, ` +
				`{not: {any: [{ports: [1-65535]}, {protocol: {outside: [gre]}}]}}]}`,
			withPorts: `{all: [{any: [{destination: [$s%d]}, {destination-kind: [prefix-list]}]}, ` +
				`{not: {all: [{protocol: {outside: [tcp]}}, {protocol: {within: [udp]}}]}}, ` +
				`{any: [{ports: [22]}, {ports: [3306, 8000-9000]}]}, {protocol: [tcp]}]}`,
			allowsOnly: `{not: {any: [{destination: {within: [$s%d]}}, {destination-kind: [group]}]}}`,
		}
	}
	return fmt.Sprintf(plain[formOf(policy)], policy)
}
