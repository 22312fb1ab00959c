package ecsemu_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

// TestGeneratedRulesAreLegal creates the generated rules of both directions again, through the API.
func TestGeneratedRulesAreLegal(t *testing.T) {
	for name, options := range map[string]estates.GenerateOptions{
		"an even estate":            {Seed: 1, Groups: 4, RulesPerGroup: 200, FindingShare: 0.25},
		"a realistic one":           {Seed: 2, Groups: 20, RulesPerGroup: 20, FindingShare: 0.1, Spread: true},
		"one of small groups":       {Seed: 3, Groups: 60, RulesPerGroup: 5, FindingShare: 0.5, Spread: true},
		"one of groups at the most": {Seed: 4, Groups: 1, RulesPerGroup: 900, FindingShare: 0.5, Spread: true},
	} {
		t.Run(name, func(t *testing.T) {
			estate := estates.Generate(options)
			empty := *estate
			empty.Regions = slices.Clone(estate.Regions)
			empty.Regions[0].Groups = slices.Clone(estate.Regions[0].Groups)
			for i := range empty.Regions[0].Groups {
				g := &empty.Regions[0].Groups[i]
				g.Egress, g.Ingress, g.Managed = nil, nil, false
			}
			r := ecsemu.Start(t, &empty, atStoppedClock)
			for i := range estate.Regions[0].Groups {
				g := &estate.Regions[0].Groups[i]
				again(t, r, g.ID, g.Egress, side{authorize, "Dest", "Source"})
				again(t, r, g.ID, g.Ingress, side{"AuthorizeSecurityGroup", "Source", "Dest"})
				all := must(t, r, "DescribeSecurityGroupAttribute",
					params("RegionId", "cn-hangzhou", "SecurityGroupId", g.ID, "MaxResults", "1000"))
				if got, want := len(all.list("Permissions", "Permission")), len(g.Egress)+len(g.Ingress); got != want {
					t.Errorf("%s: got %d rules, want %d: two of them are the same", g.ID, got, want)
				}
			}
		})
	}
}

// side is how the rules of a direction are authorized: the action, and how the names of parameters begin.
type side struct{ action, peer, own string }

// again authorizes rules, a hundred at once.
func again(t *testing.T, r *ecsemu.Running, group string, rules []ecsemu.Rule, s side) {
	t.Helper()
	for some := range slices.Chunk(rules, 100) {
		query := params("RegionId", "cn-hangzhou", "SecurityGroupId", group)
		for i := range some {
			rule := &some[i]
			set := func(name, value string) {
				if value != "" {
					query.Set("Permissions."+strconv.Itoa(i+1)+"."+name, value)
				}
			}
			set("IpProtocol", rule.Protocol)
			if set("PortRange", rule.Ports); rule.Ports == "" && rule.PortList == "" {
				set("PortRange", "-1/-1")
			}
			set("PortRangeListId", rule.PortList)
			set("Policy", rule.Policy)
			set("Priority", strconv.Itoa(rule.Priority))
			set("Description", rule.Description)
			set("SourcePortRange", rule.SourcePorts)
			set(s.own+"CidrIp", rule.Own)
			switch {
			case strings.HasPrefix(rule.Peer, "pl-"):
				set(s.peer+"PrefixListId", rule.Peer)
			case strings.HasPrefix(rule.Peer, "sg-"):
				set(s.peer+"GroupId", rule.Peer)
			case strings.Contains(rule.Peer, ":"):
				set("Ipv6"+s.peer+"CidrIp", rule.Peer)
			default:
				set(s.peer+"CidrIp", rule.Peer)
			}
		}
		must(t, r, s.action, query)
	}
}
