package reach_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

var lists = flag.Int("reach.lists", 10_000/fewerIfRacing, "how many rule lists are held against the oracle")

// ways are those of asking the same question.
func ways() map[string]func(w *world) *reach.Effect {
	return map[string]func(w *world) *reach.Effect{
		"whole": func(w *world) *reach.Effect {
			return reach.Compile(&w.group, w.rules, reach.Options{}).Effect(w.absent, w.removed)
		},
		"only": func(w *world) *reach.Effect {
			only := append(slices.Clone(w.removed), w.absent...)
			return reach.Compile(&w.group, w.rules, reach.Options{Only: only}).Effect(w.absent, w.removed)
		},
		"merged": merged,
	}
}

// merged asks of two groups that have the rules between them, every other one.
func merged(w *world) *reach.Effect {
	even, odd := reach.Compile(&w.group, everyOther(w, 0), reach.Options{}), reach.Compile(&w.group, everyOther(w, 1), reach.Options{})
	names := func(list []int) []reach.At {
		var at []reach.At
		for _, i := range list {
			at = append(at, reach.At{List: i % 2, Rule: i / 2})
		}
		return at
	}
	return reach.Merge(even, odd).Effect(names(w.absent), names(w.removed))
}

func TestEffectsAreWhatAnOraclePointByPointSays(t *testing.T) {
	t.Parallel()
	classes := map[reach.Class]int{}
	witnesses := map[string]int{}
	for seed := range uint64(*lists) {
		w := draw(rand.New(rand.NewPCG(seed, 6)))
		want := w.truth()
		classes[want.class]++
		for name, there := range map[string]bool{
			"shadowed": len(want.shadowedBy) > 0, "permitted": len(want.permittedBy) > 0, "dropped": len(want.droppedBy) > 0,
			"groups": len(want.groupsClosed)+len(want.groupsOpened) > 0,
		} {
			if there {
				witnesses[name]++
			}
		}
		for name, ask := range ways() {
			if wrong := w.compare(want, ask(w)); wrong != nil {
				w = shrunk(w, ask)
				t.Fatalf("seed %d, %s: %v\n%s", seed, name, w.compare(w.truth(), ask(w)), w)
			}
		}
	}
	// What never comes about is not tested.
	for _, c := range []reach.Class{reach.Closes, reach.None, reach.Opens, reach.Mixed, reach.Unknown} {
		if classes[c]*100 < *lists {
			t.Errorf("class %s came about %d times in %d lists", c, classes[c], *lists)
		}
	}
	for _, name := range []string{"shadowed", "permitted", "dropped", "groups"} {
		if witnesses[name]*200 < *lists {
			t.Errorf("%s came about %d times in %d lists", name, witnesses[name], *lists)
		}
	}
}

// shrunk takes rules away as long as the answer stays wrong.
func shrunk(w *world, ask func(*world) *reach.Effect) *world {
	for i := 0; i < len(w.rules); {
		smaller := w.without(i)
		if smaller.compare(smaller.truth(), ask(smaller)) != nil {
			w, i = smaller, 0
			continue
		}
		i++
	}
	return w
}

func (w *world) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, classic %t, absent %v, removed %v\n", w.group.Type, w.group.Classic(), w.absent, w.removed)
	for i := range w.rules {
		r := &w.rules[i]
		fmt.Fprintf(&b, "%d %s: %s %s %s %s to %s from %s %s, priority %d, list %v %v, %s\n", i, r.ID, r.Action, r.Protocol, r.Ports,
			r.PortListID, r.Destination.Text, r.Source.Text, r.SourcePorts, r.Priority, r.Destination.List, r.PortList, r.NICType)
	}
	return b.String()
}

func everyOther(w *world, from int) []sg.Rule {
	var rules []sg.Rule
	for i := from; i < len(w.rules); i += 2 {
		rules = append(rules, w.rules[i])
	}
	return rules
}

// A walk that answers many questions at once must say what one for each says.
func TestEffectsAskedTogetherAreThoseAskedOneByOne(t *testing.T) {
	t.Parallel()
	const many = 1 << 20
	for seed := range uint64(*lists / 4) {
		r := rand.New(rand.NewPCG(seed, 8))
		w := draw(r)
		if seed%2 == 0 {
			w.spoil(r)
		}
		batch := append(slices.Clone(w.absent), w.removed...)
		list := reach.Compile(&w.group, w.rules, reach.Options{})
		all := make([]int, len(w.rules))
		for i := range all {
			all[i] = i
		}
		whole, each := list.Effects(batch, all, many)
		same(t, w, "batch", whole, list.Effect(nil, batch))
		for i, e := range each {
			rest := slices.DeleteFunc(slices.Clone(batch), func(k int) bool { return k == i })
			same(t, w, w.rules[i].ID, e, list.Effect(rest, []int{i}))
		}
	}
}

