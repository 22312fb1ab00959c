package policy

import (
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
	inScope []scoped
	needs   []uint64 // of inScope, one after another: most rules are dismissed by these alone
	uses    map[*Exception]Use
	stale   map[*Source]string // why; nil if no set is

	// exceptions of the present group by index; filled at its first finding.
	exceptions []value
}

type scoped struct {
	policy *Policy
	groups value // yes or badExpiry
}

// Evaluator makes an evaluator for an account, by its name in the config, at a moment.
func (s *Set) Evaluator(account string, now time.Time) *Evaluator {
	return &Evaluator{
		set: s, account: account, now: now,
		probe: newProbe(s.index, now),
		uses:  map[*Exception]Use{},
		stale: s.staleSources(now),
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
	e.enter(group)
	if len(e.inScope) == 0 {
		return nil
	}
	var findings []Finding
	for i := range rules {
		e.probe.fill(&rules[i])
		if violations := e.violations(group); violations != nil {
			findings = append(findings, Finding{Rule: &rules[i], Violations: violations})
		}
	}
	return findings
}

// enter finds out which policies speak of a group.
func (e *Evaluator) enter(group *sg.Group) {
	e.inScope, e.needs, e.exceptions = e.inScope[:0], e.needs[:0], e.exceptions[:0]
	e.probe.account, e.probe.group = e.account, group
	for _, p := range e.set.Policies {
		if v := p.groups.eval(e.account, group, e.now); v == yes || v == badExpiry {
			e.inScope = append(e.inScope, scoped{policy: p, groups: v})
			e.needs = append(e.needs, p.need...)
		}
	}
}

func (e *Evaluator) violations(group *sg.Group) []Violation {
	var violations []Violation
	words := e.probe.words
	for i := range e.inScope {
		if lacks(words, e.needs[i*len(words):]) {
			continue
		}
		s := &e.inScope[i]
		assume, violated := e.judge(s)
		if !violated {
			continue
		}
		v := Violation{
			Policy:        s.policy,
			Because:       s.policy.match.because(e.probe, assume, s.policy.groups.because(group, nil)),
			Collateral:    s.policy.match.collateral(e.probe, assume),
			InvalidExpiry: assume == datePast,
		}
		e.noteStale(&v, s.policy.sources)
		e.applyExceptions(group, &v)
		violations = append(violations, v)
	}
	return violations
}

// lacks tells whether a needed atom does not hold.
func lacks(words, need []uint64) bool {
	for w, have := range words {
		if need[w]&^have != 0 {
			return true
		}
	}
	return false
}

// judge tells whether the rule violates a policy, or would, were an unreadable expiry past.
func (e *Evaluator) judge(s *scoped) (assumption, bool) {
	e.probe.sawBadExpiry = false
	match := &s.policy.match
	if s.groups == yes && match.eval(e.probe, asRead) == yes {
		return asRead, true
	}
	if s.groups == yes && !e.probe.sawBadExpiry {
		return asRead, false
	}
	return datePast, match.eval(e.probe, datePast) == yes
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
