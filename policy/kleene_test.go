package policy

import (
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Logic is one `match` judged about a rule in two ways; see [Set.Logics].
type Logic struct {
	Name    string
	Written string // true, false or unknown, by the truth tables of Kleene's logic over what stands in the file
	Matches bool   // what the evaluator says of the form without `not`
	Unread  bool   // the evaluator might say so, could everything be read
}

// Logics judges a rule by every `match` of the set, once as it is written, and once as it is evaluated.
func (s *Set) Logics(rule *sg.Rule, now time.Time) []Logic {
	p := newProbe(s.index, now)
	p.fill(rule)
	var list []Logic
	judge := func(name string, written, match *matcher) {
		v := match.eval(p, asRead)
		list = append(list, Logic{Name: name, Written: written.kleene(p).name(), Matches: v == yes, Unread: v == unread})
	}
	for _, policy := range s.Policies {
		judge(policy.Name, &policy.written, &policy.match)
	}
	for _, x := range s.Exceptions {
		judge(x.Name, &x.written, &x.match)
	}
	return list
}

// kleene is a truth of Kleene's logic as a number, so that its tables are minimum, maximum and the difference to two.
type kleene int

func (k kleene) name() string { return [...]string{"false", "unknown", "true"}[k] }

// kleene evaluates the matcher as it is written.
func (m *matcher) kleene(p *probe) kleene {
	const isFalse, isUnknown, isTrue = 0, 1, 2
	switch m.op {
	case opNot:
		return isTrue - m.children[0].kleene(p)
	case opAll:
		result := kleene(isTrue)
		for i := range m.children {
			result = min(result, m.children[i].kleene(p))
		}
		return result
	case opAny:
		result := kleene(isFalse)
		for i := range m.children {
			result = max(result, m.children[i].kleene(p))
		}
		return result
	case opLeaf:
	}
	switch m.clause.eval(p) {
	case yes:
		return isTrue
	case no:
		return isFalse
	case silent, unread, badExpiry:
	}
	return isUnknown
}
