package ecsemu_test

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

// numbered are parameters of a list: NAME.1SUFFIX, NAME.2SUFFIX and so on.
func numbered(name, suffix string, n int, value func(i int) string) []string {
	var pairs []string
	for i := range n {
		pairs = append(pairs, name+"."+strconv.Itoa(i+1)+suffix, value(i))
	}
	return pairs
}

func same(value string) func(int) string { return func(int) string { return value } }

// TestTheLargestIsTaken has the near side of limits whose far side the tables of refusals have.
func TestTheLargestIsTaken(t *testing.T) {
	key, text := strings.Repeat("é", 128), strings.Repeat("é", 256)
	group := func(pairs ...string) url.Values {
		return with(hangzhou("VpcId", "vpc-1", "SecurityGroupName", "name"), pairs...)
	}
	prefixes := func(pairs ...string) url.Values {
		return with(hangzhou("PrefixListName", "name", "AddressFamily", "IPv4", "MaxEntries", "200"), pairs...)
	}
	ports := func(pairs ...string) url.Values {
		return with(hangzhou("PortRangeListName", "name", "MaxEntries", "2000"), pairs...)
	}
	network := func(i int) string { return fmt.Sprintf("10.0.%d.0/24", i) }
	port := func(i int) string { return fmt.Sprintf("%d/%d", i+1, i+1) }
	ids := func(name string, n int) url.Values { return hangzhou(numbered(name, "", n, same("x-1"))...) }
	r := startSmall(t)
	for _, test := range []struct {
		name, action string
		params       url.Values
	}{
		{"a name of 2 characters", "CreateSecurityGroup", group("SecurityGroupName", "ab")},
		{"a name of 128", "CreateSecurityGroup", group("SecurityGroupName", strings.Repeat("é", 128))},
		{"a description of 2", "CreateSecurityGroup", group("Description", "ab")},
		{"a description of 256", "CreateSecurityGroup", group("Description", text)},
		{"the type that is the default", "CreateSecurityGroup", group("SecurityGroupType", "normal")},
		{"20 tags", "CreateSecurityGroup", with(group(), manyTags(20)...)},
		{"a list of 200 networks", "CreatePrefixList", prefixes(numbered("Entry", ".Cidr", 200, network)...)},
		{"a list as full as it may be", "CreatePrefixList", prefixes("MaxEntries", "1", "Entry.1.Cidr", "1.1.1.1")},
		{"a list of 200 ports", "CreatePortRangeList", ports(numbered("Entry", ".PortRange", 200, port)...)},
		{"a list of ports as full as it may be", "CreatePortRangeList", ports("MaxEntries", "1", "Entry.1.PortRange", "1/1")},
		{"an entry's description of 2", "CreatePrefixList", prefixes("Entry.1.Cidr", "1.1.1.1", "Entry.1.Description", "ab")},
		{"an entry's description of 32", "CreatePrefixList", prefixes("Entry.1.Cidr", "1.1.1.1", "Entry.1.Description", strings.Repeat("é", 32))},
		{"a rule's description of 512", authorize, web("IpProtocol", "all", "PortRange", "-1/-1", "DestCidrIp", "10.7.0.0/16", "Description", strings.Repeat("é", 512))},
		{"a ClientToken of 64", authorize, web("IpProtocol", "all", "PortRange", "-1/-1", "DestCidrIp", "10.8.0.0/16", "ClientToken", strings.Repeat("\x7f", 64))},
		{"icmpv6 to a list of its family", authorize, web("IpProtocol", "icmpv6", "PortRange", "-1/-1", "DestPrefixListId", "pl-v6")},
		{"a source of the family of the list", authorize, web("IpProtocol", "tcp", "PortRange", "1/1", "SourceCidrIp", "10.0.0.0/8", "DestPrefixListId", "pl-v4")},
		{"no source ports where there are none", authorize, web("IpProtocol", "gre", "PortRange", "-1/-1", "SourcePortRange", "-1/-1", "DestCidrIp", "10.9.0.0/16")},
		{"the protocol 255", authorize, params("RegionId", "cn-qingdao", "SecurityGroupId", "sg-qd", "IpProtocol", "255", "PortRange", "-1/-1", "DestCidrIp", "10.0.0.0/8")},
		{"tags of 128 characters", "TagResources", tagging("ResourceId.1", "sg-db", "Tag.1.Key", key, "Tag.1.Value", key)},
		{"tags of 50 resources", "TagResources", with(tagging("Tag.1.Key", "k"), numbered("ResourceId", "", 50, same("sg-db"))...)},
		{"a listing by 20 tags", "ListTagResources", with(tagging(), manyTags(20)...)},
		{"a listing by a tag of 128 characters", "ListTagResources", tagging("Tag.1.Key", key, "Tag.1.Value", key)},
		{"a tag of 128 characters taken off", "UntagResources", tagging("ResourceId.1", "sg-db", "TagKey.1", key)},
		{"20 tags taken off", "UntagResources", with(tagging("ResourceId.1", "sg-db"), numbered("TagKey", "", 20, same("k"))...)},
		{"groups by 20 tags", "DescribeSecurityGroups", with(hangzhou(), manyTags(20)...)},
		{"groups by 100 IDs", "DescribeSecurityGroups", hangzhou("SecurityGroupIds", "["+strings.Repeat(`"sg-a",`, 99)+`"sg-a"]`)},
		{"groups of the default type", "DescribeSecurityGroups", hangzhou("SecurityGroupType", "normal")},
		{"groups of the classic network", "DescribeSecurityGroups", hangzhou("NetworkType", "classic")},
		{"groups in VPCs", "DescribeSecurityGroups", hangzhou("NetworkType", "vpc")},
		{"groups by token, along with a page number", "DescribeSecurityGroups", hangzhou("MaxResults", "10", "PageNumber", "1")},
		{"groups of an owner by its number", "DescribeSecurityGroups", hangzhou("OwnerId", "1")},
		{"groups of an owner by its name", "DescribeSecurityGroups", hangzhou("OwnerAccount", "a")},
		{"an identity, along with both", "GetCallerIdentity", params("OwnerId", "1", "OwnerAccount", "a")},
		{"an identity, along with an owner that is no number", "GetCallerIdentity", params("OwnerId", "me")},
		{"rules along with the policies of snapshots", "DescribeSecurityGroupAttribute", web("Attribute", "snapshotPolicyIds")},
		{"prefix lists by 100 IDs", "DescribePrefixLists", ids("PrefixListId", 100)},
		{"prefix lists of IPv6", "DescribePrefixLists", hangzhou("AddressFamily", "IPv6")},
		{"port lists by 100 IDs", "DescribePortRangeLists", ids("PortRangeListId", 100)},
		{"interfaces by 100 IDs", "DescribeNetworkInterfaces", ids("NetworkInterfaceId", 100)},
		{"references to 10 groups", "DescribeSecurityGroupReferences", hangzhou(numbered("SecurityGroupId", "", 10, same("sg-web"))...)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := call(t, r, test.action, test.params); got.status != 200 {
				t.Errorf("got %d: %s", got.status, got.raw)
			}
		})
	}
}

