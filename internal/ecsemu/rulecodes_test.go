package ecsemu_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

const (
	authorizeIn = "AuthorizeSecurityGroup"
	revokeIn    = "RevokeSecurityGroup"
	modifyIn    = "ModifySecurityGroupRule"
)

// bothWaysEstate has a group with rules of each sort in both directions.
func bothWaysEstate() *ecsemu.Estate {
	rules := func(prefix string) []ecsemu.Rule {
		return []ecsemu.Rule{
			{ID: "sgr-" + prefix + "-tcp", Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8"},
			{ID: "sgr-" + prefix + "-late", Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8", Priority: 2},
			{ID: "sgr-" + prefix + "-v6", Protocol: "tcp", Ports: "443/443", Peer: "2001:db8::/32"},
			{ID: "sgr-" + prefix + "-group", Protocol: "tcp", Ports: "443/443", Peer: "sg-db"},
			{ID: "sgr-" + prefix + "-list", Protocol: "tcp", Ports: "443/443", Peer: "pl-v4"},
			{ID: "sgr-" + prefix + "-ports", Protocol: "tcp", PortList: "prl-web", Peer: "10.0.0.0/8"},
			{ID: "sgr-" + prefix + "-five", Protocol: "udp", Ports: "1/65535", Peer: "10.0.0.0/8", Own: "10.9.0.0/16", SourcePorts: "1/2"},
		}
	}
	return &ecsemu.Estate{Regions: []ecsemu.Region{{
		ID: "cn-hangzhou",
		PrefixLists: []ecsemu.PrefixList{
			{ID: "pl-v4", Name: "four", MaxEntries: 4},
			{ID: "pl-v6", Name: "six", Family: "IPv6", MaxEntries: 4},
			{ID: "pl-big", Name: "big", MaxEntries: 1000},
		},
		PortLists: []cloud.PortList{{ID: "prl-web", Name: "web", MaxEntries: 3}, {ID: "prl-big", Name: "big", MaxEntries: 1000}},
		Groups: []ecsemu.Group{
			{ID: "sg-web", Name: "web", VPC: "vpc-1", Egress: rules("out"), Ingress: rules("in")},
			{ID: "sg-db", Name: "db", VPC: "vpc-1"},
			{ID: "sg-far", Name: "far", VPC: "vpc-2"},
			{ID: "sg-ent", Name: "ent", VPC: "vpc-1", Type: ecsemu.TypeEnterprise},
			{ID: "sg-managed", Name: "managed", VPC: "vpc-1", Managed: true},
			{ID: "sg-classic", Name: "classic", Egress: []ecsemu.Rule{
				{ID: "sgr-card", Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8"},
			}, Ingress: []ecsemu.Rule{
				{ID: "sgr-card-in", Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8"},
			}},
			{ID: "sg-classic2", Name: "classic2"},
		},
	}}}
}

func startBothWays(t *testing.T) *ecsemu.Running {
	t.Helper()
	return ecsemu.Start(t, bothWaysEstate(), atStoppedClock)
}

// form is a rule as a request gives it.
type form func(pairs ...string) url.Values

// flat gives a rule for one direction that is fine but for what a test changes; no peer if that changes it to "".
func flat(peer string) form {
	return func(pairs ...string) url.Values {
		return with(web("IpProtocol", "tcp", "PortRange", "8080/8080", peer, "10.0.0.0/8"), pairs...)
	}
}

// members is flat under Permissions.1.
func members(peer string) form {
	return func(pairs ...string) url.Values {
		return with(web(prefixed(1, "IpProtocol", "tcp", "PortRange", "8080/8080", peer, "10.0.0.0/8")...), prefixed(1, pairs...)...)
	}
}

// codeTest is a code of the table of errors of an action's page, and what earns it.
type codeTest struct {
	status  int
	code    string
	message string // A part of it; empty: any.
	action  string
	params  url.Values
}

func checkCodes(t *testing.T, tests []codeTest) {
	t.Helper()
	r := startBothWays(t)
	before := rulesOf(t, r, "sg-web")
	for i, test := range tests {
		t.Run(fmt.Sprintf("%d: %s of %s", i+1, test.code, test.action), func(t *testing.T) {
			got := call(t, r, test.action, test.params)
			if got.status != test.status || got.code() != test.code {
				t.Errorf("got %d %q, want %d %q; body: %s", got.status, got.code(), test.status, test.code, got.raw)
			}
			if got.message() == "" || strings.Contains(got.message(), "%s") || !strings.Contains(got.message(), test.message) {
				t.Errorf("got message %q, want one with %q", got.message(), test.message)
			}
		})
	}
	if diff := cmp.Diff(before, rulesOf(t, r, "sg-web")); diff != "" {
		t.Errorf("rules after what was refused (-before +after):\n%s", diff)
	}
}

// TestCodesOfRevokingIngress is the table of errors of RevokeSecurityGroup.
func TestCodesOfRevokingIngress(t *testing.T) {
	rule, member := flat("SourceCidrIp"), members("SourceCidrIp")
	checkCodes(t, []codeTest{
		{400, "InvalidSecurityGroupId.Malformed", "", revokeIn, rule("SecurityGroupId", "web")},
		{400, "InvalidIpProtocol.ValueNotSupported", "case insensitive", revokeIn, rule("IpProtocol", "sctp")},
		{400, "InvalidIpPortRange.Malformed", "PortRange", revokeIn, rule("PortRange", "22")},
		{400, "InvalidIpPortRange.Malformed", "PortRange", revokeIn, rule("IpProtocol", "icmp")},
		{400, "InvalidSourceCidrIp.Malformed", "SourceCidrIp", revokeIn, rule("SourceCidrIp", "10.0.0")},
		{400, "InvalidSourceCidrIp.Malformed", "SourceCidrIp", revokeIn, rule("SourceCidrIp", "10.0.0.0/33")},
		{400, "MissingParameter", `"SourceGroupId" or "SourceCidrIp"`, revokeIn, rule("SourceCidrIp", "", "SourceGroupOwnerAccount", "a@b")},
		{400, "InvalidPolicy.Malformed", "", revokeIn, rule("Policy", "deny")},
		{400, "InvalidNicType.ValueNotSupported", "", revokeIn, rule("NicType", "wifi")},
		{400, "InvalidSourceGroupId.Mismatch", "same VPC", revokeIn, rule("SourceCidrIp", "", "SourceGroupId", "sg-far")},
		{400, "InvalidSourceGroupId.Mismatch", "same VPC", revokeIn, rule("SourceCidrIp", "", "SourceGroupId", "sg-classic")},
		{400, "MissingParameter.Source", "SourceCidrIp", revokeIn, rule("SourceCidrIp", "")},
		{400, "InvalidParam.PortRange", "Permissions.1.PortRange", revokeIn, member("PortRange", "22")},
		{400, "InvalidPriority.Malformed", "", revokeIn, rule("Priority", "high")},
		{400, "InvalidPriority.ValueNotSupported", "", revokeIn, rule("Priority", "0")},
		{400, "InvalidParamter.Conflict", "SourceGroupId", revokeIn, rule("SourceCidrIp", "", "SourceGroupId", "sg-web")},
		{400, "InvalidDestCidrIp.Malformed", "DestCidrIp", revokeIn, rule("DestCidrIp", "10.0.0")},
		{400, "InvalidParam.SourceIp", "in Permissions.1 cannot", revokeIn, member("Ipv6SourceCidrIp", "::/0")},
		{400, "InvalidParam.DestIp", "DestCidrIp and Ipv6DestCidrIp", revokeIn, rule("DestCidrIp", "10.0.0.0/8", "Ipv6DestCidrIp", "::/0")},
		{400, "InvalidParam.Ipv6DestCidrIp", "Permissions.1.Ipv6DestCidrIp", revokeIn, member("Ipv6DestCidrIp", "10.0.0.0/8")},
		{400, "InvalidParam.Ipv6SourceCidrIp", "Ipv6SourceCidrIp", revokeIn, rule("SourceCidrIp", "", "Ipv6SourceCidrIp", "fe80::1%eth0")},
		{400, "InvalidParam.Ipv4ProtocolConflictWithIpv6Address", "", revokeIn, rule("IpProtocol", "icmp", "PortRange", "-1/-1", "SourceCidrIp", "", "Ipv6SourceCidrIp", "::/0")},
		{400, "InvalidParam.Ipv6ProtocolConflictWithIpv4Address", "", revokeIn, rule("IpProtocol", "icmpv6", "PortRange", "-1/-1")},
		{400, "InvalidParameter.Ipv6CidrIp", "", revokeIn, member("SourceCidrIp", "", "Ipv6SourceCidrIp", "2001:db8::/129")},
		{400, "InvalidGroupAuthParameter.OperationDenied", "enterprise", revokeIn, rule("SourceCidrIp", "", "SourceGroupId", "sg-ent")},
		{400, "InvalidPortRange.Malformed", "must set", revokeIn, rule("PortRange", "")},
		{400, "InvalidPortRange.Malformed", "must set", revokeIn, rule("PortRange", "", "PortRangeListId", "prl-web")},
		{400, "InvalidSourcePortRange.Malformed", "", revokeIn, rule("SourcePortRange", "1/0")},
		{400, "InvalidSecurityGroupDiscription.Malformed", "", revokeIn, rule("Description", strings.Repeat("d", 513))},
		{400, "NotSupported.ClassicNetworkPrefixList", "", revokeIn, rule("SecurityGroupId", "sg-classic", "SourceCidrIp", "", "SourcePrefixListId", "pl-v4")},
		{400, "InvalidParam.SourceCidrIp", "Permissions.1.SourceCidrIp", revokeIn, member("SourceCidrIp", "10.0.0")},
		{400, "InvalidParam.DestCidrIp", "Permissions.1.DestCidrIp", revokeIn, member("DestCidrIp", "10.0.0.0/33")},
		{400, "InvalidParam.Permissions", "cannot coexist", revokeIn, with(member(), "Policy", "accept")},
		{400, "InvalidParam.DuplicatePermissions", "", revokeIn, with(member(), prefixed(2, "IpProtocol", "TCP", "PortRange", "8080/8080", "SourceCidrIp", "10.1.2.3/8")...)},
		{404, "InvalidSecurityGroupId.NotFound", "", revokeIn, rule("SecurityGroupId", "sg-none")},
		{400, "InvalidParam.SecurityGroupRuleId", "", revokeIn, byID("443")},
		{400, "InvalidParam.SecurityGroupRuleIdRepeated", "", revokeIn, byID("sgr-in-tcp", "sgr-in-tcp")},
		{400, "InvalidGroupParameter.OperationDenied", "enterprise", revokeIn, rule("SecurityGroupId", "sg-ent", "SourceCidrIp", "", "SourceGroupId", "sg-web")},
		{400, "InvalidSecurityGroupRule.RuleNotExist", "", revokeIn, byID("sgr-in-tcp", "sgr-out-tcp")},
		{400, "InvalidParam.ProtocolNotSupportPortRangeList", "", revokeIn, member("IpProtocol", "gre", "PortRange", "", "PortRangeListId", "prl-web")},
		{400, "InvalidPortRangeListId.NotFound", "", revokeIn, member("PortRange", "", "PortRangeListId", "prl-none")},
		{403, "InvalidNicType.Mismatch", "", revokeIn, rule("NicType", "internet")},
		{403, "InvalidNicType.Mismatch", "", revokeIn, rule("SecurityGroupId", "sg-classic", "SourceCidrIp", "", "SourceGroupId", "sg-classic2")},
		{403, "InvalidOperation.ResourceManagedByCloudProduct", "", revokeIn, rule("SecurityGroupId", "sg-managed")},
		{404, "InvalidSourceGroupId.NotFound", "SourceGroupId", revokeIn, rule("SourceCidrIp", "", "SourceGroupId", "sg-none")},
		{404, "InvalidSourceGroupId.NotFound", "SourceGroupId", revokeIn, rule("SourceCidrIp", "", "SourceGroupId", "web", "SourceGroupOwnerId", "42")},
		{404, "InvalidPrefixListId.NotFound", "", revokeIn, rule("SourceCidrIp", "", "SourcePrefixListId", "pl-none")},
	})
}

// TestCodesOfAuthorizing is the table of errors of AuthorizeSecurityGroupEgress, as far as TestRuleRefusals does not
// have it, and that of its twin.
func TestCodesOfAuthorizing(t *testing.T) {
	rule, member := flat("DestCidrIp"), members("DestCidrIp")
	in, memberIn := flat("SourceCidrIp"), members("SourceCidrIp")
	checkCodes(t, []codeTest{
		{400, "OperationDenied", "do not match", authorize, rule("IpProtocol", "all")},
		{400, "OperationDenied", "do not match", authorizeIn, in("PortRange", "-1/-1")},
		{400, "InvalidPortRange.Malformed", "", authorize, rule("PortRange", "", "PortRangeListId", "prl-web")},
		{400, "InvalidSourcePortRange.Malformed", "", authorize, rule("IpProtocol", "gre", "PortRange", "-1/-1", "SourcePortRange", "x")},
		{400, "InvalidParameter.Conflict", "", authorize, rule("DestCidrIp", "", "Ipv6DestCidrIp", "::/0", "SourceCidrIp", "10.0.0.0/8")},
		{400, "InvalidParam.Ipv6DestCidrIp", "", authorize, member("DestCidrIp", "", "Ipv6DestCidrIp", "fe80::1%eth0/129")},
		{400, "InvalidIpProtocol.Malformed", "PortRange", authorize, rule("PortRange", "22")},
		{400, "InvalidIpProtocol.Malformed", "PortRange", authorizeIn, in("PortRange", "0/22")},
		{400, "InvalidParam.PortRange", "Permissions.1.PortRange", authorize, member("PortRange", "22")},
		{400, "InvalidParam.PortRange", "Permissions.1.PortRange", authorizeIn, memberIn("PortRange", "22-23")},
		{400, "InvalidParam.DestCidrIp", "Permissions.1.DestCidrIp", authorize, member("DestCidrIp", "10.0.0")},
		{400, "InvalidParam.SourceCidrIp", "SourceCidrIp", authorize, rule("SourceCidrIp", "10.0.0")},
		{400, "InvalidSourceCidrIp.Malformed", "SourceCidrIp", authorizeIn, in("SourceCidrIp", "10.0.0")},
		{400, "InvalidNicType.Mismatch", "", authorize, rule("NicType", "internet")},
		{400, "InvalidNicType.Mismatch", "", authorizeIn, in("NicType", "internet")},
		{400, "InvalidNicType.ValueNotSupported", "", authorize, rule("SecurityGroupId", "sg-classic", "NicType", "wifi")},
		{400, "MissingParameter.Dest", "", authorize, member("DestCidrIp", "", "SourceGroupId", "sg-db")},
		{400, "MissingParameter.Source", "", authorizeIn, memberIn("SourceCidrIp", "", "DestGroupId", "sg-db")},
		{403, "MissingParameter", `"DestGroupId" or "DestCidrIp"`, authorize, rule("DestCidrIp", "", "DestGroupOwnerId", "42")},
		{403, "MissingParameter", `"SourceGroupId" or "SourceCidrIp"`, authorizeIn, in("SourceCidrIp", "", "SourceGroupOwnerId", "42")},
		{400, "InvalidParamter.Conflict", "SourceCidrIp should be different from the DestCidrIp", authorize, rule("SourceCidrIp", "10.1.2.3/8")},
		{400, "InvalidParamter.Conflict", "SourceCidrIp should be different from the DestCidrIp", authorizeIn, in("DestCidrIp", "10.0.0.0/8")},
		{403, "InvalidParamter.Conflict", "different from the SourceGroupId", authorize, rule("SourceGroupId", "sg-web")},
		{403, "InvalidParamter.Conflict", "different from the SourceGroupId", authorizeIn, in("SourceCidrIp", "", "SourceGroupId", "sg-web")},
		{403, "InvalidSecurityGroup.IsSame", "", authorize, rule("DestCidrIp", "", "DestGroupId", "sg-web")},
		{400, "InvalidDestGroup.NotFound", "", authorize, rule("DestCidrIp", "", "DestGroupId", "web", "DestGroupOwnerId", "42")},
		{400, "InvalidSourceGroup.NotFound", "", authorizeIn, in("SourceCidrIp", "", "SourceGroupId", "web", "SourceGroupOwnerId", "42")},
		{404, "InvalidDestGroupId.NotFound", "", authorize, rule("DestCidrIp", "", "DestGroupId", "sg-none")},
		{404, "InvalidSourceGroupId.NotFound", "", authorizeIn, in("SourceCidrIp", "", "SourceGroupId", "sg-none")},
		{400, "InvalidParameter", "SourceGroupOwnerId", authorizeIn, in("SourceCidrIp", "", "SourceGroupId", "sg-db", "SourceGroupOwnerId", "me")},
		{400, "InvalidParameter", "SourceGroupOwnerAccount", authorizeIn, in("SourceCidrIp", "", "SourceGroupId", "sg-db", "SourceGroupOwnerAccount", "042")},
		{400, "InvalidDestGroupId.Mismatch", "same VPC", authorize, rule("DestCidrIp", "", "DestGroupId", "sg-far")},
		{400, "InvalidSourceGroupId.Mismatch", "same VPC", authorizeIn, in("SourceCidrIp", "", "SourceGroupId", "sg-far")},
		{403, "InvalidDestGroupId.Mismatch", "NicType", authorize, rule("SecurityGroupId", "sg-classic", "DestCidrIp", "", "DestGroupId", "sg-classic2")},
		{403, "InvalidSourceGroupId.Mismatch", "NicType", authorizeIn, in("SecurityGroupId", "sg-classic", "SourceCidrIp", "", "SourceGroupId", "sg-classic2")},
		{403, "InvalidNetworkType.Conflict", "vpc or classic", authorize, rule("DestCidrIp", "", "DestGroupId", "sg-classic")},
		{403, "InvalidNetworkType.Conflict", "vpc or classic", authorizeIn, in("SecurityGroupId", "sg-classic", "NicType", "intranet", "SourceCidrIp", "", "SourceGroupId", "sg-db")},
		{400, "InvalidGroupAuthParameter.OperationDenied", "", authorize, rule("DestCidrIp", "", "DestGroupId", "sg-ent")},
		{400, "InvalidGroupParameter.OperationDenied", "", authorizeIn, in("SecurityGroupId", "sg-ent", "SourceCidrIp", "", "SourceGroupId", "sg-web")},
		{400, "InvalidParam.Ipv6DestCidrIp", "Permissions.1.Ipv6DestCidrIp", authorize, member("DestCidrIp", "", "Ipv6DestCidrIp", "x")},
		{400, "ILLEGAL_IPV6_CIDR", "Ipv6DestCidrIp", authorize, rule("DestCidrIp", "", "Ipv6DestCidrIp", "::/x")},
		{400, "InvalidParameter.Ipv6CidrIp", "", authorize, member("DestCidrIp", "", "Ipv6DestCidrIp", "::/129")},
		{400, "InvalidParameter.Conflict", "IPv6 and IPv4", authorizeIn, in("Ipv6DestCidrIp", "::/0")},
		{400, "InvalidParam.PrefixListAddressFamilyMismatch", "", authorizeIn, in("SourceCidrIp", "", "SourcePrefixListId", "pl-v6", "DestCidrIp", "10.0.0.0/8")},
		{400, "InvalidSecurityGroup.InvalidNetworkType", "", authorizeIn, in("SecurityGroupId", "sg-classic", "SourceCidrIp", "", "Ipv6SourceCidrIp", "::/0")},
		{403, "AuthorizationLimitExceed", "", authorizeIn, in("SourceCidrIp", "", "SourcePrefixListId", "pl-big")},
		{403, "AuthorizationLimitExceed", "", authorize, member("PortRange", "", "PortRangeListId", "prl-big")},
		{400, "InvalidParam.Permissions", "", authorizeIn, with(memberIn(), "IpProtocol", "tcp")},
		{400, "InvalidParam.Permissions", "100", authorizeIn, web("Permissions.101.IpProtocol", "tcp")},
		{403, "InvalidOperation.ResourceManagedByCloudProduct", "", authorizeIn, in("SecurityGroupId", "sg-managed")},
		{404, "InvalidPrefixListId.NotFound", "", authorizeIn, in("SourceCidrIp", "", "SourcePrefixListId", "pl-none")},
		{404, "InvalidSecurityGroupId.NotFound", "", authorizeIn, in("SecurityGroupId", "sg-none")},
	})
}

// TestCodesOfModifying is the table of errors of ModifySecurityGroupRule, and that of its twin.
func TestCodesOfModifying(t *testing.T) {
	id := func(id string, pairs ...string) url.Values { return with(web("SecurityGroupRuleId", id), pairs...) }
	rule := flat("SourceCidrIp")
	checkCodes(t, []codeTest{
		{400, "OperationDenied", "", modifyIn, rule("IpProtocol", "icmp")},
		{400, "InvalidIpProtocol.Malformed", "PortRange", modifyIn, rule("PortRange", "x")},
		{400, "InvalidSourceCidrIp.Malformed", "", modifyIn, rule("SourceCidrIp", "x")},
		{400, "InvalidNicType.Mismatch", "", modifyIn, rule("NicType", "internet")},
		{400, "InvalidSourceGroup.NotFound", "", modifyIn, id("sgr-in-group", "SourceGroupId", "db", "SourceGroupOwnerId", "42")},
		{400, "MissingParameter.Source", "", modifyIn, rule("SourceCidrIp", "")},
		{403, "MissingParameter", "", modifyIn, rule("SourceCidrIp", "", "SourceGroupOwnerId", "42")},
		{400, "InvalidParam.PortRange", "The specified parameter PortRange", modifyIn, id("sgr-in-tcp", "PortRange", "x")},
		{400, "InvalidParam.SecurityGroupRuleId", "", modifyIn, id("443", "Priority", "2")},
		{404, "InvalidSecurityGroupRuleId.NotFound", "", modifyIn, id("sgr-out-tcp", "Priority", "2")},
		{404, "InvalidSecurityGroupRuleId.NotFound", "", modify, id("sgr-in-tcp", "Priority", "2")},
		{404, "SecurityGroupRule.NotFound", "", modifyIn, rule("Description", "new")},
		{400, "InvalidParam.InvalidModifyRuleRequest", "", modifyIn, id("sgr-in-tcp")},
		{400, "InvalidOperation.ModifySgRuleEntityType", "", modifyIn, id("sgr-in-tcp", "SourceGroupId", "sg-db")},
		{400, "InvalidOperation.ModifyPortRangeType", "", modifyIn, id("sgr-in-tcp", "PortRangeListId", "prl-web")},
		{400, "InvalidOperation.ModifyNicType", "", modifyIn, id("sgr-card-in", "SecurityGroupId", "sg-classic", "NicType", "intranet")},
		{400, "InvalidOperation.RuleDuplicate", "", modifyIn, id("sgr-in-tcp", "Priority", "2")},
		{400, "AuthorizationLimitExceed", "", modifyIn, id("sgr-in-list", "SourcePrefixListId", "pl-big")},
		{400, "AuthorizationLimitExceed", "", modify, id("sgr-out-ports", "PortRangeListId", "prl-big")},
		{400, "InvalidParam.ProtocolAndPortRangeMismatch", "", modifyIn, id("sgr-in-tcp", "IpProtocol", "gre")},
		{400, "InvalidParam.ProtocolAndAddressFamilyMismatch", "", modifyIn, id("sgr-in-tcp", "IpProtocol", "icmpv6", "PortRange", "-1/-1")},
		{400, "InvalidParam.ProtocolAndAddressFamilyMismatch", "", modify, id("sgr-out-list", "IpProtocol", "icmpv6", "PortRange", "-1/-1")},
		{400, "InvalidParam.Ipv6ProtocolConflictWithIpv4Address", "", modifyIn, rule("IpProtocol", "icmpv6", "PortRange", "-1/-1")},
		{400, "InvalidParam.PrefixListAddressFamilyMismatch", "", modifyIn, id("sgr-in-list", "Ipv6DestCidrIp", "::/0")},
		{400, "InvalidParamter.Conflict", "SourceCidrIp should be different", modifyIn, id("sgr-in-tcp", "DestCidrIp", "10.0.0.0/8")},
		{403, "InvalidParamter.Conflict", "SourceGroupId", modifyIn, id("sgr-in-group", "SourceGroupId", "sg-web")},
		{403, "InvalidSecurityGroup.IsSame", "", modify, id("sgr-out-group", "DestGroupId", "sg-web")},
		{400, "InvalidSourceOrDestGroupId.DirectionMissmatch", "", modifyIn, id("sgr-in-group", "DestGroupId", "sg-db")},
		{400, "InvalidSourceOrDestGroupId.DirectionMissmatch", "", modify, id("sgr-out-group", "SourceGroupId", "sg-db")},
		{403, "InvalidNetworkType.Mismatch", "", modifyIn, id("sgr-in-group", "SourceGroupId", "sg-classic")},
		{400, "InvalidSourceGroupId.Mismatch", "", modifyIn, id("sgr-in-group", "SourceGroupId", "sg-far")},
		{404, "InvalidSourceGroupId.NotFound", "", modifyIn, id("sgr-in-group", "SourceGroupId", "sg-none")},
		{404, "InvalidSourceGroupId.NotFound", "", modifyIn, rule("SourceCidrIp", "", "SourceGroupId", "sg-none")},
		{404, "InvalidPrefixListId.NotFound", "", modifyIn, id("sgr-in-list", "SourcePrefixListId", "pl-none")},
		{400, "InvalidPortRangeListId.NotFound", "", modifyIn, id("sgr-in-ports", "PortRangeListId", "prl-none")},
		{400, "InvalidParam.ProtocolNotSupportPortRangeList", "", modifyIn, id("sgr-in-ports", "IpProtocol", "all")},
		{400, "InvalidParam.SourceIp", "", modifyIn, id("sgr-in-tcp", "SourceCidrIp", "10.0.0.0/8", "Ipv6SourceCidrIp", "::/0")},
		{400, "InvalidSecurityGroupDiscription.Malformed", "", modifyIn, id("sgr-in-tcp", "Description", strings.Repeat("d", 513))},
		{403, "InvalidOperation.ResourceManagedByCloudProduct", "", modifyIn, id("sgr-in-tcp", "SecurityGroupId", "sg-managed", "Priority", "2")},
	})
}

// TestCodesThatOnlyFaultsAnswerWith are in the tables of errors, for what no input can earn.
func TestCodesThatOnlyFaultsAnswerWith(t *testing.T) {
	for _, test := range []codeTest{
		{401, "InvalidOperation.SecurityGroupNotAuthorized", "not authorized", authorizeIn, nil},
		{500, "InvalidGressFlow.Malformed", "GressFlow", authorize, nil},
		{404, "NotSupported.GrayFunction", "gray-scale", authorizeIn, nil},
	} {
		r := startBothWays(t)
		if err := r.Server.SetFaults([]ecsemu.Fault{{Kind: ecsemu.FaultError, Action: test.action, Code: test.code}}); err != nil {
			t.Fatal(err)
		}
		got := call(t, r, test.action, web())
		if got.status != test.status || got.code() != test.code || !strings.Contains(got.message(), test.message) {
			t.Errorf("got %d %q %q, want %d %q", got.status, got.code(), got.message(), test.status, test.code)
		}
	}
}
