package ecsemu_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

// told gives the IDs of the rules in an answer, each with its direction.
func told(a answer) []string {
	ids := []string{}
	for _, rule := range a.list("Permissions", "Permission") {
		ids = append(ids, fmt.Sprint(rule["Direction"], " ", rule["SecurityGroupRuleId"]))
	}
	return ids
}

func attributeOf(t fatal, r *ecsemu.Running, pairs ...string) answer {
	t.Helper()
	return must(t, r, "DescribeSecurityGroupAttribute", web(pairs...))
}

func TestDirectionsThatAreAskedFor(t *testing.T) {
	estate := bothWaysEstate()
	g := &estate.Regions[0].Groups[0]
	g.Egress, g.Ingress = g.Egress[:2], g.Ingress[:1]
	r := ecsemu.Start(t, estate, atStoppedClock)
	out, in := []string{"egress sgr-out-tcp", "egress sgr-out-late"}, []string{"ingress sgr-in-tcp"}
	for direction, want := range map[string][]string{
		"": slices.Concat(out, in), "all": slices.Concat(out, in), "egress": out, "ingress": in,
	} {
		if diff := cmp.Diff(want, told(attributeOf(t, r, "Direction", direction))); diff != "" {
			t.Errorf("with Direction %q (-want +got):\n%s", direction, diff)
		}
	}
}

func TestPagesRunOverBothDirections(t *testing.T) {
	estate := bothWaysEstate()
	g := &estate.Regions[0].Groups[0]
	g.Egress, g.Ingress = nil, nil
	for i := range 13 {
		g.Egress = append(g.Egress, ecsemu.Rule{ID: fmt.Sprintf("sgr-out-%02d", i), Protocol: "all", Peer: "10.0.0.0/8", Priority: i + 1})
		g.Ingress = append(g.Ingress, ecsemu.Rule{ID: fmt.Sprintf("sgr-in-%02d", i), Protocol: "all", Peer: "10.0.0.0/8", Priority: i + 1})
	}
	r := ecsemu.Start(t, estate, atStoppedClock)
	want := told(attributeOf(t, r))
	var got, sizes []string
	token := ""
	for range 3 {
		page := attributeOf(t, r, "MaxResults", "10", "NextToken", token)
		got = append(got, told(page)...)
		sizes = append(sizes, strconv.Itoa(len(told(page))))
		token = page.text("NextToken")
	}
	if diff := cmp.Diff(want, got); diff != "" || token != "" || len(want) != 26 {
		t.Errorf("token after the last page %q; rules of pages with %v, page by page (-want +got):\n%s", token, sizes, diff)
	}
	token = attributeOf(t, r, "MaxResults", "10").text("NextToken")
	if got := call(t, r, "DescribeSecurityGroupAttribute", web("Direction", "ingress", "NextToken", token)); got.code() != "InvalidParamter" {
		t.Errorf("got code %q for the token of a listing of both directions in one of ingress", got.code())
	}
}

