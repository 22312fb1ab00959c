package scanner_test

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// regionLister is a cloud that lists other regions.
type regionLister struct {
	*cloud

	regions []sg.Region
}

func (l regionLister) Regions(context.Context) ([]sg.Region, error) { return l.regions, nil }

func TestScanDetectsListingsThatDoNotEnd(t *testing.T) {
	fivePages := func() *cloud {
		c := newCloud("cn-a")
		for i := range 10 {
			c.add("cn-a", "sg-"+strconv.Itoa(i), rules("r", 10)...)
		}
		return c
	}
	next := func(to map[string]string) func(call, *sg.Page[sg.Rule]) {
		return func(c call, page *sg.Page[sg.Rule]) {
			if token, ok := to[c.token]; ok && c.id == "sg-0" {
				page.Next = token
			}
		}
	}
	tests := []struct {
		name    string
		rules   func(call, *sg.Page[sg.Rule])
		pages   int // the bound
		problem string
		kept    int
		calls   int // for the pages of the group
	}{
		{
			"the token of this very page comes back", next(map[string]string{"1": "1"}), 0,
			"page 2 names a next page that was read before: the listing runs in a circle", 4, 2,
		},
		{
			"a token of an earlier page comes back", next(map[string]string{"3": "1"}), 0,
			"page 4 names a next page that was read before: the listing runs in a circle", 8, 4,
		},
		{
			"the same page under new tokens", func(c call, page *sg.Page[sg.Rule]) {
				if c.id == "sg-0" && c.token != "" {
					page.Items = rules("same", 2)
					page.Next = c.token + "x"
				}
			}, 0,
			"page 3 is page 2 again: the listing does not advance", 4, 3,
		},
		{
			"empty pages without end", func(c call, page *sg.Page[sg.Rule]) {
				if c.id == "sg-0" {
					page.Items, page.Next = nil, c.token+"x"
				}
			}, 0,
			"pages 1 to 3 bring nothing new: the listing does not advance", 0, 3,
		},
		{
			"known rules under new tokens, in ever another order", func(c call, page *sg.Page[sg.Rule]) {
				if c.id == "sg-0" {
					n := len(c.token) // 0, 1, 2, 3
					page.Items, page.Next = rules("known", 3+n%2)[n%2:], c.token+"x"
				}
			}, 0,
			"pages 3 to 5 bring nothing new: the listing does not advance", 4, 5,
		},
		{
			"more pages than allowed", nil, 4,
			"no end after 4 pages with 8 entries", 8, 4,
		},
	}
	for _, test := range tests {
		t.Run("rules: "+test.name, func(t *testing.T) {
			c := fivePages()
			c.rules = test.rules
			c.regions["cn-a"].groups = c.regions["cn-a"].groups[:1]
			got := mustScan(t, c, func(o *scanner.Options) { o.MaxRulePages = test.pages })
			equal(t, "problems", got.problems(), []string{
				"region=cn-a group=sg-0 list= rule=: reading rules: " + test.problem,
			})
			equal(t, "regions", got.regions(), []string{
				"cn-a complete=false groups=1 rules=" + strconv.Itoa(test.kept) + " err=<nil>",
			})
			if n := c.count()["rules"]; n != test.calls {
				t.Errorf("%d pages were asked for, want %d", n, test.calls)
			}
		})
	}
	t.Run("groups: a token comes back", func(t *testing.T) {
		c := fivePages()
		c.groups = func(c call, page *sg.Page[sg.Group]) {
			if c.token == "2" {
				page.Next = "1"
			}
		}
		got := mustScan(t, c, nil)
		equal(t, "regions", got.regions(), []string{"cn-a complete=false groups=6 rules=60 err=" +
			"listing groups: page 3 names a next page that was read before: the listing runs in a circle"})
	})
	t.Run("groups: more pages than allowed", func(t *testing.T) {
		c := fivePages()
		got := mustScan(t, c, func(o *scanner.Options) { o.MaxGroupPages = 4; o.Workers = 1; c.pageSize = 1 })
		want := "cn-a complete=false groups=4 rules=40 err=listing groups: no end after 4 pages with 4 entries"
		equal(t, "regions", got.regions(), []string{want})
	})
	t.Run("as many pages as allowed are no problem", func(t *testing.T) {
		c := fivePages()
		got := mustScan(t, c, func(o *scanner.Options) { o.MaxRulePages, o.MaxGroupPages = 5, 5 })
		equal(t, "problems", got.problems(), []string(nil))
	})
	t.Run("an empty page in between is no end", func(t *testing.T) {
		c := newCloud("cn-a")
		c.add("cn-a", "sg-0", rules("r", 3)...)
		c.rules = func(c call, page *sg.Page[sg.Rule]) {
			switch c.token {
			case "":
				page.Next = "void"
			case "void":
				page.Items, page.Next = nil, "1"
			}
		}
		got := mustScan(t, c, nil)
		equal(t, "rules", got.ruleIDs("cn-a/sg-0"), []string{"r-1", "r-2", "r-3"})
		equal(t, "problems", got.problems(), []string(nil))
	})
}

