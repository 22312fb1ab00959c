package ecsemu_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

func TestModifiedRulesKeepTheirID(t *testing.T) {
	rule := func(id string, pairs ...string) url.Values {
		return with(web("SecurityGroupRuleId", id), pairs...)
	}
	for _, test := range []struct {
		name   string
		id     string
		params []string
		want   map[string]string // What is different from before, as it reads back.
	}{
		{"the ports", "sgr-tcp", []string{"PortRange", "22/22"}, map[string]string{"PortRange": "22/22"}},
		{"a destination of the same kind", "sgr-tcp", []string{"DestCidrIp", "10.0.0.1"}, map[string]string{"DestCidrIp": "10.0.0.1"}},
		{"the policy", "sgr-five", []string{"Policy", "drop"}, map[string]string{"Policy": "Drop"}},
		{"the priority", "sgr-tcp", []string{"Priority", "7"}, map[string]string{"Priority": "7"}},
		{"protocol and ports", "sgr-tcp", []string{"IpProtocol", "all", "PortRange", "-1/-1"}, map[string]string{"IpProtocol": "ALL", "PortRange": "-1/-1"}},
		{"a source for one of an address", "sgr-five", []string{"SourceCidrIp", "10.9.0.0/16"}, map[string]string{"SourceCidrIp": "10.9.0.0/16"}},
		{"a source in IPv6", "sgr-v6", []string{"Ipv6SourceCidrIp", "::/0"}, map[string]string{"Ipv6SourceCidrIp": "::/0"}},
		{"an address in IPv6", "sgr-v6", []string{"Ipv6DestCidrIp", "2001:db8:1::/48"}, map[string]string{"Ipv6DestCidrIp": "2001:db8:1::/48"}},
		{"the priority of one in IPv6", "sgr-six", []string{"Priority", "7"}, map[string]string{"Priority": "7"}},
		{"another port list", "sgr-ports", []string{"PortRangeListId", "prl-other"}, map[string]string{"PortRangeListId": "prl-other", "PortRangeListName": "other"}},
		{"the owner of a group", "sgr-foreign", []string{"DestGroupId", "sg-db", "DestGroupOwnerId", "43"}, map[string]string{"DestGroupOwnerAccount": "43"}},
		{"the description of a group rule", "sgr-group", []string{"Description", "new"}, map[string]string{"Description": "new"}},
		{"the description of a list rule", "sgr-list", []string{"Description", "new"}, map[string]string{"Description": "new"}},
		{"the description of what could not be created today", "sgr-legacy", []string{"Description", "new"}, map[string]string{"Description": "new"}},
		{"nothing, in other words", "sgr-tcp", []string{"PortRange", "443/443", "Policy", "ACCEPT"}, map[string]string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startRevocable(t)
			read := func() map[string]map[string]any {
				byID := map[string]map[string]any{}
				for _, rule := range rulesOf(t, r, "sg-web") {
					byID[fmt.Sprint(rule["SecurityGroupRuleId"])] = rule
				}
				return byID
			}
			before := read()
			must(t, r, modify, rule(test.id, test.params...))
			effect := r.Server.Requests()[1].Effect
			after := read()
			changed := map[string]string{}
			for name, value := range after[test.id] {
				if value != before[test.id][name] {
					changed[name] = fmt.Sprint(value)
				}
			}
			if diff := cmp.Diff(test.want, changed); diff != "" || effect != (len(test.want) > 0) {
				t.Errorf("effect on record %t; changes (-want +got):\n%s", effect, diff)
			}
			delete(before, test.id)
			delete(after, test.id)
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("other rules (-before +after):\n%s", diff)
			}
		})
	}
}