func TestIngressAsItIsTold(t *testing.T) {
	r := startBothWays(t)
	var got []map[string]string
	for _, rule := range attributeOf(t, r, "Direction", "ingress").list("Permissions", "Permission") {
		got = append(got, brief(rule))
	}
	rule := func(pairs ...string) map[string]string {
		fields := map[string]string{"IpProtocol": "TCP", "PortRange": "443/443", "Policy": "Accept", "Priority": "1", "NicType": "intranet"}
		for i := 0; i < len(pairs); i += 2 {
			fields[pairs[i]] = pairs[i+1]
		}
		return fields
	}
	ports := rule("SourceCidrIp", "10.0.0.0/8", "PortRangeListId", "prl-web", "PortRangeListName", "web")
	delete(ports, "PortRange")
	want := []map[string]string{
		rule("SourceCidrIp", "10.0.0.0/8"),
		rule("SourceCidrIp", "10.0.0.0/8", "Priority", "2"),
		rule("Ipv6SourceCidrIp", "2001:db8::/32"),
		rule("SourceGroupId", "sg-db", "SourceGroupName", "db"),
		rule("SourcePrefixListId", "pl-v4", "SourcePrefixListName", "four"),
		ports,
		rule("IpProtocol", "UDP", "PortRange", "1/65535", "SourceCidrIp", "10.0.0.0/8", "DestCidrIp", "10.9.0.0/16", "SourcePortRange", "1/2"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestClassicIngressShowsOneCardACall(t *testing.T) {
	r := startBothWays(t)
	classic := []string{"SecurityGroupId", "sg-classic"}
	must(t, r, authorizeIn, flat("SourceCidrIp")(append(classic, "NicType", "intranet", "Description", "inside")...))
	for nic, want := range map[string]int{"": 1, "<nil>": 1, "internet": 1, "intranet": 1} {
		got := attributeOf(t, r, append(classic, "Direction", "ingress", "NicType", nic)...).list("Permissions", "Permission")
		inside := len(got) == 1 && got[0]["Description"] == "inside"
		if len(got) != want || inside != (nic == "intranet") {
			t.Errorf("with NicType %q: got %v", nic, got)
		}
	}
}

// TestIngressFromAuthorizingToRevoking takes each sort of ingress rule through its life.
func TestIngressFromAuthorizingToRevoking(t *testing.T) {
	in := flat("SourceCidrIp")
	for _, test := range []struct {
		name   string
		params url.Values
		want   map[string]string
	}{
		{"from an address", in(), map[string]string{"SourceCidrIp": "10.0.0.0/8"}},
		{"from an IPv6 address", in("SourceCidrIp", "", "Ipv6SourceCidrIp", "::/0"), map[string]string{"Ipv6SourceCidrIp": "::/0"}},
		{"from a group", in("SourceCidrIp", "", "SourceGroupId", "sg-db"), map[string]string{"SourceGroupId": "sg-db", "SourceGroupName": "db"}},
		{
			"from another account's group", in("SourceCidrIp", "", "SourceGroupId", "sg-x", "SourceGroupOwnerId", "42"),
			map[string]string{"SourceGroupId": "sg-x", "SourceGroupOwnerAccount": "42"},
		},
		{
			"from a list", in("SourceCidrIp", "", "SourcePrefixListId", "pl-v4"),
			map[string]string{"SourcePrefixListId": "pl-v4", "SourcePrefixListName": "four"},
		},
		{"an address wins over a group and a list", in("SourceGroupId", "sg-none", "SourcePrefixListId", "pl-none"), map[string]string{"SourceCidrIp": "10.0.0.0/8"}},
		{"a destination group is no parameter of it", in("DestGroupId", "sg-none"), map[string]string{"SourceCidrIp": "10.0.0.0/8"}},
		{
			"by five parts", in("DestCidrIp", "10.9.0.0/16", "SourcePortRange", "3/4"),
			map[string]string{"SourceCidrIp": "10.0.0.0/8", "DestCidrIp": "10.9.0.0/16", "SourcePortRange": "3/4"},
		},
		{"in the second form", members("SourceCidrIp")(), map[string]string{"SourceCidrIp": "10.0.0.0/8"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startBothWays(t)
			before := told(attributeOf(t, r))
			test.want["IpProtocol"], test.want["PortRange"], test.want["CreateTime"] = "TCP", "8080/8080", "2026-03-01T12:00:30Z"
			test.want["Policy"], test.want["Priority"], test.want["NicType"] = "Accept", "1", "intranet"
			must(t, r, authorizeIn, test.params)
			must(t, r, authorizeIn, test.params) // Once more: it is there already.
			after := attributeOf(t, r)
			rules := after.list("Permissions", "Permission")
			if len(rules) != len(before)+1 || rules[len(rules)-1]["Direction"] != "ingress" {
				t.Fatalf("got rules %q, want one of ingress beside %q", told(after), before)
			}
			if diff := cmp.Diff(test.want, brief(rules[len(rules)-1])); diff != "" {
				t.Errorf("rule (-want +got):\n%s", diff)
			}
			must(t, r, revokeIn, test.params)
			if diff := cmp.Diff(before, told(attributeOf(t, r))); diff != "" {
				t.Errorf("rules after revoking it (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheDirectionsLeaveEachOtherAlone(t *testing.T) {
	r := startBothWays(t)
	all := told(attributeOf(t, r))
	must(t, r, revoke, web("SecurityGroupRuleId.1", "sgr-out-tcp"))
	must(t, r, revokeIn, web("SecurityGroupRuleId.1", "sgr-in-late", "SecurityGroupRuleId.2", "sgr-in-list"))
	must(t, r, modifyIn, web("SecurityGroupRuleId", "sgr-in-tcp", "Priority", "7"))
	want := slices.DeleteFunc(slices.Clone(all), func(rule string) bool {
		return slices.Contains([]string{"egress sgr-out-tcp", "ingress sgr-in-late", "ingress sgr-in-list"}, rule)
	})
	if diff := cmp.Diff(want, told(attributeOf(t, r))); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	// The same parts are another rule in the other direction.
	must(t, r, authorize, flat("DestCidrIp")("PortRange", "443/443", "Priority", "7"))
	if got := len(told(attributeOf(t, r, "Direction", "egress"))); got != len(bothWaysEstate().Regions[0].Groups[0].Egress) {
		t.Errorf("got %d egress rules once one was revoked and one was added", got)
	}
}

func TestModifiedIngress(t *testing.T) {
	for _, test := range []struct {
		name   string
		params []string
		id     string
		want   map[string]string // What is different from before.
	}{
		{"its source", []string{"SourceCidrIp", "10.1.0.0/16"}, "sgr-in-tcp", map[string]string{"SourceCidrIp": "10.1.0.0/16"}},
		{"its group", []string{"SourceGroupId", "sg-x", "SourceGroupOwnerId", "42"}, "sgr-in-group", map[string]string{
			"SourceGroupId": "sg-x", "SourceGroupName": "", "SourceGroupOwnerAccount": "42",
		}},
		{"its own side", []string{"DestCidrIp", "10.8.0.0/16"}, "sgr-in-five", map[string]string{"DestCidrIp": "10.8.0.0/16"}},
		{"its ports and policy", []string{"PortRange", "1/2", "Policy", "drop"}, "sgr-in-v6", map[string]string{"PortRange": "1/2", "Policy": "Drop"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startBothWays(t)
			find := func() map[string]any {
				for _, rule := range rulesOf(t, r, "sg-web") {
					if rule["SecurityGroupRuleId"] == test.id {
						return rule
					}
				}
				return nil
			}
			before := find()
			must(t, r, modifyIn, with(web("SecurityGroupRuleId", test.id), test.params...))
			after := find()
			changed := map[string]string{}
			for name := range before {
				if after[name] != before[name] {
					changed[name] = fmt.Sprint(after[name])
				}
			}
			if diff := cmp.Diff(test.want, changed); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("its description, by its parts, twice in a row", func(t *testing.T) {
		r := startBothWays(t)
		for range 2 {
			must(t, r, modifyIn, flat("SourceCidrIp")("PortRange", "443/443", "NicType", "intranet", "Policy", "accept", "Priority", "2", "Description", "new"))
		}
		for _, rule := range rulesOf(t, r, "sg-web") {
			if got := rule["Description"] == "new"; got != (rule["SecurityGroupRuleId"] == "sgr-in-late") {
				t.Errorf("got description %q of %s", rule["Description"], rule["SecurityGroupRuleId"])
			}
		}
	})
}

// namedEstate has two accounts that know each other's groups by login name.
func namedEstate() *ecsemu.Estate {
	estate := bothWaysEstate()
	estate.Name = "me@example.com"
	estate.Others = []ecsemu.Estate{{Account: "42", Name: "you@example.com", Regions: []ecsemu.Region{{
		ID: "cn-hangzhou", Groups: []ecsemu.Group{{ID: "sg-yours", Name: "yours", VPC: "vpc-1"}},
	}}}}
	return estate
}

func TestOwnersByName(t *testing.T) {
	for name, test := range map[string]struct {
		group string
		owner []string
		want  any
		code  string
	}{
		"the ID of another account":           {"sg-yours", []string{"GroupOwnerId", "42"}, json.Number("42"), ""},
		"the ID in the place of the name":     {"sg-yours", []string{"GroupOwnerAccount", "42"}, json.Number("42"), ""},
		"the name of another account":         {"sg-yours", []string{"GroupOwnerAccount", "you@example.com"}, json.Number("42"), ""},
		"an ID wins over a name":              {"sg-yours", []string{"GroupOwnerId", "42", "GroupOwnerAccount", "me@example.com"}, json.Number("42"), ""},
		"the name of the own account":         {"sg-db", []string{"GroupOwnerAccount", "me@example.com"}, "", ""},
		"a name that nobody has":              {"sg-theirs", []string{"GroupOwnerAccount", "they@example.com"}, "they@example.com", ""},
		"a group that the account has not":    {"sg-db", []string{"GroupOwnerAccount", "you@example.com"}, nil, "Group.NotFound"},
		"another account's group without one": {"sg-yours", nil, nil, "GroupId.NotFound"},
	} {
		for side, actions := range map[string][3]string{"Dest": {authorize, revoke, modify}, "Source": {authorizeIn, revokeIn, modifyIn}} {
			t.Run(name+" as "+side, func(t *testing.T) {
				r := ecsemu.Start(t, namedEstate(), atStoppedClock)
				before := rulesOf(t, r, "sg-web")
				owner := slices.Clone(test.owner)
				for i := 0; i < len(owner); i += 2 {
					owner[i] = side + owner[i]
				}
				rule := flat(side + "CidrIp")(append([]string{side + "CidrIp", "", side + "GroupId", test.group}, owner...)...)
				if test.code != "" {
					if got, want := call(t, r, actions[0], rule).code(), "Invalid"+side+test.code; got != want {
						t.Errorf("got code %q, want %q", got, want)
					}
					return
				}
				must(t, r, actions[0], rule)
				found := false
				for _, got := range rulesOf(t, r, "sg-web") {
					if got["PortRange"] == "8080/8080" {
						found = got[side+"GroupOwnerAccount"] == test.want && got[side+"GroupId"] == test.group
					}
				}
				if !found {
					t.Errorf("want a rule with owner %v among %v", test.want, rulesOf(t, r, "sg-web"))
				}
				must(t, r, actions[2], with(rule, "Description", "new"))
				must(t, r, actions[1], rule)
				if diff := cmp.Diff(before, rulesOf(t, r, "sg-web")); diff != "" {
					t.Errorf("rules after revoking it (-before +after):\n%s", diff)
				}
			})
		}
	}
}

// TestAnEstateMayNameAccounts has a rule whose owner is told by name, and so by another spelling than the API's.
func TestAnEstateMayNameAccounts(t *testing.T) {
	estate := namedEstate()
	estate.Regions[0].Groups[0].Egress = []ecsemu.Rule{
		{ID: "sgr-named", Protocol: "tcp", Ports: "8080/8080", Peer: "sg-yours", PeerAccount: "you@example.com"},
	}
	r := ecsemu.Start(t, estate, atStoppedClock)
	rule := flat("DestCidrIp")("DestCidrIp", "", "DestGroupId", "sg-yours", "DestGroupOwnerId", "42")
	must(t, r, authorize, rule)
	rules := attributeOf(t, r, "Direction", "egress").list("Permissions", "Permission")
	if len(rules) != 1 || rules[0]["DestGroupOwnerAccount"] != json.Number("42") {
		t.Errorf("got %v, want the one rule, with owner 42", rules)
	}
	must(t, r, revoke, rule)
	if got := told(attributeOf(t, r, "Direction", "egress")); len(got) != 0 {
		t.Errorf("got rules %q after revoking it by the ID of the owner", got)
	}
}

func TestQuotasCountBothDirections(t *testing.T) {
	in, out := flat("SourceCidrIp"), flat("DestCidrIp")
	t.Run("1000 rules", func(t *testing.T) {
		estate := bothWaysEstate()
		g := &estate.Regions[0].Groups[0]
		g.Egress, g.Ingress = nil, nil
		for i := range 499 {
			address := fmt.Sprintf("10.0.%d.%d", i/250, i%250)
			g.Egress = append(g.Egress, ecsemu.Rule{Protocol: "all", Peer: address})
			g.Ingress = append(g.Ingress, ecsemu.Rule{Protocol: "all", Peer: address})
		}
		r := ecsemu.Start(t, estate, atStoppedClock)
		must(t, r, authorizeIn, in())
		if got := call(t, r, authorize, members("DestCidrIp")("PortRange", "", "PortRangeListId", "prl-web")); got.code() != "AuthorizationLimitExceed" {
			t.Errorf("got %d %q for a list of 3 ports with 999 rules", got.status, got.code())
		}
		must(t, r, authorize, out())
		if got := call(t, r, authorizeIn, in("Priority", "2")); got.status != 403 || got.code() != "AuthorizationLimitExceed" {
			t.Errorf("got %d %q for rule 1001", got.status, got.code())
		}
		must(t, r, authorizeIn, in())
		must(t, r, revoke, out())
		must(t, r, authorizeIn, in("Priority", "2"))
	})
	t.Run("20 rules with groups", func(t *testing.T) {
		r := startBothWays(t) // It has one in each direction.
		for i := range 9 {
			must(t, r, authorize, out("DestCidrIp", "", "DestGroupId", "sg-db", "Priority", strconv.Itoa(i+1)))
			must(t, r, authorizeIn, in("SourceCidrIp", "", "SourceGroupId", "sg-db", "Priority", strconv.Itoa(i+1)))
		}
		if got := call(t, r, authorizeIn, in("SourceCidrIp", "", "SourceGroupId", "sg-db", "Priority", "99")); got.code() != "AuthorizedGroupRule.LimitExceed" {
			t.Errorf("got %d %q for rule 21", got.status, got.code())
		}
	})
	t.Run("what is beyond a limit may stay, and change", func(t *testing.T) {
		estate := bothWaysEstate()
		g := &estate.Regions[0].Groups[0]
		for i := range 21 {
			g.Egress = append(g.Egress, ecsemu.Rule{Protocol: "all", Peer: "sg-db", Priority: i + 1})
		}
		g.Ingress = append(g.Ingress, ecsemu.Rule{ID: "sgr-big", Protocol: "all", Peer: "pl-big"})
		r := ecsemu.Start(t, estate, atStoppedClock)
		must(t, r, modifyIn, web("SecurityGroupRuleId", "sgr-big", "Priority", "5"))
		must(t, r, modify, web("SecurityGroupRuleId", "sgr-out-group", "Priority", "50"))
		must(t, r, revoke, web("SecurityGroupRuleId.1", "sgr-out-tcp"))
		if got := call(t, r, authorize, out()); got.code() != "AuthorizationLimitExceed" {
			t.Errorf("got %d %q for one rule more", got.status, got.code())
		}
		must(t, r, revokeIn, web("SecurityGroupRuleId.1", "sgr-big"))
		must(t, r, authorize, out())
	})
	t.Run("a rule with two lists counts for every pair of their entries", func(t *testing.T) {
		estate := bothWaysEstate()
		estate.Regions[0].PrefixLists[0].MaxEntries = 200
		estate.Regions[0].PortLists[0].MaxEntries = 5
		r := ecsemu.Start(t, estate, atStoppedClock)
		rule := with(web("SecurityGroupId", "sg-db"), prefixed(1, "IpProtocol", "tcp", "PortRangeListId", "prl-web", "SourcePrefixListId", "pl-v4")...)
		must(t, r, authorizeIn, rule)
		if got := call(t, r, authorize, out("SecurityGroupId", "sg-db")); got.code() != "AuthorizationLimitExceed" {
			t.Errorf("got %d %q for one more than 200 times 5", got.status, got.code())
		}
	})
	t.Run("1000 groups with a list", func(t *testing.T) {
		estate := &ecsemu.Estate{Regions: []ecsemu.Region{{
			ID: "cn-hangzhou", PrefixLists: []ecsemu.PrefixList{{ID: "pl-v4", MaxEntries: 1}, {ID: "pl-2", MaxEntries: 1}},
			Groups: []ecsemu.Group{{ID: "sg-web", VPC: "vpc-1", Egress: []ecsemu.Rule{{ID: "sgr-2", Protocol: "all", Peer: "pl-2"}}}},
		}}}
		for i := range 1000 {
			g := ecsemu.Group{ID: fmt.Sprintf("sg-%d", i), VPC: "vpc-1"}
			rules := []ecsemu.Rule{{Protocol: "all", Peer: "pl-v4"}}
			if i%2 == 0 {
				g.Egress = rules
			} else {
				g.Ingress = rules
			}
			estate.Regions[0].Groups = append(estate.Regions[0].Groups, g)
		}
		r := ecsemu.Start(t, estate, atStoppedClock)
		list := in("SourceCidrIp", "", "SourcePrefixListId", "pl-v4")
		if got := call(t, r, authorizeIn, list); got.status != 403 || got.code() != "LimitExceed.PrefixListAssociationResource" {
			t.Errorf("got %d %q for group 1001", got.status, got.code())
		}
		if got := call(t, r, modify, web("SecurityGroupRuleId", "sgr-2", "DestPrefixListId", "pl-v4")); got.code() != "LimitExceed.PrefixListAssociationResource" {
			t.Errorf("got %d %q for a rule that is changed to it", got.status, got.code())
		}
		must(t, r, authorizeIn, with(list, "SecurityGroupId", "sg-8"))
	})
}
