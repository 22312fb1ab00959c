package ecsemu_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

// worker is one of many clients of a server, and what it knows of the groups that it works on.
type worker struct {
	server *ecsemu.Running
	number int
	draw   *rand.Rand
	err    error // The first thing that went wrong.

	own    string          // The ID of its own group; empty while it has none.
	rules  map[string]bool // Ports of the rules in its own group.
	tags   map[string]string
	shared string          // The ID of the group it shares.
	mine   map[string]bool // Ports of its rules in the shared group; no other worker touches those.
	tagged string          // The value of its tag on the shared group, whose key is its own.
}

// call is for any goroutine: it keeps what went wrong instead of ending the test.
func (w *worker) call(action string, pairs ...string) answer {
	got, err := tryPost(w.server, signed(http.MethodPost, ecsemu.DefaultKeySecret, common(action, hangzhou(pairs...))))
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("%s %q: status %d: %s", action, pairs, got.status, got.raw)
	}
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("worker %d: %w", w.number, err)
	}
	return got
}

func (w *worker) wrong(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("worker %d: "+format, append([]any{w.number}, args...)...)
	}
}

func ruleTo(ports string) []string {
	return []string{"IpProtocol", "tcp", "PortRange", ports, "DestCidrIp", "10.0.0.0/8"}
}

// step does one thing, to its own group or to the one it shares.
func (w *worker) step() {
	if w.own == "" {
		w.create()
		return
	}
	ports := fmt.Sprintf("%d/%d", w.number+1, 1000+w.draw.IntN(8))
	value := strconv.Itoa(w.draw.IntN(100))
	switch w.draw.IntN(9) {
	case 0:
		// Twice makes one.
		w.call(authorize, append(ruleTo(ports), "SecurityGroupId", w.own)...)
		w.call(authorize, append(ruleTo(ports), "SecurityGroupId", w.own)...)
		w.rules[ports] = true
	case 1:
		if w.rules[ports] {
			w.call("RevokeSecurityGroupEgress", append(ruleTo(ports), "SecurityGroupId", w.own)...)
			delete(w.rules, ports)
		}
	case 2:
		w.call("TagResources", "ResourceType", "securitygroup", "ResourceId.1", w.own, "Tag.1.Key", ports, "Tag.1.Value", value)
		w.tags[ports] = value
	case 3:
		w.call("UntagResources", "ResourceType", "securitygroup", "ResourceId.1", w.own, "TagKey.1", ports)
		delete(w.tags, ports)
	case 4:
		w.call("DeleteSecurityGroup", "SecurityGroupId", w.own)
		w.own = ""
	case 5:
		w.check()
	case 6:
		w.call(authorize, append(ruleTo(ports), "SecurityGroupId", w.shared)...)
		w.mine[ports] = true
	case 7:
		if w.mine[ports] {
			w.call("RevokeSecurityGroupEgress", append(ruleTo(ports), "SecurityGroupId", w.shared)...)
			delete(w.mine, ports)
		}
	case 8:
		w.tagged = value
		w.call("TagResources", "ResourceType", "securitygroup", "ResourceId.1", w.shared, "Tag.1.Key", w.key(), "Tag.1.Value", value)
	}
}

func (w *worker) key() string { return "worker-" + strconv.Itoa(w.number) }

func (w *worker) create() {
	w.own = w.call("CreateSecurityGroup", "VpcId", "vpc-1", "Tag.1.Key", "worker", "Tag.1.Value", w.key()).text("SecurityGroupId")
	w.rules, w.tags = map[string]bool{}, map[string]string{"worker": w.key()}
}

// check compares the worker's own group with what it should be.
func (w *worker) check() {
	got := w.call("DescribeSecurityGroupAttribute", "SecurityGroupId", w.own)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(w.rules)), portsIn(got)); diff != "" {
		w.wrong("rules (-want +got):\n%s", diff)
	}
	tags := map[string]string{}
	for _, e := range w.call("ListTagResources", "ResourceType", "securitygroup", "ResourceId.1", w.own).list("TagResources", "TagResource") {
		tags[fmt.Sprint(e["TagKey"])] = fmt.Sprint(e["TagValue"])
	}
	if diff := cmp.Diff(w.tags, tags); diff != "" {
		w.wrong("tags (-want +got):\n%s", diff)
	}
}

