package policy

import (
	"math/bits"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Finding is a rule that violates at least one policy.
type Finding struct {
	Rule       *sg.Rule    // in the slice that was evaluated
	Violations []Violation // sorted by the policies' names
}

// Violation is one policy that a rule violates, and what the exceptions say.
type Violation struct {
	Policy  *Policy
	Because []string // why each clause is true, for people

	// Collateral: the rule permits more than the policy objects to.
	Collateral bool
	// Objected is what of the rule the policy objects to, as a union, where that is less than the rule and can be told:
	// what is permitted beyond is what a narrower rule would permit. Nil if it is the whole rule, or cannot be told.
	Objected []sg.Extent
	// InvalidExpiry: the policy would match were an expiry date past that cannot be understood. It does not match.
	InvalidExpiry bool
	// Stale says why the contents of a set that the verdict depends on cannot be trusted; empty if all can.
	Stale string
	// Exempt is the first exception by name that applies, nil if none does.
	Exempt *Exception
	// Unsure is the first exception by name that might apply, could everything be read. Nil if there is none or if
	// one applies.
	Unsure *Exception
}

// Evaluator judges the groups of one account at one moment. It is not safe for concurrent use.
type Evaluator struct {
	set     *Set
	account string
	now     time.Time
	probe   *probe
	uses    map[*Exception]Use
	stale   map[*Source]string // why; nil if no set is

	// groups tells of each policy of the set whether it speaks of the present group, yes or badExpiry, and scope has
	// those that do; candidates has those of them that the present rule may violate.
	groups     []value
	scope      []uint64
	candidates []uint64

	// exceptions of the present group by index; filled at its first finding.
	exceptions []value
}

// Evaluator makes an evaluator for an account, by its name in the config, at a moment.
func (s *Set) Evaluator(account string, now time.Time) *Evaluator {
	return &Evaluator{
		set: s, account: account, now: now,
		probe: newProbe(s.index, now),
		uses:  map[*Exception]Use{},
		stale: s.staleSources(now),

		groups:     make([]value, len(s.Policies)),
		scope:      make([]uint64, s.filter.words),
		candidates: make([]uint64, s.filter.words),
	}
}

// Use is what an exception came to. One that was true of no violation and unsure of none has matched nothing.
type Use struct {
	Exempted int // violations that it is true of, whether or not another exception came first
	Unsure   int // violations of which it is not known
}

// Use is what an exception has come to so far.
func (e *Evaluator) Use(x *Exception) Use { return e.uses[x] }

// Evaluate gives the findings of a group, in the order of its rules. It allocates nothing for rules without a
// finding.
func (e *Evaluator) Evaluate(group *sg.Group, rules []sg.Rule) []Finding {
	if !e.enter(group) {
		return nil
	}
	var findings []Finding
	for i := range rules {
		if !e.look(&rules[i]) {
			continue
		}
		if violations := e.violations(group); violations != nil {
			findings = append(findings, Finding{Rule: &rules[i], Violations: violations})
		}
	}
	return findings
}

// enter finds out which policies speak of a group, and whether any does.
func (e *Evaluator) enter(group *sg.Group) bool {
	e.exceptions = e.exceptions[:0]
	e.probe.account, e.probe.group = e.account, group
	clear(e.scope)
	some := false
	for i, p := range e.set.Policies {
		e.groups[i] = p.groups.eval(e.account, group, e.now)
		if e.groups[i] == yes || e.groups[i] == badExpiry {
			setBit(e.scope, i)
			some = true
		}
	}
	return some
}

// look finds the policies that a rule may violate, and tells whether there are any. The rule is looked up then.
func (e *Evaluator) look(rule *sg.Rule) bool {
	f := e.set.filter
	situation := f.situation(rule)
	if !f.start(e.candidates, e.scope, situation) {
		return false
	}
	e.probe.fill(rule)
	return f.byDestination(e.candidates, situation, e.probe.words) && f.byPorts(e.candidates, situation, rule)
}

// violations judges the candidates, in the order of their names.
func (e *Evaluator) violations(group *sg.Group) []Violation {
	var violations []Violation
	for w, left := range e.candidates {
		for ; left != 0; left &= left - 1 {
			i := w<<6 + bits.TrailingZeros64(left)
			p := e.set.Policies[i]
			assume, violated := e.judge(p, e.groups[i])
			if !violated {
				continue
			}
			v := Violation{
				Policy:        p,
				Because:       p.match.because(e.probe, assume, p.groups.because(group, nil)),
				Collateral:    p.match.collateral(e.probe, assume),
				Objected:      p.match.objected(e.probe, assume),
				InvalidExpiry: assume == datePast,
			}
			e.noteStale(&v, p.sources)
			e.applyExceptions(group, &v)
			violations = append(violations, v)
		}
	}
	return violations
}

// judge tells whether the rule violates a policy in whose scope its group is, or would, were an unreadable expiry past.
func (e *Evaluator) judge(p *Policy, groups value) (assumption, bool) {
	e.probe.sawBadExpiry = false
	if groups == yes && p.match.eval(e.probe, asRead) == yes {
		return asRead, true
	}
	if groups == yes && !e.probe.sawBadExpiry {
		return asRead, false
	}
	return datePast, p.match.eval(e.probe, datePast) == yes
}

func (e *Evaluator) applyExceptions(group *sg.Group, v *Violation) {
	if len(e.exceptions) == 0 {
		for _, x := range e.set.Exceptions {
			inScope := no
			if !x.Expired(e.now) {
				inScope = x.groups.eval(e.account, group, e.now)
			}
			e.exceptions = append(e.exceptions, inScope)
		}
	}
	for i, x := range e.set.Exceptions {
		if e.exceptions[i] == no || !x.Covers(v.Policy) {
			continue
		}
		applies := x.match.eval(e.probe, asRead)
		if applies != yes || e.exceptions[i] != yes { // what cannot be trusted may lack the entry that would exempt
			e.noteStale(v, x.sources)
		}
		use := e.uses[x]
		switch {
		case applies == yes && e.exceptions[i] == yes:
			use.Exempted++
			if v.Exempt == nil {
				v.Exempt = x
			}
		case applies != no:
			use.Unsure++
			if v.Unsure == nil {
				v.Unsure = x
			}
		default:
			continue
		}
		e.uses[x] = use
	}
	if v.Exempt != nil {
		v.Unsure = nil
	}
}