func same(t *testing.T, w *world, what string, got, want *reach.Effect) {
	t.Helper()
	if got.Class != want.Class || got.Why != want.Why || got.Closed != want.Closed || got.Sentence() != want.Sentence() ||
		!slices.EqualFunc(got.Closes, want.Closes, equalSpaces) || !slices.EqualFunc(got.Opens, want.Opens, equalSpaces) {
		t.Fatalf("%s: %s %s\nwant %s %s\n%s", what, got.Class, got.Sentence(), want.Class, want.Sentence(), w)
	}
}

func equalSpaces(a, b reach.Space) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// The default of a basic group permits all addresses but 1,024, and a rule for these is asked first.
func TestTheWitnessThatDecidesMostIsNamedFirst(t *testing.T) {
	t.Parallel()
	accept := func(id, to, priority string) sg.Rule {
		return sg.NewRule(&sg.Fields{
			ID: id, Protocol: "tcp", PortRange: "443/443", CIDR4: to, NICType: sg.NICIntranet, Policy: "accept", Priority: priority,
		})
	}
	rules := []sg.Rule{
		accept("sgr-all", "0.0.0.0/0", "100"), accept("sgr-few", "192.0.2.0/28", "1"), accept("sgr-more", "198.51.100.0/22", "2"),
	}
	list := reach.Compile(&sg.Group{ID: "sg-1", Type: sg.TypeNormal, VPC: "vpc-1"}, rules, reach.Options{})
	by := list.Effect(nil, []int{0}).StillPermittedBy
	if len(by) != 3 || !by[0].Default || by[1].Rule != "sgr-more" || by[2].Rule != "sgr-few" {
		t.Errorf("witnesses %+v, want the default, sgr-more and sgr-few", by)
	}
}

// Whether an address is a member of a group nobody knows, but not that two rules for the same group meet there.
func TestRulesForTheSameGroupDecideForEachOther(t *testing.T) {
	t.Parallel()
	to := func(id, policy, ports, priority string) sg.Rule {
		return sg.NewRule(&sg.Fields{
			ID: id, Protocol: "tcp", PortRange: ports, GroupID: "sg-t", NICType: sg.NICIntranet, Policy: policy, Priority: priority,
		})
	}
	for name, test := range map[string]struct {
		kind      sg.GroupType
		rules     []sg.Rule // the first one is removed
		permitted []string
		shadowed  []string
	}{
		"another one permits all of it": {
			sg.TypeEnterprise, []sg.Rule{to("a", "accept", "80/80", "2"), to("b", "accept", "1/442", "3")}, []string{"b"}, nil,
		},
		"and what comes after that one has no say": {
			sg.TypeEnterprise,
			[]sg.Rule{to("a", "accept", "80/80", "2"), to("b", "accept", "1/442", "3"), to("c", "accept", "80/80", "4")},
			[]string{"b"},
			nil,
		},
		"a part, and the default the rest": {
			sg.TypeNormal,
			[]sg.Rule{to("a", "accept", "1/100", "2"), to("b", "accept", "80/80", "3")},
			[]string{"default", "b"},
			nil,
		},
		"it was decided before": {
			sg.TypeNormal, []sg.Rule{to("a", "drop", "80/80", "3"), to("b", "accept", "1/442", "2")}, nil, []string{"b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := reach.Compile(&sg.Group{ID: "sg-1", Type: test.kind, VPC: "vpc-1"}, test.rules, reach.Options{}).Effect(nil, []int{0})
			if e.Class != reach.None || !slices.Equal(names(e.StillPermittedBy), test.permitted) ||
				!slices.Equal(names(e.ShadowedBy), test.shadowed) {
				t.Errorf("%s, permitted by %v, shadowed by %v: %s", e.Class, names(e.StillPermittedBy), names(e.ShadowedBy), e.Sentence())
			}
		})
	}
	// Through a group of which nobody knows the members some of it stays open, and what comes after for the same group is
	// not asked.
	world := sg.NewRule(&sg.Fields{
		ID: "a", Protocol: "tcp", PortRange: "80/80", CIDR4: "0.0.0.0/0", NICType: sg.NICIntranet, Policy: "accept", Priority: "1",
	})
	rules := []sg.Rule{world, to("b", "accept", "80/80", "2"), to("c", "accept", "80/80", "3")}
	e := reach.Compile(&sg.Group{ID: "sg-1", Type: sg.TypeNormal, VPC: "vpc-1"}, rules, reach.Options{}).Effect(nil, []int{0})
	if got := names(e.StillPermittedBy); !slices.Equal(got, []string{"default", "b"}) {
		t.Errorf("permitted by %v, want the default and b", got)
	}
}

func names(by []reach.By) []string {
	var list []string
	for _, b := range by {
		if b.Default {
			b.Rule = "default"
		}
		list = append(list, b.Rule)
	}
	return list
}
