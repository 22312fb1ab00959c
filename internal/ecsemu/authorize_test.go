package ecsemu_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

const authorize = "AuthorizeSecurityGroupEgress"

func web(pairs ...string) url.Values {
	return with(params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-web"), pairs...)
}

// brief gives the fields of a rule that say something, but its ID.
func brief(rule map[string]any) map[string]string {
	fields := map[string]string{}
	for name, value := range rule {
		if text := fmt.Sprint(value); text != "" && name != "SecurityGroupRuleId" && name != "Direction" {
			fields[name] = text
		}
	}
	return fields
}

func TestAuthorizedRulesReadBack(t *testing.T) {
	base := map[string]string{
		"IpProtocol": "TCP", "PortRange": "443/443", "Policy": "Accept", "Priority": "1", "NicType": "intranet",
		"CreateTime": "2026-03-01T12:00:30Z",
	}
	rule := func(pairs ...string) map[string]string {
		fields := maps.Clone(base)
		for i := 0; i < len(pairs); i += 2 {
			fields[pairs[i]] = pairs[i+1]
		}
		return fields
	}
	tcp := func(pairs ...string) url.Values {
		return with(web("IpProtocol", "TcP", "PortRange", "443/443"), pairs...)
	}
	for _, test := range []struct {
		name   string
		params url.Values
		want   map[string]string
	}{
		{"the defaults are accept and priority 1", tcp("DestCidrIp", "10.0.0.1"), rule("DestCidrIp", "10.0.0.1")},
		{"host bits stay as they are", tcp("DestCidrIp", "10.0.0.1/8"), rule("DestCidrIp", "10.0.0.1/8")},
		{"the policy of the samples", tcp("DestCidrIp", "10.0.0.1", "Policy", "Allow"), rule("DestCidrIp", "10.0.0.1")},
		{"an address wins over a group and a list", tcp("DestCidrIp", "10.0.0.1", "DestGroupId", "sg-db", "DestPrefixListId", "pl-v4"), rule("DestCidrIp", "10.0.0.1")},
		{"an IPv6 address wins over a list", tcp("Ipv6DestCidrIp", "::/0", "DestPrefixListId", "pl-none"), rule("Ipv6DestCidrIp", "::/0")},
		{"a group wins over a list", tcp("DestGroupId", "sg-db", "DestPrefixListId", "pl-none"), rule("DestGroupId", "sg-db", "DestGroupName", "db")},
		{"a group of another account", tcp("DestGroupId", "sg-foreign", "DestGroupOwnerId", "42"), rule("DestGroupId", "sg-foreign", "DestGroupOwnerAccount", "42")},
		{"a group of a named account", tcp("DestGroupId", "sg-foreign", "DestGroupOwnerAccount", "a@b"), rule("DestGroupId", "sg-foreign", "DestGroupOwnerAccount", "a@b")},
		{"a group of the own account", tcp("DestGroupId", "sg-db", "DestGroupOwnerId", ecsemu.DefaultAccount), rule("DestGroupId", "sg-db", "DestGroupName", "db")},
		{"a list", tcp("DestPrefixListId", "pl-v4"), rule("DestPrefixListId", "pl-v4", "DestPrefixListName", "four")},
		{
			"everything", tcp("DestCidrIp", "10.0.0.1", "SourceCidrIp", "10.1.0.0/16", "SourcePortRange", "1/65535", "Policy", "DROP",
				"Priority", "100", "NicType", "intranet", "Description", "why", "ClientToken", "t"),
			rule("DestCidrIp", "10.0.0.1", "SourceCidrIp", "10.1.0.0/16", "SourcePortRange", "1/65535", "Policy", "Drop", "Priority", "100", "Description", "why"),
		},
		{
			"IPv6 in its short form", tcp("Ipv6DestCidrIp", "2001:0db8:3c4d:0015:0000:0000:1a2f:1a2B/0"),
			rule("Ipv6DestCidrIp", "2001:db8:3c4d:15::1a2f:1a2b/0"),
		},
		{
			"a mapped address is IPv6", tcp("Ipv6DestCidrIp", "::ffff:10.0.0.0/104", "Ipv6SourceCidrIp", "2001:DB8::1"),
			rule("Ipv6DestCidrIp", "::ffff:10.0.0.0/104", "Ipv6SourceCidrIp", "2001:db8::1"),
		},
		{
			"the second form, with a port list", web("Permissions.7.IpProtocol", "udp", "Permissions.7.PortRangeListId", "prl-known", "Permissions.7.DestCidrIp", "0.0.0.0/0"),
			map[string]string{
				"IpProtocol": "UDP", "PortRangeListId": "prl-known", "DestCidrIp": "0.0.0.0/0", "Policy": "Accept", "Priority": "1",
				"NicType": "intranet", "CreateTime": "2026-03-01T12:00:30Z",
			},
		},
		{
			"ports win over a port list",
			web("Permissions.1.IpProtocol", "tcp", "Permissions.1.PortRange", "443/443", "Permissions.1.PortRangeListId", "prl-none", "Permissions.1.DestCidrIp", "10.0.0.1"),
			rule("DestCidrIp", "10.0.0.1"),
		},
		{
			"icmpv6", web("IpProtocol", "icmpv6", "PortRange", "-1/-1", "Ipv6DestCidrIp", "::/0"),
			rule("IpProtocol", "ICMPv6", "PortRange", "-1/-1", "Ipv6DestCidrIp", "::/0"),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startSmall(t)
			must(t, r, authorize, test.params)
			rules := rulesOf(t, r, "sg-web")
			if len(rules) != 1 {
				t.Fatalf("got %d rules, want 1", len(rules))
			}
			if diff := cmp.Diff(test.want, brief(rules[0])); diff != "" {
				t.Errorf("rule (-want +got):\n%s", diff)
			}
			if id, _ := rules[0]["SecurityGroupRuleId"].(string); len(id) != len("sgr-bp1")+17 {
				t.Errorf("got rule ID %q", id)
			}
		})
	}
}