func TestScanReadsWhatIsListedTwiceOnce(t *testing.T) {
	t.Run("a rule that a later page repeats", func(t *testing.T) {
		c := newCloud("cn-a")
		list := rules("r", 4)
		c.add("cn-a", "sg-1", list[0], list[1], list[1], list[2], list[0], list[3])
		got := mustScan(t, c, nil)
		equal(t, "rules", got.ruleIDs("cn-a/sg-1"), []string{"r-1", "r-2", "r-3", "r-4"})
		equal(t, "problems", got.problems(), []string(nil))
	})
	t.Run("rules without an ID are all kept", func(t *testing.T) {
		c := newCloud("cn-a")
		list := rules("r", 3)
		for i := range list {
			list[i].ID = ""
		}
		list[2].Description = "so that the pages differ"
		c.add("cn-a", "sg-1", list...)
		got := mustScan(t, c, nil)
		equal(t, "rules", got.ruleIDs("cn-a/sg-1"), []string{"", "", ""})
		equal(t, "problems", got.problems(), []string(nil))
	})
	t.Run("a group that a later page repeats, with tags in another order", func(t *testing.T) {
		c := newCloud("cn-a")
		for _, id := range []string{"sg-1", "sg-2", "sg-3"} {
			c.add("cn-a", id, rules("r", 1)...)
		}
		e := c.regions["cn-a"]
		e.groups[0].Tags = []sg.Tag{{Key: "a"}, {Key: "b", Value: "1"}}
		again := e.groups[0]
		again.Tags = []sg.Tag{{Key: "b", Value: "1"}, {Key: "a"}}
		e.groups = append(e.groups, again, again)
		got := mustScan(t, c, nil)
		equal(t, "regions", got.regions(), []string{"cn-a complete=true groups=3 rules=3 err=<nil>"})
		if n := c.count()["rules"]; n != 3 {
			t.Errorf("the rules of 3 groups took %d calls", n)
		}
	})
}

func TestScanDoesNotChooseBetweenContradictions(t *testing.T) {
	t.Run("one rule with two contents", func(t *testing.T) {
		c := newCloud("cn-a")
		list := rules("r", 3)
		other := list[0]
		other.Description = "changed meanwhile"
		c.add("cn-a", "sg-1", append(list, other)...)
		c.add("cn-a", "sg-2", rules("r", 1)...)
		got := mustScan(t, c, nil)
		equal(t, "problems", got.problems(), []string{
			"region=cn-a group=sg-1 list= rule=r-1: reading rules: rule r-1: listed twice with different contents",
		})
		if why := got.visited["cn-a/sg-1"].Incomplete; why == "" {
			t.Error("the group passes for complete")
		}
		if why := got.visited["cn-a/sg-2"].Incomplete; why != "" {
			t.Errorf("another group is incomplete: %s", why)
		}
	})
	for _, test := range []struct {
		name   string
		change func(*sg.Group)
	}{
		{"name", func(g *sg.Group) { g.Name = "other" }},
		{"description", func(g *sg.Group) { g.Description = "other" }},
		{"type", func(g *sg.Group) { g.Type = sg.TypeEnterprise }},
		{"VPC", func(g *sg.Group) { g.VPC = "vpc-2" }},
		{"resource group", func(g *sg.Group) { g.ResourceGroup = "rg-2" }},
		{"owner", func(g *sg.Group) { g.ServiceManaged = true }},
		{"one more tag", func(g *sg.Group) { g.Tags = append(slices.Clone(g.Tags), sg.Tag{Key: "b"}) }},
		{"another tag value", func(g *sg.Group) { g.Tags = []sg.Tag{{Key: "a", Value: "2"}} }},
	} {
		t.Run("one group on one page with two contents: "+test.name, func(t *testing.T) {
			c := newCloud("cn-a")
			c.add("cn-a", "sg-1", rules("r", 1)...)
			e := c.regions["cn-a"]
			e.groups[0].Tags = []sg.Tag{{Key: "a", Value: "1"}}
			other := e.groups[0]
			test.change(&other)
			e.groups = append(e.groups, other)
			got := mustScan(t, c, nil)
			equal(t, "problems", got.problems(),
				[]string{"region=cn-a group=sg-1 list= rule=: listed twice with different contents"})
			equal(t, "why", got.visited["cn-a/sg-1"].Incomplete, "listed twice with different contents")
		})
	}
	t.Run("one group on a later page, after its visit, is still a problem, and only one", func(t *testing.T) {
		c := newCloud("cn-a")
		c.pageSize = 1
		visited := make(chan struct{})
		for i := range 3 {
			c.add("cn-a", "sg-1", rules("r", 1)...)
			c.regions["cn-a"].groups[i].Name = strconv.Itoa(i)
		}
		c.block = func(_ context.Context, c call) <-chan struct{} {
			if c.op == "groups" && c.token != "" {
				return visited
			}
			return nil
		}
		opts := scanner.Options{Groups: c, Rules: c, Regions: []string{"cn-a"}}
		result, err := scanner.Scan(t.Context(), opts, func(*scanner.Group) error { close(visited); return nil })
		if err != nil {
			t.Fatalf("Scan: %v", err)
		}
		equal(t, "problems", scanned{result: result}.problems(),
			[]string{"region=cn-a group=sg-1 list= rule=: listed twice with different contents"})
		if result.Complete() || result.Regions[0].Complete {
			t.Error("the scan claims to be complete")
		}
	})
	t.Run("a group without an ID", func(t *testing.T) {
		c := newCloud("cn-a")
		c.add("cn-a", "sg-1")
		c.add("cn-a", "")
		got := mustScan(t, c, nil)
		equal(t, "regions", got.regions(), []string{
			"cn-a complete=false groups=1 rules=0 err=listing groups: page 1: a group without an ID",
		})
	})
}
