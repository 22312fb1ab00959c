package ecsapi

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The checker must be able to fail: what is illegal is refused, and the message names the action, the parameter and why.

// legal is what each action may be sent with, at the least or nearly.
func legal() map[string]map[string]string {
	group := map[string]string{"RegionId": "cn-hangzhou", "SecurityGroupId": "sg-bp1"}
	with := func(more map[string]string) map[string]string {
		all := maps.Clone(group)
		maps.Copy(all, more)
		return all
	}
	return map[string]map[string]string{
		actionIdentity:   {},
		actionRegions:    {},
		actionGroups:     {"RegionId": "cn-hangzhou", "MaxResults": "100"},
		actionRules:      group,
		actionInterfaces: {"RegionId": "cn-hangzhou", "MaxResults": "500"},
		actionPrefixList: {"RegionId": "cn-hangzhou", "PrefixListId": "pl-bp1"},
		actionPortList:   {"RegionId": "cn-hangzhou", "PortRangeListId": "prl-bp1"},
		actionRevoke:     with(map[string]string{"SecurityGroupRuleId.1": "sgr-bp1"}),
		actionAuthorize: with(map[string]string{
			"IpProtocol": "tcp", "PortRange": "443/443", "DestCidrIp": "10.0.0.0/8", "Policy": "accept",
		}),
	}
}

// versionOf is the version of the API that an action belongs to, and the host it is asked at.
func versionOf(action string) (version, host string) {
	if action == actionIdentity {
		return versionSTS, hostSTS
	}
	return versionECS, "ecs.cn-hangzhou.aliyuncs.com"
}

// legalRequest is a legal request of an action, with some parameters changed. What is set to "-" is left out.
func legalRequest(action string, change map[string]string) sent {
	version, host := versionOf(action)
	params := map[string]string{
		"Action": action, "Version": version, "Format": "JSON", "AccessKeyId": "LTAI5t",
		"Signature": "OLeaidS1JvxuMvnyHOwuJ+uX5qY=", "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
		"SignatureType": "", "SignatureNonce": "0123456789abcdef0123456789abcdef", "Timestamp": "2026-01-02T03:04:05Z",
	}
	maps.Copy(params, legal()[action])
	maps.Copy(params, change)
	query := url.Values{}
	for name, value := range params {
		if value != "-" {
			query.Set(name, value)
		}
	}
	return sent{
		method: http.MethodPost, scheme: "HTTPS", host: host, path: "/", query: query.Encode(),
		header: http.Header{"X-Acs-Action": {action}, "X-Acs-Version": {version}},
	}
}

