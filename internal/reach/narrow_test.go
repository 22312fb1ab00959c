package reach

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// narrowCase builds a rule and what is objected to of it.
type narrowCase struct {
	group    sg.Group
	fields   sg.Fields
	list     []string
	portList []sg.PortRange
	objected []sg.Extent
	present  int
}

func (c *narrowCase) narrow() *Narrowing {
	f := c.fields
	if f.Policy == "" {
		f.Policy = "accept"
	}
	if f.Priority == "" {
		f.Priority = "7"
	}
	if f.NICType == "" && c.group.VPC != "" {
		f.NICType = sg.NICIntranet
	}
	f.ID = "sgr-x"
	rule := sg.NewRule(&f)
	if c.list != nil {
		rule.Destination.List = &sg.PrefixList{ID: f.PrefixListID, Entries: prefixes(c.list...)}
	}
	if c.portList != nil {
		rule.PortList = &sg.PortList{ID: f.PortListID, Ranges: c.portList}
	}
	return Narrow(&c.group, &rule, c.objected, c.present)
}

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// inShort is a permission in one line.
func inShort(p Permission) string {
	text := p.IPProtocol + " " + p.PortRange + p.PortRangeListID + " to " + p.DestCidrIP + p.Ipv6DestCidrIP + p.DestGroupID +
		p.DestPrefixListID
	if source := p.SourceCidrIP + p.Ipv6SourceCidrIP; source != "" {
		text += " from " + source
	}
	if p.SourcePortRange != "" {
		text += " source " + p.SourcePortRange
	}
	return text
}

