package ecsemu_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

func TestDescribeRegions(t *testing.T) {
	r := startSmall(t)
	got := must(t, r, "DescribeRegions", nil).list("Regions", "Region")
	want := []map[string]any{
		{
			"RegionId": "cn-hangzhou", "RegionEndpoint": "ecs.cn-hangzhou.aliyuncs.com", "LocalName": "China (Hangzhou)",
			"Status": "available",
		},
		{
			"RegionId": "cn-qingdao", "RegionEndpoint": "ecs.cn-qingdao.aliyuncs.com", "LocalName": "China (Qingdao)",
			"Status": "available",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("an estate's regions (-want +got):\n%s", diff)
	}
	public := ecsemu.Start(t, nil, atStoppedClock)
	if got := must(t, public, "DescribeRegions", nil).list("Regions", "Region"); len(got) < 25 {
		t.Errorf("got %d public regions, want at least 25", len(got))
	}
	none := ecsemu.Start(t, &ecsemu.Estate{}, atStoppedClock)
	if got := call(t, none, "DescribeRegions", nil); got.status != 403 || got.code() != "Unauthorized.EmptyRegion" {
		t.Errorf("of an estate without regions: got %d %q", got.status, got.code())
	}
}

func TestPermissionFieldsAsTheyAreTold(t *testing.T) {
	estate := &ecsemu.Estate{Regions: []ecsemu.Region{{
		ID:          "cn-hangzhou",
		PrefixLists: []ecsemu.PrefixList{{ID: "pl-1", Name: "saas"}},
		Groups: []ecsemu.Group{{ID: "sg-peer", Name: "peer", VPC: "vpc-1"}, {ID: "sg-1", Name: "n", VPC: "vpc-1", Egress: []ecsemu.Rule{
			{
				ID: "sgr-1", Protocol: "icmpv6", Peer: "::/0", Own: "2001:db8::/32", Policy: "drop", Priority: 110,
				Created: "2025-01-02T03:04:05Z", Description: "<a & b>",
			},
			{NoID: true, Protocol: "udp", Ports: "1/2", Peer: "sg-peer", PeerAccount: "42", Own: "10.0.0.0/8", SourcePorts: "3/4"},
			{ID: "sgr-3", Protocol: "tcp", PortList: "prl-1", Peer: "pl-1"},
			{ID: "sgr-4", Protocol: "all", Peer: "sg-peer"},
		}}},
	}}}
	r := ecsemu.Start(t, estate, atStoppedClock)
	if rule := estate.Regions[0].Groups[1].Egress[1]; rule.Policy != "" || rule.NIC != "" || rule.Priority != 0 {
		t.Errorf("the estate was changed: %+v", rule)
	}
	raw := must(t, r, "DescribeSecurityGroupAttribute", params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-1")).raw
	if !strings.Contains(raw, `"Description":"<a & b>"`) || strings.Contains(raw, "\n") {
		t.Errorf("got a body that is escaped or broken into lines: %s", raw)
	}
	rule := func(pairs ...any) map[string]any {
		m := map[string]any{"Direction": "egress", "NicType": "intranet", "Policy": "Accept", "Priority": json.Number("1")}
		for _, name := range []string{
			"SecurityGroupRuleId", "PortRange", "SourcePortRange", "PortRangeListId", "PortRangeListName", "DestCidrIp",
			"Ipv6DestCidrIp", "DestGroupId", "DestGroupName", "DestGroupOwnerAccount", "DestPrefixListId",
			"DestPrefixListName", "SourceCidrIp", "Ipv6SourceCidrIp", "SourceGroupId", "SourceGroupName",
			"SourceGroupOwnerAccount", "SourcePrefixListId", "SourcePrefixListName", "CreateTime", "Description",
		} {
			m[name] = ""
		}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1] //nolint:errcheck,forcetypeassert // A test's own table.
		}
		return m
	}
	want := []map[string]any{
		rule("SecurityGroupRuleId", "sgr-1", "IpProtocol", "ICMPv6", "Ipv6DestCidrIp", "::/0", "Ipv6SourceCidrIp", "2001:db8::/32",
			"Policy", "Drop", "Priority", json.Number("110"), "CreateTime", "2025-01-02T03:04:05Z", "Description", "<a & b>",
			"PortRange", "-1/-1"),
		rule("IpProtocol", "UDP", "PortRange", "1/2", "DestGroupId", "sg-peer", "DestGroupOwnerAccount", json.Number("42"),
			"SourceCidrIp", "10.0.0.0/8", "SourcePortRange", "3/4"),
		rule("SecurityGroupRuleId", "sgr-3", "IpProtocol", "TCP", "PortRangeListId", "prl-1", "DestPrefixListId", "pl-1",
			"DestPrefixListName", "saas"),
		rule("SecurityGroupRuleId", "sgr-4", "IpProtocol", "ALL", "PortRange", "-1/-1", "DestGroupId", "sg-peer", "DestGroupName", "peer"),
	}
	if diff := cmp.Diff(want, rulesOf(t, r, "sg-1")); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestClassicGroupsShowOneNICTypeACall(t *testing.T) {
	r := startSmall(t)
	for nic, want := range map[string]string{"": "sgr-out", "internet": "sgr-out", "intranet": "sgr-in"} {
		got := must(t, r, "DescribeSecurityGroupAttribute",
			params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-classic", "NicType", nic)).list("Permissions", "Permission")
		if len(got) != 1 || got[0]["SecurityGroupRuleId"] != want {
			t.Errorf("with NicType %q: got %v, want %s alone", nic, got, want)
		}
	}
	got := must(t, r, "DescribeSecurityGroupAttribute",
		params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-ports", "NicType", "internet")).list("Permissions", "Permission")
	if len(got) != 1 {
		t.Errorf("a VPC group asked for internet: got %d rules, want 1", len(got))
	}
}

func TestPrefixListAttributes(t *testing.T) {
	got := must(t, startSmall(t), "DescribePrefixListAttributes", params("RegionId", "cn-hangzhou", "PrefixListId", "pl-v6")).body
	delete(got, "RequestId")
	want := map[string]any{
		"PrefixListId": "pl-v6", "PrefixListName": "six", "AddressFamily": "IPv6", "MaxEntries": json.Number("1"),
		"CreationTime": "", "Description": "",
		"Entries": map[string]any{"Entry": []any{map[string]any{"Cidr": "2001:db8::/32", "Description": "d"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func groupIDs(a answer) []string {
	ids := []string{}
	for _, g := range a.list("SecurityGroups", "SecurityGroup") {
		ids = append(ids, g["SecurityGroupId"].(string)) //nolint:errcheck,forcetypeassert // Panics if it is no text.
	}
	return ids
}

func TestGroupFilters(t *testing.T) {
	r := startSmall(t)
	all := []string{"sg-web", "sg-ports", "sg-managed", "sg-far", "sg-ent", "sg-db", "sg-classic2", "sg-classic"}
	for _, test := range []struct {
		name   string
		filter []string
		want   []string
	}{
		{"nothing: all, in descending order", nil, all},
		{"an ID", []string{"SecurityGroupId", "sg-db"}, []string{"sg-db"}},
		{"IDs as JSON", []string{"SecurityGroupIds", `["sg-db","sg-web","sg-none"]`}, []string{"sg-web", "sg-db"}},
		{"a name", []string{"SecurityGroupName", "far"}, []string{"sg-far"}},
		{"a type", []string{"SecurityGroupType", "enterprise"}, []string{"sg-ent"}},
		{"a VPC", []string{"VpcId", "vpc-2"}, []string{"sg-far"}},
		{"the classic network", []string{"NetworkType", "classic"}, []string{"sg-classic2", "sg-classic"}},
		{"a resource group", []string{"ResourceGroupId", "rg-1"}, []string{"sg-db"}},
		{"managed ones", []string{"ServiceManaged", "true"}, []string{"sg-managed"}},
		{"a tag key", []string{"Tag.1.Key", "env"}, []string{"sg-web", "sg-far"}},
		{"a tag", []string{"Tag.1.Key", "env", "Tag.1.Value", "dev"}, []string{"sg-far"}},
		{"a tag with an empty value", []string{"Tag.1.key", "empty", "Tag.1.value", ""}, []string{"sg-web"}},
		{"two conditions at once", []string{"VpcId", "vpc-2", "ServiceManaged", "true"}, []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := must(t, r, "DescribeSecurityGroups", with(params("RegionId", "cn-hangzhou"), test.filter...))
			if diff := cmp.Diff(test.want, groupIDs(got)); diff != "" {
				t.Errorf("IDs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFilteredListingsEndAtAThousand(t *testing.T) {
	groups := make([]ecsemu.Group, 1100)
	for i := range groups {
		groups[i] = ecsemu.Group{ID: fmt.Sprintf("sg-%04d", i), Name: "n", VPC: "vpc-1", Tags: map[string]string{"a": "b"}}
	}
	r := ecsemu.Start(t, &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "r", Groups: groups}}}, atStoppedClock)
	for filter, want := range map[string]string{"": "1100", "a": "1000"} {
		query := params("RegionId", "r")
		if filter != "" {
			query.Set("Tag.1.Key", filter)
		}
		if got := fmt.Sprint(must(t, r, "DescribeSecurityGroups", query).body["TotalCount"]); got != want {
			t.Errorf("with tag %q: got %s groups, want %s", filter, got, want)
		}
	}
}

func TestGroupElement(t *testing.T) {
	got := must(t, startSmall(t), "DescribeSecurityGroups", params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-web", "MaxResults", "1")).body
	delete(got, "RequestId")
	want := map[string]any{
		"RegionId": "cn-hangzhou", "NextToken": "",
		"SecurityGroups": map[string]any{"SecurityGroup": []any{map[string]any{
			"SecurityGroupId": "sg-web", "SecurityGroupName": "web", "Description": "", "SecurityGroupType": "normal",
			"VpcId": "vpc-1", "CreationTime": "", "ResourceGroupId": "", "ServiceManaged": false,
			"RuleCount": json.Number("0"), "GroupToGroupRuleCount": json.Number("0"),
			"Tags": map[string]any{"Tag": []any{
				map[string]any{"TagKey": "empty", "TagValue": ""}, map[string]any{"TagKey": "env", "TagValue": "prod"},
			}},
		}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body in the style with tokens, which has no total (-want +got):\n%s", diff)
	}
}

// pagingEstate has n groups, and n rules in the first of them.
func pagingEstate(n int) *ecsemu.Estate {
	groups := make([]ecsemu.Group, n)
	for i := range groups {
		groups[i] = ecsemu.Group{ID: fmt.Sprintf("sg-%05d", i), Name: "n", VPC: "vpc-1"}
	}
	for i := range n {
		groups[0].Egress = append(groups[0].Egress, ecsemu.Rule{ID: fmt.Sprintf("sgr-%05d", i), Protocol: "all", Peer: "10.0.0.0/8"})
	}
	return &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "r", Groups: groups}}}
}

func TestPagesOfAnySizeAddUpToTheWhole(t *testing.T) {
	const n = 37
	r := ecsemu.Start(t, pagingEstate(n), atStoppedClock)
	var groups, rules []string
	for i := range n {
		groups = append(groups, fmt.Sprintf("sg-%05d", n-1-i))
		rules = append(rules, fmt.Sprintf("sgr-%05d", i))
	}
	follow := func(t *rapid.T, action string, query url.Values, read func(answer) []string) []string {
		var all []string
		for page := 0; page <= n; page++ {
			got := must(t, r, action, query)
			all = append(all, read(got)...)
			token := got.text("NextToken")
			if token == "" {
				return all
			}
			query = with(query, "NextToken", token)
		}
		t.Fatalf("%s did not end after %d pages", action, n)
		return nil
	}
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 100).Draw(t, "groups a page")
		got := follow(t, "DescribeSecurityGroups", params("RegionId", "r", "MaxResults", strconv.Itoa(size)), groupIDs)
		if diff := cmp.Diff(groups, got); diff != "" {
			t.Fatalf("groups by token (-want +got):\n%s", diff)
		}
		size = rapid.IntRange(10, 1000).Draw(t, "rules a page")
		got = follow(t, "DescribeSecurityGroupAttribute",
			params("RegionId", "r", "SecurityGroupId", "sg-00000", "MaxResults", strconv.Itoa(size)), func(a answer) []string {
				var ids []string
				for _, rule := range a.list("Permissions", "Permission") {
					ids = append(ids, fmt.Sprint(rule["SecurityGroupRuleId"]))
				}
				return ids
			})
		if diff := cmp.Diff(rules, got); diff != "" {
			t.Fatalf("rules (-want +got):\n%s", diff)
		}
		size = rapid.IntRange(1, 50).Draw(t, "groups a numbered page")
		got = nil
		for number := 1; len(got) < n && number <= n; number++ {
			page := must(t, r, "DescribeSecurityGroups",
				params("RegionId", "r", "PageNumber", strconv.Itoa(number), "PageSize", strconv.Itoa(size)))
			if total := fmt.Sprint(page.body["TotalCount"]); total != strconv.Itoa(n) {
				t.Fatalf("got total %s, want %d", total, n)
			}
			got = append(got, groupIDs(page)...)
		}
		if diff := cmp.Diff(groups, got); diff != "" {
			t.Fatalf("groups by number (-want +got):\n%s", diff)
		}
	})
}

func TestDefaultPageSizes(t *testing.T) {
	r := ecsemu.Start(t, pagingEstate(501), atStoppedClock)
	if got := len(groupIDs(must(t, r, "DescribeSecurityGroups", params("RegionId", "r")))); got != 10 {
		t.Errorf("got %d groups, want 10", got)
	}
	got := must(t, r, "DescribeSecurityGroupAttribute", params("RegionId", "r", "SecurityGroupId", "sg-00000"))
	if rules := got.list("Permissions", "Permission"); len(rules) != 500 || got.text("NextToken") == "" {
		t.Errorf("got %d rules and token %q, want 500 and a token", len(rules), got.text("NextToken"))
	}
}

func TestGroupPagesSurviveDeletion(t *testing.T) {
	r := ecsemu.Start(t, pagingEstate(20), atStoppedClock)
	first := must(t, r, "DescribeSecurityGroups", params("RegionId", "r", "MaxResults", "10"))
	ids := groupIDs(first)
	// The token names the last group of the page, which goes away before the token is used.
	if err := r.Server.SetFaults([]ecsemu.Fault{{Kind: ecsemu.FaultDeleteGroup, Times: 1}}); err != nil {
		t.Fatal(err)
	}
	call(t, r, "DescribeSecurityGroupAttribute", params("RegionId", "r", "SecurityGroupId", ids[9]))
	second := groupIDs(must(t, r, "DescribeSecurityGroups",
		params("RegionId", "r", "MaxResults", "10", "NextToken", first.text("NextToken"))))
	all := slices.Concat(ids, second)
	slices.Sort(all)
	if len(slices.Compact(all)) != 20 {
		t.Errorf("got %d groups on both pages, want 20", len(all))
	}
}
