package policy

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// oddRules have every form of destination and every gap.
func oddRules() []sg.Rule {
	var rules []sg.Rule
	for _, f := range []sg.Fields{
		{},
		{Protocol: "tcp", PortRange: "443/443", CIDR4: "203.0.113.7/24", Policy: "accept", Priority: "1"},
		{Protocol: "all", PortRange: "-1/-1", CIDR6: "::/0", Policy: "Drop", Priority: "1", Description: "until=2027-01-01"},
		{Protocol: "udp", PortRange: "1/65535", CIDR4: "0.0.0.0/0", Policy: "accept", Created: "2020-01-01T00:00Z"},
		{Protocol: "255", CIDR6: "::ffff:10.0.0.0/100", Policy: "accept", Description: "expires=soon"},
		{Protocol: "icmp", PortRange: "-1/-1", GroupID: "sg-2", Policy: "accept"},
		{Protocol: "tcp", PortListID: "prl-1", PrefixListID: "pl-1", Policy: "accept"},
		{Protocol: "tcp", PortRange: "22/22", GroupID: "sg-2", GroupOwner: "1", Policy: "accept", SourceCIDR4: "10.0.0.1/8", Priority: "110"},
		{Protocol: "udp", PortRange: "9/1", CIDR4: "192.0.2.1", Policy: "accept", SourcePorts: "1024/65535", SourceCIDR6: "::ffff:10.0.0.1"},
		{Protocol: "udp", PortRange: "53/53", CIDR4: "192.0.2.1", SourceCIDR4: "bad", SourcePorts: "53", Policy: "accept", Priority: "-1"},
		{Protocol: "all", PortListID: "prl-2", CIDR6: "2001:db8::/32", Policy: "accept", SourcePorts: "53/53", Priority: "100"},
		{Protocol: "tcp", PortRange: "1/1", PrefixListID: "pl-2", Policy: "accept"},
	} {
		rules = append(rules, sg.NewRule(&f))
	}
	rules[len(rules)-2].PortList = &sg.PortList{ID: "prl-2", Ranges: []sg.PortRange{{Low: 443, High: 443}, {Low: 80, High: 81}}}
	rules[len(rules)-1].Destination.List = &sg.PrefixList{ID: "pl-2", Entries: []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::/0"),
	}}
	return rules
}

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/err/*.yaml", "testdata/ok/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	rules := oddRules()
	group := &sg.Group{ID: "sg-1", Tags: []sg.Tag{{Key: "egress-expires", Value: "2027-01-01"}}}
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := fstest.MapFS{
			"p.yaml":         {Data: data},
			"feeds/feed.txt": {Data: []byte("203.0.113.0/24\n")},
		}
		set, err := Load(fsys, []string{"p.yaml"})
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if line == "" {
					t.Errorf("a message is empty or has an empty line: %q", err)
				}
			}
			return
		}
		if data[len(data)-1] != '\n' {
			t.Error("a file without a final newline loads")
		}
		evaluator := set.Evaluator("prod", time.Date(2027, time.January, 15, 0, 0, 0, 0, time.UTC))
		for _, finding := range evaluator.Evaluate(group, rules) {
			if len(finding.Violations) == 0 {
				t.Error("a finding without a violation")
			}
		}
	})
}

func FuzzParseElement(f *testing.F) {
	for _, text := range []string{
		"10.0.0.0/8", "10.0.0.1", "10.0.0.1/8", "::/0", "fe80::1%eth0", "::ffff:10.0.0.1", "10.0.0.1-10.0.0.9", "a-b", "-",
		"fd00::-fd00::9", "10.0.0.0/08", "1.2.3.4-::1", "::ffff:0:0/96", "$set", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseElement(text)
		want, ok := exactRange(text)
		if (err == nil) != ok {
			t.Fatalf("%q: error %v, but netip says %t", text, err, ok)
		}
		if err != nil {
			return
		}
		if e.family != familyOf(want[0]) || e.span != (span{toAddress(want[0]), toAddress(want[1])}) {
			t.Errorf("%q: got %+v, want %v", text, e, want)
		}
		// The address before and the one after are not in it.
		for _, a := range []netip.Addr{want[0].Prev(), want[1].Next()} {
			if a.IsValid() && (span{toAddress(a), toAddress(a)}).within(e.span) {
				t.Errorf("%q holds %s", text, a)
			}
		}
	})
}

// exactRange reads an element with netip alone.
func exactRange(text string) (ends [2]netip.Addr, ok bool) {
	plain := func(a netip.Addr, err error) bool { return err == nil && a.Zone() == "" && !a.Is4In6() }
	if low, high, isRange := strings.Cut(text, "-"); isRange {
		from, errFrom := netip.ParseAddr(low)
		to, errTo := netip.ParseAddr(high)
		ok = plain(from, errFrom) && plain(to, errTo) && from.BitLen() == to.BitLen() && from.Compare(to) <= 0
		return [2]netip.Addr{from, to}, ok
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		return [2]netip.Addr{addr, addr}, plain(addr, nil)
	}
	block, err := netip.ParsePrefix(text)
	if err != nil || block != block.Masked() || block.Addr().Is4In6() {
		return ends, false
	}
	last := block.Addr().AsSlice()
	for i := block.Bits(); i < 8*len(last); i++ {
		last[i/8] |= 0x80 >> (i % 8)
	}
	high, _ := netip.AddrFromSlice(last)
	return [2]netip.Addr{block.Addr(), high}, true
}

func FuzzExpiry(f *testing.F) {
	for _, text := range []string{
		"2027-01-31", "2027-02-30", "2027-01-31T18:00:00+08:00", "2027-01-31T18:00:00Z", "", "0000-01-01", "9999-12-31",
		"2027-01-31T24:00:00Z", "2026-09-05", " 2027-01-31",
	} {
		f.Add(text)
	}
	santiago, err := time.LoadLocation("America/Santiago")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end, err := parseExpiry(text, santiago)
		if err != nil {
			return
		}
		if len(text) != len(time.DateOnly) {
			if again, err := time.Parse(time.RFC3339, text); err != nil || !again.Equal(end) {
				t.Errorf("%q is read as %s, neither a date nor that time", text, end)
			}
			return
		}
		// At the end the calendar shows another day, just before it the one meant.
		if got := end.Add(-time.Nanosecond).In(santiago).Format(time.DateOnly); got != text {
			t.Errorf("%q ends %s, a nanosecond before which it is %s", text, end, got)
		}
		if got := end.In(santiago).Format(time.DateOnly); got <= text && text != "9999-12-31" {
			t.Errorf("%q ends %s, when it is still %s", text, end, got)
		}
	})
}
