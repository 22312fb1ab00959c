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
		w := draw(rand.New(rand.NewPCG(seed, 8)))
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
