package reach_test

import (
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
