package policy_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// oSets are the sets of every file; each is used by some policy that never matches.
func oSets() map[string][]string {
	return map[string][]string{
		"low":  {"10.0.0.0/29", "fd00::/125"},
		"odd":  {"10.0.0.1", "10.0.0.3", "10.0.0.4-10.0.0.6"},
		"wide": {"10.0.0.0/7", "fc00::/7"},
	}
}

func drawElement(t *rapid.T) string {
	switch rapid.IntRange(0, 9).Draw(t, "element") {
	case 0:
		return "$" + rapid.SampledFrom([]string{"low", "odd", "wide"}).Draw(t, "set")
	case 1:
		return rapid.SampledFrom([]string{
			"0.0.0.0/0", "::/0", "10.0.0.0/8", "fc00::/7", "0.0.0.0/1", "128.0.0.0/1", "::/1", "0.0.0.0-9.255.255.255",
			"10.0.0.16-255.255.255.255", "fd00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		}).Draw(t, "wide")
	case 2:
		low, high := drawTwo(t, 15)
		return fmt.Sprintf("10.0.0.%d-10.0.0.%d", low, high)
	case 3:
		low, high := drawTwo(t, 15)
		return fmt.Sprintf("fd00::%x-fd00::%x", low, high)
	case 4:
		return fmt.Sprintf("10.0.0.%d", rapid.IntRange(0, 15).Draw(t, "host"))
	default:
		return drawBlock(t).String()
	}
}

func drawTwo(t *rapid.T, most int) (low, high int) {
	a, b := rapid.IntRange(0, most).Draw(t, "a"), rapid.IntRange(0, most).Draw(t, "b")
	return min(a, b), max(a, b)
}

// drawBlock gives a block of the small networks, masked.
func drawBlock(t *rapid.T) netip.Prefix {
	host, size := rapid.IntRange(0, 15).Draw(t, "host"), rapid.IntRange(0, 4).Draw(t, "size")
	text := fmt.Sprintf("10.0.0.%d/%d", host, 32-size)
	if rapid.IntRange(0, 2).Draw(t, "family") == 0 {
		text = fmt.Sprintf("fd00::%x/%d", host, 128-size)
	}
	return netip.MustParsePrefix(text).Masked()
}

func rangesOf(text string) []oRange {
	if name, isSet := strings.CutPrefix(text, "$"); isSet {
		var list []oRange
		for _, element := range oSets()[name] {
			list = append(list, rangesOf(element)...)
		}
		return list
	}
	if low, high, isRange := strings.Cut(text, "-"); isRange {
		return []oRange{{netip.MustParseAddr(low), netip.MustParseAddr(high)}}
	}
	if block, err := netip.ParsePrefix(text); err == nil {
		return []oRange{{block.Addr(), lastOf(block)}}
	}
	return []oRange{{netip.MustParseAddr(text), netip.MustParseAddr(text)}}
}

func drawProtocol(t *rapid.T) string {
	return rapid.SampledFrom([]string{"tcp", "udp", "icmp", "icmpv6", "gre", "all", "0", "6", "17", "255"}).Draw(t, "protocol")
}

func protocolNumber(name string) int {
	numbers := map[string]int{"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "gre": 47, "all": -1}
	if number, ok := numbers[strings.ToLower(name)]; ok {
		return number
	}
	number, err := strconv.Atoi(name)
	if err != nil {
		return -2
	}
	return number
}

// drawSpan gives a range of ports or priorities, some of which end at the last there is.
func drawSpan(t *rapid.T, last int) [2]int {
	low, high := rapid.IntRange(1, 20).Draw(t, "low"), rapid.IntRange(1, 21).Draw(t, "high")
	if high == 21 {
		return [2]int{low, last}
	}
	return [2]int{min(low, high), max(low, high)}
}

func drawGroup(t *rapid.T) (sg.Group, oGroup) {
	name := rapid.SampledFrom([]string{"ab", "a", "bb", "x"})
	g := oGroup{
		region: name.Draw(t, "region"), id: name.Draw(t, "id"), name: name.Draw(t, "name"),
		vpc: name.Draw(t, "vpc"), resources: name.Draw(t, "resource group"), kind: rapid.SampledFrom([]string{"normal", "enterprise"}).Draw(t, "type"),
		tags: rapid.MapOfN(rapid.SampledFrom([]string{"k", "K"}),
			rapid.SampledFrom([]string{"", "v1", "a", "ab"}), 0, 2).Draw(t, "tags"),
	}
	switch rapid.IntRange(0, 3).Draw(t, "expires") {
	case 0:
		g.tags["expires"] = drawDate(t)
	case 1:
		g.tags["expires"] = rapid.SampledFrom([]string{"", "soon", "2027-02-30", "2027-1-15"}).Draw(t, "bad date")
	}
	group := sg.Group{
		Region: g.region, ID: g.id, Name: g.name, VPC: g.vpc, Type: sg.GroupType(g.kind), ResourceGroup: g.resources,
	}
	for key, value := range g.tags {
		group.Tags = append(group.Tags, sg.Tag{Key: key, Value: value})
	}
	return group, g
}

// drawRule draws a rule as the cloud spells it and what it means.
func drawRule(t *rapid.T) (sg.Rule, oRule) {
	f := sg.Fields{ID: "sgr-1", NICType: "intranet"}
	var r oRule
	r.priority = rapid.SampledFrom([]int{0, 1, 2, 5, 20, 21, 100, 101, 110, 1000}).Draw(t, "priority")
	f.Priority = strconv.Itoa(r.priority)
	f.Policy = rapid.SampledFrom([]string{"accept", "Accept", "DROP", "drop", "accept", "odd", ""}).Draw(t, "policy")
	if action := strings.ToLower(f.Policy); action == "accept" || action == "drop" {
		r.action = action
	}
	portList := drawRulePorts(t, &f, &r)
	list := drawDestination(t, &f, &r)
	drawSource(t, &f, &r)
	f.Created = rapid.SampledFrom([]string{
		"", "yesterday", "2027-01-14T12:00:00Z", "2026-10-17T08:00:00Z", "2020-01-01T00:00Z", "2028-01-01T00:00:00Z",
	}).Draw(t, "created")
	for _, layout := range []string{"2006-01-02T15:04:05Z", "2006-01-02T15:04Z"} {
		if at, err := time.Parse(layout, f.Created); err == nil {
			r.created = at
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "words") {
		switch rapid.IntRange(0, 4).Draw(t, "word") {
		case 0:
			f.Description += "until=soon "
		case 1, 2:
			f.Description += "until=" + drawDate(t) + " "
		default:
			f.Description += rapid.SampledFrom([]string{" ", "about x", "\t"}).Draw(t, "text")
		}
	}
	r.text = f.Description
	rule := sg.NewRule(&f)
	if rule.Destination.Kind == sg.FromList {
		rule.Destination.List = list
	}
	rule.PortList = portList
	return rule, r
}

func drawRulePorts(t *rapid.T, f *sg.Fields, r *oRule) *sg.PortList {
	f.Protocol = drawProtocol(t)
	switch rapid.IntRange(0, 9).Draw(t, "spelling") {
	case 0:
		f.Protocol = "bogus"
	case 1:
		f.Protocol = strings.ToUpper(f.Protocol)
	}
	r.protocol = protocolNumber(f.Protocol)
	switch r.protocol {
	case 6, 17:
		ports := drawSpan(t, 65535)
		f.PortRange, r.ports = fmt.Sprintf("%d/%d", ports[0], ports[1]), [][2]int{ports}
		if rapid.IntRange(0, 9).Draw(t, "bad ports") == 0 {
			f.PortRange, r.ports = rapid.SampledFrom([]string{"-1/-1", "", "9/1", "0/9", "1-9"}).Draw(t, "ports"), nil
		}
	case -1:
		f.PortRange, r.ports = "-1/-1", [][2]int{{1, 65535}}
	default:
		f.PortRange = "-1/-1"
	}
	if rapid.IntRange(0, 7).Draw(t, "port list") > 0 {
		return nil
	}
	f.PortListID, r.ports = "prl-1", nil
	if rapid.IntRange(0, 3).Draw(t, "unread") == 0 {
		return nil
	}
	list := &sg.PortList{ID: "prl-1"}
	for range rapid.IntRange(0, 3).Draw(t, "ranges") {
		ports := drawSpan(t, 65535)
		r.ports = append(r.ports, ports)
		list.Ranges = append(list.Ranges, sg.PortRange{Low: uint16(ports[0]), High: uint16(ports[1])})
	}
	return list
}

// drawSource draws source and source ports; most rules have neither.
func drawSource(t *rapid.T, f *sg.Fields, r *oRule) {
	r.sourceUnset, r.portsUnset = true, true
	switch rapid.IntRange(0, 5).Draw(t, "source") {
	case 0:
		block := drawBlock(t)
		r.source, r.sourceUnset = []netip.Prefix{block}, false
		if block.Addr().Is4() {
			f.SourceCIDR4 = block.String()
		} else {
			f.SourceCIDR6 = block.String()
		}
	case 1:
		r.sourceUnset = false
		f.SourceCIDR4 = "10.0.0.0/33"
		if rapid.Bool().Draw(t, "two sources") {
			f.SourceCIDR4, f.SourceCIDR6 = "10.0.0.0/30", "fd00::/126"
		}
	}
	switch rapid.IntRange(0, 5).Draw(t, "source ports") {
	case 0:
		ports := drawSpan(t, 65535)
		f.SourcePorts, r.sourcePorts, r.portsUnset = fmt.Sprintf("%d/%d", ports[0], ports[1]), [][2]int{ports}, false
	case 1:
		f.SourcePorts, r.portsUnset = rapid.SampledFrom([]string{"53", "9/1", "0/0", "any"}).Draw(t, "odd"), false
	case 2:
		f.SourcePorts = "-1/-1"
	}
}

func drawDestination(t *rapid.T, f *sg.Fields, r *oRule) *sg.PrefixList {
	setBlock := func(text string, block netip.Prefix) {
		r.blocks = []netip.Prefix{block}
		if block.Addr().Is4() {
			r.kind = "cidr4"
		} else {
			r.kind = "cidr6"
		}
		if strings.Contains(text, ":") {
			f.CIDR6 = text
		} else {
			f.CIDR4 = text
		}
	}
	switch rapid.IntRange(0, 11).Draw(t, "destination") {
	case 0:
		r.id = rapid.SampledFrom([]string{"sg-1", "sg-12", "SG-1"}).Draw(t, "group")
		f.GroupID, r.kind = r.id, "group"
	case 1:
		f.CIDR4 = rapid.SampledFrom([]string{"", "10.0.0.0/33", "here", "10.0.0/24"}).Draw(t, "bad block")
	case 2:
		block := netip.MustParsePrefix(rapid.SampledFrom([]string{"0.0.0.0/0", "::/0", "10.0.0.0/8", "::/1"}).Draw(t, "wide"))
		setBlock(block.String(), block)
	case 3:
		host, size := rapid.IntRange(0, 15).Draw(t, "host"), rapid.IntRange(0, 4).Draw(t, "size")
		setBlock(fmt.Sprintf("::ffff:10.0.0.%d/%d", host, 128-size),
			netip.MustParsePrefix(fmt.Sprintf("10.0.0.%d/%d", host, 32-size)).Masked())
	case 4:
		host := rapid.IntRange(0, 15).Draw(t, "host")
		setBlock(fmt.Sprintf("10.0.0.%d/30", host), netip.MustParsePrefix(fmt.Sprintf("10.0.0.%d/30", host)).Masked())
	case 5:
		addr := netip.MustParseAddr(fmt.Sprintf("10.0.0.%d", rapid.IntRange(0, 15).Draw(t, "host")))
		setBlock(addr.String(), netip.PrefixFrom(addr, 32))
	case 6, 7, 8:
		r.id = rapid.SampledFrom([]string{"pl-1", "pl-2"}).Draw(t, "list")
		f.PrefixListID, r.kind = r.id, "prefix-list"
		return drawList(t, r)
	default:
		block := drawBlock(t)
		setBlock(block.String(), block)
	}
	return nil
}

func drawList(t *rapid.T, r *oRule) *sg.PrefixList {
	if rapid.IntRange(0, 3).Draw(t, "unresolved") == 0 {
		return nil
	}
	r.resolved = true
	for range rapid.IntRange(0, 3).Draw(t, "entries") {
		r.blocks = append(r.blocks, drawBlock(t))
	}
	return &sg.PrefixList{ID: r.id, Entries: r.blocks}
}
