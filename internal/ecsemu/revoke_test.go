package ecsemu_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

const (
	revoke = "RevokeSecurityGroupEgress"
	modify = "ModifySecurityGroupEgressRule"
)

// revocableEstate has a group with a rule of each sort, and a second group with one rule.
func revocableEstate() *ecsemu.Estate {
	return &ecsemu.Estate{Regions: []ecsemu.Region{{
		ID:          "cn-hangzhou",
		PrefixLists: []ecsemu.PrefixList{{ID: "pl-v4", Name: "four", MaxEntries: 4}},
		PortLists:   []cloud.PortList{{ID: "prl-other", Name: "other", MaxEntries: 2}},
		Groups: []ecsemu.Group{
			{ID: "sg-web", Name: "web", VPC: "vpc-1", Egress: []ecsemu.Rule{
				{ID: "sgr-all", Protocol: "all", Peer: "0.0.0.0/0", Description: "why"},
				{ID: "sgr-tcp", Protocol: "TCP", Ports: "443/443", Peer: "10.0.0.0/8"},
				{ID: "sgr-drop", Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8", Policy: "Drop"},
				{ID: "sgr-late", Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8", Priority: 2},
				{ID: "sgr-five", Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8", Own: "10.1.0.1", SourcePorts: "1/2"},
				{ID: "sgr-v6", Protocol: "tcp", Ports: "443/443", Peer: "2001:DB8::/32"},
				{ID: "sgr-six", Protocol: "udp", Ports: "443/443", Peer: "2001:db8:2::/48", Own: "2001:db8:3::/48"},
				{ID: "sgr-group", Protocol: "tcp", Ports: "443/443", Peer: "sg-db"},
				{ID: "sgr-foreign", Protocol: "tcp", Ports: "443/443", Peer: "sg-db", PeerAccount: "42"},
				{ID: "sgr-list", Protocol: "tcp", Ports: "443/443", Peer: "pl-v4"},
				{ID: "sgr-gone", Protocol: "tcp", Ports: "443/443", Peer: "pl-gone"},
				{ID: "sgr-ports", Protocol: "tcp", PortList: "prl-known", Peer: "10.0.0.0/8"},
				{ID: "sgr-legacy", Protocol: "all", Peer: "0.0.0.0/0", Priority: 110},
			}},
			{ID: "sg-db", Name: "db", VPC: "vpc-1", Egress: []ecsemu.Rule{{ID: "sgr-db", Protocol: "all", Peer: "0.0.0.0/0"}}},
			{ID: "sg-managed", Name: "managed", VPC: "vpc-1", Managed: true, Egress: []ecsemu.Rule{
				{ID: "sgr-managed", Protocol: "all", Peer: "0.0.0.0/0"},
			}},
			{ID: "sg-classic", Name: "classic", Egress: []ecsemu.Rule{
				{ID: "sgr-out", Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8"},
				{ID: "sgr-in", Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8", NIC: "intranet"},
			}},
			{ID: "sg-far", Name: "far", VPC: "vpc-2"},
		},
	}}}
}

func startRevocable(t *testing.T, opts ...func(*ecsemu.Options)) *ecsemu.Running {
	t.Helper()
	return ecsemu.Start(t, revocableEstate(), append([]func(*ecsemu.Options){atStoppedClock}, opts...)...)
}

// ruleIDs gives the IDs of a group's rules, in the order of the rules.
func ruleIDs(r *ecsemu.Running, group string) []string {
	ids := []string{}
	for _, rule := range r.Server.Rules("cn-hangzhou", group) {
		ids = append(ids, rule.ID)
	}
	return ids
}

// gone gives the rules of sg-web and sg-classic that are there in the estate, and not any more.
func gone(r *ecsemu.Running) []string {
	ids := []string{}
	for _, g := range revocableEstate().Regions[0].Groups {
		left := ruleIDs(r, g.ID)
		for i := range g.Egress {
			if !slices.Contains(left, g.Egress[i].ID) {
				ids = append(ids, g.Egress[i].ID)
			}
		}
	}
	return ids
}

// numberedIDs gives the parameters SecurityGroupRuleId.1, SecurityGroupRuleId.2 and so on.
func numberedIDs(ids ...string) []string {
	var pairs []string
	for i, id := range ids {
		pairs = append(pairs, fmt.Sprintf("SecurityGroupRuleId.%d", i+1), id)
	}
	return pairs
}

func byID(ids ...string) url.Values { return web(numberedIDs(ids...)...) }

// prefixed gives parameters under Permissions.N.
func prefixed(n int, pairs ...string) []string {
	all := slices.Clone(pairs)
	for i := 0; i < len(all); i += 2 {
		all[i] = fmt.Sprintf("Permissions.%d.%s", n, all[i])
	}
	return all
}

func TestRevokedRules(t *testing.T) {
	tcp := []string{"IpProtocol", "tcp", "PortRange", "443/443"}
	tcp10 := append(slices.Clone(tcp), "DestCidrIp", "10.0.0.0/8")
	one := func(base []string, pairs ...string) url.Values { return with(web(base...), pairs...) }
	for _, test := range []struct {
		name   string
		params url.Values
		want   []string
	}{
		{"one by ID", byID("sgr-tcp"), []string{"sgr-tcp"}},
		{"several by ID, in any order", byID("sgr-legacy", "sgr-all", "sgr-gone"), []string{"sgr-all", "sgr-gone", "sgr-legacy"}},
		{"by ID, beside parameters that are empty", with(byID("sgr-tcp", "", ""), "Permissions.1.Description", "", "Policy", "", "Description", ""), []string{"sgr-tcp"}},
		{"by ID number 100", web("SecurityGroupRuleId.100", "sgr-tcp"), []string{"sgr-tcp"}},
		{"the defaults are priority 1 and accept", one(tcp10), []string{"sgr-tcp"}},
		{"by priority", one(tcp10, "Priority", "2"), []string{"sgr-late"}},
		{"by policy", one(tcp10, "Policy", "DROP"), []string{"sgr-drop"}},
		{"whatever the description", one([]string{"IpProtocol", "all", "PortRange", "-1/-1", "DestCidrIp", "0.0.0.0/0", "Description", "other"}), []string{"sgr-all"}},
		{"the same address on both sides, which no rule has", one(tcp10, "SourceCidrIp", "10.0.0.0/8"), []string{}},
		{"an empty description", one(tcp10, "Description", ""), []string{"sgr-tcp"}},
		{"beside parameters that are empty", one(tcp10, "SecurityGroupRuleId.1", "", "Permissions.1.Policy", "", "DestGroupId", "", "Priority", "", "NicType", ""), []string{"sgr-tcp"}},
		{"a card that a client was not told", one(tcp10, "NicType", "<nil>"), []string{"sgr-tcp"}},
		{"host bits are no difference", one(tcp, "DestCidrIp", "10.9.8.7/8"), []string{"sgr-tcp"}},
		{"five parts, all of them given", one(tcp10, "SourceCidrIp", "10.1.0.1/32", "SourcePortRange", "1/2"), []string{"sgr-five"}},
		{"five parts, one not given", one(tcp10, "SourceCidrIp", "10.1.0.1"), []string{}},
		{"an IPv6 destination in another spelling", one(tcp, "Ipv6DestCidrIp", "2001:db8:0::/32"), []string{"sgr-v6"}},
		{"a group", one(tcp, "DestGroupId", "sg-db"), []string{"sgr-group"}},
		{"a group of the own account", one(tcp, "DestGroupId", "sg-db", "DestGroupOwnerId", ecsemu.DefaultAccount), []string{"sgr-group"}},
		{"a group of another account", one(tcp, "DestGroupId", "sg-db", "DestGroupOwnerId", "42"), []string{"sgr-foreign"}},
		{"a list", one(tcp, "DestPrefixListId", "pl-v4"), []string{"sgr-list"}},
		{"a list that is gone itself", one(tcp, "DestPrefixListId", "pl-gone"), []string{"sgr-gone"}},
		{"an address wins over a group and a list", one(tcp10, "DestGroupId", "sg-db", "DestPrefixListId", "pl-v4"), []string{"sgr-tcp"}},
		{"a group wins over a list", one(tcp, "DestGroupId", "sg-db", "DestPrefixListId", "pl-v4"), []string{"sgr-group"}},
		{"nothing that matches", one(tcp, "DestCidrIp", "10.0.0.0/9"), []string{}},
		{
			"several by their parts, one of which does not match",
			web(slices.Concat(prefixed(1, tcp10...), prefixed(3, append(tcp, "DestCidrIp", "11.0.0.0/8")...), prefixed(9, append(tcp, "DestGroupId", "sg-db")...))...),
			[]string{"sgr-tcp", "sgr-group"},
		},
		{"a port list", web(prefixed(1, "IpProtocol", "tcp", "PortRangeListId", "prl-known", "DestCidrIp", "10.0.0.0/8")...), []string{"sgr-ports"}},
		{"the classic network has the internet card by default", one(tcp10, "SecurityGroupId", "sg-classic"), []string{"sgr-out"}},
		{"the other card of the classic network", one(tcp10, "SecurityGroupId", "sg-classic", "NicType", "intranet"), []string{"sgr-in"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startRevocable(t)
			if got := must(t, r, revoke, test.params); got.text("RequestId") == "" || len(got.body) != 1 {
				t.Errorf("got %s, want a RequestId and nothing else", got.raw)
			}
			if diff := cmp.Diff(test.want, gone(r)); diff != "" {
				t.Errorf("revoked rules (-want +got):\n%s", diff)
			}
			requests := r.Server.Requests()
			if got, want := requests[len(requests)-1].Effect, len(test.want) > 0; got != want {
				t.Errorf("got recorded effect %t, want %t", got, want)
			}
		})
	}
}

func TestRefusedRevocationsRemoveNothing(t *testing.T) {
	rule := func(pairs ...string) url.Values {
		return with(web("IpProtocol", "tcp", "PortRange", "443/443", "DestCidrIp", "10.0.0.0/8"), pairs...)
	}
	to := func(pairs ...string) url.Values { return rule(append([]string{"DestCidrIp", ""}, pairs...)...) }
	same := prefixed(1, "IpProtocol", "tcp", "PortRange", "443/443", "DestCidrIp", "10.0.0.0/8")
	again := prefixed(2, "IpProtocol", "TCP", "PortRange", "443/443", "DestCidrIp", "10.1.0.0/8", "Priority", "1")
	r := startRevocable(t)
	for _, test := range []refusalTest{
		{"one ID of two that is none", revoke, byID("sgr-tcp", "sgr-none"), 400, "InvalidSecurityGroupRule.RuleNotExist"},
		{"the ID of a rule of another group", revoke, byID("sgr-tcp", "sgr-db"), 400, "InvalidSecurityGroupRule.RuleNotExist"},
		{"the same ID twice", revoke, byID("sgr-tcp", "sgr-tcp"), 400, "InvalidParam.SecurityGroupRuleIdRepeated"},
		{"101 IDs", revoke, with(byID("sgr-tcp"), "SecurityGroupRuleId.101", "sgr-all"), 400, "InvalidParam.SecurityGroupRuleId"},
		{"an ID that cannot be one", revoke, byID("sgr-tcp", "443"), 400, "InvalidParam.SecurityGroupRuleId"},
		{"an ID and a rule by its parts", revoke, rule("SecurityGroupRuleId.1", "sgr-all"), 400, "InvalidParam.SecurityGroupRuleId"},
		{"IDs and a list of rules", revoke, with(byID("sgr-all"), same...), 400, "InvalidParam.Permissions"},
		{"a list of rules and a rule", revoke, rule(same...), 400, "InvalidParam.Permissions"},
		{"the same rule twice", revoke, web(slices.Concat(same, again)...), 400, "InvalidParam.DuplicatePermissions"},
		{"a part of a list that is wrong", revoke, web(slices.Concat(same, prefixed(2, "IpProtocol", "tcp"))...), 400, "InvalidPortRange.Malformed"},
		{"nothing", revoke, web(), 400, "InvalidIpProtocol.ValueNotSupported"},
		{"no group", revoke, rule("SecurityGroupId", ""), 400, "MissingParameter"},
		{"an unknown group", revoke, with(byID("sgr-tcp"), "SecurityGroupId", "sg-none"), 404, "InvalidSecurityGroupId.NotFound"},
		{"a malformed group", revoke, with(byID("sgr-tcp"), "SecurityGroupId", "web"), 400, "InvalidSecurityGroupId.Malformed"},
		{"a managed group", revoke, with(byID("sgr-managed"), "SecurityGroupId", "sg-managed"), 403, "InvalidOperation.ResourceManagedByCloudProduct"},
		{"no region", revoke, with(byID("sgr-tcp"), "RegionId", ""), 400, "MissingParameter.RegionId"},
		{"an unknown region", revoke, with(byID("sgr-tcp"), "RegionId", "cn-x"), 404, "InvalidRegionId.NotFound"},
		{"an unknown protocol", revoke, rule("IpProtocol", "sctp"), 400, "InvalidIpProtocol.ValueNotSupported"},
		{"malformed ports", revoke, rule("PortRange", "-22/22"), 400, "InvalidIpPortRange.Malformed"},
		{"malformed source ports", revoke, rule("SourcePortRange", "0/1"), 400, "InvalidSourcePortRange.Malformed"},
		{"no destination", revoke, to(), 400, "MissingParameter.Dest"},
		{"a malformed destination", revoke, rule("DestCidrIp", "10.0.0.0/33"), 400, "InvalidDestCidrIp.Malformed"},
		{"two destinations", revoke, rule("Ipv6DestCidrIp", "::/0"), 400, "InvalidParam.DestIp"},
		{"two sources", revoke, rule("SourceCidrIp", "10.0.0.0/8", "Ipv6SourceCidrIp", "::/0"), 400, "InvalidParam.SourceIp"},
		{"a malformed IPv6 destination", revoke, to("Ipv6DestCidrIp", "10.0.0.0/8"), 400, "InvalidParam.Ipv6DestCidrIp"},
		{"a malformed IPv6 source", revoke, rule("Ipv6SourceCidrIp", "10.0.0.0/8"), 400, "InvalidParam.Ipv6SourceCidrIp"},
		{"icmp to IPv6", revoke, to("IpProtocol", "icmp", "PortRange", "-1/-1", "Ipv6DestCidrIp", "::/0"), 400, "InvalidParam.Ipv4ProtocolConflictWithIpv6Address"},
		{"icmpv6 to IPv4", revoke, rule("IpProtocol", "icmpv6", "PortRange", "-1/-1"), 400, "InvalidParam.Ipv6ProtocolConflictWithIpv4Address"},
		{"an unknown policy", revoke, rule("Policy", "deny"), 400, "InvalidPolicy.Malformed"},
		{"a priority that is none", revoke, rule("Priority", "high"), 400, "InvalidPriority.Malformed"},
		{"a priority out of range", revoke, rule("Priority", "110"), 400, "InvalidPriority.ValueNotSupported"},
		{"an unknown card", revoke, rule("NicType", "x"), 400, "InvalidNicType.ValueNotSupported"},
		{"the internet card in a VPC", revoke, rule("NicType", "internet"), 403, "InvalidNicType.Mismatch"},
		{"too long a description", revoke, rule("Description", strings.Repeat("é", 513)), 400, "InvalidSecurityGroupDiscription.Malformed"},
		{"its own group", revoke, to("DestGroupId", "sg-web"), 403, "InvalidSecurityGroup.IsSame"},
		{"an unknown destination group", revoke, to("DestGroupId", "sg-none"), 404, "InvalidDestGroupId.NotFound"},
		{"a group in another VPC", revoke, to("DestGroupId", "sg-far"), 400, "InvalidDestGroupId.Mismatch"},
		{"an unknown list", revoke, to("DestPrefixListId", "pl-none"), 404, "InvalidPrefixListId.NotFound"},
		{"a list in the classic network", revoke, to("SecurityGroupId", "sg-classic", "DestPrefixListId", "pl-v4"), 400, "NotSupported.ClassicNetworkPrefixList"},
		{"too long a token", revoke, with(byID("sgr-tcp"), "ClientToken", strings.Repeat("a", 65)), 400, "InvalidParameter"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, r, test.action, test.params)
			if got.status != test.status || got.code() != test.code || got.text("RequestId") == "" {
				t.Errorf("got %d %q, want %d %q; body: %s", got.status, got.code(), test.status, test.code, got.raw)
			}
			if diff := cmp.Diff([]string{}, gone(r)); diff != "" {
				t.Errorf("revoked rules (-want +got):\n%s", diff)
			}
		})
	}
	for _, request := range r.Server.Requests() {
		if request.Effect {
			t.Errorf("got an effect on record of %v", request.Parameters)
		}
	}
}

func TestTheEraBeforeMissingRulesWereRefused(t *testing.T) {
	r := startRevocable(t, func(o *ecsemu.Options) { o.Era.MissingRule = cloud.MissingRuleSucceed })
	must(t, r, revoke, byID("sgr-none"))
	must(t, r, revoke, byID("sgr-none", "sgr-tcp", "sgr-db"))
	if diff := cmp.Diff([]string{"sgr-tcp"}, gone(r)); diff != "" {
		t.Errorf("revoked rules (-want +got):\n%s", diff)
	}
}

func TestTheEraBeforeRuleIDs(t *testing.T) {
	r := startRevocable(t, func(o *ecsemu.Options) { o.Era.NoRuleIDs = true })
	for _, rule := range rulesOf(t, r, "sg-web") {
		if id, told := rule["SecurityGroupRuleId"]; told {
			t.Errorf("got rule ID %v, want none", id)
		}
	}
	if got := call(t, r, revoke, byID("sgr-all")); got.code() != "InvalidIpProtocol.ValueNotSupported" {
		t.Errorf("got code %q for IDs only, want that of a request with no rule", got.code())
	}
	rule := web("IpProtocol", "tcp", "PortRange", "443/443", "DestCidrIp", "10.0.0.0/8", "SecurityGroupRuleId.1", "sgr-all")
	must(t, r, revoke, rule)
	if diff := cmp.Diff([]string{"sgr-tcp"}, gone(r)); diff != "" {
		t.Errorf("revoked rules (-want +got):\n%s", diff)
	}
	must(t, r, modify, web("IpProtocol", "all", "PortRange", "-1/-1", "DestCidrIp", "0.0.0.0/0", "SecurityGroupRuleId", "sgr-drop",
		"Description", "new"))
	if got := r.Server.Rules("cn-hangzhou", "sg-web")[0].Description; got != "new" {
		t.Errorf("got description %q of the rule that was named by its parts", got)
	}
}

func TestAnUnknownEraIsRefused(t *testing.T) {
	for want, era := range map[string]cloud.Era{
		`emulator options: missing rule "perhaps": expected "error" or "succeed"`:  {MissingRule: "perhaps"},
		`emulator options: missing parts "perhaps": expected "error" or "succeed"`: {MissingParts: "perhaps"},
	} {
		if _, err := ecsemu.New(ecsemu.Options{Era: era}); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
}

func TestRulesOfTheServer(t *testing.T) {
	r := startRevocable(t)
	if got := r.Server.Rules("cn-hangzhou", "sg-far"); got == nil || len(got) != 0 {
		t.Errorf("got %v of a group without rules, want none but not nil", got)
	}
	if a, b := r.Server.Rules("cn-hangzhou", "sg-none"), r.Server.Rules("cn-x", "sg-web"); a != nil || b != nil {
		t.Errorf("got %v and %v of what is not there, want nil", a, b)
	}
	r.Server.Rules("cn-hangzhou", "sg-web")[0].ID = "changed"
	if got := ruleIDs(r, "sg-web")[0]; got != "sgr-all" {
		t.Errorf("got ID %q once a copy was changed", got)
	}
}

// TestAnEmptyIDIsThatOfNoRule has a rule without an ID.
func TestAnEmptyIDIsThatOfNoRule(t *testing.T) {
	r := ecsemu.Start(t, &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou", Groups: []ecsemu.Group{
		{ID: "sg-web", VPC: "vpc-1", Egress: []ecsemu.Rule{{NoID: true, Protocol: "all", Peer: "0.0.0.0/0"}}},
	}}}}, atStoppedClock)
	for _, query := range []url.Values{byID(""), byID("", "sgr-none")} {
		if got := call(t, r, revoke, query); got.status == 200 || len(ruleIDs(r, "sg-web")) != 1 {
			t.Errorf("got %d %q, and %d rules are left", got.status, got.code(), len(ruleIDs(r, "sg-web")))
		}
	}
}