func TestAuthorizingAnEqualRuleAddsNone(t *testing.T) {
	r := startSmall(t)
	rule := web("IpProtocol", "tcp", "PortRange", "1/2", "DestCidrIp", "10.0.0.1", "Description", "first")
	must(t, r, authorize, rule)
	first := rulesOf(t, r, "sg-web")
	for _, equal := range [][]string{
		nil,
		{"Description", "second"},
		{"IpProtocol", "TCP", "Policy", "Accept", "Priority", "1", "NicType", "intranet"},
		{"DestCidrIp", "10.0.0.1/32"},
	} {
		must(t, r, authorize, with(rule, equal...))
		if diff := cmp.Diff(first, rulesOf(t, r, "sg-web")); diff != "" {
			t.Errorf("after authorizing it with %q (-want +got):\n%s", equal, diff)
		}
		requests := r.Server.Requests()
		if requests[len(requests)-2].Effect {
			t.Errorf("got an effect on record of authorizing it with %q", equal)
		}
	}
	source := with(rule, "Priority", "50", "SourceCidrIp", "10.0.0.9")
	must(t, r, authorize, source)
	must(t, r, authorize, with(source, "SourceCidrIp", "10.0.0.9/32"))
	if got := len(rulesOf(t, r, "sg-web")); got != 2 {
		t.Errorf("after authorizing the same source twice: got %d rules, want 2", got)
	}
	for _, other := range [][]string{
		{"Priority", "2"},
		{"Policy", "drop"},
		{"PortRange", "1/3"},
		{"SourceCidrIp", "10.0.0.0/8"},
		{"SourcePortRange", "1/2"},
		{"IpProtocol", "udp"},
		{"DestCidrIp", "10.0.0.2"},
	} {
		before := len(rulesOf(t, r, "sg-web"))
		must(t, r, authorize, with(rule, other...))
		if got := len(rulesOf(t, r, "sg-web")); got != before+1 {
			t.Errorf("after authorizing it with %q: got %d rules, want %d", other, got, before+1)
		}
	}
}

func TestTheOwnAccountIsAsGoodAsNone(t *testing.T) {
	estate := smallEstate()
	estate.Regions[0].Groups[0].Egress = []ecsemu.Rule{
		{Protocol: "tcp", Ports: "1/2", Peer: "sg-db", PeerAccount: ecsemu.DefaultAccount},
	}
	r := ecsemu.Start(t, estate, atStoppedClock)
	rule := web("IpProtocol", "tcp", "PortRange", "1/2", "DestGroupId", "sg-db")
	for _, owner := range [][]string{
		nil, {"DestGroupOwnerId", ecsemu.DefaultAccount}, {"DestGroupOwnerAccount", ecsemu.DefaultAccount},
	} {
		must(t, r, authorize, with(rule, owner...))
		if got := len(rulesOf(t, r, "sg-web")); got != 1 {
			t.Errorf("after authorizing it with %q: got %d rules, want 1", owner, got)
		}
	}
}

