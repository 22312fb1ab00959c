package ecsemu_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

type refusalTest struct {
	name   string
	action string
	params url.Values
	status int
	code   string
}

func checkRefusals(t *testing.T, tests []refusalTest) {
	t.Helper()
	r := startSmall(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, r, test.action, test.params)
			if got.status != test.status || got.code() != test.code {
				t.Errorf("got %d %q, want %d %q; body: %s", got.status, got.code(), test.status, test.code, got.raw)
			}
			if got.message() == "" {
				t.Error("the refusal has no message")
			}
		})
	}
}

func TestReadRefusals(t *testing.T) {
	groups := func(pairs ...string) url.Values { return with(params("RegionId", "cn-hangzhou"), pairs...) }
	attribute := func(pairs ...string) url.Values {
		return with(params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-web"), pairs...)
	}
	const listing, reading, lists = "DescribeSecurityGroups", "DescribeSecurityGroupAttribute", "DescribePrefixListAttributes"
	checkRefusals(t, []refusalTest{
		{"regions in an unknown language", "DescribeRegions", params("AcceptLanguage", "xx"), 404, "InvalidAcceptLanguage.NotFound"},
		{"regions of an unknown resource", "DescribeRegions", params("ResourceType", "xx"), 404, "InvalidResourceType.NotFound"},
		{"groups of no region", listing, nil, 400, "MissingParameter.RegionId"},
		{"groups of an unknown region", listing, params("RegionId", "cn-x"), 404, "InvalidRegionId.NotFound"},
		{"groups with a made-up token", listing, groups("MaxResults", "10", "NextToken", "x"), 400, "InValidParameter.NextToken"},
		{"groups with too large a page", listing, groups("MaxResults", "101"), 400, "InvalidParameter"},
		{"groups with too small a page", listing, groups("MaxResults", "0"), 400, "InvalidParameter"},
		{"groups with too large a numbered page", listing, groups("PageSize", "51"), 400, "InvalidParameter"},
		{"groups with page zero", listing, groups("PageNumber", "0"), 400, "InvalidParameter"},
		{"groups of an unknown type", listing, groups("SecurityGroupType", "x"), 400, "InvalidParameter.SecurityGroupType"},
		{"groups with a malformed ID", listing, groups("SecurityGroupId", "x"), 400, "InvalidSecurityGroupId.Malformed"},
		{"groups with IDs that are no JSON", listing, groups("SecurityGroupIds", "sg-web"), 400, "InvalidSecurityGroupId.Malformed"},
		{"groups with 101 IDs", listing, groups("SecurityGroupIds", "["+strings.Repeat(`"sg-a",`, 100)+`"sg-a"]`), 400, "InvalidSecurityGroupId.Malformed"},
		{"groups with a malformed name", listing, groups("SecurityGroupName", "1"), 400, "InvalidSecurityGroupName.Malformed"},
		{"groups of an unknown network", listing, groups("NetworkType", "x"), 400, "InvalidParameter"},
		{"groups managed perhaps", listing, groups("ServiceManaged", "perhaps"), 400, "InvalidParameter"},
		{"groups with a tag without a key", listing, groups("Tag.1.Value", "x"), 400, "InvalidTagKey.Malformed"},
		{"groups with 21 tags", listing, with(groups(), manyTags(21)...), 400, "NumberExceed.Tags"},
		{"groups with a tag numbered 21", listing, groups("Tag.21.Key", "k"), 400, "NumberExceed.Tags"},
		{"groups with a tag numbered 0", listing, groups("Tag.0.Key", "k"), 400, "InvalidParameter"},
		{"groups as a dry run", listing, groups("DryRun", "TRUE"), 400, "DryRunOperation"},
		{"groups as a dry run perhaps", listing, groups("DryRun", "1"), 400, "InvalidParameter"},
		{"groups managed by number", listing, groups("ServiceManaged", "1"), 400, "InvalidParameter"},
		{"groups with a count perhaps", listing, groups("IsQueryEcsCount", "yes"), 400, "InvalidParameter"},
		{"groups looked for vaguely perhaps", listing, groups("FuzzyQuery", "yes"), 400, "InvalidParameter"},
		{"groups with a signed page size", listing, groups("MaxResults", "+10"), 400, "InvalidParameter"},
		{"groups with zeros before the page size", listing, groups("PageSize", "010"), 400, "InvalidParameter"},
		{"groups with a signed page number", listing, groups("PageNumber", "+1"), 400, "InvalidParameter"},
		{"groups of an owner that is no number", listing, groups("OwnerId", "abc"), 400, "InvalidParameter"},
		{"groups of an owner told twice", listing, groups("OwnerId", "1", "OwnerAccount", "a"), 400, "InvalidOwner"},
		{"rules with zeros before the page size", reading, attribute("MaxResults", "0010"), 400, "InvalidParamter"},
		{"rules of no region", reading, params("SecurityGroupId", "sg-web"), 400, "MissingParameter.RegionId"},
		{"rules of no group", reading, groups(), 400, "MissingParameter"},
		{"rules of an unknown group", reading, attribute("SecurityGroupId", "sg-none"), 404, "InvalidSecurityGroupId.NotFound"},
		{"rules of a group elsewhere", reading, attribute("SecurityGroupId", "sg-qd"), 404, "InvalidSecurityGroupId.NotFound"},
		{"rules of a malformed group", reading, attribute("SecurityGroupId", "web"), 400, "InvalidSecurityGroupId.Malformed"},
		{"rules of an unknown card", reading, attribute("NicType", "x"), 400, "InvalidNicType.ValueNotSupported"},
		{"rules of an unknown direction", reading, attribute("Direction", "out"), 400, "InvalidParamter"},
		{"rules with too small a page", reading, attribute("MaxResults", "9"), 400, "InvalidParamter"},
		{"rules with too large a page", reading, attribute("MaxResults", "1001"), 400, "InvalidParamter"},
		{"rules with a made-up token", reading, attribute("NextToken", "x"), 400, "InvalidParamter"},
		{"rules with an unknown attribute", reading, attribute("Attribute", "x"), 400, "InvalidParameter.AttributeNotSupported"},
		{"entries of no list", lists, groups(), 400, "MissingParameter"},
		{"entries of an unknown list", lists, groups("PrefixListId", "pl-none"), 404, "InvalidPrefixListId.NotFound"},
	})
}

func manyTags(n int) []string {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("Tag.%d.Key", i+1), fmt.Sprintf("k%d", i), fmt.Sprintf("Tag.%d.Value", i+1), "v")
	}
	return pairs
}

