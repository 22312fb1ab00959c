package scanner_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// readGroup reads sg-1 of region cn-a.
func readGroup(ctx context.Context, c *cloud) (*scanner.Group, int, error) {
	opts := scanner.Options{Groups: c, Rules: c, LookAgain: 1}
	return scanner.ReadGroup(ctx, opts, sg.Region{ID: "cn-a"}, "sg-1")
}

// order is all calls, one line each.
func (c *cloud) order() []string {
	var lines []string
	for _, call := range c.calls {
		lines = append(lines, call.String())
	}
	return lines
}

// oneOf everything: a group with rules of all kinds.
func everything() *cloud {
	c := newCloud("cn-a")
	c.add("cn-a", "sg-1", append(rules("r", 3), toList("l1", "pl-1"), toList("l2", "pl-2"), withPortList("p", "ports-1"))...)
	c.regions["cn-a"].lists["pl-1"] = sg.PrefixList{ID: "pl-1", Name: "saas"}
	c.regions["cn-a"].ports["ports-1"] = sg.PortList{ID: "ports-1"}
	return c
}

func TestReadGroupReadsAttributesThenRulesThenLists(t *testing.T) {
	c := everything()
	got, pages, err := readGroup(t.Context(), c)
	if err != nil || got == nil {
		t.Fatalf("got %v, %v", got, err)
	}
	equal(t, "attributes", got.Group, sg.Group{Region: "cn-a", ID: "sg-1", Name: "name of sg-1", VPC: "vpc-1"})
	equal(t, "calls", c.order(), []string{
		"exists cn-a sg-1", "rules cn-a sg-1", "rules cn-a sg-1 1", "rules cn-a sg-1 2", "list cn-a pl-1", "list cn-a pl-2",
		"ports cn-a ports-1",
	})
	if pages != 3 || len(got.Rules) != 6 || got.Incomplete != "" {
		t.Errorf("got %d pages, %d rules, incomplete %q; want 3, 6 and nothing", pages, len(got.Rules), got.Incomplete)
	}
	known, unknown := got.Rules[3].Destination.List, got.Rules[4].Destination.List
	if known == nil || known.Name != "saas" || unknown != nil {
		t.Errorf("got lists %v and %v, want the one that can be read", known, unknown)
	}
	if got.Rules[5].PortList == nil {
		t.Error("the port list was not read")
	}
}

func TestReadGroupReadsBothSidesOfAClassicGroup(t *testing.T) {
	c := newCloud("cn-a")
	c.addClassic("cn-a", "sg-1", rules("out", 5), rules("in", 1))
	got, pages, err := readGroup(t.Context(), c)
	if err != nil || len(got.Rules) != 6 || pages != 3 {
		t.Errorf("got %+v on %d pages, %v; want 6 rules on 3 pages, those of the longer side", got, pages, err)
	}
}

func TestReadGroupGivesNoGroupThatIsProvenToBeGone(t *testing.T) {
	tests := []struct {
		name   string
		exists []bool // what looking for the group says, in turn
		gone   int    // how many readings of the rules say that it is gone
		there  bool
		err    string
	}{
		{name: "not found twice", exists: []bool{false, false}},
		{name: "found at the second look", exists: []bool{false, true}, there: true},
		{name: "gone while it is read", exists: []bool{true, false, false}, gone: 1},
		{name: "said to be gone, but found", exists: []bool{true, true}, gone: 1, there: true},
		{
			name: "said to be gone and found again and again", exists: []bool{true, true, true}, gone: 2,
			err: "reading group sg-1 in cn-a: reading rules: page 1: security group not found, and yet it is listed",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, looks, gone := everything(), test.exists, test.gone
			c.exists = func(call, bool) bool {
				look := looks[0]
				looks = looks[1:]
				return look
			}
			c.fail = func(c call) error {
				if c.op == "rules" && gone > 0 {
					gone--
					return sg.ErrGroupGone
				}
				return nil
			}
			got, pages, err := readGroup(t.Context(), c)
			if (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
				t.Errorf("got %v, want %q", err, test.err)
			}
			if (got != nil) != test.there || (pages > 0) != test.there || len(looks) > 0 {
				t.Errorf("got group %v, %d pages, %d looks left", got, pages, len(looks))
			}
		})
	}
}