func TestRefusedModifications(t *testing.T) {
	rule := func(id string, pairs ...string) url.Values {
		return with(web("SecurityGroupRuleId", id), pairs...)
	}
	parts := []string{"IpProtocol", "tcp", "PortRange", "443/443", "DestCidrIp", "10.0.0.0/9", "Description", "new"}
	r := startRevocable(t)
	for _, test := range []refusalTest{
		{"an unknown ID", modify, rule("sgr-none", "Priority", "2"), 404, "InvalidSecurityGroupRuleId.NotFound"},
		{"the ID of a rule of another group", modify, rule("sgr-db", "Priority", "2"), 404, "InvalidSecurityGroupRuleId.NotFound"},
		{"no rule with these parts", modify, web(parts...), 404, "SecurityGroupRule.NotFound"},
		{"nothing to change", modify, rule("sgr-tcp"), 400, "InvalidParam.InvalidModifyRuleRequest"},
		{"another kind of destination", modify, rule("sgr-tcp", "DestGroupId", "sg-db"), 400, "InvalidOperation.ModifySgRuleEntityType"},
		{"the other family", modify, rule("sgr-tcp", "Ipv6DestCidrIp", "::/0"), 400, "InvalidOperation.ModifySgRuleEntityType"},
		{"a card that groups in VPCs have not", modify, rule("sgr-tcp", "NicType", "internet"), 400, "InvalidOperation.ModifyNicType"},
		{"the other card", modify, rule("sgr-out", "SecurityGroupId", "sg-classic", "NicType", "intranet"), 400, "InvalidOperation.ModifyNicType"},
		{"what another rule is already", modify, rule("sgr-tcp", "Priority", "2"), 400, "InvalidOperation.RuleDuplicate"},
		{"a group that is not there", modify, rule("sgr-group", "DestGroupId", "sg-none"), 404, "InvalidDestGroupId.NotFound"},
		{"ports that do not go with the protocol", modify, rule("sgr-tcp", "IpProtocol", "all"), 400, "InvalidParam.ProtocolAndPortRangeMismatch"},
		{"ports instead of a port list", modify, rule("sgr-ports", "PortRange", "1/2"), 400, "InvalidOperation.ModifyPortRangeType"},
		{"a port list instead of ports", modify, rule("sgr-v6", "PortRangeListId", "prl-known"), 400, "InvalidOperation.ModifyPortRangeType"},
		{"too long a description", modify, rule("sgr-legacy", "Description", strings.Repeat("a", 513)), 400, "InvalidSecurityGroupDiscription.Malformed"},
		{"a managed group", modify, rule("sgr-managed", "SecurityGroupId", "sg-managed", "Priority", "2"), 403, "InvalidOperation.ResourceManagedByCloudProduct"},
		{"deleting a group that is a destination", "DeleteSecurityGroup", params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-db"), 403, "DependencyViolation"},
		{"deleting a managed group", "DeleteSecurityGroup", params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-managed"), 403, "InvalidOperation.ResourceManagedByCloudProduct"},
		{"deleting an unknown group", "DeleteSecurityGroup", params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-none"), 404, "InvalidSecurityGroupId.NotFound"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := rulesOf(t, r, "sg-web")
			got := call(t, r, test.action, test.params)
			if got.status != test.status || got.code() != test.code {
				t.Errorf("got %d %q, want %d %q; body: %s", got.status, got.code(), test.status, test.code, got.raw)
			}
			if diff := cmp.Diff(before, rulesOf(t, r, "sg-web")); diff != "" {
				t.Errorf("rules (-before +after):\n%s", diff)
			}
		})
	}
}

func TestDeletedGroups(t *testing.T) {
	other := ecsemu.AccessKey{ID: "LTAIother", Secret: "s", Account: "42"}
	r := startRevocable(t, func(o *ecsemu.Options) {
		o.Keys = []ecsemu.AccessKey{{ID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret}, other}
	})
	deletion := func(id string) answer {
		return call(t, r, "DeleteSecurityGroup", params("RegionId", "cn-hangzhou", "SecurityGroupId", id))
	}
	if got := deletion("sg-web"); got.status != 200 || r.Server.Rules("cn-hangzhou", "sg-web") != nil {
		t.Errorf("got %d %q for a group with rules", got.status, got.code())
	}
	// Another account's rule holds a group as well.
	create := params("RegionId", "cn-hangzhou", "VpcId", "vpc-1", "AccessKeyId", other.ID)
	foreign := post(t, r, signed("POST", other.Secret, common("CreateSecurityGroup", create))).text("SecurityGroupId")
	rule := params("RegionId", "cn-hangzhou", "SecurityGroupId", foreign, "IpProtocol", "all", "PortRange", "-1/-1",
		"DestGroupId", "sg-db", "DestGroupOwnerId", ecsemu.DefaultAccount, "AccessKeyId", other.ID)
	if got := post(t, r, signed("POST", other.Secret, common(authorize, rule))); got.status != 200 {
		t.Fatalf("got %d: %s", got.status, got.raw)
	}
	if got := deletion("sg-db").code(); got != "DependencyViolation" {
		t.Errorf("got code %q for the destination of another account's rule", got)
	}
	if got := post(t, r, signed("POST", other.Secret, common(revoke, rule))); got.status != 200 {
		t.Fatalf("got %d: %s", got.status, got.raw)
	}
	if got := deletion("sg-db"); got.status != 200 {
		t.Errorf("got %d %q once nothing leads to it", got.status, got.code())
	}
}

func TestWhatDoesNotHoldAGroup(t *testing.T) {
	rules := func(toAccount string) []ecsemu.Rule {
		return []ecsemu.Rule{{ID: "sgr-a", Protocol: "all", Peer: "sg-held", PeerAccount: toAccount}}
	}
	for name, groups := range map[string][]ecsemu.Group{
		"a rule of its own": {{ID: "sg-held", VPC: "vpc-1", Egress: rules("")}},
		"another account's group of the same ID in a rule": {{ID: "sg-held", VPC: "vpc-1"}, {ID: "sg-other", VPC: "vpc-1", Egress: rules("42")}},
	} {
		t.Run(name, func(t *testing.T) {
			r := ecsemu.Start(t, &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "r", Groups: groups}}}, atStoppedClock)
			must(t, r, "DeleteSecurityGroup", params("RegionId", "r", "SecurityGroupId", "sg-held"))
		})
	}
}

