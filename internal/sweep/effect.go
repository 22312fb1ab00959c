package sweep

import (
	"fmt"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// effects computes what removing rules does, from the rules that it keeps of the groups that were read. It implements
// [decision.Reach].
type effects struct {
	scope  reach.Scope
	groups map[groupKey]*groupRules
	// combinations are those of each region whose interfaces were listed; at scope interface only.
	combinations map[string][]scanner.Combination
	crowded      map[groupKey]bool   // groups that share an interface with another one
	broken       map[groupKey]string // why groups that were visited are not known whole after all
	latest       map[groupKey]*answer
	merged       map[string]*reach.Merged // by region and groups
}

// groupRules is what is kept of a group: of one with findings what matters to these, of one that shares an interface all.
type groupRules struct {
	list       *reach.List
	rules      int    // that it has
	incomplete string // why it was not read whole, known at the visit
}

// answer is what was computed of a group last, for which batches.
type answer struct {
	asked   string
	effects []*reach.Effect // by finding of the group
	batch   *reach.Effect   // nil without a batch
}

func newEffects(scope reach.Scope) *effects {
	return &effects{
		scope: scope, groups: map[groupKey]*groupRules{}, combinations: map[string][]scanner.Combination{},
		crowded: map[groupKey]bool{}, broken: map[groupKey]string{}, latest: map[groupKey]*answer{},
		merged: map[string]*reach.Merged{},
	}
}

// keep keeps what effects need of a group. Places are those of the rules that were found to violate something.
func (e *effects) keep(g *scanner.Group, places []int) {
	key := groupKey{g.Region, g.ID}
	if len(places) == 0 && !e.crowded[key] {
		return
	}
	o := reach.Options{Incomplete: g.Incomplete}
	if !e.crowded[key] {
		o.Only = places
	}
	key.id = strings.Clone(key.id)
	e.groups[key] = &groupRules{list: reach.Compile(&g.Group, g.Rules, o), rules: len(g.Rules), incomplete: g.Incomplete}
}

// combined takes the combinations of groups that a region's interfaces have.
func (e *effects) combined(region string, combinations []scanner.Combination) {
	e.combinations[region] = combinations
	for i := range combinations {
		if len(combinations[i].Groups) < 2 {
			continue
		}
		for _, id := range combinations[i].Groups {
			e.crowded[groupKey{region, id}] = true
		}
	}
}

// maxSpaces bounds the spaces that are kept of an effect.
const maxSpaces = 100

// Effects implements [decision.Reach].
func (e *effects) Effects(findings []decision.Finding, batch []bool) ([]*reach.Effect, []decision.Batch) {
	members := map[groupKey][]int{} // findings by group
	var order []groupKey
	for i := range findings {
		key := groupKey{findings[i].Group.Region, findings[i].Group.ID}
		if members[key] == nil {
			order = append(order, key)
		}
		members[key] = append(members[key], i)
	}
	q := question{effects: e, batches: map[groupKey][]int{}}
	for i := range findings {
		if batch[i] {
			key := groupKey{findings[i].Group.Region, findings[i].Group.ID}
			q.batches[key] = append(q.batches[key], findings[i].Place)
		}
	}
	all := make([]*reach.Effect, len(findings))
	var batches []decision.Batch
	for _, key := range order {
		places := make([]int, 0, len(members[key]))
		incomplete := ""
		for _, i := range members[key] {
			places = append(places, findings[i].Place)
			incomplete = findings[i].Incomplete
		}
		a := q.answer(key, places, incomplete)
		for n, i := range members[key] {
			all[i] = a.effects[n]
		}
		if a.batch != nil {
			batches = append(batches, decision.Batch{Group: findings[members[key][0]].Group, Effect: a.batch})
		}
	}
	return all, batches
}

// question is what removing batches does, and each finding beside them.
type question struct {
	*effects

	batches map[groupKey][]int // the places of the rules in each group's batch
}

// answer gives the effects of the rules at some places of a group, and of its batch. An equal question is not computed
// again: mostly the batch is the same before and after grace.
func (q *question) answer(key groupKey, places []int, incomplete string) *answer {
	asked := fmt.Sprint(places, incomplete, q.around(key))
	if known := q.latest[key]; known != nil && known.asked == asked {
		return known
	}
	a := q.ask(key, places, incomplete)
	a.asked = asked
	q.latest[key] = a
	return a
}

// ask computes the effects of the rules at some places of a group, and of its batch.
func (q *question) ask(key groupKey, places []int, incomplete string) *answer {
	g, batch := q.groups[key], q.batches[key]
	a := &answer{}
	switch {
	case g == nil: // it was visited, so it is here
		a.batch, a.effects = q.unknown("the rules of the group are not known", len(places))
	case incomplete != "":
		a.batch, a.effects = q.unknown(incomplete, len(places))
	case q.scope == reach.ScopeInterface:
		a.batch, a.effects = q.onInterfaces(key, batch, places)
	default:
		a.batch, a.effects = g.list.Effects(batch, places, maxSpaces)
		a.batch = a.batch.Limit(maxSpaces)
		for i, e := range a.effects {
			a.effects[i] = e.Limit(maxSpaces)
		}
	}
	if len(batch) == 0 {
		a.batch = nil
	}
	return a
}

// unknown gives effects of which nothing is known.
func (e *effects) unknown(why string, n int) (whole *reach.Effect, each []*reach.Effect) {
	scope := reach.ScopeGroup
	if e.scope == reach.ScopeInterface {
		scope = reach.ScopeInterface
	}
	whole = &reach.Effect{Scope: scope, Class: reach.Unknown, Why: why}
	for range n {
		each = append(each, whole)
	}
	return whole, each
}

// around are the batches on which an answer depends.
func (q *question) around(key groupKey) [][]int {
	list := [][]int{q.batches[key]}
	if q.scope != reach.ScopeInterface {
		return list
	}
	for _, c := range q.having(key) {
		for _, id := range c.Groups {
			list = append(list, q.batches[groupKey{key.region, id}])
		}
	}
	return list
}

// having are the combinations that have a group.
func (e *effects) having(key groupKey) []scanner.Combination {
	var list []scanner.Combination
	for _, c := range e.combinations[key.region] {
		if _, has := slices.BinarySearch(c.Groups, key.id); has {
			list = append(list, c)
		}
	}
	return list
}

// closing is how much removing exactly some findings' rules closes, group by group.
func (e *effects) closing(findings []*decision.Finding) reach.Pairs {
	q := question{effects: e, batches: map[groupKey][]int{}}
	incomplete := map[groupKey]string{}
	var order []groupKey
	for _, f := range findings {
		key := groupKey{f.Group.Region, f.Group.ID}
		if q.batches[key] == nil {
			order = append(order, key)
		}
		q.batches[key] = append(q.batches[key], f.Place)
		incomplete[key] = f.Incomplete
	}
	var sum reach.Pairs
	for _, key := range order {
		closed := q.ask(key, nil, incomplete[key]).batch.Closed
		sum.IPv4 += closed.IPv4
		sum.IPv6 += closed.IPv6
	}
	return sum
}

// narrow proposes narrower rules for findings of which policies object to a part.
func (e *effects) narrow(findings []decision.Finding) {
	for i := range findings {
		f := &findings[i]
		g := e.groups[groupKey{f.Group.Region, f.Group.ID}]
		if g == nil || f.Incomplete != "" || f.Rule.Unreadable != "" || f.Decision.Action == decision.Exempt {
			continue
		}
		if objected, told := objectedOf(f); told {
			f.Narrowing = reach.Narrow(f.Group, &f.Rule, objected, g.rules)
		}
	}
}

// objectedOf gives what the policies object to of a rule, if all of them that would have it revoked object to a part only
// and say to which: a policy that objects to all of it leaves nothing to propose.
func objectedOf(f *decision.Finding) (objected []sg.Extent, told bool) {
	for i := range f.Violations {
		v := &f.Violations[i]
		if v.Exempt != nil {
			continue
		}
		if v.Objected == nil {
			return nil, false
		}
		objected = append(objected, v.Objected...)
	}
	return objected, len(objected) > 0
}

// recorded is how a record of a revocation keeps an effect.
func recorded(e *reach.Effect) revoker.Effect {
	if e == nil {
		return revoker.Effect{}
	}
	return revoker.Effect{Class: string(e.Class), Sentence: e.Sentence()}
}
