package ecsemu_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

func TestWhatUsersMayDo(t *testing.T) {
	const web, db = "acs:ecs:cn-hangzhou:" + homeAccount + ":securitygroup/sg-web", "acs:ecs:*:*:securitygroup/sg-db"
	everything := allow("*", "*")
	r := startPeople(t, []cloud.User{
		user("nobody"),
		user("admin", policy(everything)),
		user("reader", policy(allow("ecs:Describe*", "*"))),
		user("web", policy(allow("ecs:DescribeSecurityGroup*", web)+","+allow("ecs:RevokeSecurityGroupEgress", web))),
		user("webscope", policy(allow("ecs:AuthorizeSecurityGroupEgress", web))),
		user("notdb", policy(everything), policy(deny("ecs:RevokeSecurityGroupEgress", db))),
		user("prod", policy(when(allow("ecs:*", "*"), `{"StringEquals":{"ecs:tag/env":"prod"}}`))),
		user("keep", policy(everything+","+when(deny("ecs:Revoke*", "*"), `{"StringEquals":{"acs:ResourceTag/env":"prod"}}`))),
		user("tls", policy(when(everything, `{"Bool":{"acs:SecureTransport":"true"}}`))),
		user("local", policy(when(everything, `{"IpAddress":{"acs:SourceIp":"127.0.0.0/8"}}`))),
		user("elsewhere", policy(when(everything, `{"IpAddress":{"acs:SourceIp":"192.0.2.0/24"}}`))),
		user("march", policy(when(everything, `{"DateLessThan":{"acs:CurrentTime":"2026-04-01T00:00:00Z"}}`))),
		user("april", policy(when(everything, `{"DateGreaterThan":{"acs:CurrentTime":"2026-04-01T00:00:00Z"}}`))),
		user("tcp", policy(when(allow("ecs:Authorize*", "*"), `{"StringEquals":{"ecs:SecurityGroupIpProtocols":"tcp"}}`))),
		user("ten", policy(when(allow("ecs:Authorize*", "*"), `{"StringLike":{"ecs:SecurityGroupSourceCidrIps":"10.*"}}`))),
		user("general", policy(when(allow("ecs:*", "*"), `{"StringEquals":{"acs:ResourceTag/env":"prod"}}`))),
		user("groups", policy(allow("ecs:DescribeSecurityGroups", "acs:ecs:*:*:securitygroup/*"))),
		user("tagger", policy(when(allow("ecs:CreateSecurityGroup", "*"), `{"StringEquals":{"acs:RequestTag/team":"a"}}`))),
	}, nil)
	region := params("RegionId", "cn-hangzhou")
	group := func(id string) url.Values { return with(region, "SecurityGroupId", id) }
	rule := func(id, cidr string) url.Values {
		return with(group(id), "IpProtocol", "TCP", "PortRange", "1/1", "DestCidrIp", cidr)
	}
	const revoke, authorize, attribute = "RevokeSecurityGroupEgress", "AuthorizeSecurityGroupEgress", "DescribeSecurityGroupAttribute"
	for _, test := range []struct {
		name, user, action string
		business           url.Values
		denied             string // The NoPermissionType; empty if it is allowed.
	}{
		{"without policies nothing is allowed", "nobody", "DescribeRegions", nil, "ImplicitDeny"},
		{"but to ask who one is", "nobody", "GetCallerIdentity", nil, ""},
		{"a policy for everything", "admin", "DescribeRegions", nil, ""},
		{"a reader reads", "reader", attribute, group("sg-web"), ""},
		{"a reader does not revoke", "reader", revoke, rule("sg-web", "10.0.0.0/8"), "ImplicitDeny"},
		{"one group is read", "web", attribute, group("sg-web"), ""},
		{"another is not", "web", attribute, group("sg-db"), "ImplicitDeny"},
		{"nor is one that does not exist", "web", attribute, group("sg-none"), "ImplicitDeny"},
		{"a call without a group is about any", "web", attribute, region, "ImplicitDeny"},
		{"one group is listed by its ID", "web", "DescribeSecurityGroups", with(region, "SecurityGroupIds", `["sg-web"]`), ""},
		{"but not along with others", "web", "DescribeSecurityGroups", with(region, "SecurityGroupIds", `["sg-web","sg-db"]`), "ImplicitDeny"},
		{"nor in a listing of all", "web", "DescribeSecurityGroups", region, "ImplicitDeny"},
		{"revoking in one group", "web", revoke, rule("sg-web", "10.0.0.0/8"), ""},
		{"revoking in another", "web", revoke, rule("sg-db", "10.0.0.0/8"), "ImplicitDeny"},
		{"authorizing cannot be narrowed down to a group", "webscope", authorize, rule("sg-web", "10.0.0.0/8"), "ImplicitDeny"},
		{"a denial outweighs what allows everything", "notdb", revoke, rule("sg-db", "10.0.0.0/8"), "ExplicitDeny"},
		{"and leaves the rest alone", "notdb", revoke, rule("sg-web", "10.0.0.0/8"), ""},
		{"by tag", "prod", attribute, group("sg-web"), ""},
		{"by another tag", "prod", attribute, group("sg-far"), "ImplicitDeny"},
		{"by tag, of no group", "prod", attribute, group("sg-none"), "ImplicitDeny"},
		{"authorizing cannot be allowed by tag", "prod", authorize, rule("sg-web", "10.0.0.0/8"), "ImplicitDeny"},
		{"listed by tag", "prod", "DescribeSecurityGroups", with(region, "SecurityGroupIds", `["sg-web"]`), ""},
		{
			"listed by tag, of each group", "prod", "DescribeSecurityGroups",
			with(region, "SecurityGroupIds", `["sg-web","sg-far"]`, "SecurityGroupName", "web"), "ImplicitDeny",
		},
		{
			"more groups than are looked at", "groups", "DescribeSecurityGroups",
			with(region, "SecurityGroupIds", `["sg-a"`+strings.Repeat(`,"sg-a"`, 1000)+`]`), "ImplicitDeny",
		},
		{
			"by protocol, of a rule beside the list", "tcp", authorize, with(rule("sg-web", "10.0.0.0/8"), "IpProtocol", "udp",
				"Permissions.1.IpProtocol", "tcp", "Permissions.1.PortRange", "1/1", "Permissions.1.DestCidrIp", "10.0.0.0/8"),
			"ImplicitDeny",
		},
		{"authorizing is allowed by the general key of tags", "general", authorize, rule("sg-web", "10.0.0.0/8"), ""},
		{"denied by tag", "keep", revoke, rule("sg-web", "10.0.0.0/8"), "ExplicitDeny"},
		{"not denied by another tag", "keep", revoke, rule("sg-far", "10.0.0.0/8"), ""},
		{"plain HTTP where TLS is demanded", "tls", "DescribeRegions", nil, "ImplicitDeny"},
		{"from here", "local", "DescribeRegions", nil, ""},
		{"not from here", "elsewhere", "DescribeRegions", nil, "ImplicitDeny"},
		{"before a date", "march", "DescribeRegions", nil, ""},
		{"after a date", "april", "DescribeRegions", nil, "ImplicitDeny"},
		{"by protocol, whatever its case", "tcp", authorize, rule("sg-web", "10.0.0.0/8"), ""},
		{
			"by protocol, of each rule", "tcp", authorize, with(group("sg-web"), "Permissions.1.IpProtocol", "tcp",
				"Permissions.1.PortRange", "1/1", "Permissions.1.DestCidrIp", "10.0.0.0/8", "Permissions.2.IpProtocol", "udp",
				"Permissions.2.PortRange", "1/1", "Permissions.2.DestCidrIp", "10.0.0.0/8"), "ImplicitDeny",
		},
		{"by network", "ten", authorize, rule("sg-web", "10.0.0.0/8"), ""},
		{"by another network", "ten", authorize, rule("sg-web", "0.0.0.0/0"), "ImplicitDeny"},
		{"by a tag that is asked for", "tagger", "CreateSecurityGroup", with(region, "VpcId", "vpc-1", "Tag.1.Key", "team", "Tag.1.Value", "a"), ""},
		{"by a tag that is not", "tagger", "CreateSecurityGroup", with(region, "VpcId", "vpc-1"), "ImplicitDeny"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, scheme := range []acs.Scheme{acs.RPC, acs.ACS3} {
				checkDenied(t, as(r, test.user).in(scheme).call(t, test.action, test.business), test.denied)
			}
		})
	}
	t.Run("TLS where TLS is demanded", func(t *testing.T) {
		secure := as(r, "tls")
		secure.secure = true
		checkDenied(t, secure.call(t, "DescribeRegions", nil), "")
	})
}

