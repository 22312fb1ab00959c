package ecsemu_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

func generateOptions() ecsemu.GenerateOptions {
	return ecsemu.GenerateOptions{
		Seed: 1, Regions: []string{"cn-hangzhou", "cn-shanghai", "cn-beijing"}, Groups: 10, RulesPerGroup: 200,
		FindingShare: 0.25, Now: stoppedClock,
	}
}

func TestGenerateIsReproducible(t *testing.T) {
	options := generateOptions()
	options.RulesPerGroup = 10
	first := ecsemu.Generate(options)
	if diff := cmp.Diff(first, ecsemu.Generate(options), comparedRules); diff != "" {
		t.Errorf("from the same seed (-first +second):\n%s", diff)
	}
	options.Seed = 2
	if cmp.Equal(first, ecsemu.Generate(options), comparedRules) {
		t.Error("another seed made the same estate")
	}
}

// TestGenerateWithoutATimeIsOfOneDay names a creation time, so that the day cannot be changed unnoticed.
func TestGenerateWithoutATimeIsOfOneDay(t *testing.T) {
	options := ecsemu.GenerateOptions{Seed: 1, Groups: 1}
	first := ecsemu.Generate(options).Regions[0].Groups[0].Created
	options.Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if same := ecsemu.Generate(options).Regions[0].Groups[0].Created; first != same || first > "2026" || first < "2024" {
		t.Errorf("got creation times %s without a time and %s at the start of 2026, want one within two years", first, same)
	}
	options.Now = options.Now.AddDate(1, 0, 0)
	if later := ecsemu.Generate(options).Regions[0].Groups[0].Created; later == first {
		t.Errorf("got creation time %s a year later as well", later)
	}
}

func TestGenerateMakesWhatWasAskedFor(t *testing.T) {
	estate := ecsemu.Generate(generateOptions())
	var groups []int
	rules, open := 0, 0
	for _, region := range estate.Regions {
		groups = append(groups, len(region.Groups))
		for _, g := range region.Groups {
			rules += len(g.Egress)
			for _, rule := range g.Egress {
				if rule.To == "0.0.0.0/0" || rule.To == "::/0" {
					open++
				}
			}
		}
	}
	if diff := cmp.Diff([]int{4, 3, 3}, groups); diff != "" {
		t.Errorf("groups a region (-want +got):\n%s", diff)
	}
	if rules != 2000 || open < 400 || open > 600 {
		t.Errorf("got %d rules, %d of them open; want 2000 and about a quarter", rules, open)
	}
	for share, want := range map[float64]bool{0: false, 1: true} {
		options := generateOptions()
		options.FindingShare = share
		for _, rule := range ecsemu.Generate(options).Regions[0].Groups[0].Egress {
			if got := strings.HasSuffix(rule.To, "/0"); got != want {
				t.Errorf("with a share of %g: got destination %s", share, rule.To)
			}
		}
	}
}

// TestGeneratedRulesAreLegal creates the generated rules again, through the API.
func TestGeneratedRulesAreLegal(t *testing.T) {
	options := generateOptions()
	options.Groups, options.Regions = 2, nil
	estate := ecsemu.Generate(options)
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
			case strings.HasPrefix(rule.To, "pl-"):
				query.Set("DestPrefixListId", rule.To)
			case strings.Contains(rule.To, ":"):
				query.Set("Ipv6DestCidrIp", rule.To)
			default:
				query.Set("DestCidrIp", rule.To)
			}
			must(t, r, authorize, query)
		}
		if got := len(rulesOf(t, r, g.ID)); got != len(g.Egress) {
			t.Errorf("%s: got %d rules, want %d: two of them are the same", g.ID, got, len(g.Egress))
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	options := generateOptions()
	options.Groups = 100
	for b.Loop() {
		ecsemu.Generate(options)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(100*200), "ns/rule")
}
