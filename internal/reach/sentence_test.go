package reach

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// box is a space in short: a protocol with ports, or without, and a destination.
func box(protocol, to string) Space {
	s := Space{Protocol: protocol}
	if name, text, ok := strings.Cut(protocol, "/"); ok {
		low, high, isRange := strings.Cut(text, "-")
		if !isRange {
			high = low
		}
		from, _ := strconv.ParseUint(low, 10, 16)
		till, _ := strconv.ParseUint(high, 10, 16)
		s.Protocol, s.Ports = name, sg.PortRange{Low: uint16(from), High: uint16(till)}
	} else if protocol == "tcp" || protocol == "udp" {
		s.Ports = sg.AllPorts()
	}
	if strings.HasPrefix(to, "sg-") {
		s.Group = to
	} else {
		s.CIDR = netip.MustParsePrefix(to)
	}
	return s
}

// boxes are spaces of several protocols to one destination.
func boxes(to string, protocols ...string) []Space {
	var all []Space
	for _, p := range protocols {
		all = append(all, box(p, to))
	}
	return all
}

// everything is what a rule for all protocols permits.
func everything(to string) []Space {
	return boxes(to, "tcp", "udp", "icmp", "icmpv6", "gre", "other")
}

func byRule(id string, priority int, action sg.Action, spaces ...Space) By {
	return By{Rule: id, Priority: priority, Action: action, Space: spaces}
}

func byDefault(action sg.Action, spaces ...Space) By {
	return By{Default: true, Action: action, Space: spaces}
}