func TestNarrowProposesWhatNobodyObjectsTo(t *testing.T) {
	inVPC := sg.Group{ID: "sg-a", Type: sg.TypeEnterprise, VPC: "vpc-a"}
	port := func(n uint16) []sg.PortRange { return []sg.PortRange{{Low: n, High: n}} }
	tcp443 := sg.Fields{Protocol: "TCP", PortRange: "443/443", CIDR4: "0.0.0.0/0"}
	all := sg.Fields{Protocol: "ALL", PortRange: "-1/-1", CIDR4: "0.0.0.0/0"}
	for name, test := range map[string]struct {
		narrowCase
		want     []string
		left     []Space
		sentence string
	}{
		"half of the addresses": {
			narrowCase: narrowCase{fields: tcp443, objected: []sg.Extent{{Destinations: prefixes("128.0.0.0/1")}}},
			want:       []string{"tcp 443/443 to 0.0.0.0/1"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 1 rule first (tcp/443 to 0.0.0.0/1), " +
				"then revoke it",
		},
		"a network in the middle": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "TCP", PortRange: "443/443", CIDR4: "10.0.0.0/30"},
				objected: []sg.Extent{{Destinations: prefixes("10.0.0.1/32")}},
			},
			want: []string{"tcp 443/443 to 10.0.0.0/32", "tcp 443/443 to 10.0.0.2/31"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 2 rules first (tcp/443 to 10.0.0.2/31 " +
				"and 10.0.0.0/32), then revoke it",
		},
		"a port": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "TCP", PortRange: "1/65535", CIDR6: "2001:db8::/32"},
				objected: []sg.Extent{{Ports: port(22)}},
			},
			want: []string{"tcp 1/21 to 2001:db8::/32", "tcp 23/65535 to 2001:db8::/32"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 2 rules first (tcp/1-21 and 23-65535 to " +
				"2001:db8::/32), then revoke it",
		},
		"a port of an address: ports and addresses may overlap": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "TCP", PortRange: "22/80", CIDR4: "10.0.0.0/31"},
				objected: []sg.Extent{{Ports: port(22), Destinations: prefixes("10.0.0.0/32")}},
			},
			want: []string{"tcp 23/80 to 10.0.0.0/31", "tcp 22/80 to 10.0.0.1/32"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 2 rules first (tcp/23-80 to 10.0.0.0/31 and " +
				"tcp/22-80 to 10.0.0.1/32), then revoke it",
		},
		"a port of a rule for all protocols": {
			narrowCase: narrowCase{fields: all, objected: []sg.Extent{{Protocols: []sg.Protocol{sg.UDP}, Ports: port(53)}}},
			want: []string{
				"tcp 1/65535 to 0.0.0.0/0", "udp 1/52 to 0.0.0.0/0", "udp 54/65535 to 0.0.0.0/0", "icmp -1/-1 to 0.0.0.0/0",
				"gre -1/-1 to 0.0.0.0/0",
			},
			left: boxes("0.0.0.0/0", "icmpv6", "other"),
			sentence: "the rule also permits what no policy objects to: to keep that, add 5 rules first (all tcp ports, udp/1-52 and " +
				"54-65535, gre and icmp to 0.0.0.0/0), then revoke it; icmpv6 and other protocols to 0.0.0.0/0 cannot be kept but " +
				"by a rule for a protocol number or for all protocols",
		},
		"a port of a rule for all protocols of IPv6": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "ALL", PortRange: "-1/-1", CIDR6: "::/0"},
				objected: []sg.Extent{{Protocols: []sg.Protocol{sg.TCP}, Ports: []sg.PortRange{{Low: 1, High: 65534}}}},
			},
			want: []string{
				"tcp 65535/65535 to ::/0", "udp 1/65535 to ::/0", "icmpv6 -1/-1 to ::/0", "gre -1/-1 to ::/0",
			},
			left: boxes("::/0", "icmp", "other"),
			sentence: "the rule also permits what no policy objects to: to keep that, add 4 rules first (tcp/65535, all udp ports, gre " +
				"and icmpv6 to ::/0), then revoke it; icmp and other protocols to ::/0 cannot be kept but by a rule for a protocol " +
				"number or for all protocols",
		},
		"half of the addresses of a rule for all protocols": {
			narrowCase: narrowCase{fields: all, objected: []sg.Extent{{Destinations: prefixes("128.0.0.0/1")}}},
			want:       []string{"all -1/-1 to 0.0.0.0/1"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 1 rule first (everything to 0.0.0.0/1), " +
				"then revoke it",
		},
		"a port of half of the addresses of a rule for all protocols": {
			narrowCase: narrowCase{
				fields:   all,
				objected: []sg.Extent{{Destinations: prefixes("128.0.0.0/1"), Protocols: []sg.Protocol{sg.TCP}, Ports: port(1)}},
			},
			want: []string{
				"all -1/-1 to 0.0.0.0/1", "tcp 2/65535 to 0.0.0.0/0", "udp 1/65535 to 0.0.0.0/0", "icmp -1/-1 to 0.0.0.0/0",
				"gre -1/-1 to 0.0.0.0/0",
			},
			left: boxes("128.0.0.0/1", "icmpv6", "other"),
			sentence: "the rule also permits what no policy objects to: to keep that, add 5 rules first (tcp/2-65535, all udp " +
				"ports, gre and icmp to 0.0.0.0/0 and everything to 0.0.0.0/1), then revoke it; icmpv6 and other protocols to 128.0.0.0/1 " +
				"cannot be kept but by a rule for a protocol number or for all protocols",
		},
		"a protocol number": {
			narrowCase: narrowCase{
				fields: sg.Fields{Protocol: "ALL", CIDR6: "::/0"},
				objected: []sg.Extent{
					{Protocols: []sg.Protocol{51, sg.ICMP}}, {Protocols: []sg.Protocol{sg.TCP, sg.UDP, sg.GRE, sg.ICMPv6}},
				},
			},
			left: []Space{{Protocol: "other", Except: []uint8{50}, CIDR: netip.MustParsePrefix("::/0")}},
			sentence: "the rule also permits what no policy objects to, of which other protocols but 50 to ::/0 cannot be kept but " +
				"by a rule for a protocol number or for all protocols",
		},
		"a source": {
			narrowCase: narrowCase{
				fields:   tcp443,
				objected: []sg.Extent{{Sources: prefixes("0.0.0.0/1")}},
			},
			want: []string{"tcp 443/443 to 0.0.0.0/0 from 128.0.0.0/1"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 1 rule first (tcp/443 from 128.0.0.0/1 to " +
				"0.0.0.0/0), then revoke it",
		},
		"a part of its own source, and source ports": {
			narrowCase: narrowCase{
				fields: sg.Fields{
					Protocol: "UDP", PortRange: "53/53", CIDR4: "8.8.8.8", SourceCIDR4: "10.0.0.0/8", SourcePorts: "1024/65535",
				},
				objected: []sg.Extent{{Sources: prefixes("10.128.0.0/9"), SourcePorts: []sg.PortRange{{Low: 1, High: 2047}}}},
			},
			want: []string{
				"udp 53/53 to 8.8.8.8/32 from 10.0.0.0/8 source 2048/65535", "udp 53/53 to 8.8.8.8/32 from 10.0.0.0/9 source 1024/65535",
			},
			sentence: "the rule also permits what no policy objects to: to keep that, add 2 rules first (udp/53 from 10.0.0.0/8 source " +
				"port 2048-65535 to 8.8.8.8/32 and udp/53 from 10.0.0.0/9 source port 1024-65535 to 8.8.8.8/32), then revoke it",
		},
		"the ports of a group": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "TCP", PortRange: "1/65535", GroupID: "sg-b", GroupOwner: "123"},
				objected: []sg.Extent{{Ports: []sg.PortRange{{Low: 1, High: 1023}}}},
			},
			want: []string{"tcp 1024/65535 to sg-b"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 1 rule first (tcp/1024-65535 to members of " +
				"sg-b), then revoke it",
		},
		"the sources of a group may be of both families": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "TCP", PortRange: "22/22", GroupID: "sg-b"},
				objected: []sg.Extent{{Sources: prefixes("0.0.0.0/1")}},
			},
			want: []string{"tcp 22/22 to sg-b from 128.0.0.0/1", "tcp 22/22 to sg-b from ::/0"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 2 rules first (tcp/22 from 128.0.0.0/1 to " +
				"members of sg-b and tcp/22 from ::/0 to members of sg-b), then revoke it",
		},
		"an entry of a prefix list": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "TCP", PortRange: "443/443", PrefixListID: "pl-x"},
				list:     []string{"10.0.0.0/8", "203.0.113.0/24", "11.0.0.0/8"},
				objected: []sg.Extent{{Destinations: prefixes("203.0.0.0/16")}},
			},
			want: []string{"tcp 443/443 to 10.0.0.0/7"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 1 rule first (tcp/443 to 10.0.0.0/7), then " +
				"revoke it; or take 203.0.113.0/24 out of the prefix list pl-x instead, if its other users agree",
		},
		"a part of an entry of a prefix list": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "TCP", PortRange: "443/443", PrefixListID: "pl-x"},
				list:     []string{"10.0.0.0/8", "203.0.112.0/23"},
				objected: []sg.Extent{{Destinations: prefixes("203.0.113.0/24")}},
			},
			want: []string{"tcp 443/443 to 10.0.0.0/8", "tcp 443/443 to 203.0.112.0/24"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 2 rules first (tcp/443 to 10.0.0.0/8 and " +
				"203.0.112.0/24), then revoke it",
		},
		"ports of a prefix list, which counts as its entries": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "TCP", PortRange: "1/443", PrefixListID: "pl-x"},
				list:     []string{"10.0.0.0/8", "203.0.113.0/24"},
				objected: []sg.Extent{{Ports: port(1)}},
				present:  199,
			},
			sentence: "the rule also permits what no policy objects to, but to keep that takes 2 rules, and the group has room for 1 " +
				"of 200",
		},
		"addresses of a rule with a port list": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "TCP", PortListID: "prl-x", CIDR4: "0.0.0.0/0"},
				portList: []sg.PortRange{{Low: 80, High: 80}, {Low: 443, High: 443}},
				objected: []sg.Extent{{Destinations: prefixes("128.0.0.0/1")}},
			},
			want: []string{"tcp prl-x to 0.0.0.0/1"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 1 rule first (tcp/80 and 443 to 0.0.0.0/1), " +
				"then revoke it",
		},
		"ports of a rule with a port list": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "TCP", PortListID: "prl-x", CIDR4: "0.0.0.0/0"},
				portList: []sg.PortRange{{Low: 80, High: 80}, {Low: 443, High: 444}},
				objected: []sg.Extent{{Ports: port(444)}},
			},
			want: []string{"tcp 80/80 to 0.0.0.0/0", "tcp 443/443 to 0.0.0.0/0"},
			sentence: "the rule also permits what no policy objects to: to keep that, add 2 rules first (tcp/80 and 443 to 0.0.0.0/0), " +
				"then revoke it",
		},
		"there is no room": {
			narrowCase: narrowCase{
				fields: tcp443, present: 180, objected: []sg.Extent{{Destinations: prefixes("203.0.113.7/32")}},
			},
			sentence: "the rule also permits what no policy objects to, but to keep that takes 32 rules, and the group has room for 20 " +
				"of 200",
		},
		"the priority cannot be had any more": {
			narrowCase: narrowCase{
				fields:   sg.Fields{Protocol: "TCP", PortRange: "443/443", CIDR4: "0.0.0.0/0", Priority: "110"},
				objected: []sg.Extent{{Destinations: prefixes("128.0.0.0/1")}},
			},
			sentence: "the rule also permits what no policy objects to, but 1 rule to keep that cannot have its priority of 110",
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.group = inVPC
			got := test.narrow()
			if got == nil {
				t.Fatal("no proposal")
			}
			var rules []string
			for _, p := range got.Rules {
				rules = append(rules, inShort(p))
			}
			if diff := cmp.Diff(test.want, rules); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.left, got.Left, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.sentence, got.Sentence); diff != "" {
				t.Errorf("sentence (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNarrowCompletesARuleForTheCloud(t *testing.T) {
	half := []sg.Extent{{Destinations: prefixes("0.0.0.0/1", "::/1")}}
	for name, test := range map[string]struct {
		narrowCase
		want Permission
	}{
		"in a VPC": {
			narrowCase{
				group:  sg.Group{VPC: "vpc-a"},
				fields: sg.Fields{Protocol: "TCP", PortRange: "443/443", CIDR4: "0.0.0.0/0", Description: "owner=web"},
			},
			Permission{
				IPProtocol: "tcp", PortRange: "443/443", DestCidrIP: "128.0.0.0/1", Policy: "accept", Priority: "7",
				NicType: "intranet", Description: "owner=web (narrowed from sgr-x)",
			},
		},
		"of IPv6, with a source": {
			narrowCase{
				group:  sg.Group{VPC: "vpc-a"},
				fields: sg.Fields{Protocol: "ICMPv6", PortRange: "-1/-1", CIDR6: "::/0", SourceCIDR6: "fd00::/8", Priority: "100"},
			},
			Permission{
				IPProtocol: "icmpv6", PortRange: "-1/-1", Ipv6DestCidrIP: "8000::/1", Ipv6SourceCidrIP: "fd00::/8", Policy: "accept",
				Priority: "100", NicType: "intranet", Description: "narrowed from sgr-x",
			},
		},
		"in the classic network": {
			narrowCase{fields: sg.Fields{Protocol: "50", CIDR4: "0.0.0.0/0", NICType: "internet"}},
			Permission{
				IPProtocol: "50", PortRange: "-1/-1", DestCidrIP: "128.0.0.0/1", Policy: "accept", Priority: "7",
				NicType: "internet", Description: "narrowed from sgr-x",
			},
		},
		"with a description that leaves no room": {
			narrowCase{
				group:  sg.Group{VPC: "vpc-a"},
				fields: sg.Fields{Protocol: "GRE", CIDR4: "0.0.0.0/0", Description: strings.Repeat("ü", 500)},
			},
			Permission{
				IPProtocol: "gre", PortRange: "-1/-1", DestCidrIP: "128.0.0.0/1", Policy: "accept", Priority: "7",
				NicType: "intranet", Description: strings.Repeat("ü", 500),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.objected = half
			got := test.narrow()
			if got == nil {
				t.Fatal("no proposal")
			}
			if diff := cmp.Diff([]Permission{test.want}, got.Rules); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNarrowHasNothingToPropose(t *testing.T) {
	tcp := sg.Fields{Protocol: "TCP", PortRange: "443/443", CIDR4: "10.0.0.0/8"}
	half := []sg.Extent{{Destinations: prefixes("10.0.0.0/9")}}
	port := []sg.Extent{{Ports: []sg.PortRange{{Low: 22, High: 22}}}}
	for name, c := range map[string]narrowCase{
		"where nothing is objected to":     {fields: tcp},
		"where an objection holds nothing": {fields: tcp, objected: []sg.Extent{{Destinations: []netip.Prefix{}}}},
		"where all is objected to":         {fields: tcp, objected: []sg.Extent{{Destinations: prefixes("10.0.0.0/7")}}},
		"where all is objected to in parts": {
			fields: tcp, objected: []sg.Extent{half[0], {Destinations: prefixes("10.128.0.0/9"), Ports: []sg.PortRange{{Low: 1, High: 443}}}},
		},
		"where the objection is beside the rule": {fields: tcp, objected: port},
		"where the protocol is another": {
			fields: tcp, objected: []sg.Extent{{Protocols: []sg.Protocol{sg.UDP}, Destinations: prefixes("10.0.0.0/9")}},
		},
		"where ports of ICMP are objected to": {fields: sg.Fields{Protocol: "ICMP", CIDR4: "10.0.0.0/8"}, objected: port},
		"for a drop rule": {
			fields: sg.Fields{Protocol: "TCP", PortRange: "443/443", CIDR4: "10.0.0.0/8", Policy: "drop"}, objected: half,
		},
		"for an unreadable rule": {
			fields: sg.Fields{Protocol: "TCP", PortRange: "443", CIDR4: "10.0.0.0/8"}, objected: half,
		},
		"for addresses of a group": {
			fields: sg.Fields{Protocol: "TCP", PortRange: "443/443", GroupID: "sg-b"}, objected: half,
		},
		"for a prefix list that was not read": {
			fields: sg.Fields{Protocol: "TCP", PortRange: "1/443", PrefixListID: "pl-x"}, objected: port,
		},
		"for an empty prefix list": {
			fields: sg.Fields{Protocol: "TCP", PortRange: "1/443", PrefixListID: "pl-x"}, list: []string{}, objected: port,
		},
		"for ports of a port list that was not read": {
			fields: sg.Fields{Protocol: "TCP", PortListID: "prl-x", CIDR4: "10.0.0.0/8"}, objected: port,
		},
		"for source ports of all protocols": {
			fields: sg.Fields{Protocol: "ALL", SourcePorts: "1/2", CIDR4: "10.0.0.0/8"}, objected: half,
		},
		"for a source of the other family": {
			fields: sg.Fields{Protocol: "GRE", CIDR4: "10.0.0.0/8", SourceCIDR6: "fd00::/8"}, objected: half,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.narrow(); got != nil {
				t.Errorf("got %q, want no proposal", got.Sentence)
			}
		})
	}
}

func TestNarrowGivesUpOnTooManyPieces(t *testing.T) {
	var objected []sg.Extent
	for i := range 200 {
		objected = append(objected, sg.Extent{
			Destinations: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(i * 7), byte(i), byte(i * 3), 9}), 32)},
			Ports:        []sg.PortRange{{Low: uint16(i*10 + 1), High: uint16(i*10 + 5)}},
		})
	}
	c := narrowCase{fields: sg.Fields{Protocol: "TCP", PortRange: "1/65535", CIDR4: "0.0.0.0/0"}, objected: objected}
	want := &Narrowing{Free: 200, Sentence: "the rule also permits what no policy objects to, in too many pieces to propose rules for it"}
	if diff := cmp.Diff(want, c.narrow()); diff != "" {
		t.Errorf("proposal (-want +got):\n%s", diff)
	}
}
