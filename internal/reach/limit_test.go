package reach_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Sweeps keep a bounded number of spaces. The name servers are narrower than most of what is closed beside them.
func TestALimitKeepsWhatTheWarningIsAbout(t *testing.T) {
	t.Parallel()
	effect := &reach.Effect{Scope: reach.ScopeGroup, Class: reach.Closes}
	for i := range 300 {
		effect.Closes = append(effect.Closes, reach.Space{
			Protocol: "udp", CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i / 2), byte(i % 2 * 128)}), 17),
			Ports: sg.AllPorts(),
		})
	}
	effect.Closes = append(effect.Closes, reach.Space{
		Protocol: "udp", CIDR: netip.MustParsePrefix("100.100.2.136/32"), Ports: sg.PortRange{Low: 53, High: 53},
	})
	short := effect.Limit(100)
	if got, want := short.Warning(), effect.Warning(); got != want || want == "" {
		t.Errorf("the warning is %q, want %q", got, want)
	}
	if len(short.Closes) != 100 || short.MoreCloses != 201 {
		t.Errorf("%d spaces and %d more, want 100 and 201", len(short.Closes), short.MoreCloses)
	}
}

// The warning must not get lost either where the spaces are chosen before they are made.
func TestTheWidestBoxesBeginWithTheServicesOfTheCloud(t *testing.T) {
	t.Parallel()
	accept := func(id, to string) sg.Rule {
		return sg.NewRule(&sg.Fields{
			ID: id, Protocol: "udp", PortRange: "53/53", CIDR4: to, NICType: sg.NICIntranet, Policy: "accept", Priority: "1",
		})
	}
	// All but what is beside two name servers in their own block: that leaves one address of it.
	rules := []sg.Rule{accept("sgr-all", "0.0.0.0/0"), accept("sgr-half", "100.64.0.0/11"), accept("sgr-next", "100.112.0.0/12")}
	for bits := 12; bits < 32; bits++ {
		host := uint32(100<<24 | 100<<16 | 2<<8 | 136)
		other := (host ^ 1<<(31-bits)) >> (31 - bits) << (31 - bits)
		to := netip.AddrFrom4([4]byte{byte(other >> 24), byte(other >> 16), byte(other >> 8), byte(other)})
		rules = append(rules, accept(fmt.Sprint("sgr-", bits), netip.PrefixFrom(to, bits+1).String()))
	}
	list := reach.Compile(&sg.Group{ID: "sg-1", Type: sg.TypeEnterprise, VPC: "vpc-1"}, rules, reach.Options{})
	_, each := list.Effects([]int{0}, []int{0}, 3)
	full := list.Effect(nil, []int{0})
	if got, want := each[0].Warning(), full.Warning(); got != want || want == "" {
		t.Errorf("the warning is %q, want %q", got, want)
	}
	if got, want := each[0].Limit(1).Sentence(), full.Sentence(); got != want {
		t.Errorf("the limited sentence is %q, want %q", got, want)
	}
}
