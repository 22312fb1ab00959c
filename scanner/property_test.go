package scanner_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// fault is the one thing that goes wrong in a scan of the property below.
type fault struct {
	kind   string
	region string
	group  string
	list   string
	page   string // token of the page that the fault is at
}

// For any estate and page size, and any single fault, what is visited is the estate but for what the fault hides, and
// nothing that the fault hides something of claims to be complete.
func TestScanNeverPassesAPartForTheWhole(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := anyCloud(rt)
		f := anyFault(rt, c)
		f.install(c)
		var got scanned
		got.visited = map[string]*scanner.Group{}
		opts := scanner.Options{Groups: c, Rules: c, Regions: []string{"*"}, LookAgain: 1}
		opts.Workers = rapid.IntRange(1, 4).Draw(rt, "workers")
		var err error
		got.result, err = scanner.Scan(t.Context(), opts, func(g *scanner.Group) error {
			if got.visited[g.Region+"/"+g.ID] != nil {
				rt.Errorf("%s is visited twice", g.ID)
			}
			got.visited[g.Region+"/"+g.ID] = g
			return nil
		})
		if err != nil {
			rt.Fatalf("Scan: %v", err)
		}
		for name, e := range c.regions {
			f.checkRegion(rt, name, e, got)
		}
		if got.result.Complete() != f.harmless() {
			rt.Errorf("fault %+v: complete is %t; problems %q", f, got.result.Complete(), got.problems())
		}
		if f.kind == "none" {
			checkCalls(rt, c)
		}
	})
}

func anyCloud(rt *rapid.T) *cloud {
	c := newCloud()
	c.pageSize = rapid.IntRange(1, 5).Draw(rt, "page size")
	for r := range rapid.IntRange(1, 3).Draw(rt, "regions") {
		region := "cn-" + strconv.Itoa(r)
		e := &estate{rules: map[string][]sg.Rule{}, lists: map[string]sg.PrefixList{"pl-0": {}, "pl-1": {}}}
		c.regions[region] = e
		for g := range rapid.IntRange(0, 6).Draw(rt, "groups") {
			id := "sg-" + strconv.Itoa(g)
			if rapid.Bool().Draw(rt, "classic") {
				c.addClassic(region, id, anyRules(rt, "out"), anyRules(rt, "in"))
			} else {
				c.add(region, id, anyRules(rt, "r")...)
			}
		}
	}
	return c
}

func anyRules(rt *rapid.T, prefix string) []sg.Rule {
	list := rules(prefix, rapid.IntRange(0, 8).Draw(rt, "rules"))
	for i := range list {
		if n := rapid.IntRange(0, 5).Draw(rt, "list"); n < 2 {
			list[i] = toList(list[i].ID, "pl-"+strconv.Itoa(n))
		}
	}
	return list
}

// all gives a group's rules in the order in which a scan reads them.
func (e *estate) all(id string) []sg.Rule {
	return slices.Concat(e.rules[id], e.rules[id+"/"+sg.NICInternet], e.rules[id+"/"+sg.NICIntranet])
}

func (e *estate) uses(list string) bool {
	return slices.ContainsFunc(e.groups, func(g sg.Group) bool {
		return slices.ContainsFunc(e.all(g.ID), func(r sg.Rule) bool { return r.Destination.Text == list })
	})
}

// anyFault picks a fault that the estate can have, or none.
func anyFault(rt *rapid.T, c *cloud) fault {
	kinds := []string{
		"none", "groups page", "groups loop", "rules page", "rules loop", "list", "gone", "stale gone", "group repeated",
	}
	f := fault{kind: rapid.SampledFrom(kinds).Draw(rt, "fault"), region: "cn-0"}
	e := c.regions[f.region]
	pages := func(n int) int { return max(1, (n+c.pageSize-1)/c.pageSize) }
	token := func(n int) string {
		if page := rapid.IntRange(0, pages(n)-1).Draw(rt, "page"); page > 0 {
			return strconv.Itoa(page)
		}
		return ""
	}
	switch f.kind {
	case "groups page", "groups loop":
		f.page = token(len(e.groups))
	case "rules page", "rules loop", "gone", "stale gone", "group repeated":
		if len(e.groups) == 0 {
			return fault{kind: "none"}
		}
		g := rapid.SampledFrom(e.groups).Draw(rt, "group")
		f.group = g.ID
		f.page = token(max(len(e.rules[g.ID]), len(e.rules[g.ID+"/"+sg.NICIntranet])))
	case "list":
		f.list = rapid.SampledFrom([]string{"pl-0", "pl-1"}).Draw(rt, "list")
		if !e.uses(f.list) {
			return fault{kind: "none"}
		}
	}
	return f
}

// harmless tells whether the scan may call itself complete nevertheless.
func (f fault) harmless() bool {
	return f.kind == "none" || f.kind == "gone" || f.kind == "stale gone" || f.kind == "group repeated"
}

