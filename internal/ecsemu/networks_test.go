package ecsemu_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

func TestVPCs(t *testing.T) {
	r := ecsemu.Start(t, &ecsemu.Estate{Regions: []ecsemu.Region{{
		ID: "cn-hangzhou",
		VPCs: []ecsemu.VPC{
			{ID: "vpc-b", Name: "b", CIDR: "10.0.0.0/8", Default: true, VSwitches: []string{"vsw-1"}, Created: "2025-01-02T03:04:05Z"},
			{ID: "vpc-a", Name: "a"},
		},
		Groups: []ecsemu.Group{{ID: "sg-1", Name: "n", VPC: "vpc-c"}},
	}}}, atStoppedClock)
	list := func(pairs ...string) string {
		got := must(t, r, "DescribeVpcs", hangzhou(pairs...))
		ids := fmt.Sprint(got.body["TotalCount"], " ", got.body["PageNumber"], " ", got.body["PageSize"])
		for _, e := range got.list("Vpcs", "Vpc") {
			ids += fmt.Sprint(" ", e["VpcId"])
		}
		return ids
	}
	for _, test := range []struct {
		name   string
		filter []string
		want   string
	}{
		{"all, by their IDs", nil, "3 1 10 vpc-a vpc-b vpc-c"},
		{"a page", []string{"PageSize", "2", "PageNumber", "2"}, "3 2 2 vpc-c"},
		{"by ID", []string{"VpcId", "vpc-a"}, "1 1 10 vpc-a"},
		{"by several IDs", []string{"VpcId", "vpc-c,vpc-a,vpc-x"}, "2 1 10 vpc-a vpc-c"},
		{"the default one", []string{"IsDefault", "true"}, "1 1 10 vpc-b"},
		{"the others", []string{"IsDefault", "false"}, "2 1 10 vpc-a vpc-c"},
	} {
		if got := list(test.filter...); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	got := must(t, r, "DescribeVpcs", hangzhou("VpcId", "vpc-b")).list("Vpcs", "Vpc")
	want := []map[string]any{{
		"VpcId": "vpc-b", "VpcName": "b", "RegionId": "cn-hangzhou", "Status": "Available", "CidrBlock": "10.0.0.0/8",
		"VRouterId": "", "Description": "", "CreationTime": "2025-01-02T03:04:05Z", "IsDefault": true,
		"VSwitchIds": map[string]any{"VSwitchId": []any{"vsw-1"}}, "UserCidrs": map[string]any{"UserCidr": []any{}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("element (-want +got):\n%s", diff)
	}
}

// cardEstate has an interface of each sort.
func cardEstate() *ecsemu.Estate {
	return &ecsemu.Estate{Regions: []ecsemu.Region{{
		ID:     "cn-hangzhou",
		Groups: []ecsemu.Group{{ID: "sg-1", Name: "n", VPC: "vpc-1"}},
		Interfaces: []ecsemu.Interface{
			{
				ID: "eni-a", Name: "aa", VPC: "vpc-1", VSwitch: "vsw-1", Private: "10.0.0.1", Secondaries: []string{"10.0.0.9"},
				Groups: []string{"sg-1"}, Instance: "i-1", Type: "Primary", Created: "2025-01-02T03:04:05Z",
			},
			{ID: "eni-b", Name: "bb", VPC: "vpc-1", VSwitch: "vsw-2", Private: "10.0.1.1", Groups: []string{"sg-1"}, Tags: map[string]string{"env": "prod"}},
			{ID: "eni-c", VPC: "vpc-2", Private: "10.0.2.1", IPv6: []string{"2001:db8::1"}, Managed: true, ResourceGroup: "rg-1"},
		},
	}}}
}

func TestInterfaces(t *testing.T) {
	r := ecsemu.Start(t, cardEstate(), atStoppedClock)
	list := func(pairs ...string) []string {
		ids := []string{}
		got := must(t, r, "DescribeNetworkInterfaces", hangzhou(pairs...))
		for _, e := range got.list("NetworkInterfaceSets", "NetworkInterfaceSet") {
			ids = append(ids, fmt.Sprint(e["NetworkInterfaceId"]))
		}
		return ids
	}
	for _, test := range []struct {
		name   string
		filter []string
		want   []string
	}{
		{"nothing: all, in descending order", nil, []string{"eni-c", "eni-b", "eni-a"}},
		{"IDs", []string{"NetworkInterfaceId.1", "eni-a", "NetworkInterfaceId.2", "eni-c"}, []string{"eni-c", "eni-a"}},
		{"a group: secondary ones", []string{"SecurityGroupId", "sg-1"}, []string{"eni-b"}},
		{"a VPC", []string{"VpcId", "vpc-1"}, []string{"eni-b", "eni-a"}},
		{"a switch", []string{"VSwitchId", "vsw-1"}, []string{"eni-a"}},
		{"a name", []string{"NetworkInterfaceName", "bb"}, []string{"eni-b"}},
		{"a type", []string{"Type", "Secondary"}, []string{"eni-c", "eni-b"}},
		{"a status", []string{"Status", "InUse"}, []string{"eni-a"}},
		{"an instance", []string{"InstanceId", "i-1"}, []string{"eni-a"}},
		{"a primary address", []string{"PrimaryIpAddress", "10.0.1.1"}, []string{"eni-b"}},
		{"addresses", []string{"PrivateIpAddress.1", "10.0.0.9", "PrivateIpAddress.2", "10.0.2.1"}, []string{"eni-c", "eni-a"}},
		{"an IPv6 address", []string{"Ipv6Address.1", "2001:db8::1"}, []string{"eni-c"}},
		{"a resource group", []string{"ResourceGroupId", "rg-1"}, []string{"eni-c"}},
		{"managed ones", []string{"ServiceManaged", "true"}, []string{"eni-c"}},
		{"others than managed ones", []string{"ServiceManaged", "false"}, []string{"eni-b", "eni-a"}},
		{"a tag", []string{"Tag.1.Key", "env"}, []string{"eni-b"}},
		{"two conditions at once", []string{"VpcId", "vpc-1", "Type", "Primary"}, []string{"eni-a"}},
		{"a page by number", []string{"PageNumber", "2", "PageSize", "2"}, []string{"eni-a"}},
	} {
		if diff := cmp.Diff(test.want, list(test.filter...)); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", test.name, diff)
		}
	}
	got := must(t, r, "DescribeNetworkInterfaces", hangzhou("NetworkInterfaceId.1", "eni-a")).list("NetworkInterfaceSets", "NetworkInterfaceSet")
	address := func(text string, primary bool) any {
		return map[string]any{"PrivateIpAddress": text, "Primary": primary, "AssociatedPublicIp": map[string]any{}}
	}
	want := []map[string]any{{
		"NetworkInterfaceId": "eni-a", "NetworkInterfaceName": "aa", "Description": "", "Type": "Primary", "Status": "InUse",
		"NetworkInterfaceTrafficMode": "Standard", "VpcId": "vpc-1", "VSwitchId": "vsw-1", "ZoneId": "", "InstanceId": "i-1",
		"OwnerId": ecsemu.DefaultAccount, "MacAddress": "", "PrivateIpAddress": "10.0.0.1", "CreationTime": "2025-01-02T03:04:05Z",
		"ResourceGroupId": "", "ServiceManaged": false, "AssociatedPublicIp": map[string]any{},
		"SecurityGroupIds": map[string]any{"SecurityGroupId": []any{"sg-1"}},
		"PrivateIpSets":    map[string]any{"PrivateIpSet": []any{address("10.0.0.1", true), address("10.0.0.9", false)}},
		"Ipv6Sets":         map[string]any{"Ipv6Set": []any{}},
		"Attachment":       map[string]any{"InstanceId": "i-1"}, "Tags": map[string]any{"Tag": []any{}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("element (-want +got):\n%s", diff)
	}
}

func TestPagesOfInterfaces(t *testing.T) {
	estate := cardEstate()
	for i := range 12 {
		estate.Regions[0].Interfaces = append(estate.Regions[0].Interfaces, ecsemu.Interface{ID: fmt.Sprintf("eni-x%02d", i)})
	}
	r := ecsemu.Start(t, estate, atStoppedClock)
	page := func(pairs ...string) (answer, int) {
		got := must(t, r, "DescribeNetworkInterfaces", hangzhou(pairs...))
		return got, len(got.list("NetworkInterfaceSets", "NetworkInterfaceSet"))
	}
	// What is out of range is taken as the nearest that is in it.
	first, n := page("MaxResults", "1")
	if n != 10 || first.text("NextToken") == "" {
		t.Errorf("the first page: got %d and the token %q", n, first.text("NextToken"))
	}
	if second, n := page("NextToken", first.text("NextToken")); n != 5 || second.text("NextToken") != "" {
		t.Errorf("the second page: got %d and the token %q", n, second.text("NextToken"))
	}
	if all, n := page("MaxResults", "1000"); n != 15 || all.body["PageSize"] != json.Number("500") {
		t.Errorf("all: got %d, and a page size of %v", n, all.body["PageSize"])
	}
}

func TestNetworkRefusals(t *testing.T) {
	many := func(name string) url.Values {
		query := hangzhou()
		for i := range 101 {
			query.Set(fmt.Sprintf("%s.%d", name, i+1), "x")
		}
		return query
	}
	const cards, vpcs = "DescribeNetworkInterfaces", "DescribeVpcs"
	checkRefusals(t, []refusalTest{
		{"VPCs with too large a page", vpcs, hangzhou("PageSize", "51"), 400, "InvalidParameter"},
		{"VPCs that are the default perhaps", vpcs, hangzhou("IsDefault", "x"), 400, "InvalidParameter"},
		{"VPCs in no region", vpcs, nil, 400, "MissingParameter.RegionId"},
		{"interfaces of an unknown type", cards, hangzhou("Type", "x"), 400, "InvalidParameter"},
		{"interfaces of an unknown status", cards, hangzhou("Status", "x"), 400, "InvalidParameter"},
		{"interfaces managed perhaps", cards, hangzhou("ServiceManaged", "x"), 400, "InvalidParameter"},
		{"interfaces with 101 IDs", cards, many("NetworkInterfaceId"), 400, "InvalidParameter"},
		{"interfaces with 101 addresses", cards, many("PrivateIpAddress"), 400, "InvalidParameter"},
		{"interfaces with 101 IPv6 addresses", cards, many("Ipv6Address"), 400, "InvalidParameter"},
		{"interfaces with a page that is no number", cards, hangzhou("MaxResults", "x"), 400, "InvalidParameter"},
		{"interfaces with a made-up token", cards, hangzhou("NextToken", "x"), 400, "InvalidParameter"},
		{"interfaces with too large a numbered page", cards, hangzhou("PageSize", "101"), 400, "InvalidParameter"},
		{"interfaces with a tag without a key", cards, hangzhou("Tag.1.Value", "x"), 400, "InvalidTagKey.Malformed"},
	})
}
