package reach_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// spoil makes some rules such that it is not known when they are asked, or what they do.
func (w *world) spoil(r *rand.Rand) {
	for i := range w.rules {
		rule := &w.rules[i]
		switch r.IntN(12) {
		case 0:
			rule.Priority, rule.Unreadable = 0, "priority"
		case 1:
			rule.Action, rule.Unreadable = "", "policy"
		case 2:
			rule.Action, rule.Priority, rule.Unreadable = "", 0, "policy and priority"
		default:
			continue
		}
		w.know(rule)
	}
}

// left gives the rules without some of them.
func (w *world) left(gone []int) []sg.Rule {
	var rules []sg.Rule
	for i := range w.rules {
		if !slices.Contains(gone, i) {
			rules = append(rules, w.rules[i])
		}
	}
	return rules
}

func TestAnAbsentRuleIsAsOneThatWasNeverGiven(t *testing.T) {
	law(t, func(r *rand.Rand, w *world) (string, bool) {
		w.spoil(r)
		shorter := *w
		shorter.rules = w.left(w.absent)
		var removed []int
		for _, i := range w.removed {
			gone := 0
			for _, k := range w.absent {
				if k < i {
					gone++
				}
			}
			removed = append(removed, i-gone)
		}
		got, want := w.ask(w.absent, w.removed), shorter.ask(nil, removed)
		if got.Class != want.Class || got.Why != want.Why || got.Closed != want.Closed {
			return fmt.Sprintf("%s (%s) %v, want %s (%s) %v", got.Class, got.Why, got.Closed, want.Class, want.Why, want.Closed), true
		}
		if !maps.Equal(w.changes(want), w.changes(got)) {
			return "other points", true
		}
		return "", len(w.absent) > 0 && len(w.removed) > 0
	})
}

// What is not known of the other rules makes no difference to invariant I7.
func TestNothingIsOpenedByAcceptOrClosedByDropAmongOddRules(t *testing.T) {
	t.Parallel()
	for _, action := range []sg.Action{sg.Accept, sg.Drop} {
		t.Run(string(action), func(t *testing.T) {
			law(t, func(r *rand.Rand, w *world) (string, bool) {
				w.spoil(r)
				w.keepOf(action)
				for name, ask := range ways() {
					e := ask(w)
					wrong, bad := e.Opens, reach.Opens
					if action == sg.Drop {
						wrong, bad = e.Closes, reach.Closes
					}
					if len(wrong) > 0 || e.Class == bad || e.Class == reach.Mixed {
						return fmt.Sprintf("%s: %s %+v", name, e.Class, wrong), true
					}
				}
				return "", len(w.removed) > 0
			})
		})
	}
}

// completions give odd rules every action and place that they may have. Which of their traffic they match stays open.
func completions(w *world) []*world {
	list := []*world{w}
	for i := range w.rules {
		var next []*world
		for _, c := range list {
			actions, priorities := []sg.Action{c.rules[i].Action}, []int{c.rules[i].Priority}
			if actions[0] == "" {
				actions = []sg.Action{sg.Accept, sg.Drop}
			}
			if priorities[0] == 0 {
				priorities = []int{-1, 2, 9}
			}
			for _, a := range actions {
				for _, p := range priorities {
					full := *c
					full.rules = slices.Clone(c.rules)
					full.rules[i].Action, full.rules[i].Priority = a, p
					next = append(next, &full)
				}
			}
		}
		list = next
	}
	return list
}

func (w *world) contradicted() string {
	for name, ask := range ways() {
		e := ask(w)
		got := w.changes(e)
		for _, full := range completions(w) {
			want := full.truth()
			for p, n := range got {
				if n < 0 && !want.closes[p] || n > 0 && !want.opens[p] {
					return fmt.Sprintf("%s: %+v: %d is not certain in\n%s", name, p, n, full)
				}
			}
			if e.Class != reach.Unknown && (e.Class != want.class || len(got) != len(want.closes)+len(want.opens)) {
				return fmt.Sprintf("%s: class %s, but it is %s in\n%s", name, e.Class, want.class, full)
			}
		}
	}
	return ""
}

// Whatever an odd rule turns out to be: what was said holds.
func TestWhatIsSaidOfOddRulesHoldsWhateverTheyTurnOutToBe(t *testing.T) {
	law(t, func(r *rand.Rand, w *world) (string, bool) {
		w.spoil(r)
		odd := slices.ContainsFunc(w.rules, func(r sg.Rule) bool { return r.Priority == 0 || r.Action == "" })
		if !odd || len(w.sets) > 3 || len(completions(w)) > 12 {
			return "", false
		}
		return w.contradicted(), true
	})
}
