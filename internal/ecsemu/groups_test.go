package ecsemu_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// hangzhou are parameters in the region of the small estate.
func hangzhou(pairs ...string) url.Values { return with(params("RegionId", "cn-hangzhou"), pairs...) }

// oneGroup gives a group as the listing tells it.
func oneGroup(t fatal, r *ecsemu.Running, id string, pairs ...string) map[string]any {
	t.Helper()
	got := must(t, r, "DescribeSecurityGroups", with(hangzhou("SecurityGroupId", id), pairs...))
	groups := got.list("SecurityGroups", "SecurityGroup")
	if len(groups) != 1 {
		t.Fatalf("listing %s: got %d groups: %s", id, len(groups), got.raw)
	}
	return groups[0]
}

func TestACreatedGroupIsListedWithAllThatWasAskedFor(t *testing.T) {
	r := startSmall(t)
	id := must(t, r, "CreateSecurityGroup", hangzhou(
		"SecurityGroupName", "web:é.1_-", "Description", "for the web", "VpcId", "vpc-1", "SecurityGroupType", "enterprise",
		"ResourceGroupId", "rg-abc", "ServiceManaged", "false", "Tag.1.Key", "env", "Tag.1.Value", "prod",
	)).text("SecurityGroupId")
	got := oneGroup(t, r, id)
	want := map[string]any{
		"SecurityGroupId": id, "SecurityGroupName": "web:é.1_-", "Description": "for the web", "VpcId": "vpc-1",
		"SecurityGroupType": "enterprise", "ResourceGroupId": "rg-abc", "ServiceManaged": false,
		"CreationTime": "2026-03-01T12:00:30Z", "RuleCount": json.Number("0"), "GroupToGroupRuleCount": json.Number("0"),
		"Tags": map[string]any{"Tag": []any{map[string]any{"TagKey": "env", "TagValue": "prod"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
}

func TestModifyingAGroupChangesWhatIsGivenOnly(t *testing.T) {
	r := startSmall(t)
	steps := []struct {
		name        string
		params      []string
		group, desc string
	}{
		{"a name", []string{"SecurityGroupName", "new"}, "new", ""},
		{"a description", []string{"Description", "why"}, "new", "why"},
		{"neither", nil, "new", "why"},
		{"an empty name", []string{"SecurityGroupName", ""}, "new", "why"},
		{"both", []string{"SecurityGroupName", "web", "Description", "how"}, "web", "how"},
		{"an empty description clears it", []string{"Description", ""}, "web", ""},
	}
	for _, step := range steps {
		must(t, r, "ModifySecurityGroupAttribute", web(step.params...))
		got := oneGroup(t, r, "sg-web")
		if got["SecurityGroupName"] != step.group || got["Description"] != step.desc {
			t.Errorf("%s: got %v %q, want %s %q", step.name, got["SecurityGroupName"], got["Description"], step.group, step.desc)
		}
	}
}

func TestThePolicyAmongTheMembersOfAGroup(t *testing.T) {
	r := startSmall(t)
	inner := func(id string) string {
		return must(t, r, "DescribeSecurityGroupAttribute", hangzhou("SecurityGroupId", id)).text("InnerAccessPolicy")
	}
	if web, ent := inner("sg-web"), inner("sg-ent"); web != "Accept" || ent != "Drop" {
		t.Errorf("got %s for a normal group and %s for an enterprise one, want Accept and Drop", web, ent)
	}
	for _, policy := range []struct{ given, told string }{{"drop", "Drop"}, {"Accept", "Accept"}, {"DROP", "Drop"}} {
		must(t, r, "ModifySecurityGroupPolicy", web("InnerAccessPolicy", policy.given))
		if got := inner("sg-web"); got != policy.told {
			t.Errorf("after %s: got %s", policy.given, got)
		}
	}
}

func TestJoiningAResourceGroup(t *testing.T) {
	estate := smallEstate()
	estate.ResourceGroups = []string{"rg-1", "rg-2"}
	estate.Regions[0].Interfaces = []ecsemu.Interface{{ID: "eni-1", VPC: "vpc-1"}}
	r := ecsemu.Start(t, estate, atStoppedClock)
	join := func(pairs ...string) answer { return call(t, r, "JoinResourceGroup", hangzhou(pairs...)) }
	group := []string{"ResourceType", "securitygroup", "ResourceId", "sg-web", "ResourceGroupId"}
	if got := join(append(group, "rg-1")...); got.status != 200 {
		t.Fatalf("joining: %s", got.raw)
	}
	if got := oneGroup(t, r, "sg-web", "ResourceGroupId", "rg-1")["ResourceGroupId"]; got != "rg-1" {
		t.Errorf("got resource group %v", got)
	}
	if got := join(append(group, "rg-1")...); got.status != 403 || got.code() != "InvalidResourceGroup.Duplicate" {
		t.Errorf("joining it again: got %d %q", got.status, got.code())
	}
	if got := join(append(group, "rg-3")...); got.status != 404 || got.code() != "InvalidResourceGroup.NotFound" {
		t.Errorf("joining one that the account does not have: got %d %q", got.status, got.code())
	}
	if got := join("ResourceType", "eni", "ResourceId", "eni-1", "ResourceGroupId", "rg-2"); got.status != 200 {
		t.Fatalf("joining with an interface: %s", got.raw)
	}
	if got := join("ResourceType", "eni", "ResourceId", "eni-1", "ResourceGroupId", "rg-2"); got.code() != "InvalidResourceGroup.Duplicate" {
		t.Errorf("joining with it again: got %d %q", got.status, got.code())
	}
	for kind, id := range map[string]string{"eni": "eni-none", "instance": "eni-1", "securitygroup": "sg-none"} {
		if got := join("ResourceType", kind, "ResourceId", id, "ResourceGroupId", "rg-1"); got.code() != "InvalidResourceId.NotFound" {
			t.Errorf("joining with %s as %s: got %d %q", id, kind, got.status, got.code())
		}
	}
	cards := must(t, r, "DescribeNetworkInterfaces", hangzhou("ResourceGroupId", "rg-2"))
	if got := cards.list("NetworkInterfaceSets", "NetworkInterfaceSet"); len(got) != 1 {
		t.Errorf("got %d interfaces in the resource group", len(got))
	}
}

func TestGroupsThatAreUsedAreNotDeleted(t *testing.T) {
	estate := smallEstate()
	region := &estate.Regions[0]
	region.Interfaces = []ecsemu.Interface{{ID: "eni-1", VPC: "vpc-1", Groups: []string{"sg-db"}}}
	region.Groups = append(region.Groups,
		ecsemu.Group{ID: "sg-a", Name: "a", VPC: "vpc-1", Egress: []ecsemu.Rule{{Protocol: "all", Peer: "sg-web"}}},
		ecsemu.Group{ID: "sg-b", Name: "b", VPC: "vpc-1", Ingress: []ecsemu.Rule{{Protocol: "all", Peer: "sg-a"}}},
		ecsemu.Group{ID: "sg-self", Name: "s", VPC: "vpc-1", Egress: []ecsemu.Rule{{Protocol: "all", Peer: "sg-self"}}},
	)
	estate.Others = []ecsemu.Estate{{Account: "42", Regions: []ecsemu.Region{{ID: "cn-hangzhou", Groups: []ecsemu.Group{
		{ID: "sg-theirs", Name: "t", VPC: "vpc-1", Egress: []ecsemu.Rule{
			{Protocol: "all", Peer: "sg-far", PeerAccount: ecsemu.DefaultAccount}, {Protocol: "all", Peer: "sg-ports"},
		}},
	}}}}}
	r := ecsemu.Start(t, estate, atStoppedClock)
	for _, test := range []struct {
		name, id string
		message  string // Of the refusal; empty if it is deleted.
	}{
		{"an interface is in it", "sg-db", "There is still instance(s) in the specified security group."},
		{"a rule leads to it", "sg-web", "The specified security group has been authorized in another one."},
		{"a rule admits it", "sg-a", "The specified security group has been authorized in another one."},
		{"a rule of another account leads to it", "sg-far", "The specified security group has been authorized in another one."},
		{"only its own rule leads to it", "sg-self", ""},
		{"a rule of another account leads to a group of that account with its ID", "sg-ports", ""},
		{"nothing uses it", "sg-b", ""},
		{"nothing admits it any more", "sg-a", ""},
		{"nothing leads to it any more", "sg-web", ""},
	} {
		got := call(t, r, "DeleteSecurityGroup", hangzhou("SecurityGroupId", test.id))
		listed := len(groupIDs(must(t, r, "DescribeSecurityGroups", hangzhou("SecurityGroupId", test.id))))
		if test.message == "" {
			if got.status != 200 || listed != 0 {
				t.Errorf("%s: got %d %q, and %d groups are left", test.name, got.status, got.code(), listed)
			}
			continue
		}
		if got.status != 403 || got.code() != "DependencyViolation" || got.message() != test.message || listed != 1 {
			t.Errorf("%s: got %d %q %q, and %d groups are left", test.name, got.status, got.code(), got.message(), listed)
		}
	}
}

func TestTheQuotaOfGroups(t *testing.T) {
	r := ecsemu.Start(t, &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "r", GroupQuota: 2}, {ID: "s"}}}, atStoppedClock)
	create := func(region string) answer {
		return call(t, r, "CreateSecurityGroup", params("RegionId", region, "VpcId", "vpc-1"))
	}
	first := create("r").text("SecurityGroupId")
	create("r")
	if got := create("r"); got.status != 403 || got.code() != "QuotaExceed.SecurityGroup" {
		t.Errorf("one too many: got %d %q", got.status, got.code())
	}
	if got := create("s"); got.status != 200 {
		t.Errorf("in another region: %s", got.raw)
	}
	must(t, r, "DeleteSecurityGroup", params("RegionId", "r", "SecurityGroupId", first))
	if got := create("r"); got.status != 200 {
		t.Errorf("after one was deleted: %s", got.raw)
	}
}

func TestCountsOfAGroup(t *testing.T) {
	estate := smallEstate()
	estate.Regions[0].Groups[0].Egress = []ecsemu.Rule{{Protocol: "all", Peer: "10.0.0.0/8"}, {Protocol: "all", Peer: "sg-db"}}
	estate.Regions[0].Groups[0].Ingress = []ecsemu.Rule{{Protocol: "all", Peer: "sg-db"}}
	estate.Regions[0].Interfaces = []ecsemu.Interface{
		{ID: "eni-1", Private: "10.0.0.1", Secondaries: []string{"10.0.0.2", "10.0.0.3"}, Groups: []string{"sg-web", "sg-ent"}},
	}
	r := ecsemu.Start(t, estate, atStoppedClock)
	plain := oneGroup(t, r, "sg-web")
	if got := fmt.Sprint(plain["RuleCount"], " ", plain["GroupToGroupRuleCount"]); got != "3 2" {
		t.Errorf("got %s rules, want 3 in both directions, of which 2 are about groups", got)
	}
	if _, told := plain["EcsCount"]; told {
		t.Error("the count of addresses is told to one that does not ask")
	}
	for id, want := range map[string]string{"sg-web": "3 5997", "sg-ent": "3 65533", "sg-db": "0 6000"} {
		counted := oneGroup(t, r, id, "IsQueryEcsCount", "true")
		if got := fmt.Sprint(counted["EcsCount"], " ", counted["AvailableInstanceAmount"]); got != want {
			t.Errorf("%s: got %s addresses, want %s", id, got, want)
		}
	}
}

func TestEraWithoutPageNumbers(t *testing.T) {
	r := ecsemu.Start(t, pagingEstate(12), atStoppedClock, func(o *ecsemu.Options) { o.Era.NoPageNumbers = true })
	for _, name := range []string{"PageNumber", "PageSize"} {
		got := call(t, r, "DescribeSecurityGroups", params("RegionId", "r", name, "1"))
		if got.status != 400 || got.code() != "NotSupported.PageNumberAndPageSize" {
			t.Errorf("with %s: got %d %q", name, got.status, got.code())
		}
	}
	first := must(t, r, "DescribeSecurityGroups", params("RegionId", "r"))
	second := must(t, r, "DescribeSecurityGroups", params("RegionId", "r", "NextToken", first.text("NextToken")))
	if n, m := len(groupIDs(first)), len(groupIDs(second)); n != 10 || m != 2 || second.text("NextToken") != "" {
		t.Errorf("got pages of %d and %d groups, and the token %q after them", n, m, second.text("NextToken"))
	}
	if _, told := first.body["TotalCount"]; told {
		t.Error("a total is told where there are no page numbers")
	}
}

func TestEraWithoutTheClassicNetwork(t *testing.T) {
	r := startSmall(t, func(o *ecsemu.Options) { o.Era = cloud.Era{VPCOnly: true} })
	if got := call(t, r, "CreateSecurityGroup", hangzhou()); got.status != 403 || got.code() != "InvalidVpcId.NotFound" {
		t.Errorf("without a VPC: got %d %q", got.status, got.code())
	}
	must(t, r, "CreateSecurityGroup", hangzhou("VpcId", "vpc-1"))
}

func TestGroupRefusals(t *testing.T) {
	const create, modify, policy = "CreateSecurityGroup", "ModifySecurityGroupAttribute", "ModifySecurityGroupPolicy"
	const join, references = "JoinResourceGroup", "DescribeSecurityGroupReferences"
	joining := func(pairs ...string) url.Values {
		return with(hangzhou("ResourceType", "securitygroup", "ResourceId", "sg-web", "ResourceGroupId", "rg-x"), pairs...)
	}
	eleven := hangzhou()
	for i := range 11 {
		eleven.Set(fmt.Sprintf("SecurityGroupId.%d", i+1), "sg-web")
	}
	checkRefusals(t, []refusalTest{
		{"a group with a malformed name", create, hangzhou("SecurityGroupName", "9lives"), 400, "InvalidSecurityGroupName.Malformed"},
		{"a group with a name of one letter", create, hangzhou("SecurityGroupName", "a"), 400, "InvalidSecurityGroupName.Malformed"},
		{"a group named like an address", create, hangzhou("SecurityGroupName", "http://a"), 400, "InvalidSecurityGroupName.Malformed"},
		{"a group with too long a description", create, hangzhou("Description", strings.Repeat("a", 257)), 400, "InvalidSecurityGroupDiscription.Malformed"},
		{"a group with too short a description", create, hangzhou("Description", "a"), 400, "InvalidSecurityGroupDiscription.Malformed"},
		{"a group with an address as its description", create, hangzhou("Description", "https://a"), 400, "InvalidSecurityGroupDiscription.Malformed"},
		{"a group of an unknown type", create, hangzhou("SecurityGroupType", "x"), 400, "InvalidParams.GroupType"},
		{"an enterprise group in the classic network", create, hangzhou("SecurityGroupType", "enterprise"), 400, "InvalidParams.VpcIdGroupType"},
		{"a group in an unknown VPC", create, hangzhou("VpcId", "vpc-none"), 404, "InvalidVpcId.NotFound"},
		{"a group in a malformed resource group", create, hangzhou("ResourceGroupId", "nonsense"), 404, "InvalidResourceGroup.NotFound"},
		{"a group that a service is to manage", create, hangzhou("ServiceManaged", "true"), 403, "InvalidOperation.ResourceManagedByCloudProduct"},
		{"a group managed perhaps", create, hangzhou("ServiceManaged", "perhaps"), 400, "InvalidParameter"},
		{"a group with a reserved tag", create, hangzhou("Tag.1.Key", "acs:x"), 400, "InvalidTagKey.Malformed"},
		{"groups with a malformed ID among others", "DescribeSecurityGroups", hangzhou("SecurityGroupIds", `["sg-web","x"]`), 400, "InvalidSecurityGroupId.Malformed"},
		{"a new name that is malformed", modify, web("SecurityGroupName", "-"), 400, "InvalidSecurityGroupName.Malformed"},
		{"a new description that is too long", modify, web("Description", strings.Repeat("é", 257)), 400, "InvalidSecurityGroupDiscription.Malformed"},
		{"a new name for a managed group", modify, web("SecurityGroupId", "sg-managed", "SecurityGroupName", "nn"), 403, "InvalidOperation.ResourceManagedByCloudProduct"},
		{"a new name for no group", modify, hangzhou("SecurityGroupName", "nn"), 400, "MissingParameter"},
		{"a new name for an unknown group", modify, web("SecurityGroupId", "sg-none"), 404, "InvalidSecurityGroupId.NotFound"},
		{"a new name for a malformed group", modify, web("SecurityGroupId", "none"), 400, "InvalidSecurityGroupId.Malformed"},
		{"no inner policy", policy, web(), 400, "MissingParameter"},
		{"an unknown inner policy", policy, web("InnerAccessPolicy", "allow"), 400, "InvalidPolicy.Malformed"},
		{"the inner policy of an enterprise group", policy, web("SecurityGroupId", "sg-ent", "InnerAccessPolicy", "Drop"), 404, "InvalidParameter.InnerAccessPolicy"},
		{"the inner policy of a managed group", policy, web("SecurityGroupId", "sg-managed", "InnerAccessPolicy", "Drop"), 403, "InvalidOperation.ResourceManagedByCloudProduct"},
		{"the inner policy in no region", policy, params("SecurityGroupId", "sg-web"), 400, "MissingParamter.RegionId"},
		{"joining in no region", join, joining("RegionId", ""), 403, "MissingParameter"},
		{"joining with nothing", join, joining("ResourceId", ""), 403, "MissingParameter"},
		{"joining nothing", join, joining("ResourceGroupId", ""), 403, "MissingParameter"},
		{"joining with something unknown", join, joining("ResourceType", "group"), 404, "InvalidResourceType.NotFound"},
		{"joining with a type in capitals", join, joining("ResourceType", "SecurityGroup"), 404, "InvalidResourceType.NotFound"},
		{"joining with an unknown group", join, joining("ResourceId", "sg-none"), 404, "InvalidResourceId.NotFound"},
		{"joining with an unknown instance", join, joining("ResourceType", "instance"), 404, "InvalidResourceId.NotFound"},
		{"joining a malformed group", join, joining("ResourceGroupId", "x"), 404, "InvalidResourceGroup.NotFound"},
		{"references to nothing", references, hangzhou(), 400, "InvalidSecurityGroupId.Malformed"},
		{"references to eleven groups", references, eleven, 400, "InvalidSecurityGroupId.Malformed"},
		{"references to a malformed group", references, hangzhou("SecurityGroupId.1", "x"), 400, "InvalidSecurityGroupId.Malformed"},
		{"references to an unknown group", references, hangzhou("SecurityGroupId.1", "sg-web", "SecurityGroupId.2", "sg-none"), 404, "InvalidSecurityGroupId.NotFound"},
		{"deleting an unknown group", "DeleteSecurityGroup", hangzhou("SecurityGroupId", "sg-none"), 404, "InvalidSecurityGroupId.NotFound"},
		{"deleting a managed group", "DeleteSecurityGroup", hangzhou("SecurityGroupId", "sg-managed"), 403, "InvalidOperation.ResourceManagedByCloudProduct"},
	})
}

func TestReferencesToGroups(t *testing.T) {
	estate := smallEstate()
	region := &estate.Regions[0]
	region.Groups = append(region.Groups,
		ecsemu.Group{ID: "sg-a", Name: "a", VPC: "vpc-1", Egress: []ecsemu.Rule{{Protocol: "all", Peer: "sg-web"}}},
		ecsemu.Group{ID: "sg-b", Name: "b", VPC: "vpc-1", Ingress: []ecsemu.Rule{{Protocol: "all", Peer: "sg-web"}}},
		ecsemu.Group{ID: "sg-c", Name: "c", VPC: "vpc-1", Egress: []ecsemu.Rule{{Protocol: "all", Peer: "sg-c"}}},
	)
	estate.Others = []ecsemu.Estate{{Account: "42", Regions: []ecsemu.Region{{ID: "cn-hangzhou", Groups: []ecsemu.Group{
		{ID: "sg-x", Name: "x", VPC: "vpc-1", Egress: []ecsemu.Rule{{Protocol: "all", Peer: "sg-web", PeerAccount: ecsemu.DefaultAccount}}},
		{ID: "sg-y", Name: "y", VPC: "vpc-1", Egress: []ecsemu.Rule{{Protocol: "all", Peer: "sg-web"}}},
		{ID: "sg-z", Name: "z", VPC: "vpc-1", Egress: []ecsemu.Rule{{Protocol: "all", Peer: "sg-web", PeerAccount: "home"}}},
	}}}}, {Account: "43"}}
	estate.Name = "home"
	r := ecsemu.Start(t, estate, atStoppedClock)
	got := must(t, r, "DescribeSecurityGroupReferences", hangzhou(
		"SecurityGroupId.1", "sg-web", "SecurityGroupId.2", "sg-db", "SecurityGroupId.3", "sg-c", "SecurityGroupId.4", "sg-web"))
	referencing := func(id, account string) any {
		return map[string]any{"SecurityGroupId": id, "AliUid": json.Number(account)}
	}
	want := []map[string]any{{
		"SecurityGroupId": "sg-web",
		"ReferencingSecurityGroups": map[string]any{"ReferencingSecurityGroup": []any{
			referencing("sg-b", ecsemu.DefaultAccount), referencing("sg-a", ecsemu.DefaultAccount), referencing("sg-z", "42"),
			referencing("sg-x", "42"),
		}},
	}}
	if diff := cmp.Diff(want, got.list("SecurityGroupReferences", "SecurityGroupReference")); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestManagedGroupsAreTheDistributors(t *testing.T) {
	r := startSmall(t)
	for id, want := range map[string]any{"sg-managed": json.Number("12345678910"), "sg-web": nil} {
		if got := oneGroup(t, r, id)["ServiceID"]; got != want {
			t.Errorf("%s: got ServiceID %v, want %v", id, got, want)
		}
	}
}
