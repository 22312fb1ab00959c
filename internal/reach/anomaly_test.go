package reach_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// of is a rule as the cloud lists it; what is the protocol and the ports, as in tcp 443/443.
func of(id, action, what, to, priority string) sg.Rule {
	protocol, ports, _ := strings.Cut(what, " ")
	return sg.NewRule(&sg.Fields{
		ID: id, Protocol: protocol, PortRange: ports, CIDR4: to, Policy: action, Priority: priority, NICType: sg.NICIntranet,
	})
}

func fromPorts(r sg.Rule, low, high uint16) sg.Rule {
	r.SourcePorts = sg.PortRange{Low: low, High: high}
	return r
}

func toGroup(id, action, priority string) sg.Rule {
	r := of(id, action, "tcp 22/22", "0.0.0.0/0", priority)
	r.Destination = sg.Destination{Kind: sg.PeerGroup, Text: "sg-peer"}
	return r
}

func six(id, action, to, priority string) sg.Rule {
	return sg.NewRule(&sg.Fields{
		ID: id, Protocol: "tcp", PortRange: "22/22", CIDR6: to, Policy: action, Priority: priority, NICType: sg.NICIntranet,
	})
}

func kinds(list []reach.Anomaly, rules []sg.Rule) map[string][]string {
	found := map[string][]string{}
	for _, a := range list {
		name := rules[a.Rule].ID + " " + string(a.Kind)
		for _, o := range a.Others {
			found[name] = append(found[name], o.Rule)
		}
	}
	return found
}

func TestAnomaliesAreNamedByTheirKinds(t *testing.T) {
	t.Parallel()
	group := sg.Group{ID: "sg-1", Type: sg.TypeEnterprise, VPC: "vpc-1"}
	for _, test := range []struct {
		name  string
		rules []sg.Rule
		want  map[string][]string
	}{
		{"a drop before covers an accept", []sg.Rule{
			of("drop", "drop", "tcp 1/65535", "10.0.0.0/8", "1"), of("in", "accept", "tcp 443/443", "10.1.0.0/16", "2"),
		}, map[string][]string{"in shadowed": {"drop"}}},
		{"two halves before cover a rule together", []sg.Rule{
			of("low", "drop", "tcp 443/443", "10.0.0.0/9", "1"), of("high", "accept", "tcp 443/443", "10.128.0.0/9", "1"),
			of("whole", "accept", "tcp 443/443", "10.0.0.0/8", "2"),
		}, map[string][]string{"whole shadowed": {"high", "low"}, "high redundant": {"whole"}}},
		{"a wider rule after does the same", []sg.Rule{
			of("narrow", "accept", "tcp 443/443", "10.1.0.0/16", "1"), of("wide", "accept", "tcp 1/65535", "10.0.0.0/8", "2"),
		}, map[string][]string{"narrow redundant": {"wide"}}},
		{"twins are redundant, each because of the other", []sg.Rule{
			of("a", "accept", "udp 53/53", "10.0.0.53/32", "1"), of("b", "accept", "udp 53/53", "10.0.0.53/32", "1"),
		}, map[string][]string{"a redundant": {"b"}, "b redundant": {"a"}}},
		{"an exception to a wider rule", []sg.Rule{
			of("hole", "drop", "tcp 25/25", "0.0.0.0/0", "1"), of("all", "accept", "all -1/-1", "0.0.0.0/0", "2"),
		}, map[string][]string{"all generalised": {"hole"}}},
		{"drop wins at one priority", []sg.Rule{
			of("no", "drop", "tcp 22/22", "10.0.0.0/8", "1"), of("yes", "accept", "tcp 1/65535", "10.0.0.0/16", "1"),
		}, map[string][]string{"no conflicting": {"yes"}, "yes conflicting": {"no"}}},
		{"a wider rule of one priority", []sg.Rule{
			of("no", "drop", "tcp 22/22", "10.0.0.0/8", "1"), of("yes", "accept", "tcp 22/22", "10.0.0.0/16", "1"),
		}, map[string][]string{"no conflicting": {"yes"}, "yes shadowed": {"no"}}},
		{"source ports that have nothing in common", []sg.Rule{
			fromPorts(of("low", "accept", "tcp 22/22", "10.0.0.0/8", "1"), 1, 1023),
			fromPorts(of("high", "drop", "tcp 22/22", "10.0.0.0/8", "1"), 1024, 65535),
		}, map[string][]string{}},
		{"a rule to a group, whatever its members are", []sg.Rule{
			toGroup("peer", "accept", "2"), of("four", "drop", "tcp 22/22", "0.0.0.0/0", "1"), six("six", "drop", "::/0", "1"),
		}, map[string][]string{"peer shadowed": {"four", "six"}}},
		{"a rule to a group, where it depends on its members", []sg.Rule{
			toGroup("peer", "accept", "1"), of("no", "drop", "tcp 22/22", "10.0.0.0/8", "1"),
		}, map[string][]string{}},
		{"rules that have nothing in common", []sg.Rule{
			of("a", "accept", "tcp 22/22", "10.0.0.0/8", "1"), of("b", "drop", "udp 22/22", "10.0.0.0/8", "1"),
			of("c", "drop", "tcp 22/22", "192.168.0.0/16", "1"),
		}, map[string][]string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := kinds(reach.Compile(&group, test.rules, reach.Options{}).Anomalies(), test.rules)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("anomalies (-want +got):\n%s", diff)
			}
		})
	}
}

// A rule that is shadowed or redundant can be removed, and nothing changes, as the oracle sees it; and one of which nothing
// was said, that is not redundant through the default alone, cannot.
func TestWhatIsShadowedOrRedundantIsWhatCanBeRemoved(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1_000) {
		w := draw(rand.New(rand.NewPCG(seed, 7)))
		if len(w.sets) > 0 {
			continue
		}
		got := map[int]reach.Kind{}
		for _, a := range reach.Compile(&w.group, w.rules, reach.Options{}).Anomalies() {
			if a.Kind == reach.Shadowed || a.Kind == reach.Redundant {
				got[a.Rule] = a.Kind
			}
		}
		for i := range w.rules {
			alone := &world{group: w.group, rules: w.rules, removed: []int{i}}
			truth := alone.truth()
			var want reach.Kind
			switch byRules := len(truth.permittedBy)+len(truth.droppedBy) > 0 &&
				(!truth.permittedBy["default"] && !truth.droppedBy["default"] || len(truth.permittedBy)+len(truth.droppedBy) > 1); {
			case truth.class != reach.None:
			case slices.ContainsFunc(w.rules, func(r sg.Rule) bool { return truth.shadowedBy[r.ID] && r.Action != w.rules[i].Action }):
				want = reach.Shadowed
			case len(truth.shadowedBy) > 0 || byRules:
				want = reach.Redundant
			}
			if got[i] != want {
				t.Fatalf("seed %d: rule %d is %q, want %q\n%s", seed, i, got[i], want, w)
			}
		}
	}
}

func BenchmarkAnomalies(b *testing.B) {
	group := sg.Group{ID: "sg-1", Type: sg.TypeEnterprise, VPC: "vpc-1"}
	for _, n := range []int{50, 200} {
		for _, kind := range []string{"typical", "adversarial"} {
			list := reach.Compile(&group, benchRules(n, kind == "adversarial"), reach.Options{})
			b.Run(fmt.Sprintf("%s/%d rules", kind, n), func(b *testing.B) {
				for b.Loop() {
					list.Anomalies()
				}
			})
		}
	}
}
