package scanner_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// call is one request to the fake cloud, and what it is about.
type call struct {
	op     string // regions, groups, exists, rules, list
	region string
	id     string // of the group or list
	nic    string
	token  string
}

func (c call) String() string {
	return strings.Join(slices.DeleteFunc([]string{c.op, c.region, c.id, c.nic, c.token},
		func(s string) bool { return s == "" }), " ")
}

// estate is what one region holds.
type estate struct {
	groups []sg.Group
	rules  map[string][]sg.Rule // by group ID, or by group ID and "/" and NIC type
	lists  map[string]sg.PrefixList
	ports  map[string]sg.PortList
}

// cloud is the cloud in memory. Tokens are the number of the page. Before it answers, it asks the hooks that are set.
type cloud struct {
	regions  map[string]*estate
	pageSize int

	fail   func(c call) error                                // an error in the place of the answer
	groups func(c call, page *sg.Page[sg.Group])             // changes an answer
	rules  func(c call, page *sg.Page[sg.Rule])              // changes an answer
	exists func(c call, there bool) (answer bool)            // changes an answer
	block  func(ctx context.Context, c call) <-chan struct{} // holds an answer back until it is closed or ctx ends

	mu    sync.Mutex
	calls []call
}

func newCloud(regions ...string) *cloud {
	c := &cloud{regions: map[string]*estate{}, pageSize: 2}
	for _, name := range regions {
		c.regions[name] = &estate{rules: map[string][]sg.Rule{}, lists: map[string]sg.PrefixList{}, ports: map[string]sg.PortList{}}
	}
	return c
}

// add puts a VPC group with rules into a region.
func (c *cloud) add(region, id string, rules ...sg.Rule) {
	e := c.regions[region]
	e.groups = append(e.groups, sg.Group{Region: region, ID: id, Name: "name of " + id, VPC: "vpc-1"})
	e.rules[id] = rules
}

// addClassic puts a group of the classic network into a region.
func (c *cloud) addClassic(region, id string, internet, intranet []sg.Rule) {
	e := c.regions[region]
	e.groups = append(e.groups, sg.Group{Region: region, ID: id})
	e.rules[id+"/"+sg.NICInternet], e.rules[id+"/"+sg.NICIntranet] = internet, intranet
}

