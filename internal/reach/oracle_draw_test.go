package reach_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// draw makes a world by chance.
func draw(r *rand.Rand) *world {
	w := &world{group: sg.Group{ID: "sg-1", Type: sg.TypeNormal, VPC: "vpc-1"}}
	if r.IntN(2) == 0 {
		w.group.Type = sg.TypeEnterprise
	}
	if r.IntN(6) == 0 {
		w.group.VPC = ""
	}
	opaque := r.IntN(3) == 0
	wide := r.IntN(3)
	six := r.IntN(3) == 0
	quintuple := r.IntN(3) == 0
	for i := range 1 + r.IntN(7) {
		w.rules = append(w.rules, w.drawRule(r, fmt.Sprintf("sgr-%d", i), features{opaque, six, quintuple, wide}))
	}
	for i := range w.rules {
		switch r.IntN(5) {
		case 0, 1:
			w.removed = append(w.removed, i)
		case 2:
			if r.IntN(3) == 0 {
				w.absent = append(w.absent, i)
			}
		}
	}
	for i := range w.rules {
		w.know(&w.rules[i])
	}
	return w
}

type features struct {
	opaque, six, quintuple bool
	wide                   int
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func (w *world) drawRule(r *rand.Rand, id string, f features) sg.Rule {
	fields := sg.Fields{
		ID: id, Protocol: pick(r, "TCP", "tcp", "tcp", "udp", "all", "all", "icmp", "icmpv6", "gre", "50"),
		Policy: pick(r, "accept", "accept", "drop"), Priority: strconv.Itoa(1 + r.IntN(3)), PortRange: "-1/-1",
		NICType: sg.NICIntranet,
	}
	if w.group.Classic() {
		fields.NICType = pick(r, sg.NICIntranet, sg.NICInternet)
	}
	hasPorts := fields.Protocol == "TCP" || fields.Protocol == "tcp" || fields.Protocol == "udp"
	if hasPorts {
		fields.PortRange = pick(r, "1/65535", "443/443", "80/90", "85/443", "1/65535", "85/90")
	}
	six := f.six && r.IntN(2) == 0
	switch {
	case f.opaque && r.IntN(3) == 0:
		fields.GroupID = pick(r, "sg-a", "sg-a", "sg-b")
	case f.opaque && r.IntN(6) == 0, r.IntN(8) == 0:
		fields.PrefixListID = pick(r, "pl-1", "pl-2", "pl-empty")
		if f.opaque && r.IntN(2) == 0 {
			fields.PrefixListID = "pl-unread"
		}
	case six:
		fields.CIDR6 = pick(r, "::/0", "2001:db8::/126", "2001:db8::/127", "2001:db8::2/128")
	case r.IntN(3) < f.wide:
		fields.CIDR4 = "0.0.0.0/0"
	default:
		fields.CIDR4 = pick(r, "10.0.0.0/29", "10.0.0.0/30", "10.0.0.4/30", "10.0.0.2/31", "10.0.0.1/32", "0.0.0.0/0")
	}
	if f.quintuple && r.IntN(2) == 0 {
		if six || fields.CIDR6 != "" {
			fields.SourceCIDR6 = pick(r, "2001:db8:5::/127", "2001:db8:5::/128")
		} else {
			fields.SourceCIDR4 = pick(r, "172.16.0.0/31", "172.16.0.1/32")
		}
	}
	if f.quintuple && hasPorts && r.IntN(3) == 0 {
		fields.SourcePorts = "1000/2000"
	}
	if hasPorts && r.IntN(8) == 0 {
		fields.PortListID, fields.PortRange = pick(r, "prl-1", "prl-2"), ""
		if f.opaque && r.IntN(2) == 0 {
			fields.PortListID = "prl-unread"
		}
	}
	if f.opaque && hasPorts && r.IntN(10) == 0 {
		fields.PortRange = "odd"
	}
	rule := sg.NewRule(&fields)
	lists := map[string]*sg.PrefixList{
		"pl-1":     {ID: "pl-1", Entries: prefixes("10.0.0.0/31", "10.0.0.5/32")},
		"pl-2":     {ID: "pl-2", Entries: prefixes("2001:db8::/127")},
		"pl-empty": {ID: "pl-empty"},
	}
	rule.Destination.List = lists[rule.Destination.Text]
	rule.PortList = map[string]*sg.PortList{
		"prl-1": {ID: "prl-1", Ranges: []sg.PortRange{{Low: 80, High: 90}, {Low: 443, High: 443}}},
		"prl-2": {ID: "prl-2", Ranges: []sg.PortRange{{Low: 85, High: 65535}}},
	}[rule.PortListID]
	return rule
}

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// know notes the sets of unknown contents that a rule depends on.
func (w *world) know(r *sg.Rule) {
	add := func(set string) {
		if !slices.Contains(w.sets, set) {
			w.sets = append(w.sets, set)
		}
	}
	if r.Destination.Kind == sg.PeerGroup || r.Destination.Kind == sg.FromList && r.Destination.List == nil {
		add(r.Destination.Text)
	}
	if r.PortListID != "" && r.PortList == nil {
		add(r.PortListID)
	}
	if r.Unreadable != "" {
		add("rule " + r.ID)
	}
}

// without gives the world without one of its rules.
func (w *world) without(i int) *world {
	shift := func(list []int) []int {
		var left []int
		for _, k := range list {
			switch {
			case k < i:
				left = append(left, k)
			case k > i:
				left = append(left, k-1)
			}
		}
		return left
	}
	smaller := &world{group: w.group, absent: shift(w.absent), removed: shift(w.removed)}
	smaller.rules = slices.Delete(slices.Clone(w.rules), i, i+1)
	for k := range smaller.rules {
		smaller.know(&smaller.rules[k])
	}
	return smaller
}