func TestSentenceSaysWhatChangesWithinAGroup(t *testing.T) {
	const sessions = "; established sessions may live on for up to 910 s"
	for name, test := range map[string]struct {
		effect Effect
		want   string
	}{
		"one space is closed": {
			Effect{Class: Closes, Closes: boxes("203.0.113.0/24", "tcp/443")},
			"closes tcp/443 to 203.0.113.0/24 within this group" + sessions,
		},
		"the widest come first, the others are counted": {
			Effect{Class: Closes, Closes: []Space{
				box("tcp/443", "192.0.2.1/32"), box("tcp/443", "198.51.100.0/24"), box("tcp/443", "203.0.113.0/25"),
				box("tcp/443", "10.0.0.0/8"), box("udp/53", "192.0.2.2/32"),
			}},
			"closes tcp/443 to 10.0.0.0/8, 198.51.100.0/24, 203.0.113.0/25 and 2 more within this group" + sessions,
		},
		"spaces that were left out are counted too": {
			Effect{Class: Closes, Closes: boxes("10.0.0.0/8", "tcp/443"), MoreCloses: 7},
			"closes tcp/443 to 10.0.0.0/8 and 7 more within this group" + sessions,
		},
		"a part stays open through a rule": {
			Effect{
				Class: Closes, Closes: boxes("203.0.113.0/24", "tcp/443"),
				StillPermittedBy: []By{byRule("sgr-x", 5, sg.Accept, box("tcp/22", "203.0.113.0/24"))},
			},
			"closes tcp/443 to 203.0.113.0/24 within this group; tcp/22 to 203.0.113.0/24 stays open here through sgr-x " +
				"at priority 5" + sessions,
		},
		"a part stays open through two rules": {
			Effect{
				Class: Closes, Closes: boxes("203.0.113.0/24", "tcp/443"),
				StillPermittedBy: []By{
					byRule("sgr-x", 5, sg.Accept, box("tcp/22", "203.0.113.0/24")), byRule("sgr-y", 6, sg.Accept),
				},
			},
			"closes tcp/443 to 203.0.113.0/24 within this group; tcp/22 to 203.0.113.0/24 stays open here through sgr-x " +
				"at priority 5, more through sgr-y at priority 6" + sessions,
		},
		"a part stays open through rules and the default": {
			Effect{
				Class: Closes, Closes: boxes("0.0.0.0/0", "tcp/22"),
				StillPermittedBy: []By{
					byRule("sgr-x", 5, sg.Accept, box("tcp/80", "0.0.0.0/0")), byRule("sgr-y", 6, sg.Accept),
					byDefault(sg.Accept, everything("0.0.0.0/0")...),
				},
			},
			"closes tcp/22 to 0.0.0.0/0 within this group; tcp/80 to 0.0.0.0/0 stays open here through sgr-x " +
				"at priority 5, more through 2 others" + sessions,
		},
		"the default permits the rest": {
			Effect{
				Class: Closes, Closes: boxes("0.0.0.0/0", "tcp/22"),
				StillPermittedBy: []By{byDefault(sg.Accept,
					boxes("0.0.0.0/0", "tcp/1-21", "tcp/23-65535", "udp", "icmp", "icmpv6", "gre", "other")...)},
			},
			"closes tcp/22 to 0.0.0.0/0 within this group; everything but tcp/22 to 0.0.0.0/0 stays open here through the " +
				"default of a basic group" + sessions,
		},
		"what is opened is loud": {
			Effect{Class: Opens, Opens: boxes("10.0.0.0/8", "tcp/22")},
			"OPENS tcp/22 to 10.0.0.0/8 within this group",
		},
		"a part stays closed": {
			Effect{
				Class: Opens, Opens: boxes("10.0.0.0/8", "tcp/22"),
				StillDroppedBy: []By{byDefault(sg.Drop, box("tcp/22", "192.0.2.0/24"))},
			},
			"OPENS tcp/22 to 10.0.0.0/8 within this group; tcp/22 to 192.0.2.0/24 stays closed here through the default of " +
				"an advanced group",
		},
		"both": {
			Effect{Class: Mixed, Closes: boxes("203.0.113.0/24", "tcp/443"), Opens: boxes("10.0.0.0/8", "tcp/22")},
			"closes tcp/443 to 203.0.113.0/24 and OPENS tcp/22 to 10.0.0.0/8 within this group" + sessions,
		},
		"it cannot be told": {
			Effect{Class: Unknown, Why: "the prefix list pl-x was not read"},
			"cannot tell what it closes within this group: the prefix list pl-x was not read",
		},
		"it cannot be told why": {
			Effect{Class: Unknown},
			"cannot tell what it closes within this group",
		},
		"only a part can be told": {
			Effect{Class: Unknown, Why: "the prefix list pl-x was not read", Closes: boxes("10.0.0.0/8", "tcp/22")},
			"cannot tell what it closes within this group: the prefix list pl-x was not read; certain is: closes tcp/22 to " +
				"10.0.0.0/8" + sessions,
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.effect.Scope = ScopeGroup
			if diff := cmp.Diff(test.want, test.effect.Sentence()); diff != "" {
				t.Errorf("sentence (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSentenceSaysWhyNothingChanges(t *testing.T) {
	accept := func(id string, priority int) By { return byRule(id, priority, sg.Accept) }
	for name, test := range map[string]struct {
		effect Effect
		want   string
	}{
		"a rule decides before": {
			Effect{ShadowedBy: []By{byRule("sgr-a", 1, sg.Drop)}},
			"closes nothing within this group: sgr-a (drop, priority 1) already decides all of it",
		},
		"two rules decide before": {
			Effect{ShadowedBy: []By{byRule("sgr-a", 1, sg.Drop), accept("sgr-b", 2)}},
			"closes nothing within this group: sgr-a (drop, priority 1) and sgr-b (accept, priority 2) already decide all of it",
		},
		"many rules decide before": {
			Effect{ShadowedBy: []By{byRule("sgr-a", 1, sg.Drop), accept("sgr-b", 2), accept("sgr-c", 3)}},
			"closes nothing within this group: sgr-a (drop, priority 1) and 2 more already decide all of it",
		},
		"the default permits it": {
			Effect{StillPermittedBy: []By{byDefault(sg.Accept)}},
			"closes nothing within this group: all of it stays open through the default of a basic group; to close it, add " +
				"a drop rule",
		},
		"a rule and the default permit it": {
			Effect{StillPermittedBy: []By{accept("sgr-b", 7), byDefault(sg.Accept)}, Default: sg.Accept},
			"closes nothing within this group: all of it stays open through sgr-b at priority 7 and the default of a basic " +
				"group; to close it, add a drop rule before these",
		},
		"rules of a basic group permit it, and the default would after them": {
			Effect{StillPermittedBy: []By{accept("sgr-b", 7), accept("sgr-c", 8), accept("sgr-d", 9)}, Default: sg.Accept},
			"closes nothing within this group: all of it stays open through sgr-b at priority 7 and 2 more; to close it, add " +
				"a drop rule before these",
		},
		"rules of an advanced group permit it": {
			Effect{StillPermittedBy: []By{accept("sgr-b", 7), accept("sgr-c", 8), accept("sgr-d", 9)}, Default: sg.Drop},
			"closes nothing within this group: all of it stays open through sgr-b at priority 7 and 2 more; to close it, " +
				"remove these too",
		},
		"a rule of a group of unknown type permits it": {
			Effect{StillPermittedBy: []By{accept("sgr-b", 7)}},
			"closes nothing within this group: all of it stays open through sgr-b at priority 7; to close it, remove this one " +
				"too or add a drop rule",
		},
		"a drop rule is not the only one": {
			Effect{StillDroppedBy: []By{byRule("sgr-b", 7, sg.Drop)}},
			"opens nothing within this group: all of it stays closed through sgr-b at priority 7",
		},
		"rules of both actions are not the only ones": {
			Effect{StillPermittedBy: []By{accept("sgr-a", 7)}, StillDroppedBy: []By{byDefault(sg.Drop)}},
			"closes nothing and opens nothing within this group: what is permitted stays open through sgr-a at priority 7, what " +
				"is dropped stays closed through the default of an advanced group",
		},
		"nobody is there to name": {
			Effect{},
			"closes nothing within this group",
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.effect.Class = None
			if diff := cmp.Diff(test.want, test.effect.Sentence()); diff != "" {
				t.Errorf("sentence (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSentenceFoldsSpaces(t *testing.T) {
	with := func(s Space, apply func(*Space)) Space {
		apply(&s)
		return s
	}
	for name, test := range map[string]struct {
		spaces []Space
		want   string
	}{
		"all protocols": {everything("0.0.0.0/0"), "everything to 0.0.0.0/0"},
		"all protocols to two destinations": {
			append(everything("0.0.0.0/0"), everything("::/0")...),
			"everything to 0.0.0.0/0 and ::/0",
		},
		"all protocols but a port of each": {
			boxes("0.0.0.0/0", "tcp/1-21", "tcp/23-65535", "udp/1-52", "udp/54-65535", "icmp", "icmpv6", "gre", "other"),
			"everything but tcp/22 and udp/53 to 0.0.0.0/0",
		},
		"all protocols but one": {
			boxes("0.0.0.0/0", "udp", "icmp", "icmpv6", "gre", "other"),
			"everything but tcp to 0.0.0.0/0",
		},
		"all protocols but a number": {
			append(boxes("0.0.0.0/0", "tcp", "udp", "icmp", "icmpv6", "gre"),
				with(box("other", "0.0.0.0/0"), func(s *Space) { s.Except = []uint8{50} })),
			"everything but protocol 50 to 0.0.0.0/0",
		},
		"a number that is apart only by its name": {
			append(boxes("0.0.0.0/0", "tcp", "udp", "icmp", "icmpv6", "gre", "50"),
				with(box("other", "0.0.0.0/0"), func(s *Space) { s.Except = []uint8{50} })),
			"everything to 0.0.0.0/0",
		},
		"tcp and udp alike":          {boxes("10.0.0.0/8", "tcp/53", "udp/53"), "tcp and udp port 53 to 10.0.0.0/8"},
		"tcp and udp alike, a range": {boxes("10.0.0.0/8", "tcp/5-9", "udp/5-9"), "tcp and udp ports 5-9 to 10.0.0.0/8"},
		"all ports of both":          {boxes("10.0.0.0/8", "tcp", "udp"), "all tcp and udp ports to 10.0.0.0/8"},
		"all ports":                  {boxes("10.0.0.0/8", "tcp"), "all tcp ports to 10.0.0.0/8"},
		"several ports":              {boxes("10.0.0.0/8", "tcp/22", "tcp/80", "tcp/443"), "tcp/22, 80 and 443 to 10.0.0.0/8"},
		"ports that touch":           {boxes("10.0.0.0/8", "tcp/22", "tcp/23-25"), "tcp/22-25 to 10.0.0.0/8"},
		"many ports": {
			boxes("10.0.0.0/8", "tcp/22", "tcp/80", "tcp/443", "tcp/8080", "tcp/9090"),
			"tcp/22, 80, 443 and 2 more ranges to 10.0.0.0/8",
		},
		"different ports": {boxes("10.0.0.0/8", "tcp/22", "udp/53", "icmp"), "tcp/22, udp/53 and icmp to 10.0.0.0/8"},
		"too many different ports": {
			boxes("10.0.0.0/8", "tcp/10000-20000", "tcp/30000-40000", "tcp/50000-60000", "udp/10000-20000", "udp/30000-40001",
				"udp/50000-60000", "icmp"),
			"tcp (3 port ranges), udp (3 port ranges) and icmp to 10.0.0.0/8",
		},
		"many protocols": {
			boxes("10.0.0.0/8", "icmp", "gre", "50", "51", "89"),
			"gre, icmp, protocol 50 and 2 more protocols to 10.0.0.0/8",
		},
		"the protocols without a name": {boxes("10.0.0.0/8", "other"), "other protocols to 10.0.0.0/8"},
		"the members of a group":       {boxes("sg-x", "tcp/443"), "tcp/443 to members of sg-x"},
		"the members of one family": {
			[]Space{with(box("tcp/443", "sg-x"), func(s *Space) { s.Family = IPv6 })},
			"tcp/443 to IPv6 members of sg-x",
		},
		"a source": {
			[]Space{with(box("tcp/443", "192.0.2.0/24"), func(s *Space) { s.Source = netip.MustParsePrefix("10.0.0.0/8") })},
			"tcp/443 from 10.0.0.0/8 to 192.0.2.0/24",
		},
		"a source with ports": {
			[]Space{with(box("tcp/443", "192.0.2.0/24"), func(s *Space) {
				s.Source, s.SourcePorts = netip.MustParsePrefix("10.0.0.0/8"), sg.PortRange{Low: 1024, High: 65535}
			})},
			"tcp/443 from 10.0.0.0/8 source port 1024-65535 to 192.0.2.0/24",
		},
		"a source port of anybody": {
			[]Space{with(box("udp/53", "192.0.2.0/24"), func(s *Space) { s.SourcePorts = sg.PortRange{Low: 53, High: 53} })},
			"udp/53 from any address, source port 53 to 192.0.2.0/24",
		},
		"an interface of the classic network": {
			[]Space{with(box("tcp/443", "192.0.2.0/24"), func(s *Space) { s.NIC = sg.NICInternet })},
			"tcp/443 (internet) to 192.0.2.0/24",
		},
		"different ports to different destinations": {
			[]Space{box("tcp/443", "10.0.0.0/8"), box("tcp/443", "172.16.0.0/12"), box("udp/53", "192.0.2.1/32")},
			"tcp/443 to 10.0.0.0/8, 172.16.0.0/12 and udp/53 to 192.0.2.1/32",
		},
		"many ports of an address are not wider than one of everywhere": {
			[]Space{box("tcp", "192.0.2.1/32"), box("tcp/22", "0.0.0.0/0")},
			"tcp/22 to 0.0.0.0/0 and all tcp ports to 192.0.2.1/32",
		},
		"a site of IPv6 is wider than an address of IPv4": {
			[]Space{box("tcp/22", "192.0.2.1/32"), box("tcp/22", "2001:db8::/48")},
			"tcp/22 to 2001:db8::/48 and 192.0.2.1/32",
		},
		"an address of IPv6 is not wider than a network of IPv4": {
			[]Space{box("tcp/22", "2001:db8::1/128"), box("tcp/22", "10.0.0.0/8")},
			"tcp/22 to 10.0.0.0/8 and 2001:db8::1/128",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, sumUp(asTracts(test.spaces), 0)); diff != "" {
				t.Errorf("spaces in words (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSentenceSaysOnWhichInterfaces(t *testing.T) {
	on := func(interfaces, instances int, e Effect) OnInterfaces {
		e.Scope = ScopeInterface
		return OnInterfaces{Interfaces: interfaces, Instances: instances, Effect: &e}
	}
	closes := Effect{Class: Closes, Closes: boxes("203.0.113.0/24", "tcp/443")}
	of := func(by By, group string) By {
		by.Group = group
		return by
	}
	open := Effect{Class: None, StillPermittedBy: []By{of(byRule("sgr-y", 7, sg.Accept), "sg-b")}}
	const sessions = "; established sessions may live on for up to 910 s"
	for name, test := range map[string]struct {
		effect Effect
		want   string
	}{
		"no interface is there": {
			Effect{Class: None},
			"closes nothing at present: no interface is in this group",
		},
		"the interfaces are not known": {
			Effect{Class: Unknown, Why: "listing interfaces: denied by the cloud"},
			"cannot tell what it closes on the interfaces of this group: listing interfaces: denied by the cloud",
		},
		"all alike": {
			Effect{Class: Closes, Closes: closes.Closes, Interfaces: []OnInterfaces{on(12, 9, closes)}},
			"closes tcp/443 to 203.0.113.0/24 on 12 interfaces of 9 instances" + sessions,
		},
		"an interface without instance": {
			Effect{Class: Closes, Closes: closes.Closes, Interfaces: []OnInterfaces{on(1, 0, closes)}},
			"closes tcp/443 to 203.0.113.0/24 on 1 interface" + sessions,
		},
		"on some it stays open through a rule of another group": {
			Effect{Class: Closes, Closes: closes.Closes, Interfaces: []OnInterfaces{on(12, 9, closes), on(3, 3, open)}},
			"closes tcp/443 to 203.0.113.0/24 on 12 interfaces of 9 instances; on 3 interfaces of 3 instances it stays open " +
				"through sgr-y of sg-b at priority 7" + sessions,
		},
		"not the same on all": {
			Effect{
				Class: Closes, Closes: append(boxes("10.0.0.0/8", "tcp/22"), closes.Closes...),
				Interfaces: []OnInterfaces{on(12, 9, closes), on(1, 1, Effect{
					Class: Closes, Closes: append(boxes("10.0.0.0/8", "tcp/22"), closes.Closes...),
				})},
			},
			"closes tcp/22 to 10.0.0.0/8 and tcp/443 to 203.0.113.0/24 on 13 interfaces of up to 10 instances (not all of it on " +
				"each)" + sessions,
		},
		"on some it cannot be told": {
			Effect{
				Class: Unknown, Why: "the group sg-c was not read", Closes: closes.Closes,
				Interfaces: []OnInterfaces{on(12, 9, closes), on(1, 1, Effect{Class: Unknown})},
			},
			"closes tcp/443 to 203.0.113.0/24 on 12 interfaces of 9 instances; cannot tell what it closes on 1 interface of 1 " +
				"instance: the group sg-c was not read" + sessions,
		},
		"nowhere": {
			Effect{
				Class: None, StillPermittedBy: open.StillPermittedBy, Default: sg.Drop,
				Interfaces: []OnInterfaces{on(2, 2, open), on(3, 3, open)},
			},
			"closes nothing on any of 5 interfaces of up to 5 instances: all of it stays open through sgr-y of sg-b at priority " +
				"7; to close it, remove this one too",
		},
		"elsewhere other rules decide before": {
			Effect{
				Class: Closes, Closes: closes.Closes, Interfaces: []OnInterfaces{
					on(12, 9, closes),
					on(3, 3, Effect{Class: None, ShadowedBy: []By{of(byRule("sgr-d", 1, sg.Drop), "sg-d")}}),
				},
			},
			"closes tcp/443 to 203.0.113.0/24 on 12 interfaces of 9 instances; on 3 interfaces of 3 instances it is already " +
				"decided by sgr-d of sg-d (drop, priority 1)" + sessions,
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.effect.Scope = ScopeInterface
			if diff := cmp.Diff(test.want, test.effect.Sentence()); diff != "" {
				t.Errorf("sentence (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSentenceIsBounded(t *testing.T) {
	long := strings.Repeat("ü", 1000)
	spaces := []Space{}
	for _, to := range []string{"2001:db8:aaaa:bbbb:cccc:dddd:eeee:0/120", "2001:db8:aaaa:bbbb:cccc:dddd:ffff:0/120"} {
		for _, s := range boxes(to, "tcp/10000-20000", "tcp/30000-40000", "udp/10000-20001", "udp/30000-40000", "icmp", "50") {
			s.Source = netip.MustParsePrefix("2001:db8:aaaa:bbbb:cccc:dddd:eeee:0/120")
			spaces = append(spaces, s)
		}
	}
	by := []By{{Rule: long, Group: long, Priority: 100, Action: sg.Accept, Space: spaces}}
	for _, class := range []Class{Closes, None, Opens, Mixed, Unknown} {
		for _, scope := range []Scope{ScopeGroup, ScopeInterface} {
			e := &Effect{
				Scope: scope, Class: class, Closes: spaces, Opens: spaces, Why: long, StillPermittedBy: by, StillDroppedBy: by,
			}
			e.Interfaces = []OnInterfaces{{Interfaces: 1, Instances: 1, Effect: &Effect{Class: class, StillPermittedBy: by}}}
			got := e.Sentence()
			if n := utf8.RuneCountInString(got); n >= 400 || !utf8.ValidString(got) || strings.Contains(got, "\n") {
				t.Errorf("%s, %s: %d characters, want fewer than 400: %s", scope, class, n, got)
			}
		}
	}
}

func TestWarningTellsOfTheServicesOfTheCloud(t *testing.T) {
	const where = ", where the cloud's own services answer (DNS, metadata, package mirrors, internal endpoints): "
	for name, test := range map[string]struct {
		closes []Space
		want   string
	}{
		"nothing is closed": {nil, ""},
		"another network":   {boxes("100.128.0.0/9", "tcp"), ""},
		"a group":           {boxes("sg-x", "tcp"), ""},
		"IPv6":              {boxes("::/0", "tcp"), ""},
		"everywhere": {
			everything("0.0.0.0/0"),
			"WARNING: this closes everything to 100.64.0.0/10" + where + "instances may lose name resolution",
		},
		"a port of everywhere": {
			boxes("0.0.0.0/0", "tcp/443"),
			"WARNING: this closes tcp/443 to 100.64.0.0/10" + where + "instances may lose these",
		},
		"a resolver": {
			boxes("100.100.2.136/32", "udp/53"),
			"WARNING: this closes udp/53 to 100.100.2.136/32 in 100.64.0.0/10" + where + "instances may lose name resolution",
		},
		"two wide networks, one of them from elsewhere": {
			append(boxes("0.0.0.0/1", "tcp/80"), boxes("128.0.0.0/1", "tcp/80")...),
			"WARNING: this closes tcp/80 to 100.64.0.0/10" + where + "instances may lose these",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, (&Effect{Class: Closes, Closes: test.closes}).Warning()); diff != "" {
				t.Errorf("warning (-want +got):\n%s", diff)
			}
		})
	}
}