func TestReadGroupFailsOverWhatIsNotReadWhole(t *testing.T) {
	tests := []struct {
		name  string
		apply func(c *cloud)
		want  string
	}{
		{
			"the group cannot be looked for", func(c *cloud) { c.fail = failing("exists cn-a sg-1") },
			"reading group sg-1 in cn-a: broken",
		},
		{
			"a page cannot be read", func(c *cloud) { c.fail = failing("rules cn-a sg-1 1") },
			"reading group sg-1 in cn-a: reading rules: page 2: broken",
		},
		{
			"the pages run in a circle", func(c *cloud) {
				c.rules = func(_ call, page *sg.Page[sg.Rule]) { page.Next = "1" }
			},
			"reading group sg-1 in cn-a: reading rules: page 2 names a next page that was read before: " +
				"the listing runs in a circle",
		},
		{
			"a rule contradicts itself", func(c *cloud) {
				c.rules = func(call call, page *sg.Page[sg.Rule]) {
					if call.token == "1" {
						page.Items[0].ID = "r-1"
					}
				}
			},
			"reading group sg-1 in cn-a: reading rules: rule r-1: listed twice with different contents",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := everything()
			r := c.regions["cn-a"].rules["sg-1"]
			r[2].Priority = 7 // unlike the first
			test.apply(c)
			got, _, err := readGroup(t.Context(), c)
			if got != nil || err == nil || err.Error() != test.want {
				t.Errorf("got %v, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestReadGroupEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, op := range []string{"exists", "rules", "list"} {
			c := everything()
			c.block = func(_ context.Context, c call) <-chan struct{} {
				if c.op == op {
					return make(chan struct{})
				}
				return nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if got, _, err := readGroup(ctx, c); got != nil || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("while waiting for %s: got %v, %v; want the end of the context", op, got, err)
			}
		}
	})
}

func TestReadGroupRefusesWhatCannotBeRead(t *testing.T) {
	c := newCloud("cn-a")
	good := scanner.Options{Groups: c, Rules: c}
	tests := []struct {
		name   string
		opts   scanner.Options
		region string
		id     string
		want   string
	}{
		{"no client", scanner.Options{}, "cn-a", "sg-1", "group reading options: no client"},
		{"no region", good, "", "sg-1", "group reading options: no region or no group"},
		{"no group", good, "cn-a", "", "group reading options: no region or no group"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := scanner.ReadGroup(t.Context(), test.opts, sg.Region{ID: test.region}, test.id)
			if err == nil || err.Error() != test.want || len(c.calls) > 0 {
				t.Errorf("got %v and calls %v, want %q and none", err, c.calls, test.want)
			}
		})
	}
}

// Over the wire, a group reads as it does in a scan.
func TestReadGroupOfAnEmulatedEstate(t *testing.T) {
	estate := estates.Generate(estates.GenerateOptions{
		Seed: 7, Regions: []string{"cn-hangzhou"}, Groups: 20, RulesPerGroup: 12, FindingShare: 0.1,
		Now: time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC),
	})
	client, _ := emulated(t, estate)
	scan := scanEmulated(t, client)
	opts := scanner.Options{Groups: client, Rules: client, LookAgain: 1}
	hangzhou := sg.Region{ID: "cn-hangzhou"}
	for _, group := range estate.Regions[0].Groups {
		got, pages, err := scanner.ReadGroup(t.Context(), opts, hangzhou, group.ID)
		if err != nil || pages != 1 {
			t.Fatalf("group %s: got %d pages, %v", group.ID, pages, err)
		}
		want := scan.visited["cn-hangzhou/"+group.ID]
		if !slices.EqualFunc(got.Rules, want.Rules, sameButForList) {
			t.Errorf("group %s has other rules than in the scan", group.ID)
		}
		if diff := cmp.Diff(want.Group, got.Group); diff != "" {
			t.Errorf("group %s, -scan +read:\n%s", group.ID, diff)
		}
	}
	if got, _, err := scanner.ReadGroup(t.Context(), opts, hangzhou, "sg-none"); got != nil || err != nil {
		t.Errorf("no group: got %v, %v", got, err)
	}
}

// sameButForList compares rules whose lists were read one by one.
func sameButForList(a, b sg.Rule) bool {
	if (a.Destination.List == nil) != (b.Destination.List == nil) {
		return false
	}
	a.Destination.List, b.Destination.List = nil, nil
	return a == b
}
