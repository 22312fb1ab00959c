package snapshot_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/snapshot"
	"github.com/egress-janitor/egress-janitor/policy"
)

// everyClause is policies that ask for all that a snapshot must have kept of groups and rules.
func everyClause() string {
	var file strings.Builder
	file.WriteString("version: 1\npolicies:\n")
	add := func(groups, match string) {
		file.WriteString("  - name: p" + strconv.Itoa(strings.Count(file.String(), "name: ")) + "\n    description: One clause.\n" +
			"    severity: low\n    owner: netsec@example.com\n    action: report\n    groups: " + groups + "\n    match: " + match + "\n")
	}
	for _, clause := range []string{
		"{every-rule: true, rule-action: any}", "{every-rule: true}", "{every-rule: true, rule-action: drop}",
		"{destination: {covers: [0.0.0.0/0]}}", `{destination: {outside: [203.0.113.0/24, "2001:db8::/32"]}}`,
		"{destination: {overlaps: [198.51.100.0/28]}}", "{source: {within: [10.0.0.0/8]}}",
		"{ports: {overlaps: [80, 8000-8010]}}", "{not: {ports: {within: [443]}}}", "{source-ports: {within: [1-1024]}}",
		"{priority: {within: [1-50]}}", "{not: {protocol: {within: [tcp]}}}", "{prefix-list: [pl-1]}",
		"{destination-group: [sg-2]}", "{destination-kind: [cidr6, group]}", "{older-than: 30d}", "{wider-than: {ipv4: 24}}",
		"{expired: {description: 'until ([-0-9]+)'}}", "{description: {matches: 'shop'}}",
	} {
		add("all", clause)
	}
	for _, groups := range []string{
		"{tags: {env: prod}}", "{without-tags: {env: '*'}}", "{types: [normal]}", "{vpcs: [vpc-1]}", "{names: [web]}",
		"{resource-groups: [rg-1]}", "{expired-tag: until}",
	} {
		add(groups, "{every-rule: true, rule-action: any}")
	}
	return file.String()
}

// drawnVisit is a group with rules, of which some are odd, and some name lists that were not read.
func drawnVisit(t *rapid.T, lists map[string]*sg.PrefixList, ports map[string]*sg.PortList) snapshot.Visit {
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	v := snapshot.Visit{
		Group: sg.Group{
			Region: "cn-hangzhou", ID: pick("group", "sg-1", "sg-2"), Name: pick("name", "", "web"),
			Type:          sg.GroupType(pick("type", string(sg.TypeNormal), string(sg.TypeEnterprise), "")),
			VPC:           pick("vpc", "", "vpc-1"), // without one it is of the classic network
			ResourceGroup: pick("resource group", "", "rg-1"),
		},
	}
	v.Incomplete = pick("incomplete", "", "page 2: throttled")
	if rapid.Bool().Draw(t, "tagged") {
		v.Group.Tags = []sg.Tag{{Key: "Env"}, {Key: "env", Value: pick("tag", "prod", "")}, {Key: "until", Value: pick("until", "2026-01-31", "2099-01-31", "soon")}}
	}
	for range rapid.IntRange(0, 6).Draw(t, "rules") {
		f := sg.Fields{
			ID:        pick("id", "", "sgr-1", "sgr-2"),
			Protocol:  pick("protocol", "TCP", "udp", "ALL", "ICMPv6", "47", "carrier-pigeon"),
			PortRange: pick("ports", "443/443", "80/80", "1/65535", "-1/-1", "90/80", ""), SourcePorts: pick("sports", "", "-1/-1", "1/100"),
			Policy: pick("policy", "Accept", "Drop", "perhaps"), Priority: pick("priority", "1", "100", "110", "+7", ""),
			NICType: pick("nic", "intranet", "internet"), Created: pick("created", "2026-01-02T03:04:05Z", "", "yesterday"),
			Description: pick("description", "", "shop <&> \u2028 till", "until 2026-01-31", "until 2026-02-30"),
			SourceCIDR4: pick("source", "", "10.0.0.0/8", "10.1.2.3", "hm"), SourceOther: pick("other", "", "", "10.0.0.0/8"),
		}
		switch pick("to", "4", "6", "group", "list", "none") {
		case "4":
			f.CIDR4 = pick("cidr4", "0.0.0.0/0", "203.0.113.7", "198.51.100.1/24", "everywhere")
		case "6":
			f.CIDR6 = pick("cidr6", "::/0", "2001:db8::1", "::ffff:10.1.2.3/104")
		case "group":
			f.GroupID, f.GroupOwner = "sg-2", pick("owner", "", "42")
		case "list":
			f.PrefixListID = pick("list", "pl-1", "pl-empty", "pl-unread")
		}
		if pick("by list", "", "", "yes") != "" {
			f.PortRange, f.PortListID = "", pick("port list", "prl-1", "prl-unread")
		}
		r := sg.NewRule(&f)
		if pick("form", "", "", "of another version") != "" {
			r.Unreadable = "this version does not understand it"
		}
		r.Destination.List, r.PortList = lists[f.PrefixListID], ports[f.PortListID]
		v.Rules = append(v.Rules, r)
	}
	return v
}

// verdicts is what the policies find in groups, with the values that they compared.
func verdicts(set *policy.Set, visits []snapshot.Visit) [][]string {
	e := set.Evaluator("prod", start())
	lists := make([][]string, len(visits))
	for i := range visits {
		for _, f := range e.Evaluate(&visits[i].Group, visits[i].Rules) {
			for _, v := range f.Violations {
				lists[i] = append(lists[i], fmt.Sprintf("%s %s %s collateral=%t invalid=%t %s", f.Rule.Key(),
					f.Rule.Unreadable, v.Policy.Name, v.Collateral, v.InvalidExpiry, v.Stale))
				lists[i] = append(lists[i], v.Because...)
			}
		}
	}
	return lists
}

// Policies must not tell a snapshot from the account that it is of.
func TestPoliciesFindTheSameInASnapshotAsInTheAccount(t *testing.T) {
	set, err := policy.Load(fstest.MapFS{"p.yaml": {Data: []byte(everyClause())}}, []string{"p.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string]*sg.PrefixList{
		"pl-1": {ID: "pl-1", Entries: []netip.Prefix{
			netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32"),
		}},
		"pl-empty": {ID: "pl-empty", Entries: []netip.Prefix{}},
	}
	ports := map[string]*sg.PortList{"prl-1": {ID: "prl-1", Ranges: []sg.PortRange{{Low: 80, High: 80}, {Low: 8000, High: 9000}}}}
	found := 0
	rapid.Check(t, func(rt *rapid.T) {
		var visits []snapshot.Visit
		for range rapid.IntRange(1, 4).Draw(rt, "groups") {
			visits = append(visits, drawnVisit(rt, lists, ports))
		}
		back, _, _, err := read(bytes.NewReader(written(t, visits, scan())))
		if err != nil {
			rt.Fatal(err)
		}
		want := verdicts(set, visits)
		if diff := cmp.Diff(want, verdicts(set, back)); diff != "" {
			rt.Fatalf("findings (-account +snapshot):\n%s", diff)
		}
		for _, list := range want {
			found += len(list)
		}
	})
	if found < 1000 {
		t.Errorf("%d findings and reasons in all: the property has lost its sense", found)
	}
}
