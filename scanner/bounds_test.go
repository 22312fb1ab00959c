package scanner_test

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// Everything is fresh on each of these pages, so that only the bounds can end them.

func TestEndlessListingsEndByDefault(t *testing.T) {
	t.Run("rules", func(t *testing.T) {
		c := newCloud("cn-a")
		c.add("cn-a", "sg-1")
		c.rules = func(c call, page *sg.Page[sg.Rule]) {
			n, _ := strconv.Atoi(c.token)
			page.Items, page.Next = rules("r"+c.token, 1), strconv.Itoa(n+1)
		}
		got := mustScan(t, c, nil)
		equal(t, "problems", got.problems(), []string{
			"region=cn-a group=sg-1 list= rule=: reading rules: no end after 100 pages with 100 entries",
		})
	})
	t.Run("rules on pages that are too large", func(t *testing.T) {
		c := newCloud("cn-a")
		c.add("cn-a", "sg-1")
		c.rules = func(c call, page *sg.Page[sg.Rule]) {
			n, _ := strconv.Atoi(c.token)
			page.Items, page.Next = rules("r"+c.token, 1500), strconv.Itoa(n+1)
		}
		got := mustScan(t, c, func(o *scanner.Options) { o.MaxRulePages = 3 })
		equal(t, "problems", got.problems(), []string{
			"region=cn-a group=sg-1 list= rule=: reading rules: no end after 2 pages with 3000 entries",
		})
	})
	t.Run("groups", func(t *testing.T) {
		c := newCloud("cn-a")
		c.groups = func(c call, page *sg.Page[sg.Group]) {
			n, _ := strconv.Atoi(c.token)
			page.Items, page.Next = []sg.Group{{ID: "sg-" + c.token, VPC: "vpc-1"}}, strconv.Itoa(n+1)
		}
		got := mustScan(t, c, nil)
		equal(t, "regions", got.regions(), []string{
			"cn-a complete=false groups=1000 rules=0 err=listing groups: no end after 1000 pages with 1000 entries",
		})
	})
}

// Texts of a page share its memory, so that nothing of a page may be kept when its groups are done. Tokens, names, IDs
// and those of problems are all parts of pages of 1 MiB here.
func TestAScanHoldsOnToNoPage(t *testing.T) {
	const pages, size = 80, 1 << 20
	c := newCloud("cn-a")
	c.groups = func(c call, page *sg.Page[sg.Group]) {
		n, _ := strconv.Atoi(c.token)
		id := "sg-" + strconv.Itoa(n)
		next := strconv.Itoa(n + 1)
		text := id + next + strings.Repeat("x", size)
		page.Next = text[len(id) : len(id)+len(next)]
		page.Items = []sg.Group{
			{ID: text[:len(id)], Name: text[len(id)+len(next) : len(id)+len(next)+4], VPC: "vpc-1"},
			{ID: text[:len(id)], Name: "a contradiction", VPC: "vpc-1"},
		}
		if n == pages-1 {
			page.Next = ""
		}
	}
	c.rules = func(c call, page *sg.Page[sg.Rule]) {
		text := c.id + strings.Repeat("x", size)
		page.Items = []sg.Rule{toList("r1", text[:len(c.id)]), withPortList("r2", text[:len(c.id)])}
	}
	forgetful := forgetful{c}
	before := heap()
	opts := scanner.Options{Groups: forgetful, Rules: forgetful, Regions: []string{"cn-a"}, Workers: 2}
	result, err := scanner.Scan(t.Context(), opts, func(*scanner.Group) error { return nil })
	if err != nil || len(result.Problems) == 0 {
		t.Fatalf("got %v, %v", result, err)
	}
	if grown := heap() - before; grown > pages*size/10 {
		t.Errorf("the result holds %d MiB", grown>>20)
	}
	runtime.KeepAlive(result)

	last := before
	opts.Progress = func(p scanner.Progress) {
		if p.Groups == pages-1 {
			last = heap()
		}
	}
	if _, err := scanner.Scan(t.Context(), opts, func(*scanner.Group) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if grown := last - before; grown > pages*size/4 { // a few pages are under way
		t.Errorf("the scan holds %d MiB at its end", grown>>20)
	}
}

// forgetful is a cloud that does not note its calls, since those would hold on to pages too.
type forgetful struct{ *cloud }

func (f forgetful) Groups(_ context.Context, region sg.Region, token string) (page sg.Page[sg.Group], _ error) {
	f.groups(call{op: "groups", region: region.ID, token: token}, &page)
	return page, nil
}

func (f forgetful) Rules(_ context.Context, region sg.Region, group, _, _ string) (page sg.Page[sg.Rule], _ error) {
	f.rules(call{op: "rules", region: region.ID, id: group}, &page)
	return page, nil
}

func (forgetful) PrefixList(context.Context, sg.Region, string) (sg.PrefixList, error) {
	return sg.PrefixList{}, errBroken
}

func (forgetful) PortList(context.Context, sg.Region, string) (sg.PortList, error) {
	return sg.PortList{}, errBroken
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
