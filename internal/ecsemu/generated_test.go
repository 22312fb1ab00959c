package ecsemu_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

// TestGeneratedRulesAreLegal creates the generated rules again, through the API.
func TestGeneratedRulesAreLegal(t *testing.T) {
	options := estates.GenerateOptions{Seed: 1, RulesPerGroup: 200, FindingShare: 0.25}
	options.Groups, options.Regions = 2, nil
	estate := estates.Generate(options)
	empty := *estate
	empty.Regions = slices.Clone(estate.Regions)
	empty.Regions[0].Groups = slices.Clone(estate.Regions[0].Groups)
	for i := range empty.Regions[0].Groups {
		empty.Regions[0].Groups[i].Egress = nil
	}
	r := ecsemu.Start(t, &empty, atStoppedClock)
	for _, g := range estate.Regions[0].Groups {
		for _, rule := range g.Egress {
			query := params("RegionId", "cn-hangzhou", "SecurityGroupId", g.ID, "IpProtocol", rule.Protocol, "PortRange", rule.Ports,
				"Policy", rule.Policy, "Priority", "1", "NicType", rule.NIC)
			switch {
			case strings.HasPrefix(rule.Peer, "pl-"):
				query.Set("DestPrefixListId", rule.Peer)
			case strings.Contains(rule.Peer, ":"):
				query.Set("Ipv6DestCidrIp", rule.Peer)
			default:
				query.Set("DestCidrIp", rule.Peer)
			}
			must(t, r, authorize, query)
		}
		if got := len(rulesOf(t, r, g.ID)); got != len(g.Egress) {
			t.Errorf("%s: got %d rules, want %d: two of them are the same", g.ID, got, len(g.Egress))
		}
	}
}
