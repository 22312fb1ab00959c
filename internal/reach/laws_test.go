package reach_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// lawLists is how many rule lists each law is tried on. Laws ask the engine alone, so that they hold where the oracle and
// the engine were wrong in the same way.
const lawLists = 3000 / fewerIfRacing

// law is tried on lists by chance. It says what is wrong, or nothing, and whether it speaks of the list at all.
func law(t *testing.T, broken func(r *rand.Rand, w *world) (wrong string, applies bool)) {
	t.Helper()
	t.Parallel()
	tried := 0
	for seed := range uint64(lawLists) {
		r := rand.New(rand.NewPCG(seed, 7))
		w := draw(r)
		wrong, applies := broken(r, w)
		if wrong != "" {
			t.Fatalf("seed %d: %s\n%s", seed, wrong, w)
		}
		if applies {
			tried++
		}
	}
	if tried*10 < lawLists {
		t.Errorf("the law spoke of %d of %d lists: too few to mean anything", tried, lawLists)
	}
}

func (w *world) ask(absent, removed []int) *reach.Effect {
	return reach.Compile(&w.group, w.rules, reach.Options{}).Effect(absent, removed)
}

// changes are the points that an effect closes (-1) and opens (1), without the members of groups.
func (w *world) changes(e *reach.Effect) map[point]int {
	changed := map[point]int{}
	for _, six := range []bool{false, true} {
		for _, p := range w.columns(six) {
			for _, to := range addresses() {
				p.to = to
				within := func(s reach.Space) bool { return has(&s, &p) }
				switch {
				case to.Is6() != six:
				case slices.ContainsFunc(e.Closes, within):
					changed[p] = -1
				case slices.ContainsFunc(e.Opens, within):
					changed[p] = 1
				}
			}
		}
	}
	return changed
}

// then gives one change after another: what is closed and opened again is none.
func then(a, b map[point]int) map[point]int {
	sum := maps.Clone(a)
	for p, n := range b {
		if sum[p] += n; sum[p] == 0 {
			delete(sum, p)
		}
	}
	return sum
}

func TestRemovingNothingChangesNothing(t *testing.T) {
	law(t, func(_ *rand.Rand, w *world) (string, bool) {
		for _, removed := range [][]int{nil, w.absent} {
			if e := w.ask(w.absent, removed); e.Class != reach.None || len(e.Closes)+len(e.Opens) > 0 || e.Closed != (reach.Pairs{}) {
				return string(e.Class) + ": " + e.Sentence(), true
			}
		}
		return "", true
	})
}

func TestRemovingOneAfterTheOtherIsRemovingBoth(t *testing.T) {
	law(t, func(r *rand.Rand, w *world) (string, bool) {
		if len(w.sets) > 0 || len(w.removed) < 2 { // what sets of unknown contents decide has no points
			return "", false
		}
		cut := 1 + r.IntN(len(w.removed)-1)
		first, second := w.removed[:cut], w.removed[cut:]
		steps := then(w.changes(w.ask(w.absent, first)), w.changes(w.ask(append(slices.Clone(w.absent), first...), second)))
		if !maps.Equal(steps, w.changes(w.ask(w.absent, w.removed))) {
			return "two steps do not do what one does", true
		}
		return "", true
	})
}

// What restoring does is what removing did, the other way round: rules come back at the end of a listing.
func TestRestoredRulesDoWhatTheyDidWhereverTheyAreListed(t *testing.T) {
	law(t, func(r *rand.Rand, w *world) (string, bool) {
		moved := &world{group: w.group, rules: make([]sg.Rule, len(w.rules)), sets: w.sets}
		to := r.Perm(len(w.rules))
		for i, k := range to {
			moved.rules[k] = w.rules[i]
		}
		places := func(list []int) []int {
			var now []int
			for _, i := range list {
				now = append(now, to[i])
			}
			return now
		}
		was, is := w.ask(w.absent, w.removed), moved.ask(places(w.absent), places(w.removed))
		if was.Sentence() != is.Sentence() || was.Class != is.Class || was.Closed != is.Closed ||
			!maps.Equal(w.changes(was), moved.changes(is)) {
			return was.Sentence() + " became " + is.Sentence(), true
		}
		return "", len(w.removed) > 0
	})
}

func TestRemovingMoreAcceptRulesClosesMore(t *testing.T) {
	law(t, func(_ *rand.Rand, w *world) (string, bool) {
		w.keepOf(sg.Accept)
		if len(w.sets) > 0 || len(w.removed) < 2 {
			return "", false
		}
		both := w.changes(w.ask(w.absent, w.removed))
		for p := range w.changes(w.ask(w.absent, w.removed[:1])) {
			if both[p] != -1 {
				return "what one rule closes is open after removing two", true
			}
		}
		return "", true
	})
}

// keepOf removes only rules that do one thing.
func (w *world) keepOf(action sg.Action) {
	w.removed = slices.DeleteFunc(w.removed, func(i int) bool { return w.rules[i].Action != action })
}

// Invariant: removing an accept rule never opens access, and removing a drop rule never closes any, over merged groups as well.
func TestRemovingAcceptRulesOpensNothing(t *testing.T) {
	law(t, func(_ *rand.Rand, w *world) (string, bool) {
		w.keepOf(sg.Accept)
		for name, ask := range ways() {
			if e := ask(w); len(e.Opens) > 0 || e.Class == reach.Opens || e.Class == reach.Mixed {
				return name + ": " + e.Sentence(), true
			}
		}
		return "", len(w.removed) > 0
	})
}

func TestRemovingDropRulesClosesNothing(t *testing.T) {
	law(t, func(_ *rand.Rand, w *world) (string, bool) {
		w.keepOf(sg.Drop)
		for name, ask := range ways() {
			if e := ask(w); len(e.Closes) > 0 || e.Class == reach.Closes || e.Class == reach.Mixed || e.Closed != (reach.Pairs{}) {
				return name + ": " + e.Sentence(), true
			}
		}
		return "", len(w.removed) > 0
	})
}
