package sg_test

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// fields are those of a rule that can be understood; apply changes what a test is about.
func fields(apply func(*sg.Fields)) *sg.Fields {
	f := &sg.Fields{
		ID: "sgr-1", Protocol: "TCP", PortRange: "443/443", CIDR4: "203.0.113.0/24", Policy: "Accept", Priority: "1",
		NICType: "Intranet", Description: "d", Created: "2026-10-17T08:00:00Z",
	}
	if apply != nil {
		apply(f)
	}
	return f
}

func TestARuleIsUnderstoodWhole(t *testing.T) {
	t.Parallel()
	got := sg.NewRule(fields(func(f *sg.Fields) { f.SourceCIDR4, f.SourcePorts = "10.0.0.1", "1/1024" }))
	want := sg.Rule{
		ID: "sgr-1", Protocol: sg.TCP, Ports: sg.PortRange{Low: 443, High: 443}, SourcePorts: sg.PortRange{Low: 1, High: 1024},
		Destination: sg.Destination{Kind: sg.CIDR4, Text: "203.0.113.0/24", CIDR: netip.MustParsePrefix("203.0.113.0/24")},
		Source:      sg.Source{Text: "10.0.0.1", CIDR: netip.MustParsePrefix("10.0.0.1/32")},
		Action:      sg.Accept, Priority: 1, NICType: sg.NICIntranet, Description: "d",
		Created: time.Date(2026, time.October, 17, 8, 0, 0, 0, time.UTC),
		Raw: sg.Raw{
			Protocol: "TCP", PortRange: "443/443", SourcePorts: "1/1024", Action: "Accept", Priority: "1",
			Created: "2026-10-17T08:00:00Z",
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeUnderstoodIsNamedAndItsMeaningUnknown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		apply   func(*sg.Fields)
		want    string // Rule.Unreadable
		unknown func(*sg.Rule) bool
	}{
		{
			"protocol", func(f *sg.Fields) { f.Protocol = "sctp" }, `protocol "sctp": not known`,
			func(r *sg.Rule) bool { return r.Protocol == sg.NoProtocol && r.Ports.IsZero() },
		},
		{
			"no protocol", func(f *sg.Fields) { f.Protocol = "" }, `protocol "": not known`,
			func(r *sg.Rule) bool { return r.Protocol == sg.NoProtocol },
		},
		{
			"ports backwards", func(f *sg.Fields) { f.PortRange = "65535/1" },
			`ports "65535/1": ports are written low/high, from 1 to 65535`, func(r *sg.Rule) bool { return r.Ports.IsZero() },
		},
		{
			"tcp without ports", func(f *sg.Fields) { f.PortRange = "-1/-1" },
			`ports "-1/-1": ports are written low/high, from 1 to 65535`, func(r *sg.Rule) bool { return r.Ports.IsZero() },
		},
		{
			"icmp with ports", func(f *sg.Fields) { f.Protocol = "icmp" }, `ports "443/443" of protocol icmp: expected -1/-1`,
			func(r *sg.Rule) bool { return r.Ports.IsZero() },
		},
		{
			"all with ports", func(f *sg.Fields) { f.Protocol = "all" }, `ports "443/443" of protocol all: expected -1/-1`,
			func(r *sg.Rule) bool { return r.Ports.IsZero() },
		},
		{
			"source ports", func(f *sg.Fields) { f.SourcePorts = "x" },
			`source ports "x": ports are written low/high, from 1 to 65535`,
			func(r *sg.Rule) bool { return r.SourcePorts.IsZero() },
		},
		{
			"destination", func(f *sg.Fields) { f.CIDR4 = "10.0.0.0/33" },
			`destination "10.0.0.0/33" is neither an address nor an address block`,
			func(r *sg.Rule) bool {
				return r.Destination == sg.Destination{Text: "10.0.0.0/33"}
			},
		},
		{
			"two destinations", func(f *sg.Fields) { f.CIDR6 = "::/0" },
			`2 destinations: expected one of an address block, a group and a prefix list`,
			func(r *sg.Rule) bool { return r.Destination == sg.Destination{Text: "203.0.113.0/24 ::/0"} },
		},
		{
			"two sources", func(f *sg.Fields) { f.SourceCIDR4, f.SourceCIDR6 = "10.0.0.0/8", "fd00::/8" },
			`both an IPv4 source "10.0.0.0/8" and an IPv6 one "fd00::/8"`,
			func(r *sg.Rule) bool { return r.Source == sg.Source{Text: "10.0.0.0/8 fd00::/8"} },
		},
		{
			"a source that is a group", func(f *sg.Fields) { f.SourceOther = "sg-9" },
			`source "sg-9": expected an address block, if any`,
			func(r *sg.Rule) bool { return r.Source == sg.Source{Text: "sg-9"} },
		},
		{
			"NIC type", func(f *sg.Fields) { f.NICType = "weird" }, `NIC type "weird": expected intranet or internet`,
			func(*sg.Rule) bool { return true },
		},
		{
			"no destination", func(f *sg.Fields) { f.CIDR4 = "" }, "no destination",
			func(r *sg.Rule) bool { return r.Destination == sg.Destination{} },
		},
		{
			"source", func(f *sg.Fields) { f.SourceCIDR6 = "fe80::1%eth0" },
			`source "fe80::1%eth0" is neither an address nor an address block`,
			func(r *sg.Rule) bool { return !r.Source.CIDR.IsValid() && r.Source.Text != "" },
		},
		{
			"action", func(f *sg.Fields) { f.Policy = "deny" }, `policy "deny": expected accept or drop`,
			func(r *sg.Rule) bool { return r.Action == "" },
		},
		{
			"priority", func(f *sg.Fields) { f.Priority = "0" }, `priority "0": expected a number from 1`,
			func(r *sg.Rule) bool { return r.Priority == 0 },
		},
		{
			"the first of several reasons is kept", func(f *sg.Fields) { f.Policy, f.Priority = "", "" },
			`policy "": expected accept or drop`, func(r *sg.Rule) bool { return r.Action == "" && r.Priority == 0 },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := sg.NewRule(fields(test.apply))
			if r.Unreadable != test.want {
				t.Errorf("got  %q\nwant %q", r.Unreadable, test.want)
			}
			if !test.unknown(&r) {
				t.Errorf("it still means something: %+v", r)
			}
		})
	}
}

