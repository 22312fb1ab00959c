package scanner_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

func TestScanReadsAllPagesOfAllRegions(t *testing.T) {
	c := newCloud("cn-b", "cn-a")
	c.add("cn-a", "sg-1", rules("r1", 5)...)
	c.add("cn-a", "sg-2")
	c.add("cn-a", "sg-3", rules("r3", 2)...)
	c.add("cn-b", "sg-4", rules("r4", 1)...)

	got := mustScan(t, c, nil)

	equal(t, "rules of the first group", got.ruleIDs("cn-a/sg-1"), []string{"r1-1", "r1-2", "r1-3", "r1-4", "r1-5"})
	equal(t, "attributes", got.visited["cn-a/sg-1"].Group,
		sg.Group{Region: "cn-a", ID: "sg-1", Name: "name of sg-1", VPC: "vpc-1"})
	equal(t, "regions", got.regions(), []string{
		"cn-a complete=true groups=3 rules=7 err=<nil>",
		"cn-b complete=true groups=1 rules=1 err=<nil>",
	})
	equal(t, "problems", got.problems(), []string(nil))
	if !got.result.Complete() {
		t.Error("the scan is not complete")
	}
}

func TestScanMakesTheFewestCalls(t *testing.T) {
	c := newCloud("cn-a", "cn-b")
	c.add("cn-a", "sg-1", append(rules("r1", 4), toList("r1-5", "pl-1"))...) // 3 pages
	c.add("cn-a", "sg-2", toList("r2-1", "pl-1"), toList("r2-2", "pl-2"))    // 1 page
	c.add("cn-a", "sg-3")                                                    // 1 page
	c.addClassic("cn-b", "sg-4", rules("r4", 3), rules("r5", 1))             // 2 pages and 1
	c.add("cn-b", "sg-5", toList("r6", "pl-1"))                              // 1 page
	for _, region := range []string{"cn-a", "cn-b"} {
		for _, list := range []string{"pl-1", "pl-2", "pl-unused"} {
			c.regions[region].lists[list] = sg.PrefixList{ID: list}
		}
	}

	all := mustScan(t, c, nil)
	equal(t, "calls for all regions", c.count(), map[string]int{
		"regions": 1, // once, with regions: *
		"groups":  3, // cn-a 2, cn-b 1
		"rules":   3 + 1 + 1 + 3 + 1,
		"list":    3, // pl-1 and pl-2 in cn-a, pl-1 in cn-b
	})

	c.calls = nil
	named := mustScan(t, c, func(o *scanner.Options) { o.Regions = []string{"cn-b", "cn-a"} })
	if n := c.count()["regions"]; n != 0 {
		t.Errorf("regions that are named cost %d calls of DescribeRegions", n)
	}
	equal(t, "the same regions by name", named.regions(), all.regions())
}

func TestScanReadsClassicGroupsOnBothSides(t *testing.T) {
	c := newCloud("cn-a")
	c.addClassic("cn-a", "sg-1", rules("outside", 3), rules("inside", 1))

	got := mustScan(t, c, nil)

	equal(t, "rules", got.ruleIDs("cn-a/sg-1"), []string{"outside-1", "outside-2", "outside-3", "inside-1"})
}

func TestScanHandsOutPrefixLists(t *testing.T) {
	c := newCloud("cn-a")
	entries := []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
	c.regions["cn-a"].lists["pl-1"] = sg.PrefixList{ID: "pl-1", Entries: entries}
	c.regions["cn-a"].lists["pl-empty"] = sg.PrefixList{ID: "pl-empty"}
	c.add("cn-a", "sg-1", toList("r1", "pl-1"), toList("r2", "pl-empty"), rules("r3", 1)[0])
	c.add("cn-a", "sg-2", toList("r4", "pl-1"))

	got := mustScan(t, c, nil)

	list := func(group string, rule int) *sg.PrefixList { return got.visited[group].Rules[rule].Destination.List }
	equal(t, "entries", list("cn-a/sg-1", 0).Entries, entries)
	if list("cn-a/sg-1", 0) != list("cn-a/sg-2", 0) {
		t.Error("two rules hold two copies of one list")
	}
	if list("cn-a/sg-1", 1) == nil {
		t.Error("a list that is empty looks like one that was not read")
	}
	if list("cn-a/sg-1", 2) != nil {
		t.Error("a rule to an address has a list")
	}
}

func TestScanKnowsTheRegionOfAGroup(t *testing.T) {
	c := newCloud("cn-a")
	c.add("cn-a", "sg-1")
	c.regions["cn-a"].groups[0].Region = "" // the cloud names it beside the groups

	got := mustScan(t, c, nil)

	if got.visited["cn-a/sg-1"] == nil {
		t.Errorf("the group is visited without its region: %v", got.visited)
	}
}

