package sg_test

import (
	"net/netip"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

func FuzzNewRule(f *testing.F) {
	f.Add("tcp", "443/443", "10.0.0.1/8", "", "accept", "1", "2026-10-17T08:00Z")
	f.Add("ALL", "-1/-1", "", "::ffff:10.0.0.0/95", "Drop", "110", "")
	f.Add("icmp", "", "", "", "", "", "x")
	f.Add("256", "65535/1", "0.0.0.0/0", "::/0", "accept", "-1", "")
	f.Fuzz(func(t *testing.T, protocol, ports, cidr4, cidr6, policy, priority, created string) {
		r := sg.NewRule(&sg.Fields{
			Protocol: protocol, PortRange: ports, CIDR4: cidr4, CIDR6: cidr6, Policy: policy, Priority: priority,
			Created: created, SourceCIDR4: cidr6, SourcePorts: ports,
		})
		if r.Unreadable == "" {
			if r.Protocol == sg.NoProtocol || r.Action == "" || r.Priority < 1 || r.Destination.Kind == sg.NoDestination ||
				r.Protocol.HasPorts() && r.Ports.IsZero() {
				t.Errorf("readable, but not understood: %+v", r)
			}
		}
		if r.Ports.Low > r.Ports.High || r.Ports.Low == 0 && r.Ports.High != 0 || !r.Protocol.HasPorts() && !r.Ports.IsZero() {
			t.Errorf("impossible ports: %+v", r)
		}
		switch cidr := r.Destination.CIDR; r.Destination.Kind {
		case sg.CIDR4, sg.CIDR6:
			if cidr != cidr.Masked() || cidr.Addr().Is4() != (r.Destination.Kind == sg.CIDR4) {
				t.Errorf("%s of kind %s", cidr, r.Destination.Kind)
			}
			if cidr.Addr().Is4In6() && cidr.Bits() >= 96 {
				t.Errorf("%s is still mapped", cidr)
			}
		case sg.NoDestination, sg.PeerGroup, sg.FromList:
			if cidr.IsValid() {
				t.Errorf("%s of kind %q", cidr, r.Destination.Kind)
			}
		}
	})
}

func FuzzParseCloudCIDR(f *testing.F) {
	for _, text := range []string{"10.0.0.1/8", "10.0.0.1", "::ffff:10.0.0.1/96", "::ffff:10.0.0.1/95", "::1%lo", "1.2.3.4/33", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := sg.ParseCloudCIDR(text)
		block, blockErr := netip.ParsePrefix(text)
		addr, addrErr := netip.ParseAddr(text)
		if legal := blockErr == nil || addrErr == nil && addr.Zone() == ""; legal != (err == nil) {
			t.Fatalf("%q: got %s (%v), but netip says %t", text, got, err, legal)
		}
		if err != nil {
			return
		}
		if addrErr == nil {
			block = netip.PrefixFrom(addr, addr.BitLen())
		}
		if !got.Contains(block.Addr().Unmap()) && !got.Contains(block.Addr()) {
			t.Errorf("%q is read as %s, which does not hold its own address", text, got)
		}
		if size, want := got.Addr().BitLen()-got.Bits(), block.Addr().BitLen()-block.Bits(); size != want {
			t.Errorf("%q has %d host bits, %s has %d", text, want, got, size)
		}
		if again, err := sg.ParseCloudCIDR(got.String()); err != nil || again != got {
			t.Errorf("%q is read as %s and that as %s (%v)", text, got, again, err)
		}
	})
}