func (f fault) hits(c call) bool {
	if c.region != f.region || c.token != f.page && c.token != "loop" {
		return false
	}
	switch f.kind {
	case "groups page", "groups loop":
		return c.op == "groups"
	case "list":
		return c.op == "list" && c.id == f.list
	default:
		return c.op == "rules" && c.id == f.group && c.nic != sg.NICInternet
	}
}

func (f fault) install(c *cloud) {
	stale := f.kind == "stale gone"
	c.fail = func(call call) error {
		switch {
		case !f.hits(call):
		case f.kind == "gone" || stale:
			stale = false
			return sg.ErrGroupGone
		case f.kind == "groups page" || f.kind == "rules page" || f.kind == "list":
			return errBroken
		}
		return nil
	}
	c.exists = func(call, bool) bool { return f.kind == "stale gone" }
	c.rules = func(call call, page *sg.Page[sg.Rule]) {
		if f.kind == "rules loop" && f.hits(call) {
			page.Next = "loop"
		}
	}
	c.groups = func(call call, page *sg.Page[sg.Group]) {
		switch {
		case f.kind == "groups loop" && f.hits(call):
			page.Next = "loop"
		case f.kind == "group repeated" && call.region == f.region:
			group := c.regions[f.region].groups[0]
			page.Items = append(page.Items, group, group)
		}
	}
}

func (f fault) checkRegion(rt *rapid.T, name string, e *estate, got scanned) {
	hit := name == f.region && !f.harmless()
	i := slices.IndexFunc(got.result.Regions, func(r scanner.Region) bool { return r.ID == name })
	region := got.result.Regions[i]
	if region.Complete == hit {
		rt.Errorf("fault %+v: region %s: complete is %t", f, name, region.Complete)
	}
	groups, count := 0, 0
	for _, group := range e.groups {
		g := got.visited[name+"/"+group.ID]
		want := e.all(group.ID)
		struck := name == f.region && group.ID == f.group
		switch {
		case g == nil:
			unlisted := hit && (f.kind == "groups page" || f.kind == "groups loop")
			gone := struck && f.kind == "gone"
			if !unlisted && !gone {
				rt.Errorf("fault %+v: group %s of %s is missing", f, group.ID, name)
			}
			continue
		case struck && (f.kind == "rules page" || f.kind == "rules loop"):
			if g.Incomplete == "" {
				rt.Errorf("fault %+v: group %s of %s passes for complete", f, group.ID, name)
			}
			want = want[:min(len(want), len(g.Rules))]
		case g.Incomplete != "":
			rt.Errorf("fault %+v: group %s of %s is incomplete: %s", f, group.ID, name, g.Incomplete)
		}
		groups, count = groups+1, count+len(g.Rules)
		f.checkRules(rt, name, g.Rules, want)
	}
	if region.Groups != groups || region.Rules != count {
		rt.Errorf("region %s counts %d groups and %d rules, visited were %d and %d",
			name, region.Groups, region.Rules, groups, count)
	}
}

func (f fault) checkRules(rt *rapid.T, region string, got, want []sg.Rule) {
	if len(got) != len(want) {
		rt.Errorf("fault %+v: %d rules, want %d", f, len(got), len(want))
		return
	}
	for i, rule := range got {
		unreadable := f.kind == "list" && region == f.region && rule.Destination.Text == f.list
		if (rule.Destination.List != nil) != (rule.Destination.Kind == sg.FromList && !unreadable) {
			rt.Errorf("fault %+v: rule %s to %s: list is %v", f, rule.ID, rule.Destination.Text, rule.Destination.List)
		}
		rule.Destination.List = nil
		if rule != want[i] {
			rt.Errorf("fault %+v: rule %d is %+v, want %+v", f, i, rule, want[i])
		}
	}
}

// checkCalls compares with the least number of calls that can read an estate.
func checkCalls(rt *rapid.T, c *cloud) {
	pages := func(n int) int { return max(1, (n+c.pageSize-1)/c.pageSize) }
	groups, readings, lists := 0, 0, 0
	for _, e := range c.regions {
		groups += pages(len(e.groups))
		for _, g := range e.groups {
			if g.Classic() {
				readings += pages(len(e.rules[g.ID+"/"+sg.NICInternet])) + pages(len(e.rules[g.ID+"/"+sg.NICIntranet]))
			} else {
				readings += pages(len(e.rules[g.ID]))
			}
		}
		for list := range e.lists {
			if e.uses(list) {
				lists++
			}
		}
	}
	got := c.count()
	want := fmt.Sprintf("regions=1 groups=%d rules=%d lists=%d exists=0", groups, readings, lists)
	have := fmt.Sprintf("regions=%d groups=%d rules=%d lists=%d exists=%d",
		got["regions"], got["groups"], got["rules"], got["list"], got["exists"])
	if have != want {
		rt.Errorf("calls: got %s, want %s", have, want)
	}
}