func TestScanReportsProgressInRunningTotals(t *testing.T) {
	c := newCloud("cn-a", "cn-b")
	c.add("cn-a", "sg-1", rules("r1", 3)...)
	c.add("cn-b", "sg-2", rules("r2", 1)...)
	var seen []scanner.Progress

	mustScan(t, c, func(o *scanner.Options) { o.Progress = func(p scanner.Progress) { seen = append(seen, p) } })

	equal(t, "first", seen[0], scanner.Progress{Regions: 2})
	equal(t, "last", seen[len(seen)-1], scanner.Progress{Regions: 2, RegionsDone: 2, Groups: 2, Rules: 4})
	for i := 1; i < len(seen); i++ {
		was, is := seen[i-1], seen[i]
		if is.Groups < was.Groups || is.Rules < was.Rules || is.RegionsDone < was.RegionsDone {
			t.Errorf("progress went back from %+v to %+v", was, is)
		}
	}
}

func TestScanRefusesBadOptions(t *testing.T) {
	tests := []struct {
		name   string
		change func(*scanner.Options)
		want   string
	}{
		{
			"no client for groups", func(o *scanner.Options) { o.Groups = nil },
			"scan options: no client",
		},
		{
			"no client for rules", func(o *scanner.Options) { o.Rules = nil },
			"scan options: no client",
		},
		{
			"no regions", func(o *scanner.Options) { o.Regions = nil },
			"scan options: no regions",
		},
		{
			"a region without a name", func(o *scanner.Options) { o.Regions = []string{"cn-a", ""} },
			"scan options: a region without a name",
		},
		{
			"all regions and one more", func(o *scanner.Options) { o.Regions = []string{"cn-a", "*"} },
			`scan options: region "*" stands for all and must be alone`,
		},
		{
			"one region twice", func(o *scanner.Options) { o.Regions = []string{"cn-a", "cn-b", "cn-a"} },
			`scan options: region "cn-a" twice`,
		},
		{
			"negative workers", func(o *scanner.Options) { o.Workers = -1 },
			"scan options: -1 workers, 0 pages of rules, 0 pages of groups, 1ns between looks, 5 failures, 1 denials: none may be negative",
		},
		{
			"negative pages of rules", func(o *scanner.Options) { o.MaxRulePages = -2 },
			"scan options: 3 workers, -2 pages of rules, 0 pages of groups, 1ns between looks, 5 failures, 1 denials: none may be negative",
		},
		{
			"negative pages of groups", func(o *scanner.Options) { o.MaxGroupPages = -3 },
			"scan options: 3 workers, 0 pages of rules, -3 pages of groups, 1ns between looks, 5 failures, 1 denials: none may be negative",
		},
		{
			"a negative time between looks", func(o *scanner.Options) { o.LookAgain = -1 },
			"scan options: 3 workers, 0 pages of rules, 0 pages of groups, -1ns between looks, 5 failures, 1 denials: none may be negative",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCloud("cn-a")
			got := scan(t, c, test.change)
			if got.err == nil || got.err.Error() != test.want {
				t.Errorf("got error %v, want %s", got.err, test.want)
			}
			if len(c.calls) != 0 || got.result != nil {
				t.Errorf("the scan went on: %d calls, result %v", len(c.calls), got.result)
			}
		})
	}
	t.Run("no visit function", func(t *testing.T) {
		c := newCloud("cn-a")
		_, err := scanner.Scan(t.Context(), scanner.Options{Groups: c, Rules: c, Regions: []string{"cn-a"}}, nil)
		if err == nil {
			t.Error("got no error")
		}
	})
}

func TestResultOrderIsFixed(t *testing.T) {
	c := newCloud("cn-a", "cn-b", "cn-c")
	for _, region := range []string{"cn-c", "cn-b", "cn-a"} {
		for _, id := range []string{"sg-2", "sg-1", "sg-3"} {
			c.add(region, id, rules("r", 1)...)
		}
	}
	c.fail = func(c call) error {
		if c.op == "rules" {
			return errors.New("broken")
		}
		return nil
	}

	got := mustScan(t, c, nil)

	problems, regions := got.problems(), got.regions()
	if len(problems) != 9 || !slices.IsSorted(problems) {
		t.Errorf("problems are not in order:\n%q", problems)
	}
	if len(regions) != 3 || !slices.IsSorted(regions) {
		t.Errorf("regions are not in order:\n%q", regions)
	}
}