func TestRuleRefusals(t *testing.T) {
	// rule is one that is fine but for what a test changes.
	rule := func(pairs ...string) url.Values {
		return with(params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-web", "IpProtocol", "tcp",
			"PortRange", "443/443", "DestCidrIp", "10.0.0.0/8"), pairs...)
	}
	listed := func(pairs ...string) url.Values {
		return with(params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-web"), pairs...)
	}
	one := func(n string) []string {
		return []string{"Permissions." + n + ".IpProtocol", "all", "Permissions." + n + ".PortRange", "-1/-1", "Permissions." + n + ".DestCidrIp", "10.0.0.0/8"}
	}
	portList := func(pairs ...string) url.Values {
		return with(listed("Permissions.1.IpProtocol", "tcp", "Permissions.1.DestCidrIp", "10.0.0.0/8",
			"Permissions.1.PortRangeListId", "prl-known"), pairs...)
	}
	checkRefusals(t, []refusalTest{
		{"an unknown group", authorize, rule("SecurityGroupId", "sg-none"), 404, "InvalidSecurityGroupId.NotFound"},
		{"a managed group", authorize, rule("SecurityGroupId", "sg-managed"), 403, "InvalidOperation.ResourceManagedByCloudProduct"},
		{"no protocol", authorize, rule("IpProtocol", ""), 400, "InvalidIpProtocol.ValueNotSupported"},
		{"an unknown protocol", authorize, rule("IpProtocol", "sctp"), 400, "InvalidIpProtocol.ValueNotSupported"},
		{"a protocol by number where that is not possible", authorize, rule("IpProtocol", "50"), 400, "InvalidIpProtocol.ValueNotSupported"},
		{"no ports", authorize, rule("PortRange", ""), 400, "InvalidPortRange.Malformed"},
		{"ports that are one number", authorize, rule("PortRange", "443"), 400, "InvalidIpProtocol.Malformed"},
		{"ports with a sign", authorize, rule("PortRange", "+1/443"), 400, "InvalidIpProtocol.Malformed"},
		{"ports with leading zeros", authorize, rule("PortRange", "1/0443"), 400, "InvalidIpProtocol.Malformed"},
		{"ports that are no number at all", authorize, rule("PortRange", "/"), 400, "InvalidIpProtocol.Malformed"},
		{"source ports with leading zeros", authorize, rule("SourcePortRange", "01/443"), 400, "InvalidSourcePortRange.Malformed"},
		{"ports from zero", authorize, rule("PortRange", "0/443"), 400, "InvalidIpProtocol.Malformed"},
		{"ports to 65536", authorize, rule("PortRange", "1/65536"), 400, "InvalidIpProtocol.Malformed"},
		{"ports the wrong way round", authorize, rule("PortRange", "2/1"), 400, "InvalidIpProtocol.Malformed"},
		{"no ports for tcp", authorize, rule("PortRange", "-1/-1"), 400, "OperationDenied"},
		{"ports for icmp", authorize, rule("IpProtocol", "ICMP"), 400, "OperationDenied"},
		{"malformed source ports", authorize, rule("SourcePortRange", "-1/-1"), 400, "InvalidSourcePortRange.Malformed"},
		{"source ports for gre", authorize, rule("IpProtocol", "gre", "PortRange", "-1/-1", "SourcePortRange", "1/2"), 400, "InvalidSourcePortRange.Malformed"},
		{"no destination", authorize, rule("DestCidrIp", ""), 400, "MissingParameter.Dest"},
		{"destinations of both families", authorize, rule("Ipv6DestCidrIp", "::/0"), 400, "InvalidParam.DestIp"},
		{"a malformed destination", authorize, rule("DestCidrIp", "10.0.0.0/33"), 400, "InvalidDestCidrIp.Malformed"},
		{"an IPv6 destination in the wrong place", authorize, rule("DestCidrIp", "::/0"), 400, "InvalidDestCidrIp.Malformed"},
		{"a malformed IPv6 destination", authorize, rule("DestCidrIp", "", "Ipv6DestCidrIp", "10.0.0.0/8"), 400, "InvalidParam.Ipv6DestCidrIp"},
		{"sources of both families", authorize, rule("SourceCidrIp", "10.0.0.0/8", "Ipv6SourceCidrIp", "::/0"), 400, "InvalidParam.SourceIp"},
		{"a malformed source", authorize, rule("SourceCidrIp", "x"), 400, "InvalidParam.SourceCidrIp"},
		{"a malformed IPv6 source", authorize, rule("Ipv6SourceCidrIp", "fe80::1%eth0"), 400, "InvalidParam.Ipv6SourceCidrIp"},
		{"source and destination of two families", authorize, rule("Ipv6SourceCidrIp", "::/0"), 400, "InvalidParameter.Conflict"},
		{"icmp to IPv6", authorize, rule("IpProtocol", "icmp", "PortRange", "-1/-1", "DestCidrIp", "", "Ipv6DestCidrIp", "::/0"), 400, "InvalidParam.Ipv4ProtocolConflictWithIpv6Address"},
		{"icmpv6 to IPv4", authorize, rule("IpProtocol", "icmpv6", "PortRange", "-1/-1"), 400, "InvalidParam.Ipv6ProtocolConflictWithIpv4Address"},
		{"an unknown policy", authorize, rule("Policy", "deny"), 400, "InvalidPolicy.Malformed"},
		{"a priority that is no number", authorize, rule("Priority", "high"), 400, "InvalidPriority.Malformed"},
		{"a priority with a sign", authorize, rule("Priority", "+5"), 400, "InvalidPriority.Malformed"},
		{"a priority with leading zeros", authorize, rule("Priority", "05"), 400, "InvalidPriority.Malformed"},
		{"priority 0", authorize, rule("Priority", "0"), 400, "InvalidPriority.ValueNotSupported"},
		{"the legacy priority 110", authorize, rule("Priority", "110"), 400, "InvalidPriority.ValueNotSupported"},
		{"an unknown card", authorize, rule("NicType", "x"), 400, "InvalidNicType.ValueNotSupported"},
		{"the internet card in a VPC", authorize, rule("NicType", "internet"), 400, "InvalidNicType.Mismatch"},
		{"a description of 513 characters", authorize, rule("Description", strings.Repeat("é", 513)), 400, "InvalidSecurityGroupDiscription.Malformed"},
		{"both forms at once", authorize, rule(one("1")...), 400, "InvalidParam.Permissions"},
		{"101 rules", authorize, listed(one("101")...), 400, "InvalidParam.Permissions"},
		{"the same rule twice", authorize, with(listed(one("1")...), one("2")...), 400, "InvalidParam.DuplicatePermissions"},
		{"its own group", authorize, rule("DestCidrIp", "", "DestGroupId", "sg-web"), 403, "InvalidSecurityGroup.IsSame"},
		{"an unknown destination group", authorize, rule("DestCidrIp", "", "DestGroupId", "sg-none"), 404, "InvalidDestGroupId.NotFound"},
		{"an address as a group", authorize, rule("DestCidrIp", "", "DestGroupId", "0.0.0.0/0"), 404, "InvalidDestGroupId.NotFound"},
		{"a list as a group", authorize, rule("DestCidrIp", "", "DestGroupId", "pl-v4"), 404, "InvalidDestGroupId.NotFound"},
		{"an address as a foreign group", authorize, rule("DestCidrIp", "", "DestGroupId", "::/0", "DestGroupOwnerId", "43"), 400, "InvalidDestGroup.NotFound"},
		{"an address as a list", authorize, rule("DestCidrIp", "", "DestPrefixListId", "0.0.0.0/0"), 404, "InvalidPrefixListId.NotFound"},
		{"a group as a list", authorize, rule("DestCidrIp", "", "DestPrefixListId", "sg-db"), 404, "InvalidPrefixListId.NotFound"},
		{"a group as an address", authorize, rule("DestCidrIp", "sg-db"), 400, "InvalidDestCidrIp.Malformed"},
		{"an IPv6 address as a group in the classic network", authorize, rule("SecurityGroupId", "sg-classic", "DestCidrIp", "", "DestGroupId", "::/0"), 403, "InvalidDestGroupId.Mismatch"},
		{"an address as a list in the classic network", authorize, rule("SecurityGroupId", "sg-classic", "DestCidrIp", "", "DestPrefixListId", "10.0.0.0/8"), 400, "NotSupported.ClassicNetworkPrefixList"},
		{"an owner that is no number", authorize, rule("DestCidrIp", "", "DestGroupId", "sg-db", "DestGroupOwnerId", "me"), 400, "InvalidParameter"},
		{"an owner with leading zeros", authorize, rule("DestCidrIp", "", "DestGroupId", "sg-db", "DestGroupOwnerAccount", "042"), 400, "InvalidParameter"},
		{"a destination group in another VPC", authorize, rule("DestCidrIp", "", "DestGroupId", "sg-far"), 400, "InvalidDestGroupId.Mismatch"},
		{"a group as destination of an enterprise group", authorize, rule("SecurityGroupId", "sg-ent", "DestCidrIp", "", "DestGroupId", "sg-web"), 400, "InvalidGroupParameter.OperationDenied"},
		{"a group as destination of the internet card", authorize, rule("SecurityGroupId", "sg-classic", "DestCidrIp", "", "DestGroupId", "sg-classic2"), 403, "InvalidDestGroupId.Mismatch"},
		{"IPv6 in the classic network", authorize, rule("SecurityGroupId", "sg-classic", "DestCidrIp", "", "Ipv6DestCidrIp", "::/0"), 400, "InvalidSecurityGroup.InvalidNetworkType"},
		{"a prefix list in the classic network", authorize, rule("SecurityGroupId", "sg-classic", "DestCidrIp", "", "DestPrefixListId", "pl-v4"), 400, "NotSupported.ClassicNetworkPrefixList"},
		{"an unknown prefix list", authorize, rule("DestCidrIp", "", "DestPrefixListId", "pl-none"), 404, "InvalidPrefixListId.NotFound"},
		{"a prefix list of the other family", authorize, rule("DestCidrIp", "", "DestPrefixListId", "pl-v6", "SourceCidrIp", "10.0.0.0/8"), 400, "InvalidParam.PrefixListAddressFamilyMismatch"},
		{"icmp to an IPv6 list", authorize, rule("IpProtocol", "icmp", "PortRange", "-1/-1", "DestCidrIp", "", "DestPrefixListId", "pl-v6"), 400, "InvalidParam.Ipv4ProtocolConflictWithIpv6Address"},
		{"icmpv6 to an IPv4 list", authorize, rule("IpProtocol", "icmpv6", "PortRange", "-1/-1", "DestCidrIp", "", "DestPrefixListId", "pl-v4"), 400, "InvalidParam.Ipv6ProtocolConflictWithIpv4Address"},
		{"a port list for icmp", authorize, portList("Permissions.1.IpProtocol", "icmp"), 400, "InvalidParam.ProtocolNotSupportPortRangeList"},
		{"an unknown port list", authorize, portList("Permissions.1.PortRangeListId", "prl-none"), 400, "InvalidPortRangeListId.NotFound"},
		{"a port list in the classic network", authorize, portList("SecurityGroupId", "sg-classic"), 400, "InvalidSecurityGroup.InvalidNetworkType"},
		{"a token of 65 characters", authorize, rule("ClientToken", strings.Repeat("a", 65)), 400, "InvalidParameter"},
		{"a token beyond ASCII", authorize, rule("ClientToken", "é"), 400, "InvalidParameter"},
	})
}