func TestFormsOfADestination(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		apply func(*sg.Fields)
		want  sg.Destination
	}{
		{
			"host bits are masked", func(f *sg.Fields) { f.CIDR4 = "203.0.113.7/24" },
			sg.Destination{Kind: sg.CIDR4, Text: "203.0.113.7/24", CIDR: netip.MustParsePrefix("203.0.113.0/24")},
		},
		{
			"a bare address", func(f *sg.Fields) { f.CIDR4 = "203.0.113.7" },
			sg.Destination{Kind: sg.CIDR4, Text: "203.0.113.7", CIDR: netip.MustParsePrefix("203.0.113.7/32")},
		},
		{
			"IPv6", func(f *sg.Fields) { f.CIDR4, f.CIDR6 = "", "2001:DB8::1/32" },
			sg.Destination{Kind: sg.CIDR6, Text: "2001:DB8::1/32", CIDR: netip.MustParsePrefix("2001:db8::/32")},
		},
		{
			"mapped", func(f *sg.Fields) { f.CIDR4, f.CIDR6 = "", "::ffff:203.0.113.7/120" },
			sg.Destination{Kind: sg.CIDR4, Text: "::ffff:203.0.113.7/120", CIDR: netip.MustParsePrefix("203.0.113.0/24")},
		},
		{
			"all that is mapped", func(f *sg.Fields) { f.CIDR4, f.CIDR6 = "", "::ffff:0:0/96" },
			sg.Destination{Kind: sg.CIDR4, Text: "::ffff:0:0/96", CIDR: netip.MustParsePrefix("0.0.0.0/0")},
		},
		{
			"more than what is mapped", func(f *sg.Fields) { f.CIDR4, f.CIDR6 = "", "::ffff:0:0/80" },
			sg.Destination{Kind: sg.CIDR6, Text: "::ffff:0:0/80", CIDR: netip.MustParsePrefix("::/80")},
		},
		{
			"a group", func(f *sg.Fields) { f.CIDR4, f.GroupID, f.GroupOwner = "", "sg-2", "12" },
			sg.Destination{Kind: sg.PeerGroup, Text: "sg-2", Owner: "12"},
		},
		{
			"a prefix list", func(f *sg.Fields) { f.CIDR4, f.PrefixListID = "", "pl-1" },
			sg.Destination{Kind: sg.FromList, Text: "pl-1"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := sg.NewRule(fields(test.apply))
			if diff := cmp.Diff(test.want, r.Destination, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if r.Unreadable != "" {
				t.Errorf("unreadable: %s", r.Unreadable)
			}
		})
	}
}

