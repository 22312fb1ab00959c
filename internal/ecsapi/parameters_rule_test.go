package ecsapi

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// Shapes that no form but that by ID can carry.
const (
	shapePortList = "ports of a list"           // the fields of one rule have none for it
	shapePriority = "a priority of the cloud's" // which nobody may name
)

// shapes are rules as the cloud lists them, one of each kind.
func shapes() map[string]sg.Fields {
	base := sg.Fields{
		ID: "sgr-bp1", Protocol: "TCP", PortRange: "443/443", CIDR4: "10.0.0.0/8", Policy: "Accept", Priority: "1",
		NICType: "intranet",
	}
	with := func(change func(f *sg.Fields)) sg.Fields {
		f := base
		change(&f)
		return f
	}
	portless := func(protocol string) sg.Fields {
		return with(func(f *sg.Fields) { f.Protocol, f.PortRange = protocol, "-1/-1" })
	}
	to := func(change func(f *sg.Fields)) sg.Fields {
		return with(func(f *sg.Fields) { f.CIDR4 = ""; change(f) })
	}
	return map[string]sg.Fields{
		"tcp":                 base,
		"udp":                 with(func(f *sg.Fields) { f.Protocol = "UDP" }),
		"all protocols":       portless("ALL"),
		"icmp":                portless("ICMP"),
		"icmp, no port range": with(func(f *sg.Fields) { f.Protocol, f.PortRange = "ICMP", "" }),
		"icmp, source ports": with(func(f *sg.Fields) {
			f.Protocol, f.PortRange, f.SourcePorts = "ICMP", "-1/-1", "-1/-1"
		}),
		"gre":                  portless("GRE"),
		"a protocol by number": portless("112"),
		"icmpv6": to(func(f *sg.Fields) {
			f.Protocol, f.PortRange, f.CIDR6 = "ICMPv6", "-1/-1", "2001:db8::/32"
		}),
		"everywhere":          with(func(f *sg.Fields) { f.CIDR4 = "0.0.0.0/0" }),
		"one address":         with(func(f *sg.Fields) { f.CIDR4 = "203.0.113.7" }),
		"bits of a host":      with(func(f *sg.Fields) { f.CIDR4 = "203.0.113.7/24" }),
		"an ipv6 block":       to(func(f *sg.Fields) { f.CIDR6 = "2001:db8::/32" }),
		"everywhere by ipv6":  to(func(f *sg.Fields) { f.CIDR6 = "::/0" }),
		"mapped ipv4":         to(func(f *sg.Fields) { f.CIDR6 = "::ffff:10.0.0.0/104" }),
		"a group":             to(func(f *sg.Fields) { f.GroupID = "sg-bp2" }),
		"a group of a number": to(func(f *sg.Fields) { f.GroupID, f.GroupOwner = "sg-bp2", "1234567890123456" }),
		"a group of a login":  to(func(f *sg.Fields) { f.GroupID, f.GroupOwner = "sg-bp2", "Someone@example.com" }),
		"a prefix list":       to(func(f *sg.Fields) { f.PrefixListID = "pl-bp1" }),
		shapePriority:         with(func(f *sg.Fields) { f.Priority = "110" }),
		shapePortList:         with(func(f *sg.Fields) { f.PortRange, f.PortListID = "", "prl-bp1" }),
		"a source":            with(func(f *sg.Fields) { f.SourceCIDR4, f.SourcePorts = "10.1.0.0/16", "1024/65535" }),
		"an ipv6 source": to(func(f *sg.Fields) {
			f.CIDR6, f.SourceCIDR6 = "2001:db8::/32", "2001:db8:1::/48"
		}),
		"the last priority":    with(func(f *sg.Fields) { f.Priority = "100" }),
		"dropping":             with(func(f *sg.Fields) { f.Policy = "Drop" }),
		"the classic internet": with(func(f *sg.Fields) { f.NICType = "internet" }),
		"a description":        with(func(f *sg.Fields) { f.Description = strings.Repeat("规&=\"", 128) }),
	}
}

// anyShape is a rule as the cloud may list it: one of the shapes, with other values.
func anyShape(t *rapid.T) sg.Fields {
	all := shapes()
	f := all[rapid.SampledFrom(slices.Sorted(maps.Keys(all))).Draw(t, "shape")]
	f.ID = anyID(t, "sgr-")
	f.Priority = strconv.Itoa(rapid.IntRange(1, 100).Draw(t, "priority"))
	f.Policy = rapid.SampledFrom([]string{"Accept", "Drop", "accept", "drop"}).Draw(t, "policy")
	f.Description = rapid.StringN(0, 512, -1).Draw(t, "description")
	if f.PortRange != "" && f.PortRange != "-1/-1" {
		f.PortRange = anyPorts(t)
		if rapid.Bool().Draw(t, "has source ports") {
			f.SourcePorts = anyPorts(t)
		}
	}
	if f.CIDR4 != "" {
		f.CIDR4 = anyBlock(t, 4)
		if rapid.Bool().Draw(t, "has a source") {
			f.SourceCIDR4 = anyBlock(t, 4)
		}
	}
	if f.CIDR6 != "" {
		f.CIDR6 = anyBlock(t, 16)
		if rapid.Bool().Draw(t, "has a source") {
			f.SourceCIDR6 = anyBlock(t, 16)
		}
	}
	return f
}

