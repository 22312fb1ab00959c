package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// matcher is a `match`. As it is written it can hold `not`; see [matcher.pushed] for what is evaluated.
type matcher struct {
	op       operator
	pos      strictyaml.Pos // where it stands in its file
	children []matcher      // of all, any and not, which has one
	clause   clause         // of leaf
	negated  bool           // of leaf, once pushed
}

type operator uint8

const (
	opAll operator = iota
	opAny
	opLeaf
	opNot // not in what is evaluated
)

// clause is one condition on a rule. Implementations are immutable.
type clause interface {
	worded

	// eval gives the truth about the rule that the probe stands for.
	eval(p *probe) value
	// canonical is a text that is equal for clauses that mean the same, for the policy hash.
	canonical() string
}

// worded is a clause that people can read.
type worded interface {
	// because says in words why it is true.
	because(p *probe) string
	// tell puts into words what the clause says of a rule, given its truth.
	tell(p *probe, v value) telling
}

// collateralClause is a clause that can be true of a rule that permits more than it objects to.
type collateralClause interface {
	// collateral tells whether the rule does, if the clause is true.
	collateral(p *probe) bool
	// excess says what the rule permits beyond.
	excess(p *probe) string
}

// pushed gives the matcher without `not`, which is pushed down to the clauses, as Kleene's logic allows: so only clauses
// are ever negated, and true branches are easy to tell.
func (m *matcher) pushed(negate bool) matcher {
	p := matcher{op: m.op, pos: m.pos, clause: m.clause}
	switch m.op {
	case opNot:
		return m.children[0].pushed(!negate)
	case opLeaf:
		p.negated = negate
	case opAll:
		if negate {
			p.op = opAny
		}
	case opAny:
		if negate {
			p.op = opAll
		}
	}
	for i := range m.children {
		p.children = append(p.children, m.children[i].pushed(negate))
	}
	// An expression costs a thousand times what the other clauses do, so they get to decide first.
	slices.SortStableFunc(p.children, func(a, b matcher) int { return cmp.Compare(a.dear(), b.dear()) })
	return p
}

// dear is 1 for a matcher that evaluates an expression, and 0 for others.
func (m *matcher) dear() int {
	if _, is := m.clause.(*expressionClause); is {
		return 1
	}
	for i := range m.children {
		if m.children[i].dear() == 1 {
			return 1
		}
	}
	return 0
}

// eval is the truth of the matcher: yes, no or unread. Values that do not speak of the rule are no: negation is only
// at the clauses, so this can make nothing true.
func (m *matcher) eval(p *probe, assume assumption) value {
	result, decisive := yes, no // of all: one child that is no decides
	switch m.op {
	case opLeaf:
		return m.evalLeaf(p, assume)
	case opAny:
		result, decisive = no, yes
	case opAll, opNot:
	}
	for i := range m.children {
		v := m.children[i].eval(p, assume)
		if v == decisive {
			return decisive
		}
		if v == unread {
			result = unread
		}
	}
	return result
}

func (m *matcher) evalLeaf(p *probe, assume assumption) value {
	v := m.clause.eval(p)
	if v == badExpiry {
		p.sawBadExpiry = true
		if assume == asRead {
			return unread
		}
		v = yes
	}
	if m.negated {
		v = v.not()
	}
	if v == silent {
		return no
	}
	return v
}

// collateral tells, for a true matcher, whether the rule permits more than the true branches object to: of an `all`
// any child is enough, of an `any` every true child is needed.
func (m *matcher) collateral(p *probe, assume assumption) bool {
	switch m.op {
	case opLeaf:
		c, can := m.clause.(collateralClause)
		return can && !m.negated && c.collateral(p)
	case opAll:
		return slices.ContainsFunc(m.children, func(c matcher) bool { return c.collateral(p, assume) })
	case opAny:
		for i := range m.children {
			c := &m.children[i]
			if c.eval(p, assume) == yes && !c.collateral(p, assume) {
				return false
			}
		}
		return true
	case opNot:
	}
	return false
}

// because lists why a true matcher is true; of an `any` it takes the true branch that counts for collateral.
func (m *matcher) because(p *probe, assume assumption, reasons []string) []string {
	switch m.op {
	case opLeaf:
		text := m.clause.because(p)
		if m.negated {
			text = "not: " + text
		}
		if text != "" {
			reasons = append(reasons, text)
		}
	case opAll:
		for i := range m.children {
			reasons = m.children[i].because(p, assume, reasons)
		}
	case opAny:
		if c := m.cause(p, assume); c != nil {
			reasons = c.because(p, assume, reasons)
		}
	case opNot:
	}
	return reasons
}

// cause is the first true branch of an `any` without collateral, or else the first true one.
func (m *matcher) cause(p *probe, assume assumption) *matcher {
	var first *matcher
	for i := range m.children {
		c := &m.children[i]
		if c.eval(p, assume) != yes {
			continue
		}
		if !c.collateral(p, assume) {
			return c
		}
		if first == nil {
			first = c
		}
	}
	return first
}

// canonical is equal for matchers that were written the same way, whatever the order of their keys and the spelling of
// their values.
func (m *matcher) canonical() string {
	if m.op == opLeaf {
		if m.negated {
			return "not(" + m.clause.canonical() + ")"
		}
		return m.clause.canonical()
	}
	children := make([]string, len(m.children))
	for i := range m.children {
		children[i] = m.children[i].canonical()
	}
	slices.Sort(children)
	name := "all"
	if m.op == opAny {
		name = "any"
	}
	return name + "(" + strings.Join(slices.Compact(children), ";") + ")"
}