func TestGroupsOfAServedAccount(t *testing.T) {
	other := ecsemu.AccessKey{ID: "LTAIother", Secret: "s", Account: "42"}
	r := startSmall(t, func(o *ecsemu.Options) {
		o.Keys = []ecsemu.AccessKey{{ID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret}, other}
	})
	create := func(vpc string) string {
		business := params("RegionId", "cn-hangzhou", "VpcId", vpc, "AccessKeyId", other.ID)
		return post(t, r, signed(http.MethodPost, other.Secret, common("CreateSecurityGroup", business))).text("SecurityGroupId")
	}
	ask := func(group string) string {
		return call(t, r, authorize, web("IpProtocol", "tcp", "PortRange", "1/2", "DestGroupId", group, "DestGroupOwnerId", "42")).code()
	}
	got := []string{ask(create("vpc-1")), ask(create("vpc-2")), ask("sg-none")}
	got = append(got, ask(create("")))
	want := []string{"", "", "InvalidDestGroup.NotFound", "InvalidNetworkType.Conflict"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes for one in the same VPC, one in another, none, and one in the classic network (-want +got):\n%s", diff)
	}
	rules := rulesOf(t, r, "sg-web")
	if len(rules) != 2 || rules[0]["DestGroupOwnerAccount"] != json.Number("42") {
		t.Errorf("got %v, want two rules with the owner 42", rules)
	}
}

func TestProtocolNumbersInSomeRegions(t *testing.T) {
	r := startSmall(t)
	region := params("RegionId", "cn-qingdao", "SecurityGroupId", "sg-qd")
	must(t, r, authorize, with(region, "IpProtocol", "50", "PortRange", "-1/-1", "DestCidrIp", "10.0.0.0/8"))
	got := must(t, r, "DescribeSecurityGroupAttribute", region).list("Permissions", "Permission")
	for _, number := range []string{"+50", "050", "256", "-0"} {
		refused := call(t, r, authorize, with(region, "IpProtocol", number, "PortRange", "-1/-1", "DestCidrIp", "10.0.0.0/8"))
		if refused.code() != "InvalidIpProtocol.ValueNotSupported" {
			t.Errorf("got code %q for protocol %s", refused.code(), number)
		}
	}
	if len(got) != 1 || got[0]["IpProtocol"] != "50" {
		t.Errorf("got %v, want one rule of protocol 50", got)
	}
}

func TestARefusedBatchAddsNothing(t *testing.T) {
	r := startSmall(t)
	got := call(t, r, authorize, web(
		"Permissions.1.IpProtocol", "all", "Permissions.1.PortRange", "-1/-1", "Permissions.1.DestCidrIp", "10.0.0.0/8",
		"Permissions.2.IpProtocol", "all", "Permissions.2.PortRange", "-1/-1"))
	if got.code() != "MissingParameter.Dest" {
		t.Errorf("got code %q", got.code())
	}
	if rules := rulesOf(t, r, "sg-web"); len(rules) != 0 {
		t.Errorf("got %d rules, want none", len(rules))
	}
}