func TestLegalRequestsPass(t *testing.T) {
	c := loadContract(t)
	for action := range c.actions {
		r := legalRequest(action, nil)
		if diff := cmp.Diff([]string(nil), c.check(&r)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", action, diff)
		}
	}
	// What the product never sends is in the tables as well.
	for name, r := range map[string]sent{
		"filters of groups": legalRequest(actionGroups, map[string]string{
			"SecurityGroupIds": `["sg-1","sg-2"]`, "Tag.1.Key": "env", "Tag.1.Value": "", "ServiceManaged": "false",
			"SecurityGroupType": "enterprise", "VpcId": "vpc-1", "NextToken": "e71d",
		}),
		"pages by number": legalRequest(actionGroups, map[string]string{
			"MaxResults": "-", "PageNumber": "2", "PageSize": "50",
		}),
		"a port list": legalRequest(actionRevoke, map[string]string{
			"SecurityGroupRuleId.1": "-", "Permissions.1.IpProtocol": "TCP", "Permissions.1.PortRangeListId": "prl-1",
			"Permissions.1.DestPrefixListId": "pl-1",
		}),
		"a protocol by number": legalRequest(actionAuthorize, map[string]string{
			"IpProtocol": "47", "PortRange": "-1/-1",
		}),
		"the language of names":         legalRequest(actionRegions, map[string]string{"AcceptLanguage": "en-US"}),
		"a token of temporary keys":     legalRequest(actionIdentity, map[string]string{"SecurityToken": "CAIS+/="}),
		"a request without its headers": {},
	} {
		if name == "a request without its headers" {
			r = legalRequest(actionIdentity, nil)
			r.header = nil
		}
		if diff := cmp.Diff([]string(nil), c.check(&r)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// illegal is a request with one fault.
type illegal struct {
	action string
	change map[string]string
	want   string // behind the name of the action
}

func illegalCommons() map[string]illegal {
	return map[string]illegal{
		"another version": {
			actionRegions, set("Version", "2016-03-14"),
			`Version: "2016-03-14", want 2014-05-26`,
		},
		"no key":            {actionRegions, set("AccessKeyId", "-"), `AccessKeyId: missing`},
		"an unknown format": {actionRegions, set("Format", "YAML"), `Format: "YAML" is none of JSON, XML`},
		"another hash": {
			actionRegions, set("SignatureMethod", "HMAC-MD5"),
			`SignatureMethod: "HMAC-MD5" is none of HMAC-SHA1`,
		},
		"half a signature": {
			actionRegions, set("Signature", "OLea"),
			`Signature: "OLea" is not written as base64 of 20 bytes`,
		},
		"no nonce": {actionRegions, set("SignatureNonce", "-"), `SignatureNonce: missing`},
		"a short nonce": {
			actionRegions, set("SignatureNonce", "17"),
			`SignatureNonce: 2 characters, not 16 to 64`,
		},
		"a time without zone": {
			actionRegions, set("Timestamp", "2026-01-02T03:04:05"),
			`Timestamp: "2026-01-02T03:04:05" is not written as time in UTC`,
		},
		"a time of another": {
			actionRegions, set("Timestamp", "2026-01-02T03:04:05+08:00"),
			`Timestamp: "2026-01-02T03:04:05+08:00" is not written as time in UTC`,
		},
		"an empty token":         {actionRegions, set("SecurityToken", ""), `SecurityToken: empty`},
		"an owner":               {actionRules, set("OwnerId", "1"), `OwnerId: no such parameter`},
		"a slip of the pen":      {actionRules, set("Securitygroupid", "sg-1"), `Securitygroupid: no such parameter`},
		"bytes that are no text": {actionRules, set("NextToken", "\xff"), `NextToken: not UTF-8`},
	}
}

func illegalReads() map[string]illegal {
	return map[string]illegal{
		"no region":              {actionGroups, set("RegionId", "-"), `RegionId: missing`},
		"no region of a list":    {actionPrefixList, set("RegionId", "-"), `RegionId: missing`},
		"no list":                {actionPrefixList, set("PrefixListId", "-"), `PrefixListId: missing`},
		"no list of ports":       {actionPortList, set("PortRangeListId", "-"), `PortRangeListId: missing`},
		"no group":               {actionRules, set("SecurityGroupId", "-"), `SecurityGroupId: missing`},
		"an empty group":         {actionRules, set("SecurityGroupId", ""), `SecurityGroupId: empty`},
		"too many groups a page": {actionGroups, set("MaxResults", "101"), `MaxResults: "101" is not a number from 1 to 100`},
		"no number of groups":    {actionGroups, set("MaxResults", "many"), `MaxResults: "many" is no integer`},
		"a number written oddly": {actionGroups, set("MaxResults", "007"), `MaxResults: "007" is no integer`},
		"too few rules a page": {
			actionRules, set("MaxResults", "9"),
			`MaxResults: "9" is not a number from 10 to 1000`,
		},
		"too many rules a page": {
			actionRules, set("MaxResults", "1001"),
			`MaxResults: "1001" is not a number from 10 to 1000`,
		},
		"a direction of its own": {
			actionRules, set("Direction", "Egress"),
			`Direction: "Egress" is none of egress, ingress, all`,
		},
		"an unknown card":    {actionRules, set("NicType", "wan"), `NicType: "wan" is none of internet, intranet`},
		"two ways of paging": {actionGroups, set("PageNumber", "1"), `MaxResults: not together with PageNumber`},
		"a page without its size": {
			actionGroups, set("MaxResults", "-", "NextToken", "e71d"),
			`MaxResults: missing with NextToken "e71d"`,
		},
		"a bool of another kind": {actionGroups, set("ServiceManaged", "1"), `ServiceManaged: "1" is no boolean`},
		"a list that is not JSON": {
			actionGroups, set("SecurityGroupIds", "sg-1,sg-2"),
			`SecurityGroupIds: "sg-1,sg-2" is no json list`,
		},
		"an empty list": {
			actionGroups, set("SecurityGroupIds", "[]"),
			`SecurityGroupIds: "[]" is no json list`,
		},
		"a type in capitals": {
			actionGroups, set("SecurityGroupType", "Normal"),
			`SecurityGroupType: "Normal" is none of normal, enterprise`,
		},
		"a list from zero": {actionGroups, set("Tag.0.Key", "env"), `Tag.N: 1 of them, but none with index 1`},
		"a list with a gap": {
			actionGroups, set("Tag.1.Key", "a", "Tag.3.Key", "b"),
			`Tag.N: 2 of them, but none with index 2`,
		},
		"an index written oddly":  {actionGroups, set("Tag.01.Key", "a"), `Tag.01.Key: index "01"`},
		"too long a list":         {actionGroups, many("Tag.", ".Key", 21), `Tag.N: 21 of them, not 1 to 20`},
		"a list without an index": {actionGroups, set("Tag.Key", "env"), `Tag.Key: no such parameter`},
		"a parameter of another": {
			actionIdentity, set("SecurityGroupId", "sg-1"),
			`SecurityGroupId: no such parameter`,
		},
	}
}

func illegalForms() map[string]illegal {
	item := set("SecurityGroupRuleId.1", "-", "Permissions.1.IpProtocol", "tcp", "Permissions.1.PortRange", "22/22",
		"Permissions.1.DestCidrIp", "10.0.0.0/8")
	also := func(more map[string]string) map[string]string {
		all := maps.Clone(item)
		maps.Copy(all, more)
		return all
	}
	return map[string]illegal{
		"no rule at all": {actionRevoke, set("SecurityGroupRuleId.1", "-"), `forms: 0 of them, want one: `},
		"by id and by fields": {
			actionRevoke, set("Policy", "accept", "IpProtocol", "tcp", "PortRange", "22/22", "DestCidrIp", "10.0.0.0/8"),
			`forms: 2 of them, want one: by id, one rule`,
		},
		"by id and by list": {
			actionRevoke, also(set("SecurityGroupRuleId.1", "sgr-1")),
			`forms: 2 of them, want one: by id, list of rules`,
		},
		"by list and by fields": {actionAuthorize, item, `forms: 2 of them, want one: list of rules, one rule`},
		"an id where none is": {
			actionAuthorize, set("SecurityGroupRuleId.1", "sgr-1"),
			`SecurityGroupRuleId.1: no such parameter`,
		},
		"101 ids": {
			actionRevoke, many("SecurityGroupRuleId.", "", 101),
			`SecurityGroupRuleId.N: 101 of them, not 1 to 100`,
		},
		"one id twice": {
			actionRevoke, set("SecurityGroupRuleId.2", "sgr-bp1"),
			`SecurityGroupRuleId.N: one value twice`,
		},
		"an empty id": {actionRevoke, set("SecurityGroupRuleId.1", ""), `SecurityGroupRuleId.1: empty`},
		"the id of a group": {
			actionRevoke, set("SecurityGroupRuleId.1", "sg-1"),
			`SecurityGroupRuleId.1: "sg-1" does not match sgr-[0-9A-Za-z]+`,
		},
		"one rule twice": {
			actionRevoke, also(set("Permissions.2.IpProtocol", "tcp",
				"Permissions.2.PortRange", "22/22", "Permissions.2.DestCidrIp", "10.0.0.0/8")),
			`Permissions.N: one rule twice`,
		},
		"no protocol in a list": {
			actionRevoke, also(set("Permissions.1.IpProtocol", "-")),
			`Permissions.1.IpProtocol: missing`,
		},
		"ports twice in a list": {
			actionRevoke, also(set("Permissions.1.PortRangeListId", "prl-1")),
			`Permissions.1.PortRange: one of PortRange, PortRangeListId is needed, given are ` +
				`["Permissions.1.PortRange" "Permissions.1.PortRangeListId"]`,
		},
		"a field that is none": {
			actionRevoke, also(set("Permissions.1.Priorty", "1")),
			`Permissions.1.Priorty: no such parameter`,
		},
		"a login for a number": {
			actionRevoke, also(set("Permissions.1.DestCidrIp", "-",
				"Permissions.1.DestGroupId", "sg-2", "Permissions.1.DestGroupOwnerId", "me")),
			`Permissions.1.DestGroupOwnerId: "me" does not match [1-9][0-9]*`,
		},
		"a token of 65": {
			actionRevoke, set("ClientToken", strings.Repeat("a", 65)),
			`ClientToken: 65 characters, not 1 to 64`,
		},
		"a token beyond ASCII": {
			actionRevoke, set("ClientToken", "tökén"),
			`ClientToken: "tökén" does not match [ -~]+`,
		},
	}
}

func illegalRules() map[string]illegal {
	return map[string]illegal{
		"no protocol": {actionAuthorize, set("IpProtocol", "-"), `IpProtocol: missing`},
		"an unknown protocol": {
			actionAuthorize, set("IpProtocol", "sctp"),
			`IpProtocol: "sctp" is none of tcp, udp, icmp, gre, all, 0..255`,
		},
		"a number beyond": {
			actionAuthorize, set("IpProtocol", "256"),
			`IpProtocol: "256" is none of tcp, udp, icmp, gre, all, 0..255`,
		},
		"no ports": {actionAuthorize, set("PortRange", "-"), `PortRange: missing`},
		"one port": {
			actionAuthorize, set("PortRange", "443"),
			`PortRange: "443" is not written as ports or -1/-1`,
		},
		"port zero": {
			actionAuthorize, set("PortRange", "0/443"),
			`PortRange: "0/443" is not written as ports or -1/-1`,
		},
		"ports downwards": {
			actionAuthorize, set("PortRange", "443/80"),
			`PortRange: "443/80" is not written as ports or -1/-1`,
		},
		"ports with a dash": {
			actionAuthorize, set("PortRange", "80-443"),
			`PortRange: "80-443" is not written as ports or -1/-1`,
		},
		"tcp without ports": {
			actionAuthorize, set("PortRange", "-1/-1"),
			`PortRange: "-1/-1" is not written as ports with IpProtocol "tcp"`,
		},
		"icmp with ports": {
			actionAuthorize, set("IpProtocol", "ICMP"),
			`PortRange: "443/443" is none of -1/-1 with IpProtocol "ICMP"`,
		},
		"all with source ports": {
			actionAuthorize, set("IpProtocol", "all", "PortRange", "-1/-1", "SourcePortRange", "1/2"),
			`SourcePortRange: "1/2" is none of -1/-1 with IpProtocol "all"`,
		},
		"no destination": {
			actionAuthorize, set("DestCidrIp", "-"),
			`DestCidrIp: one of DestCidrIp, Ipv6DestCidrIp, DestGroupId, DestPrefixListId is needed, given are []`,
		},
		"two destinations": {
			actionAuthorize, set("DestPrefixListId", "pl-1"),
			`DestCidrIp: one of DestCidrIp, Ipv6DestCidrIp, DestGroupId, DestPrefixListId is needed, ` +
				`given are ["DestCidrIp" "DestPrefixListId"]`,
		},
		"a name as a block": {
			actionAuthorize, set("DestCidrIp", "example.com"),
			`DestCidrIp: "example.com" is not written as ipv4 block`,
		},
		"a block too long": {
			actionAuthorize, set("DestCidrIp", "10.0.0.0/33"),
			`DestCidrIp: "10.0.0.0/33" is not written as ipv4 block`,
		},
		"ipv6 as ipv4": {
			actionAuthorize, set("DestCidrIp", "2001:db8::/32"),
			`DestCidrIp: "2001:db8::/32" is not written as ipv4 block`,
		},
		"ipv4 as ipv6": {
			actionAuthorize, set("DestCidrIp", "-", "Ipv6DestCidrIp", "10.0.0.0/8"),
			`Ipv6DestCidrIp: "10.0.0.0/8" is not written as ipv6 block`,
		},
		"a zone": {
			actionAuthorize, set("DestCidrIp", "-", "Ipv6DestCidrIp", "fe80::1%eth0"),
			`Ipv6DestCidrIp: "fe80::1%eth0" is not written as ipv6 block`,
		},
		"two sources": {
			actionAuthorize, set("DestCidrIp", "-", "DestPrefixListId", "pl-1",
				"SourceCidrIp", "10.0.0.0/8", "Ipv6SourceCidrIp", "::/0"),
			`SourceCidrIp: not together with Ipv6SourceCidrIp`,
		},
		"from ipv6 to ipv4": {
			actionAuthorize, set("Ipv6SourceCidrIp", "::/0"),
			`DestCidrIp: not together with Ipv6SourceCidrIp`,
		},
		"from ipv4 to ipv6": {
			actionAuthorize, set("DestCidrIp", "-", "Ipv6DestCidrIp", "::/0", "SourceCidrIp", "10.0.0.0/8"),
			`Ipv6DestCidrIp: not together with SourceCidrIp`,
		},
		"icmp to ipv6": {
			actionAuthorize, set("IpProtocol", "icmp", "PortRange", "-1/-1", "DestCidrIp", "-", "Ipv6DestCidrIp", "::/0"),
			`Ipv6DestCidrIp: not with IpProtocol "icmp"`,
		},
		"icmpv6 to ipv4": {
			actionAuthorize, set("IpProtocol", "icmpv6", "PortRange", "-1/-1"),
			`DestCidrIp: not with IpProtocol "icmpv6"`,
		},
		"an owner of no group": {
			actionAuthorize, set("DestGroupOwnerId", "1"),
			`DestGroupId: missing with DestGroupOwnerId "1"`,
		},
		"two owners": {
			actionAuthorize, set("DestCidrIp", "-", "DestGroupId", "sg-2",
				"DestGroupOwnerId", "1", "DestGroupOwnerAccount", "me"),
			`DestGroupOwnerId: not together with DestGroupOwnerAccount`,
		},
		"an owner by login": {
			actionAuthorize, set("DestCidrIp", "-", "DestGroupId", "sg-2", "DestGroupOwnerId", "me"),
			`DestGroupOwnerId: "me" is no long`,
		},
		"a group on the internet": {
			actionAuthorize, set("DestCidrIp", "-", "DestGroupId", "sg-2", "NicType", "internet"),
			`NicType: "internet" is none of intranet with DestGroupId "sg-2"`,
		},
		"a policy that is none": {actionAuthorize, set("Policy", "allow"), `Policy: "allow" is none of accept, drop`},
		"priority zero": {
			actionAuthorize, set("Priority", "0"),
			`Priority: "0" is not a number from 1 to 100`,
		},
		"the cloud's priority": {
			actionAuthorize, set("Priority", "110"),
			`Priority: "110" is not a number from 1 to 100`,
		},
		"an empty description": {actionAuthorize, set("Description", ""), `Description: empty`},
		"too much description": {
			actionAuthorize, set("Description", strings.Repeat("规", 513)),
			`Description: 513 characters, not 1 to 512`,
		},
		"a port list by itself": {
			actionAuthorize, set("PortRangeListId", "prl-1"),
			`PortRangeListId: no such parameter`,
		},
	}
}

// set makes a map of names and values that take turns.
func set(pairs ...string) map[string]string {
	m := map[string]string{}
	for pair := range slices.Chunk(pairs, 2) {
		m[pair[0]] = pair[1]
	}
	return m
}

// many makes the parameters of a list of n items.
func many(before, after string, n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[before+strconv.Itoa(i+1)+after] = "sgr-" + strconv.Itoa(i+1)
	}
	return m
}

func TestIllegalRequestsAreRefused(t *testing.T) {
	c := loadContract(t)
	for part, tests := range map[string]map[string]illegal{
		"common": illegalCommons(), "reads": illegalReads(), "forms": illegalForms(), "rules": illegalRules(),
	} {
		for name, tt := range tests {
			t.Run(part+"/"+name, func(t *testing.T) {
				r := legalRequest(tt.action, tt.change)
				if got := c.check(&r); !slices.Contains(got, tt.action+": "+tt.want) {
					t.Errorf("got %q, want %q", got, tt.action+": "+tt.want)
				}
			})
		}
	}
}

func TestIllegalTransportIsRefused(t *testing.T) {
	c := loadContract(t)
	tests := map[string]struct {
		action string
		change func(r *sent)
		want   string
	}{
		"another method":  {actionRules, func(r *sent) { r.method = "PUT" }, `method: PUT is none of GET, POST`},
		"sts without tls": {actionIdentity, func(r *sent) { r.scheme = "HTTP" }, `scheme: HTTP is none of HTTPS`},
		"ecs at sts": {
			actionRules, func(r *sent) { r.host = "sts.aliyuncs.com" },
			`host: sts.aliyuncs.com does not match`,
		},
		"a host in the name": {
			actionRules, func(r *sent) { r.host = "ecs.aliyuncs.com.example.com" },
			`host: ecs.aliyuncs.com.example.com does not match`,
		},
		"a path": {actionRules, func(r *sent) { r.path = "/v1" }, `path: "/v1", want /`},
		"a body": {actionRules, func(r *sent) { r.body = "RegionId=x" }, `body: 10 bytes, want none`},
		"JSON": {
			actionRules, func(r *sent) { r.header.Set("Content-Type", "application/json") },
			`Content-Type: "application/json" is none of`,
		},
		"another action": {
			actionRules, func(r *sent) { r.header.Set("X-Acs-Action", "X") },
			`X-Acs-Action: "X", but Action is "DescribeSecurityGroupAttribute"`,
		},
		"another signature": {
			actionRules, func(r *sent) { r.header.Set("Authorization", "ACS3") },
			`Authorization: no such header`,
		},
		"an unknown header": {
			actionRules, func(r *sent) { r.header.Set("X-Acs-Date", "now") },
			`X-Acs-Date: no such header`,
		},
		"a parameter twice": {
			actionRules, func(r *sent) { r.query += "&RegionId=cn-beijing" },
			`RegionId: given 2 times`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := legalRequest(tt.action, nil)
			tt.change(&r)
			got := c.check(&r)
			if len(got) != 1 || !strings.HasPrefix(got[0], tt.action+": "+tt.want) {
				t.Errorf("got %q, want %q", got, tt.action+": "+tt.want)
			}
		})
	}
	for want, query := range map[string]string{
		`a request: Action: "DeleteSecurityGroup" has no table`: "Action=DeleteSecurityGroup",
		`a request: Action: "" has no table`:                    "",
		`a request: the query: invalid URL escape "%zz"`:        "Action=%zz",
	} {
		if diff := cmp.Diff([]string{want}, c.check(&sent{query: query})); diff != "" {
			t.Errorf("query %q: -want +got:\n%s", query, diff)
		}
	}
}