// TestWhatAnIDMayBe tells malformed IDs from those of nothing.
func TestWhatAnIDMayBe(t *testing.T) {
	r := startSmall(t)
	for id, want := range map[string]string{
		"sg-azAZ09_-":                   "InvalidSecurityGroupId.NotFound",
		"sg-" + strings.Repeat("a", 61): "InvalidSecurityGroupId.NotFound",
		"sg-" + strings.Repeat("a", 62): "InvalidSecurityGroupId.Malformed",
		"sg-":                           "InvalidSecurityGroupId.Malformed",
		"sg":                            "InvalidSecurityGroupId.Malformed",
		"sg-a.b":                        "InvalidSecurityGroupId.Malformed",
		"sg-a~b":                        "InvalidSecurityGroupId.Malformed",
		"sg-a^b":                        "InvalidSecurityGroupId.Malformed",
	} {
		if got := call(t, r, attributeAction, web("SecurityGroupId", id)).code(); got != want {
			t.Errorf("%s: got %q, want %q", id, got, want)
		}
	}
}

// TestCreatedGroupsMakeTheirVPCKnown has a region that names no VPC: those that groups are created in become known.
func TestCreatedGroupsMakeTheirVPCKnown(t *testing.T) {
	r := ecsemu.Start(t, &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou"}}}, atStoppedClock)
	for range 2 {
		must(t, r, "CreateSecurityGroup", hangzhou("SecurityGroupName", "name", "VpcId", "vpc-new"))
	}
	must(t, r, "CreateSecurityGroup", hangzhou("SecurityGroupName", "classic"))
	got := must(t, r, "DescribeVpcs", hangzhou()).list("Vpcs", "Vpc")
	if len(got) != 1 || got[0]["VpcId"] != "vpc-new" {
		t.Errorf("got %v, want vpc-new alone", got)
	}
}