func TestProtocolsAreReadByNameAndNumber(t *testing.T) {
	t.Parallel()
	numbers := map[string]int{"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "gre": 47}
	for name, number := range numbers {
		for _, text := range []string{name, strings.ToUpper(name), strconv.Itoa(number)} {
			p, err := sg.ParseProtocol(text)
			n, single := p.Number()
			if err != nil || !single || int(n) != number || p.String() != name {
				t.Errorf("%q: got %s, number %d (%v)", text, p, n, err)
			}
		}
	}
	for number := range 256 {
		p, err := sg.ParseProtocol(strconv.Itoa(number))
		if n, single := p.Number(); err != nil || !single || int(n) != number {
			t.Errorf("%d: got %d, %t (%v)", number, n, single, err)
		}
		if again, err := sg.ParseProtocol(p.String()); err != nil || again != p {
			t.Errorf("%d: written as %s, which is read as %d", number, p, again)
		}
	}
	all, err := sg.ParseProtocol("All")
	if _, single := all.Number(); err != nil || all != sg.AllProtocols || single || !all.HasPorts() {
		t.Errorf("all: got %d, single %t (%v)", all, single, err)
	}
	for _, text := range []string{"", "256", "-1", "06", "+6", "6 ", "ip", "unknown", "0x6"} {
		if p, err := sg.ParseProtocol(text); err == nil || p != sg.NoProtocol {
			t.Errorf("%q is read as %s", text, p)
		}
	}
}

func TestPortsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.IntRange(-1, 65537).Draw(t, "low"), rapid.IntRange(-1, 65537).Draw(t, "high")
		text := fmt.Sprintf("%d/%d", a, b)
		got, err := sg.ParseCloudPorts(sg.TCP, text)
		if legal := 1 <= a && a <= b && b <= 65535; legal != (err == nil) {
			t.Fatalf("%s: got %v (%v)", text, got, err)
		}
		if err == nil && (int(got.Low) != a || int(got.High) != b || got.String() != text) {
			t.Errorf("%s is read as %s", text, got)
		}
		if err != nil && !got.IsZero() {
			t.Errorf("%s: %v beside an error", text, got)
		}
	})
	for _, text := range []string{"", "443", "443/", "/443", "1/2/3", "443-444", " 1/2", "1/+2", "0x1/2"} {
		if got, err := sg.ParseCloudPorts(sg.UDP, text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
	for _, text := range []string{"", "-1/-1"} {
		for protocol, want := range map[sg.Protocol]sg.PortRange{
			sg.AllProtocols: sg.AllPorts(), sg.ICMP: {}, sg.GRE: {}, sg.ICMPv6: {},
		} {
			if got, err := sg.ParseCloudPorts(protocol, text); err != nil || got != want {
				t.Errorf("%q of %s: got %s (%v), want %s", text, protocol, got, err, want)
			}
		}
		if got, err := sg.ParseCloudSourcePorts(text); err != nil || !got.IsZero() {
			t.Errorf("source ports %q: got %s (%v), want none", text, got, err)
		}
	}
}

func TestTimesWithAndWithoutSeconds(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, time.October, 17, 8, 0, 0, 0, time.UTC)
	for _, text := range []string{"2026-10-17T08:00:00Z", "2026-10-17T08:00Z", "2026-10-17T16:00:00+08:00"} {
		if got, ok := sg.ParseTime(text); !ok || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: got %s, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "2026-10-17", "2026-10-17 08:00:00", "yesterday", "2026-02-30T08:00:00Z"} {
		if got, ok := sg.ParseTime(text); ok || !got.IsZero() {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

func TestGlobsMatchAsTheirExpressionDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.SampledFrom([]rune("ab*?.é\n")), 0, 10, -1).Draw(t, "pattern")
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab.*é\n")), 0, 12, -1).Draw(t, "text")
		expression := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile(`\A(?s:` + expression + `)\z`).MatchString(text)
		if got := sg.Glob(pattern).Match(text); got != want {
			t.Errorf("%q on %q: got %t, want %t", pattern, text, got, want)
		}
	})
}

func TestTagsAreFoundByTheirExactKey(t *testing.T) {
	t.Parallel()
	g := &sg.Group{Tags: []sg.Tag{{Key: "env", Value: "prod"}, {Key: "empty"}}}
	for key, want := range map[string]string{"env": "prod true", "empty": " true", "Env": " false", "": " false"} {
		value, ok := g.Tag(key)
		if got := fmt.Sprintf("%s %t", value, ok); got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
	if !g.Classic() || (&sg.Group{VPC: "vpc-1"}).Classic() {
		t.Error("a group without a VPC is in the classic network, one with a VPC is not")
	}
}