func checkDenied(t *testing.T, got answer, denied string) {
	t.Helper()
	if denied == "" {
		if got.status != http.StatusOK {
			t.Errorf("got status %d, want 200: %s", got.status, got.raw)
		}
		return
	}
	detail, _ := got.body["AccessDeniedDetail"].(map[string]any)
	if got.status != http.StatusForbidden || got.code() != "Forbidden.RAM" || detail["NoPermissionType"] != denied {
		t.Errorf("got status %d, want a denial of type %s: %s", got.status, denied, got.raw)
	}
}

func TestADenialSaysWhatWasDenied(t *testing.T) {
	r := startPeople(t, []cloud.User{user("nobody")}, nil)
	got := as(r, "nobody").call(t, "DescribeRegions", nil)
	id := as(r, "nobody").must(t, "GetCallerIdentity", nil).text("UserId")
	want := map[string]any{
		"AuthAction": "ecs:DescribeRegions", "AuthPrincipalType": "SubUser", "AuthPrincipalOwnerId": homeAccount,
		"AuthPrincipalDisplayName": id, "NoPermissionType": "ImplicitDeny", "PolicyType": "AccountLevelIdentityBasedPolicy",
	}
	if diff := cmp.Diff(want, got.body["AccessDeniedDetail"]); diff != "" {
		t.Errorf("detail (-want +got):\n%s", diff)
	}
	if want := "User not authorized to operate on the specified resource, or this API doesn't support RAM."; got.message() != want {
		t.Errorf("got message %q, want %q", got.message(), want)
	}
}

