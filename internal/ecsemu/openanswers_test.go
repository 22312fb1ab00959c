package ecsemu_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

func questionsOfPaging() map[string]question {
	many := params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-many", "MaxResults", "10")
	return map[string]question{
		"page-token-lifetime": {tryOldPages, map[string]string{
			"endless": ",,,", "10m": ",,InValidParameter.NextToken,InvalidParamter",
		}},
		"page-token-filters": {
			func(a *asking) string {
				first := a.call("DescribeSecurityGroups", hangzhou("MaxResults", "1", "VpcId", "vpc-1"))
				next := hangzhou("MaxResults", "2", "VpcId", "vpc-1", "NextToken", first.text("NextToken"))
				return a.code("DescribeSecurityGroups", next) + "," + a.code("DescribeSecurityGroups", with(next, "VpcId", "vpc-2"))
			},
			map[string]string{"ignored": ",", "bound": ",InValidParameter.NextToken"},
		},
		"rule-pages": {
			func(a *asking) string {
				first := a.call("DescribeSecurityGroupAttribute", many)
				must(a, a.running, revoke, with(params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-many"), numberedIDs("sgr-03")...))
				next := with(many, "NextToken", first.text("NextToken"))
				seen := fmt.Sprint(idsOf(a.call("DescribeSecurityGroupAttribute", next)))
				must(a, a.running, revoke, with(params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-many"), numberedIDs("sgr-10")...))
				return seen + fmt.Sprint(idsOf(a.call("DescribeSecurityGroupAttribute", next)))
			},
			map[string]string{"position": "[sgr-11][]", "next-rule": "[sgr-10 sgr-11][]"},
		},
		"direction-order": {
			func(a *asking) string {
				return fmt.Sprint(idsOf(a.call("DescribeSecurityGroupAttribute", askedGroup())))
			},
			map[string]string{
				"egress-first":  "[sgr-first sgr-bare sgr-list sgr-group sgr-in]",
				"ingress-first": "[sgr-in sgr-first sgr-bare sgr-list sgr-group]",
			},
		},
	}
}

func idsOf(a answer) []any {
	ids := []any{}
	for _, rule := range a.list("Permissions", "Permission") {
		ids = append(ids, rule["SecurityGroupRuleId"])
	}
	return ids
}

// tryOldPages asks for second pages of groups and of rules, right before their tokens may be too old and then.
func tryOldPages(a *asking) string {
	groups, many := hangzhou("MaxResults", "1"), hangzhou("SecurityGroupId", "sg-many", "MaxResults", "10")
	nextGroups := with(groups, "NextToken", a.call("DescribeSecurityGroups", groups).text("NextToken"))
	nextRules := with(many, "NextToken", a.call("DescribeSecurityGroupAttribute", many).text("NextToken"))
	var codes []string
	for _, wait := range []time.Duration{10*time.Minute - time.Second, time.Second} {
		a.clock.advance(wait)
		codes = append(codes, a.code("DescribeSecurityGroups", nextGroups), a.code("DescribeSecurityGroupAttribute", nextRules))
	}
	return strings.Join(codes, ",")
}

func questionsOfAnswers() map[string]question {
	return map[string]question{
		"spelling": {
			func(a *asking) string {
				return fmt.Sprint(a.rule("sgr-first")["IpProtocol"], " ", a.rule("sgr-first")["Policy"])
			},
			map[string]string{"capitals": "TCP Accept", "lower": "tcp accept"},
		},
		"protocol-numbers": {tryNumbers, map[string]string{
			"as-sent": "58, 80/80: OperationDenied, -1/-1: , left 2", "names": "ICMPv6, 80/80: , -1/-1: OperationDenied, left 1",
		}},
		"port-list-ports": {
			func(a *asking) string {
				return fmt.Sprint(a.rule("sgr-list")["PortRange"], ", ", a.rule("sgr-first")["PortRange"], ", unknown ",
					a.find(five(), "sgr-unknown")["PortRange"])
			},
			map[string]string{
				"empty": ", 443/443, unknown ", "all": "-1/-1, 443/443, unknown -1/-1", "first": "80/80, 443/443, unknown ",
			},
		},
		"ipv4-cidrs": {
			func(a *asking) string {
				return fmt.Sprint(a.rule("sgr-first")["DestCidrIp"], " ", a.rule("sgr-bare")["DestCidrIp"], " ",
					a.find(five(), "sgr-five")["SourceCidrIp"])
			},
			map[string]string{"as-sent": "10.1.2.3/8 192.0.2.1 10.9.9.9/24", "masked": "10.0.0.0/8 192.0.2.1/32 10.9.9.0/24"},
		},
		"own-account": {
			func(a *asking) string {
				return fmt.Sprint(a.rule("sgr-group")["DestGroupOwnerAccount"], ", ", a.rule("sgr-first")["DestGroupOwnerAccount"])
			},
			map[string]string{"empty": ", ", "number": homeAccount + ", "},
		},
	}
}

// tryNumbers has a protocol by its number told, sends one that has ports by its name, and revokes the first by its name.
func tryNumbers(a *asking) string {
	north := params("RegionId", "cn-qingdao", "SecurityGroupId", "sg-north")
	seen := fmt.Sprint(a.find(north, "sgr-number")["IpProtocol"])
	for _, ports := range []string{"80/80", "-1/-1"} {
		seen += ", " + ports + ": " + a.code(authorize, with(north, "IpProtocol", "6", "PortRange", ports, "DestCidrIp", "10.0.0.0/8"))
	}
	must(a, a.running, revoke, with(north, "IpProtocol", "icmpv6", "PortRange", "-1/-1", "Ipv6DestCidrIp", "2001:db8::/32"))
	return fmt.Sprint(seen, ", left ", len(a.running.Server.Rules("cn-qingdao", "sg-north")))
}

func questionsOfGateway() map[string]question {
	return map[string]question{
		"nonce-memory": {tryOneNonce, map[string]string{
			"200000": ",SignatureNonceUsed,SignatureNonceUsed", "10m": ",SignatureNonceUsed,",
		}},
		"nonce-scope": {
			func(a *asking) string {
				second := with(nonceOne(a), "AccessKeyId", "LTAIsecond")
				return askSigned(a, ecsemu.DefaultKeySecret, nonceOne(a)).code() + "," + askSigned(a, "second", second).code()
			},
			map[string]string{"key": ",", "all": ",SignatureNonceUsed"},
		},
		"gateway-order": {
			func(a *asking) string {
				old := with(nonceOne(a), "Timestamp", "2026-02-01T12:00:30Z")
				return askSigned(a, "wrong", with(old, "AccessKeyId", "LTAInone")).code() + "," + askSigned(a, "wrong", old).code() + "," +
					askSigned(a, ecsemu.DefaultKeySecret, old).code()
			},
			map[string]string{
				"time-key-signature": "InvalidTimeStamp.Expired,InvalidTimeStamp.Expired,InvalidTimeStamp.Expired",
				"key-time-signature": "InvalidAccessKeyId.NotFound,InvalidTimeStamp.Expired,InvalidTimeStamp.Expired",
				"key-signature-time": "InvalidAccessKeyId.NotFound,SignatureDoesNotMatch,InvalidTimeStamp.Expired",
			},
		},
		"security-token-status": {
			func(a *asking) string {
				got := askSigned(a, ecsemu.DefaultKeySecret, with(nonceOne(a), "SecurityToken", "x"))
				return fmt.Sprint(got.status, " ", got.code(), ", ", got.message() != "")
			},
			map[string]string{
				"400": "400 InvalidSecurityToken.Malformed, true", "403": "403 InvalidSecurityToken.Malformed, true",
			},
		},
	}
}

// nonceOne is a request with always the same nonce.
func nonceOne(a *asking) url.Values {
	return a.clock.at(common("DescribeRegions", params("SignatureNonce", "one")))
}

func askSigned(a *asking, secret string, query url.Values) answer {
	a.Helper()
	return post(a, a.running, signed(http.MethodPost, secret, query))
}

func tryOneNonce(a *asking) string {
	codes := []string{askSigned(a, ecsemu.DefaultKeySecret, nonceOne(a)).code()}
	for _, wait := range []time.Duration{10*time.Minute - time.Second, time.Second} {
		a.clock.advance(wait)
		codes = append(codes, askSigned(a, ecsemu.DefaultKeySecret, nonceOne(a)).code())
	}
	return strings.Join(codes, ",")
}
