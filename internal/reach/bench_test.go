package reach_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// benchRules makes rules as groups have them, or such as overlap in every way.
func benchRules(n int, adversarial bool) []sg.Rule {
	r := rand.New(rand.NewPCG(1, 2))
	rules := make([]sg.Rule, 0, n)
	for i := range n {
		protocol := pick(r, "tcp", "tcp", "udp", "all")
		ports := pick(r, "443/443", "22/22", "80/80", "3306/3306", "1/65535", "8000/9000")
		if adversarial {
			low := 1 + r.IntN(60_000)
			ports = fmt.Sprintf("%d/%d", low, low+r.IntN(5_000))
		}
		if protocol == "all" {
			ports = "-1/-1"
		}
		to := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(r.IntN(16)), byte(r.IntN(256)), byte(r.IntN(256))}),
			pick(r, 0, 8, 12, 16, 20, 24, 28, 32)).Masked()
		rules = append(rules, sg.NewRule(&sg.Fields{
			ID: "sgr-" + strconv.Itoa(i), Protocol: protocol, PortRange: ports, CIDR4: to.String(), NICType: sg.NICIntranet,
			Policy: pick(r, "accept", "accept", "accept", "drop"), Priority: strconv.Itoa(1 + r.IntN(100)),
		}))
	}
	return rules
}

// BenchmarkEffect asks for the effects of k findings of a group of n rules: of each alone beside the others, and of all
// together. The textbook's grid of all cells, one question on it, is beside it for comparison.
func BenchmarkEffect(b *testing.B) {
	group := sg.Group{ID: "sg-1", Type: sg.TypeEnterprise, VPC: "vpc-1"}
	for _, kind := range []string{"typical", "adversarial"} {
		for _, n := range []int{50, 200, 1000} {
			rules := benchRules(n, kind == "adversarial")
			list := reach.Compile(&group, rules, reach.Options{})
			for _, k := range []int{1, 10} {
				batch := make([]int, k)
				for i := range batch {
					batch[i] = i * (n / k)
				}
				b.Run(fmt.Sprintf("%s/%d rules/%d findings", kind, n, k), func(b *testing.B) {
					for b.Loop() {
						list.Effects(batch, batch, 100)
					}
				})
			}
			if n <= 200 {
				b.Run(fmt.Sprintf("%s/%d rules/grid", kind, n), func(b *testing.B) {
					for b.Loop() {
						grid(rules, 0)
					}
				})
			}
		}
	}
}

// grid counts the cells of TCP over IPv4 in which removing a rule changes something, as one would do it first.
func grid(rules []sg.Rule, removed int) int {
	var starts []uint32
	ports := []int{1}
	for i := range rules {
		p := rules[i].Destination.CIDR
		a := p.Addr().As4()
		low := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
		starts = append(starts, low, low+uint32(1)<<(32-p.Bits()))
		ports = append(ports, int(rules[i].Ports.Low), int(rules[i].Ports.High)+1)
	}
	slices.Sort(starts)
	slices.Sort(ports)
	changed := 0
	for _, low := range slices.Compact(starts) {
		to := netip.AddrFrom4([4]byte{byte(low >> 24), byte(low >> 16), byte(low >> 8), byte(low)})
		for _, port := range slices.Compact(ports) {
			if permits(rules, to, port, -1) != permits(rules, to, port, removed) {
				changed++
			}
		}
	}
	return changed
}

func permits(rules []sg.Rule, to netip.Addr, port, removed int) bool {
	best := -1
	for i := range rules {
		r := &rules[i]
		if i == removed || r.Protocol == sg.UDP || port < int(r.Ports.Low) || port > int(r.Ports.High) ||
			!r.Destination.CIDR.Contains(to) {
			continue
		}
		if best < 0 || before(r, &rules[best]) {
			best = i
		}
	}
	return best >= 0 && rules[best].Action == sg.Accept
}