func TestDeniedCallsChangeNothing(t *testing.T) {
	r := startPeople(t, []cloud.User{user("reader", policy(allow("ecs:Describe*", "*")))}, nil)
	group := params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-web")
	rule := with(group, "IpProtocol", "tcp", "PortRange", "1/1", "DestCidrIp", "10.0.0.0/8")
	must(t, r, "AuthorizeSecurityGroupEgress", rule)
	before := rulesOf(t, r, "sg-web")
	for _, action := range []string{"RevokeSecurityGroupEgress", "AuthorizeSecurityGroupEgress", "DeleteSecurityGroup"} {
		checkDenied(t, as(r, "reader").call(t, action, with(rule, "DestCidrIp", "10.0.0.0/8")), "ImplicitDeny")
	}
	if diff := cmp.Diff(before, rulesOf(t, r, "sg-web")); diff != "" {
		t.Errorf("rules (-before +after):\n%s", diff)
	}
}

func TestCallerIdentityOfAUser(t *testing.T) {
	r := startPeople(t, []cloud.User{user("ann")}, nil)
	got := as(r, "ann").must(t, "GetCallerIdentity", nil).body
	delete(got, "RequestId")
	id, _ := got["UserId"].(string)
	want := map[string]any{
		"AccountId": homeAccount, "UserId": id, "PrincipalId": id, "Arn": "acs:ram::" + homeAccount + ":user/ann",
		"IdentityType": "RAMUser",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(id) != 18 {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
}

func TestPeopleThatMakeNoSenseAreRefused(t *testing.T) {
	good := trust(`["acs:ram::1:root"]`)
	for _, test := range []struct {
		name   string
		estate ecsemu.Estate
		want   string
	}{
		{
			"a policy that is none",
			ecsemu.Estate{Users: []cloud.User{user("a"), user("b", policy(allow("*", "*")), `{"Version":"1"}`)}},
			`estate: account 1234567890123456: user "b": policy 2: Statement is missing`,
		},
		{
			"a trust policy with a resource",
			ecsemu.Estate{Roles: []cloud.Role{{Name: "r", Trust: policy(allow("*", "*"))}}},
			`estate: account 1234567890123456: role "r": trust policy: statement 1: `,
		},
		{
			"a role's policy that is none",
			ecsemu.Estate{Roles: []cloud.Role{{Name: "r", Trust: good, Policies: []string{"x"}}}},
			`estate: account 1234567890123456: role "r": policy 1: `,
		},
		{
			"a user twice",
			ecsemu.Estate{Users: []cloud.User{user("a"), user("a")}},
			`estate: account 1234567890123456: user 2: the name "a" is empty or given twice`,
		},
		{
			"a user without a name",
			ecsemu.Estate{Users: []cloud.User{user("")}},
			`estate: account 1234567890123456: user 1: the name "" is empty or given twice`,
		},
		{
			"a role twice",
			ecsemu.Estate{Roles: []cloud.Role{{Name: "r", Trust: good}, {Name: "r", Trust: good}}},
			`estate: account 1234567890123456: role 2: the name "r" is empty or given twice`,
		},
		{
			"a role without a name",
			ecsemu.Estate{Roles: []cloud.Role{{Trust: good}}},
			`estate: account 1234567890123456: role 1: the name "" is empty or given twice`,
		},
		{
			"a session of negative length",
			ecsemu.Estate{Roles: []cloud.Role{{Name: "r", Trust: good, MaxSession: -1}}},
			`estate: account 1234567890123456: role "r": the longest session must not be negative`,
		},
		{
			"a key of no user",
			ecsemu.Estate{Keys: []ecsemu.AccessKey{{ID: "k", Secret: "s", User: "ann"}}},
			`emulator options: access key "k": the account 1234567890123456 has no user "ann"`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ecsemu.New(ecsemu.Options{Estate: &test.estate})
			if err == nil || len(err.Error()) < len(test.want) || err.Error()[:len(test.want)] != test.want {
				t.Errorf("got error %v, want %s", err, test.want)
			}
		})
	}
}

// TestARuleThatSaysNothingIsAskedAboutToo has calls that bring no rule that policies could ask about.
func TestARuleThatSaysNothingIsAskedAboutToo(t *testing.T) {
	r := startPeople(t, []cloud.User{user("nobody")}, nil)
	group := params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-web")
	for _, action := range []string{"AuthorizeSecurityGroup", "AuthorizeSecurityGroupEgress"} {
		checkDenied(t, as(r, "nobody").call(t, action, with(group, "DestCidrIp", "10.0.0.0/8")), "ImplicitDeny")
	}
	for _, action := range []string{"ModifySecurityGroupRule", "ModifySecurityGroupEgressRule"} {
		checkDenied(t, as(r, "nobody").call(t, action, with(group, "SecurityGroupRuleId", "sgr-a", "Priority", "2")), "ImplicitDeny")
	}
}
