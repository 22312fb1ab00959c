package reach_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// manyWays makes rules that overlap in more ways than anybody looks at: each restricts ports, sources and source ports.
func manyWays(n int) []sg.Rule {
	r := rand.New(rand.NewPCG(3, 4))
	low := func() int { return 1 + r.IntN(40_000) }
	rules := make([]sg.Rule, 0, n)
	for i := range n {
		ports, sources := low(), low()
		from := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(r.IntN(256)), byte(r.IntN(256)), 0}), 9+r.IntN(16)).Masked()
		rules = append(rules, sg.NewRule(&sg.Fields{
			ID: "sgr-" + strconv.Itoa(i), Protocol: "tcp", CIDR4: "0.0.0.0/0", NICType: sg.NICIntranet,
			PortRange: fmt.Sprintf("%d/%d", ports, ports+20_000), SourceCIDR4: from.String(),
			SourcePorts: fmt.Sprintf("%d/%d", sources, sources+20_000),
			Policy:      []string{"accept", "drop"}[r.IntN(2)], Priority: strconv.Itoa(1 + r.IntN(100)),
		}))
	}
	return rules
}

// What is too much work for all questions at once is asked one by one: a question that is easy still has its answer, and
// the others say that they have none.
func TestTooMuchWorkIsUnknownAndNeverNothing(t *testing.T) {
	t.Parallel()
	rules := manyWays(600)
	hard := len(rules)
	for _, protocol := range []string{"tcp", "gre"} { // of everything, and of what no other rule speaks of
		rules = append(rules, sg.NewRule(&sg.Fields{
			ID: "sgr-" + protocol, Protocol: protocol, PortRange: map[string]string{"tcp": "1/65535", "gre": "-1/-1"}[protocol],
			CIDR4: "0.0.0.0/0", NICType: sg.NICIntranet, Policy: "accept", Priority: "100",
		}))
	}
	list := reach.Compile(&sg.Group{ID: "sg-1", Type: sg.TypeEnterprise, VPC: "vpc-1"}, rules, reach.Options{})
	asked := []int{hard, hard + 1}
	whole, each := list.Effects(asked, asked, 10)
	for what, e := range map[string]*reach.Effect{"the batch": whole, "the rule for tcp": each[0], "alone": list.Effect(nil, []int{hard})} {
		if e.Class != reach.Unknown || !strings.HasPrefix(e.Why, "too complex") || len(e.Closes)+len(e.Opens) > 0 {
			t.Errorf("%s: %s, %q, %d spaces, want unknown for being too complex", what, e.Class, e.Why, len(e.Closes))
		}
	}
	if got := each[1]; got.Class != reach.Closes {
		t.Errorf("the rule for gre: %s, %q, want closes", got.Class, got.Why)
	}
}

// The number is exact also where a float of all addresses has no place for what is left of them.
func TestAnAddressOfManyIsCounted(t *testing.T) {
	t.Parallel()
	base := netip.MustParseAddr("2001:db8::").As16()
	accept := func(id string, to netip.Prefix) sg.Rule {
		return sg.NewRule(&sg.Fields{
			ID: id, Protocol: "tcp", PortRange: "443/443", CIDR6: to.String(), NICType: sg.NICIntranet, Policy: "accept",
			Priority: "1",
		})
	}
	rules := []sg.Rule{accept("sgr-all", netip.MustParsePrefix("2001:db8::/64"))}
	for bits := 65; bits <= 128; bits++ { // all but 2001:db8::
		other := base
		other[(bits-1)/8] |= 0x80 >> ((bits - 1) % 8)
		rules = append(rules, accept("sgr-"+strconv.Itoa(bits), netip.PrefixFrom(netip.AddrFrom16(other), bits)))
	}
	list := reach.Compile(&sg.Group{ID: "sg-1", Type: sg.TypeEnterprise, VPC: "vpc-1"}, rules, reach.Options{})
	e := list.Effect(nil, []int{0})
	if e.Class != reach.Closes || e.Closed != (reach.Pairs{IPv6: 1}) {
		t.Errorf("%s, %+v closed, want one address: %s", e.Class, e.Closed, e.Sentence())
	}
}
