package ecsemu_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

func TestWhatPoliciesCanNarrowAnActionDownTo(t *testing.T) {
	group := hangzhou("SecurityGroupId", "sg-web")
	list, ports := hangzhou("PrefixListId", "pl-v4"), hangzhou("PortRangeListId", "prl-known")
	tests := []struct {
		action    string
		params    url.Values
		resources string // What is needed, with blanks between; of the region and account unless it says more.
	}{
		{"DescribeSecurityGroups", hangzhou(), "securitygroup/*"},
		{"DescribeSecurityGroups", group, "securitygroup/sg-web"},
		{"DescribeSecurityGroups", hangzhou("SecurityGroupIds", `["sg-web","sg-db"]`), "securitygroup/sg-web securitygroup/sg-db"},
		{"DescribeSecurityGroupReferences", hangzhou("SecurityGroupId.1", "sg-web", "SecurityGroupId.2", "sg-db"), "securitygroup/sg-web securitygroup/sg-db"},
		{"CreateSecurityGroup", hangzhou(), "securitygroup/*"},
		{"CreateSecurityGroup", hangzhou("VpcId", "vpc-1"), "securitygroup/* acs:vpc:cn-hangzhou:" + homeAccount + ":vpc/vpc-1"},
		{"ModifySecurityGroupAttribute", group, "securitygroup/sg-web"},
		{"ModifySecurityGroupPolicy", with(group, "InnerAccessPolicy", "Drop"), "securitygroup/sg-web"},
		{"JoinResourceGroup", hangzhou("ResourceType", "securitygroup", "ResourceId", "sg-web", "ResourceGroupId", "rg-a"), "securitygroup/sg-web"},
		{"DeleteSecurityGroup", hangzhou("SecurityGroupId", "sg-far"), "securitygroup/sg-far"},
		{"TagResources", tagging("ResourceId.1", "sg-web", "ResourceId.2", "sg-db", "Tag.1.Key", "k"), "securitygroup/sg-web securitygroup/sg-db"},
		{"UntagResources", tagging("ResourceId.1", "sg-web", "TagKey.1", "k"), "securitygroup/sg-web"},
		{"AddTags", tagging("ResourceId", "sg-web", "Tag.1.Key", "k"), "securitygroup/sg-web"},
		{"RemoveTags", tagging("ResourceId", "sg-web", "Tag.1.Key", "k"), "securitygroup/sg-web"},
		{"DescribePrefixLists", hangzhou(), "prefixlist/*"},
		{"DescribePrefixLists", hangzhou("PrefixListId.1", "pl-v4"), "prefixlist/pl-v4"},
		{"DescribePrefixListAttributes", list, "prefixlist/pl-v4"},
		{"DescribePrefixListAssociations", list, "prefixlist/pl-v4"},
		{"ModifyPrefixList", list, "prefixlist/pl-v4"},
		{"DeletePrefixList", list, "prefixlist/pl-v4"},
		{"CreatePortRangeList", hangzhou("PortRangeListName", "list", "MaxEntries", "1"), "portrangelist/*"},
		{"DescribePortRangeLists", hangzhou(), "portrangelist/*"},
		{"DescribePortRangeListEntries", ports, "portrangelist/prl-known"},
		{"DescribePortRangeListAssociations", ports, "portrangelist/prl-known"},
		{"ModifyPortRangeList", ports, "portrangelist/prl-known"},
		{"DescribeNetworkInterfaces", hangzhou(), "eni/*"},
	}
	// Of two users, one may act on all that is needed, and the other on all but the last of it.
	users := make([]cloud.User, 0, 2*len(tests))
	for i, test := range tests {
		var statements []string
		for resource := range strings.FieldsSeq(test.resources) {
			if !strings.HasPrefix(resource, "acs:") {
				resource = "acs:ecs:cn-hangzhou:" + homeAccount + ":" + resource
			}
			statements = append(statements, allow("ecs:"+test.action, resource))
		}
		last := len(statements) - 1
		less := append([]string{allow("ecs:"+test.action, "acs:ecs:cn-hangzhou:"+homeAccount+":other/*")}, statements[:last]...)
		users = append(users, user(fmt.Sprintf("all%d", i), policy(strings.Join(statements, ","))),
			user(fmt.Sprintf("less%d", i), policy(strings.Join(less, ","))))
	}
	r := startPeople(t, users, nil)
	for i, test := range tests {
		t.Run(fmt.Sprintf("%s of %s", test.action, test.resources), func(t *testing.T) {
			if got := as(r, fmt.Sprintf("less%d", i)).call(t, test.action, test.params); got.status != 403 || got.code() != "Forbidden.RAM" {
				t.Errorf("with less than it needs: got %d %q", got.status, got.code())
			}
			if got := as(r, fmt.Sprintf("all%d", i)).call(t, test.action, test.params); got.status != 200 {
				t.Errorf("with what it needs: got %d %s", got.status, got.raw)
			}
		})
	}
}

func TestWhatPoliciesCannotNarrowDown(t *testing.T) {
	calls := map[string]url.Values{
		"ListTagResources": tagging("ResourceId.1", "sg-web"), "DescribeTags": hangzhou(), "DescribeVpcs": hangzhou(),
		"CreatePrefixList": hangzhou("PrefixListName", "list", "AddressFamily", "IPv4", "MaxEntries", "1"),
	}
	r := startPeople(t, []cloud.User{
		user("narrow", policy(allow("ecs:*", "acs:ecs:*:*:*"))), user("wide", policy(allow("ecs:*", "*"))),
	}, nil)
	for action, params := range calls {
		if got := as(r, "narrow").call(t, action, params); got.code() != "Forbidden.RAM" {
			t.Errorf("%s with all resources by their names: got %d %q", action, got.status, got.code())
		}
		if got := as(r, "wide").call(t, action, params); got.status != 200 {
			t.Errorf("%s with *: got %d %s", action, got.status, got.raw)
		}
	}
}

func TestAnInterfaceThatJoinsIsTheResource(t *testing.T) {
	joining := allow("ecs:JoinResourceGroup", "acs:ecs:cn-hangzhou:"+homeAccount+":eni/eni-none")
	r := startPeople(t, []cloud.User{user("card", policy(joining))}, nil)
	for kind, want := range map[string]string{"eni": "InvalidResourceId.NotFound", "securitygroup": "Forbidden.RAM"} {
		query := hangzhou("ResourceType", kind, "ResourceId", "eni-none", "ResourceGroupId", "rg-a")
		if got := as(r, "card").call(t, "JoinResourceGroup", query); got.code() != want {
			t.Errorf("%s: got %d %q, want %q", kind, got.status, got.code(), want)
		}
	}
}
