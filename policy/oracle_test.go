package policy_test

import (
	"net/netip"
	"slices"
	"time"
)

// This file judges rules a second time, from the description of the language alone and as naively as possible: sets
// are looped over, `not` is evaluated where it stands, and what might have been is tried out. It shares no code with
// the package.

// truth is a value of Kleene's logic.
type truth int

const (
	isFalse truth = iota
	isUnknown
	isTrue
)

func (t truth) not() truth { return [...]truth{isTrue, isUnknown, isFalse}[t] }

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// and and or are the truth tables, row by row.
func and(a, b truth) truth {
	return [3][3]truth{
		isFalse:   {isFalse, isFalse, isFalse},
		isUnknown: {isFalse, isUnknown, isUnknown},
		isTrue:    {isFalse, isUnknown, isTrue},
	}[a][b]
}

func or(a, b truth) truth {
	return [3][3]truth{
		isFalse:   {isFalse, isUnknown, isTrue},
		isUnknown: {isUnknown, isUnknown, isTrue},
		isTrue:    {isTrue, isTrue, isTrue},
	}[a][b]
}

// oRule is a rule by its meaning.
type oRule struct {
	kind     string // cidr4, cidr6, group, prefix-list, or empty for not understood
	id       string // of a group or list
	blocks   []netip.Prefix
	resolved bool     // of a prefix list
	protocol int      // -1 all, -2 not understood
	ports    [][2]int // none: not understood, or a port list that is empty or was not read
	action   string   // accept, drop, or empty
	priority int      // 0: not understood
	created  time.Time
	text     string // description

	source      []netip.Prefix // one at most
	sourceUnset bool
	sourcePorts [][2]int // one at most
	portsUnset  bool     // of the source
}

// oRelation is one relation of a key with a list.
type oRelation struct {
	key      string // destination, source, protocol, ports, source-ports, priority
	relation string
	texts    []string // as written
	ranges   []oRange // destination and source, sets filled in
	numbers  []int    // protocol; -1 all
	spans    [][2]int // ports, source-ports and priority
}

// oMatch is a `match`: everything in it must hold.
type oMatch struct {
	relations []oRelation
	bare      bool // relations of one key and `overlaps` are written as a bare list
	kinds     []string
	groups    []string // globs of destination-group
	lists     []string // globs of prefix-list
	wider     map[string]int
	older     int // days
	expired   bool
	desc      string // an expression, or `empty`
	every     bool
	any, all  []oMatch
	not       *oMatch
	action    string // top only; empty is the default
}

const expiryPattern = `until=(\S+)`

// world is what a match is judged in: a rule at a moment, and what is assumed of its gaps.
type world struct {
	rule *oRule
	now  time.Time
	zone *time.Location
	past bool // dates that cannot be understood have passed

	// guesses replace clauses that could not be read, in the order in which they are met; nil leaves them unknown.
	guesses []truth
	unread  int
}

// gap is a clause that could not be read.
func (w *world) gap() truth {
	w.unread++
	if w.guesses == nil {
		return isUnknown
	}
	return w.guesses[w.unread-1]
}

// conditions are the parts of a match, each with its own truth.
type condition struct {
	relation *oRelation
	nested   []oMatch
	op       string // any, all, not
	value    truth
}

func (w *world) conditions(m *oMatch, fallback string) []condition {
	var list []condition
	add := func(t truth) { list = append(list, condition{value: t}) }
	action := m.action
	if action == "" {
		action = fallback
	}
	if action != "any" {
		if w.rule.action == "" {
			add(w.gap())
		} else {
			add(truthOf(w.rule.action == action))
		}
	}
	for i := range m.relations {
		list = append(list, condition{relation: &m.relations[i], value: w.relation(&m.relations[i])})
	}
	if m.kinds != nil {
		if w.rule.kind == "" {
			add(w.gap())
		} else {
			add(truthOf(slices.Contains(m.kinds, w.rule.kind)))
		}
	}
	for _, simple := range []struct {
		given bool
		judge func() truth
	}{
		{m.groups != nil, func() truth { return w.named("group", m.groups) }},
		{m.lists != nil, func() truth { return w.named("prefix-list", m.lists) }},
		{m.wider != nil, func() truth { return w.wider(m.wider) }},
		{m.older > 0, func() truth { return w.older(m.older) }},
		{m.expired, w.expired},
		{m.desc != "", func() truth { return w.description(m.desc) }},
		{m.every, func() truth { return isTrue }},
	} {
		if simple.given {
			add(simple.judge())
		}
	}
	if m.any != nil {
		value := isFalse
		for i := range m.any {
			value = or(value, w.judge(&m.any[i], "any"))
		}
		list = append(list, condition{nested: m.any, op: "any", value: value})
	}
	if m.all != nil {
		value := isTrue
		for i := range m.all {
			value = and(value, w.judge(&m.all[i], "any"))
		}
		list = append(list, condition{nested: m.all, op: "all", value: value})
	}
	if m.not != nil {
		list = append(list, condition{nested: []oMatch{*m.not}, op: "not", value: w.judge(m.not, "any").not()})
	}
	return list
}

// judge gives the truth of a match; fallback is the default of rule-action.
func (w *world) judge(m *oMatch, fallback string) truth {
	value := isTrue
	for _, c := range w.conditions(m, fallback) {
		value = and(value, c.value)
	}
	return value
}

// collateral is judged of a match that is true, or under `not` false: whether the rule permits more than it objects
// to.
func (w *world) collateral(m *oMatch, fallback string, want truth) bool {
	conditions := w.conditions(m, fallback)
	if want == isTrue {
		return slices.ContainsFunc(conditions, func(c condition) bool { return w.conditionCollateral(&c, isTrue) })
	}
	for i := range conditions {
		if conditions[i].value == isFalse && !w.conditionCollateral(&conditions[i], isFalse) {
			return false
		}
	}
	return true
}

func (w *world) conditionCollateral(c *condition, want truth) bool {
	switch {
	case c.relation != nil:
		inside := *c.relation
		inside.relation = "within"
		return want == isTrue && c.relation.relation == "overlaps" && w.relation(&inside) != isTrue
	case c.op == "not":
		return w.collateral(&c.nested[0], "any", want.not())
	case c.nested == nil:
		return false
	}
	enough := c.op == "any" && want == isTrue || c.op == "all" && want == isFalse // one branch without is enough
	for i := range c.nested {
		if !enough && w.collateral(&c.nested[i], "any", want) {
			return true
		}
		if enough && w.judge(&c.nested[i], "any") == want && !w.collateral(&c.nested[i], "any", want) {
			return false
		}
	}
	return enough
}
