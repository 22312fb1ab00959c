package estates_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

func generateOptions() estates.GenerateOptions {
	return estates.GenerateOptions{
		Seed: 1, Regions: []string{"cn-hangzhou", "cn-shanghai", "cn-beijing"}, Groups: 10, RulesPerGroup: 200,
		FindingShare: 0.25, Now: time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC),
	}
}

func TestGenerateIsReproducible(t *testing.T) {
	options := generateOptions()
	options.RulesPerGroup = 10
	first := estates.Generate(options)
	if diff := cmp.Diff(first, estates.Generate(options), comparedRules); diff != "" {
		t.Errorf("from the same seed (-first +second):\n%s", diff)
	}
	options.Seed = 2
	if cmp.Equal(first, estates.Generate(options), comparedRules) {
		t.Error("another seed made the same estate")
	}
}

// TestGenerateWithoutATimeIsOfOneDay names a creation time, so that the day cannot be changed unnoticed.
func TestGenerateWithoutATimeIsOfOneDay(t *testing.T) {
	options := estates.GenerateOptions{Seed: 1, Groups: 1}
	first := estates.Generate(options).Regions[0].Groups[0].Created
	options.Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if same := estates.Generate(options).Regions[0].Groups[0].Created; first != same || first > "2026" || first < "2024" {
		t.Errorf("got creation times %s without a time and %s at the start of 2026, want one within two years", first, same)
	}
	options.Now = options.Now.AddDate(1, 0, 0)
	if later := estates.Generate(options).Regions[0].Groups[0].Created; later == first {
		t.Errorf("got creation time %s a year later as well", later)
	}
}

func TestGenerateMakesWhatWasAskedFor(t *testing.T) {
	estate := estates.Generate(generateOptions())
	var groups []int
	rules, open := 0, 0
	for _, region := range estate.Regions {
		groups = append(groups, len(region.Groups))
		for _, g := range region.Groups {
			rules += len(g.Egress)
			for _, rule := range g.Egress {
				if rule.Peer == "0.0.0.0/0" || rule.Peer == "::/0" {
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
		for _, rule := range estates.Generate(options).Regions[0].Groups[0].Egress {
			if got := strings.HasSuffix(rule.Peer, "/0"); got != want {
				t.Errorf("with a share of %g: got destination %s", share, rule.Peer)
			}
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	options := generateOptions()
	options.Groups = 100
	for b.Loop() {
		estates.Generate(options)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(100*200), "ns/rule")
}

func TestASpreadKeepsTheAverage(t *testing.T) {
	for _, average := range []int{1, 10, 100, 200, 800, 900} {
		options := estates.GenerateOptions{Seed: 1, Groups: 40, RulesPerGroup: average, Spread: true}
		least, most, total := 1<<30, 0, 0
		for _, g := range estates.Generate(options).Regions[0].Groups {
			n := len(g.Egress)
			least, most, total = min(least, n), max(most, n), total+n
		}
		if off := total - 40*average; off < -average-20 || off > average+20 || most > 900 {
			t.Errorf("an average of %d: got %d rules in all, and %d in one group", average, total, most)
		}
		if uneven := most > 4*average && least < average/2+1; uneven != (average <= 200) {
			t.Errorf("an average of %d: got from %d to %d rules", average, least, most)
		}
	}
}