func TestUntagging(t *testing.T) {
	tags := func(pairs ...string) url.Values {
		return with(params("RegionId", "cn-hangzhou", "ResourceType", "securitygroup", "ResourceId.1", "sg-web",
			"ResourceId.2", "sg-far"), pairs...)
	}
	for _, test := range []struct {
		name   string
		params url.Values
		want   []string // The tags left on sg-web and sg-far.
	}{
		{"some", tags("TagKey.1", "env", "TagKey.2", "none"), []string{"empty="}},
		{"all", tags("All", "true"), nil},
		{"some win over all", tags("TagKey.1", "empty", "All", "true"), []string{"env=prod", "env=dev"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startSmall(t)
			must(t, r, "UntagResources", test.params)
			must(t, r, "UntagResources", test.params)
			if requests := r.Server.Requests(); !requests[0].Effect || requests[1].Effect {
				t.Error("want an effect on record for the first call, and none for the second")
			}
			var got []string
			for _, g := range must(t, r, "DescribeSecurityGroups", params("RegionId", "cn-hangzhou")).list("SecurityGroups", "SecurityGroup") {
				list, _ := g["Tags"].(map[string]any)["Tag"].([]any)
				for _, e := range list {
					tag, _ := e.(map[string]any)
					got = append(got, fmt.Sprintf("%s=%s", tag["TagKey"], tag["TagValue"]))
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("tags left (-want +got):\n%s", diff)
			}
		})
	}
	var keys []string
	for i := range 21 {
		keys = append(keys, fmt.Sprintf("TagKey.%d", i+1), "k")
	}
	checkRefusals(t, []refusalTest{
		{"no keys", "UntagResources", tags(), 404, "MissingParameter.Tags"},
		{"21 keys", "UntagResources", tags(keys...), 400, "NumberExceed.Tags"},
		{"all perhaps", "UntagResources", tags("All", "1"), 400, "InvalidParameter"},
		{"no region", "UntagResources", tags("RegionId", "", "All", "true"), 404, "MissingParameter.RegionId"},
		{"an unknown group", "UntagResources", tags("ResourceId.2", "sg-none", "All", "true"), 404, "InvalidResourceId.NotFound"},
	})
}