func TestRuleQuotas(t *testing.T) {
	list := func(priority int) url.Values {
		return web("IpProtocol", "tcp", "PortRange", "1/1", "DestPrefixListId", "pl-v4", "Priority", fmt.Sprint(priority))
	}
	t.Run("a list counts for as many rules as it may have entries", func(t *testing.T) {
		r := startSmall(t)
		must(t, r, authorize, list(1))
		must(t, r, authorize, list(2))
		if got := call(t, r, authorize, list(3)); got.status != 403 || got.code() != "AuthorizationLimitExceed" {
			t.Errorf("got %d %q", got.status, got.code())
		}
		must(t, r, authorize, list(2))
	})
	t.Run("at most 1000 groups with a list", func(t *testing.T) {
		estate := &ecsemu.Estate{Regions: []ecsemu.Region{{
			ID: "cn-hangzhou", PrefixLists: []ecsemu.PrefixList{{ID: "pl-v4", MaxEntries: 1}},
			Groups: []ecsemu.Group{{ID: "sg-web", VPC: "vpc-1"}},
		}}}
		for i := range 1000 {
			estate.Regions[0].Groups = append(estate.Regions[0].Groups, ecsemu.Group{
				ID: fmt.Sprintf("sg-%d", i), VPC: "vpc-1", Egress: []ecsemu.Rule{{Protocol: "all", Peer: "pl-v4"}},
			})
		}
		r := ecsemu.Start(t, estate, atStoppedClock)
		if got := call(t, r, authorize, list(1)); got.status != 403 || got.code() != "LimitExceed.PrefixListAssociationResource" {
			t.Errorf("got %d %q", got.status, got.code())
		}
		must(t, r, authorize, with(list(1), "SecurityGroupId", "sg-7"))
	})
	t.Run("at most 20 rules with a group", func(t *testing.T) {
		r := startSmall(t)
		group := func(priority int) url.Values {
			return web("IpProtocol", "tcp", "PortRange", "1/1", "DestGroupId", "sg-db", "Priority", fmt.Sprint(priority))
		}
		for i := range 20 {
			must(t, r, authorize, group(i+1))
		}
		if got := call(t, r, authorize, group(21)); got.status != 400 || got.code() != "AuthorizedGroupRule.LimitExceed" {
			t.Errorf("got %d %q", got.status, got.code())
		}
		must(t, r, authorize, web("IpProtocol", "tcp", "PortRange", "1/1", "DestCidrIp", "10.0.0.0/8"))
	})
}

func TestCreatedGroups(t *testing.T) {
	r := startSmall(t)
	created := must(t, r, "CreateSecurityGroup", params("RegionId", "cn-hangzhou", "SecurityGroupName", "new", "VpcId", "vpc-1",
		"SecurityGroupType", "enterprise", "ResourceGroupId", "rg-9", "Description", "why", "Tag.1.Key", "k", "Tag.1.Value", ""))
	id := created.text("SecurityGroupId")
	got := must(t, r, "DescribeSecurityGroups", params("RegionId", "cn-hangzhou", "SecurityGroupId", id)).list("SecurityGroups", "SecurityGroup")
	if len(got) != 1 {
		t.Fatalf("got %d groups with ID %q, want 1", len(got), id)
	}
	want := map[string]string{
		"SecurityGroupId": id, "SecurityGroupName": "new", "Description": "why", "SecurityGroupType": "enterprise", "VpcId": "vpc-1",
		"CreationTime": "2026-03-01T12:00:30Z", "ResourceGroupId": "rg-9", "ServiceManaged": "false", "RuleCount": "0",
		"GroupToGroupRuleCount": "0", "Tags": "map[Tag:[map[TagKey:k TagValue:]]]",
	}
	if diff := cmp.Diff(want, brief(got[0])); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	attribute := must(t, r, "DescribeSecurityGroupAttribute", params("RegionId", "cn-hangzhou", "SecurityGroupId", id))
	if got := attribute.text("InnerAccessPolicy"); got != "Drop" {
		t.Errorf("got inner access %q of an enterprise group, want Drop", got)
	}
	must(t, r, authorize, params("RegionId", "cn-hangzhou", "SecurityGroupId", id, "IpProtocol", "all", "PortRange", "-1/-1", "DestCidrIp", "0.0.0.0/0"))
}

// TestClassicGroupsHaveNoPeersInVPCs has the groups of another account, which may be in another VPC but not in any.
func TestClassicGroupsHaveNoPeersInVPCs(t *testing.T) {
	estate := smallEstate()
	estate.Others = []ecsemu.Estate{{Account: "42", Regions: []ecsemu.Region{{ID: "cn-hangzhou", Groups: []ecsemu.Group{
		{ID: "sg-vpc", Name: "v", VPC: "vpc-42"}, {ID: "sg-old", Name: "o"},
	}}}}}
	r := ecsemu.Start(t, estate, atStoppedClock)
	for _, test := range []struct {
		group, peer string
		taken       bool
	}{
		{"sg-web", "sg-vpc", true}, {"sg-classic", "sg-old", true}, {"sg-web", "sg-old", false}, {"sg-classic", "sg-vpc", false},
	} {
		got := call(t, r, authorize, web("SecurityGroupId", test.group, "IpProtocol", "all", "PortRange", "-1/-1", "NicType", "intranet",
			"DestGroupId", test.peer, "DestGroupOwnerId", "42"))
		if (got.status == 200) != test.taken {
			t.Errorf("%s of %s: got %d %q", test.peer, test.group, got.status, got.code())
		}
	}
}