func anyPorts(t *rapid.T) string {
	low := rapid.IntRange(1, 65535).Draw(t, "low")
	return fmt.Sprintf("%d/%d", low, rapid.IntRange(low, 65535).Draw(t, "high"))
}

// anyBlock draws a block of addresses of so many bytes, or one address.
func anyBlock(t *rapid.T, size int) string {
	addr, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "address"))
	if rapid.Bool().Draw(t, "one address") {
		return addr.String()
	}
	return netip.PrefixFrom(addr, rapid.IntRange(0, 8*size).Draw(t, "bits")).String()
}

// anyID draws an identifier as the cloud makes them.
func anyID(t *rapid.T, prefix string) string {
	return prefix + rapid.StringMatching(`[0-9a-z]{1,20}`).Draw(t, "id "+prefix)
}

func anyRegion(t *rapid.T) sg.Region {
	return rapid.SampledFrom([]sg.Region{
		{ID: "cn-hangzhou"},
		{ID: "us-west-1"},
		{ID: "cn-beijing-finance-1"},
		{ID: "rus-west-1"},
		{ID: "cn-qingdao", Endpoint: "ecs.cn-qingdao.aliyuncs.com"},
		{ID: "cn-wuhan", Endpoint: "ecs.aliyuncs.com"},
		{ID: "cn-shanghai-finance-1", Endpoint: "ecs-cn-hangzhou.aliyuncs.com"},
	}).Draw(t, "region")
}

// anyToken draws a token of a page: none for the first, or what a cloud may have given.
func anyToken(t *rapid.T) string {
	if rapid.Bool().Draw(t, "first page") {
		return ""
	}
	return rapid.StringMatching(`[0-9A-Za-z+/=&* ~-]{1,200}`).Draw(t, "token")
}

const (
	formByID        = "revoked by id"
	formFlat        = "revoked by its fields"
	formRevokeList  = "revoked by lists of fields"
	formRestore     = "restored"
	formRestoreList = "restored by a list"
)

// forms make a call of rules of one group: those that the product uses, and those that [Client.Write] would send as
// well. A form for one rule takes the first. An error says that the form cannot carry it.
func forms() map[string]func([]sg.Rule) (revoker.Call, error) {
	ref := sg.GroupRef{Region: "cn-hangzhou", Group: "sg-bp1"}
	revocation := func(rule sg.Rule) revoker.Revocation {
		return revoker.Revocation{ID: "r-" + rule.ID, Ref: ref, Rule: rule}
	}
	flat := func(rules []sg.Rule) (revoker.Call, error) {
		v := revocation(rules[0])
		v.Rule.ID = ""
		return revoker.NewFlatCall("call", &v)
	}
	restore := func(rules []sg.Rule) (revoker.Call, error) {
		return revoker.NewRestoreCall("call", &revoker.Restore{ID: "restore-1", Ref: ref, Rule: rules[0]})
	}
	return map[string]func([]sg.Rule) (revoker.Call, error){
		formByID: func(rules []sg.Rule) (revoker.Call, error) {
			var all []revoker.Revocation
			for _, rule := range rules {
				all = append(all, revocation(rule))
			}
			calls, err := revoker.NewRevokeCalls(func() string { return "call" }, ref, all)
			if err != nil || len(calls) != 1 {
				return revoker.Call{}, fmt.Errorf("%d calls: %w", len(calls), err)
			}
			return calls[0], nil
		},
		formFlat:        flat,
		formRevokeList:  func(rules []sg.Rule) (revoker.Call, error) { return listed(rules, flat) },
		formRestore:     restore,
		formRestoreList: func(rules []sg.Rule) (revoker.Call, error) { return listed(rules, restore) },
	}
}

// listed makes one call of several that are for one rule each, by the form Permissions.N.
func listed(rules []sg.Rule, one func([]sg.Rule) (revoker.Call, error)) (call revoker.Call, err error) {
	for i := range rules {
		single, err := one(rules[i : i+1])
		if err != nil {
			return revoker.Call{}, err
		}
		if i == 0 {
			call = single
			call.Parameters = nil
		}
		for _, p := range single.Parameters {
			if p.Name != "RegionId" && p.Name != "SecurityGroupId" {
				p.Name = "Permissions." + strconv.Itoa(i+1) + "." + strings.TrimPrefix(p.Name, "Permissions.1.")
			} else if i > 0 {
				continue
			}
			call.Parameters = append(call.Parameters, p)
		}
	}
	return call, nil
}

// anyCall draws a call in any form, of rules that the form can carry.
func anyCall(t *rapid.T) revoker.Call {
	form := rapid.SampledFrom(slices.Sorted(maps.Keys(forms()))).Draw(t, "form")
	drawn := rapid.SliceOfNDistinct(rapid.Custom(anyShape), 1, 100,
		func(f sg.Fields) string { return f.ID }).Draw(t, "rules")
	var rules []sg.Rule
	for i := range drawn {
		f := &drawn[i]
		f.Priority = strconv.Itoa(1 + i%100) // so that no two are one rule
		if f.PortListID != "" && (form == formFlat || form == formRevokeList) {
			f.PortRange, f.PortListID = "22/22", ""
		}
		rules = append(rules, sg.NewRule(f))
	}
	call, err := forms()[form](rules)
	if err != nil {
		t.Fatalf("%s: %v", form, err)
	}
	return call
}