// portsIn gives the ports of the rules in an answer, sorted; nil if there are none.
func portsIn(a answer) []string {
	var ports []string
	for _, rule := range a.list("Permissions", "Permission") {
		ports = append(ports, fmt.Sprint(rule["PortRange"]))
	}
	slices.Sort(ports)
	return ports
}

// Every worker may be sure of its own group, and of its own rules and tag in a group that others change meanwhile.
func TestManyClientsAtOnce(t *testing.T) {
	const workers, shared, steps = 64, 8, 40
	estate := &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou"}}}
	for i := range shared {
		estate.Regions[0].Groups = append(estate.Regions[0].Groups,
			ecsemu.Group{ID: fmt.Sprintf("sg-shared%d", i), Name: "shared", VPC: "vpc-1"})
	}
	r := ecsemu.Start(t, estate, atStoppedClock)
	all := make([]*worker, workers)
	var wg sync.WaitGroup
	for i := range all {
		all[i] = &worker{
			server: r, number: i, draw: rand.New(rand.NewPCG(1, uint64(i))),
			shared: fmt.Sprintf("sg-shared%d", i%shared), mine: map[string]bool{},
		}
		wg.Go(func() {
			for range steps {
				if all[i].step(); all[i].err != nil {
					return
				}
			}
			if all[i].own != "" {
				all[i].check()
			}
		})
	}
	wg.Wait()
	rules, tags, groups := map[string][]string{}, map[string]map[string]string{}, []string{}
	for i := range shared {
		id := fmt.Sprintf("sg-shared%d", i)
		tags[id], groups = map[string]string{}, append(groups, id)
	}
	for _, w := range all {
		if w.err != nil {
			t.Fatal(w.err)
		}
		rules[w.shared] = append(rules[w.shared], slices.Collect(maps.Keys(w.mine))...)
		if w.tagged != "" {
			tags[w.shared][w.key()] = w.tagged
		}
		if w.own != "" {
			groups = append(groups, w.own)
		}
	}
	compareWorld(t, r, groups)
	for id := range tags {
		slices.Sort(rules[id])
		if diff := cmp.Diff(rules[id], portsIn(must(t, r, "DescribeSecurityGroupAttribute", hangzhou("SecurityGroupId", id)))); diff != "" {
			t.Errorf("rules of %s (-want +got):\n%s", id, diff)
		}
		if diff := cmp.Diff(tags[id], tagMap(t, r, id)); diff != "" {
			t.Errorf("tags of %s (-want +got):\n%s", id, diff)
		}
	}
	for _, request := range r.Server.Requests() {
		if request.Status >= http.StatusInternalServerError {
			t.Errorf("%s: got %d %s", request.Action, request.Status, request.Code)
		}
	}
}

// compareWorld compares the groups that there are with those that there should be.
func compareWorld(t *testing.T, r *ecsemu.Running, want []string) {
	t.Helper()
	var got []string
	for query := hangzhou("MaxResults", "100"); query != nil; {
		page := must(t, r, "DescribeSecurityGroups", query)
		got = append(got, groupIDs(page)...)
		token := page.text("NextToken")
		query = map[bool]url.Values{true: with(query, "NextToken", token)}[token != ""]
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func tagMap(t *testing.T, r *ecsemu.Running, group string) map[string]string {
	t.Helper()
	tags := map[string]string{}
	for _, e := range must(t, r, "ListTagResources", tagging("ResourceId.1", group)).list("TagResources", "TagResource") {
		tags[fmt.Sprint(e["TagKey"])] = fmt.Sprint(e["TagValue"])
	}
	return tags
}