func (c *cloud) took(ctx context.Context, call call) error {
	c.mu.Lock()
	c.calls = append(c.calls, call)
	c.mu.Unlock()
	if c.block != nil {
		if wait := c.block(ctx, call); wait != nil {
			select {
			case <-wait:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	if c.fail != nil {
		return c.fail(call)
	}
	return nil
}

func (c *cloud) Regions(ctx context.Context) ([]sg.Region, error) {
	if err := c.took(ctx, call{op: "regions"}); err != nil {
		return nil, err
	}
	var regions []sg.Region
	for name := range maps.Keys(c.regions) {
		regions = append(regions, sg.Region{ID: name})
	}
	return regions, nil
}

func (c *cloud) Groups(ctx context.Context, region sg.Region, token string) (sg.Page[sg.Group], error) {
	call := call{op: "groups", region: region.ID, token: token}
	if err := c.took(ctx, call); err != nil {
		return sg.Page[sg.Group]{}, err
	}
	page := paged(c.regions[region.ID].groups, token, c.pageSize)
	if c.groups != nil {
		c.groups(call, &page)
	}
	return page, nil
}

func (c *cloud) Group(ctx context.Context, region sg.Region, id string) (sg.Group, bool, error) {
	call := call{op: "exists", region: region.ID, id: id}
	if err := c.took(ctx, call); err != nil {
		return sg.Group{}, false, err
	}
	groups := c.regions[region.ID].groups
	at := slices.IndexFunc(groups, func(g sg.Group) bool { return g.ID == id })
	there := at >= 0
	if c.exists != nil {
		there = c.exists(call, there)
	}
	if !there || at < 0 {
		return sg.Group{}, there, nil
	}
	return groups[at], true, nil
}

func (c *cloud) Rules(ctx context.Context, region sg.Region, group, nic, token string) (sg.Page[sg.Rule], error) {
	call := call{op: "rules", region: region.ID, id: group, nic: nic, token: token}
	if err := c.took(ctx, call); err != nil {
		return sg.Page[sg.Rule]{}, err
	}
	key := group
	if nic != "" {
		key += "/" + nic
	}
	page := paged(c.regions[region.ID].rules[key], token, c.pageSize)
	if c.rules != nil {
		c.rules(call, &page)
	}
	return page, nil
}

func (c *cloud) PrefixList(ctx context.Context, region sg.Region, id string) (sg.PrefixList, error) {
	if err := c.took(ctx, call{op: "list", region: region.ID, id: id}); err != nil {
		return sg.PrefixList{}, err
	}
	list, ok := c.regions[region.ID].lists[id]
	if !ok {
		return sg.PrefixList{}, errors.New("no such list")
	}
	return list, nil
}

func (c *cloud) PortList(ctx context.Context, region sg.Region, id string) (sg.PortList, error) {
	if err := c.took(ctx, call{op: "ports", region: region.ID, id: id}); err != nil {
		return sg.PortList{}, err
	}
	list, ok := c.regions[region.ID].ports[id]
	if !ok {
		return sg.PortList{}, errors.New("no such port list")
	}
	return list, nil
}

// count is how many calls were made, by operation.
func (c *cloud) count() map[string]int {
	counts := map[string]int{}
	for _, call := range c.calls {
		counts[call.op]++
	}
	return counts
}

func paged[T any](items []T, token string, size int) sg.Page[T] {
	n := 0
	if token != "" {
		n, _ = strconv.Atoi(token)
	}
	from, to := min(n*size, len(items)), min((n+1)*size, len(items))
	page := sg.Page[T]{Items: slices.Clone(items[from:to])}
	if to < len(items) {
		page.Next = strconv.Itoa(n + 1)
	}
	return page
}

// rules gives n rules with the IDs prefix-1 to prefix-n.
func rules(prefix string, n int) []sg.Rule {
	list := make([]sg.Rule, n)
	for i := range list {
		list[i] = sg.NewRule(&sg.Fields{
			ID: fmt.Sprintf("%s-%d", prefix, i+1), Protocol: "TCP", PortRange: "443/443",
			CIDR4: "203.0.113.0/24", Policy: "Accept", Priority: "1",
		})
	}
	return list
}

// toList is a rule whose destination is a prefix list.
func toList(id, list string) sg.Rule {
	return sg.NewRule(&sg.Fields{
		ID: id, Protocol: "ALL", PortRange: "-1/-1", PrefixListID: list, Policy: "Accept", Priority: "1",
	})
}

// withPortList is a rule whose ports are a port list.
func withPortList(id, list string) sg.Rule {
	return sg.NewRule(&sg.Fields{
		ID: id, Protocol: "TCP", PortListID: list, CIDR4: "203.0.113.0/24", Policy: "Accept", Priority: "1",
	})
}

// scanned is a whole scan as text, where values would be unwieldy: what was visited by group, and the result.
type scanned struct {
	visited map[string]*scanner.Group // by region/group
	result  *scanner.Result
	err     error
}

// scan scans all regions with few workers, and notes what it saw. It fails if a group is visited twice.
func scan(t *testing.T, c *cloud, change func(*scanner.Options)) scanned {
	t.Helper()
	opts := scanner.Options{Groups: c, Rules: c, Regions: []string{scanner.AllRegions}, Workers: 3, LookAgain: 1, MaxFailures: 5, MaxDenials: 1}
	if change != nil {
		change(&opts)
	}
	got := scanned{visited: map[string]*scanner.Group{}}
	got.result, got.err = scanner.Scan(t.Context(), opts, func(g *scanner.Group) error {
		key := g.Region + "/" + g.ID
		if got.visited[key] != nil {
			t.Errorf("group %s was visited twice", key)
		}
		got.visited[key] = g
		return nil
	})
	return got
}

// mustScan is scan for a scan that comes to a result.
func mustScan(t *testing.T, c *cloud, change func(*scanner.Options)) scanned {
	t.Helper()
	got := scan(t, c, change)
	if got.err != nil {
		t.Fatalf("Scan: %v", got.err)
	}
	return got
}

// ruleIDs gives the IDs of a visited group's rules, or nil if it was not visited.
func (s scanned) ruleIDs(group string) []string {
	g := s.visited[group]
	if g == nil {
		return nil
	}
	ids := []string{}
	for _, r := range g.Rules {
		ids = append(ids, r.ID)
	}
	return ids
}

// problems gives one line a problem.
func (s scanned) problems() []string {
	var lines []string
	for _, p := range s.result.Problems {
		lines = append(lines,
			fmt.Sprintf("region=%s group=%s list=%s rule=%s: %v", p.Region, p.Group, p.List, p.Rule, p.Err))
	}
	return lines
}

// regions gives one line a region.
func (s scanned) regions() []string {
	var lines []string
	for _, r := range s.result.Regions {
		lines = append(lines,
			fmt.Sprintf("%s complete=%t groups=%d rules=%d err=%v", r.ID, r.Complete, r.Groups, r.Rules, r.Err))
	}
	return lines
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
