package policytest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// Run runs the tests whose names are wanted; nil wants all.
func (s *Suite) Run(wanted func(name string) bool) *Report {
	report := &Report{}
	seen := newCoverage()
	for _, f := range s.files {
		for _, t := range f.tests {
			if wanted == nil || wanted(t.name) {
				report.Results = append(report.Results, f.run(t, seen))
			}
		}
	}
	if wanted == nil {
		report.Untouched, report.Unspared = seen.items()
	}
	return report
}

// run decides about the rule of one test and compares.
func (f *file) run(t *test, seen coverage) Result {
	evaluator := f.set.Evaluator(f.account, t.now)
	group := t.group
	findings := []decision.Finding{}
	for _, found := range evaluator.Evaluate(&group, []sg.Rule{t.rule}) {
		findings = append(findings, decision.Finding{Group: &group, Rule: *found.Rule, Violations: found.Violations})
	}
	terms := decision.Terms{MayAct: true, Limits: decision.Limits{
		PerGroup: math.MaxInt32, PerSweep: math.MaxInt32, Percent: 100, PerWindow: math.MaxInt32,
	}}
	terms.Decide(&decision.Subject{
		Findings: findings, Rules: 1, Complete: true, Now: t.now, Reach: &onlyRule{group: &group, rule: &t.rule},
	}, nil)
	seen.note(f.set, evaluator, findings)

	result := Result{Name: t.name, Pos: t.pos, Want: t.want.outcome(), Got: Outcome{Decision: None}}
	if len(findings) > 0 {
		result.Got = outcomeOf(&findings[0])
	}
	if result.Mismatches = t.want.compare(&result.Got); !result.Passed() {
		result.Silent = silences(&t.want, &result.Got, evaluator.Explain(&group, &t.rule))
	}
	return result
}

func outcomeOf(f *decision.Finding) Outcome {
	o := Outcome{Decision: f.Decision.String()}
	for i, verdict := range f.Decision.Policies {
		v := &f.Violations[i]
		because := v.Because
		if verdict.Detail != "" {
			because = append(slices.Clone(because), verdict.Detail)
		}
		o.Policies = append(o.Policies, Verdict{Policy: v.Policy.Name, Verdict: verdict.String(), Because: because})
	}
	if f.Decision.Batch { // a guard decided, or nobody objected
		o.Detail = f.Decision.Detail
	}
	return o
}

func (e *expectation) outcome() Outcome {
	o := Outcome{Decision: e.decision, Because: e.because}
	for name, verdict := range e.policies {
		o.Policies = append(o.Policies, Verdict{Policy: name, Verdict: verdict})
	}
	slices.SortFunc(o.Policies, func(a, b Verdict) int { return strings.Compare(a.Policy, b.Policy) })
	return o
}

// compare says in which ways an outcome is not what is expected.
func (e *expectation) compare(got *Outcome) []string {
	var mismatches []string
	if got.Decision != e.decision {
		mismatches = append(mismatches, fmt.Sprintf("want %s, got %s", e.decision, got.Decision))
	}
	if e.policies != nil {
		mismatches = append(mismatches, e.comparePolicies(got)...)
	}
	for _, part := range e.because {
		if !got.says(part) {
			mismatches = append(mismatches, fmt.Sprintf("want a reason with %q, got none", part))
		}
	}
	return mismatches
}

// says tells whether a text is part of a reason.
func (o *Outcome) says(part string) bool {
	return strings.Contains(o.Detail, part) || slices.ContainsFunc(o.Policies, func(v Verdict) bool {
		return slices.ContainsFunc(v.Because, func(reason string) bool { return strings.Contains(reason, part) })
	})
}

func (e *expectation) comparePolicies(got *Outcome) []string {
	var mismatches []string
	there := map[string]bool{}
	for _, v := range got.Policies {
		there[v.Policy] = true
		switch want, named := e.policies[v.Policy]; {
		case !named:
			mismatches = append(mismatches, fmt.Sprintf("policy %s: want no objection, got %s", v.Policy, v.Verdict))
		case want != v.Verdict:
			mismatches = append(mismatches, fmt.Sprintf("policy %s: want %s, got %s", v.Policy, want, v.Verdict))
		}
	}
	for _, want := range e.outcome().Policies {
		if !there[want.Policy] {
			mismatches = append(mismatches, fmt.Sprintf("policy %s: want %s, got no objection", want.Policy, want.Verdict))
		}
	}
	return mismatches
}

// coverage is what the tests have shown of each policy and exception, by where it stands: test files may share them.
type coverage map[Item]*sight

type sight struct {
	touched bool // objected, or exempted
	spared  bool // of a policy: had nothing against a rule
}

func newCoverage() coverage { return coverage{} }

func policyItem(p *policy.Policy) Item { return Item{Kind: kindPolicy, Name: p.Name, Pos: p.Pos} }

func exceptionItem(x *policy.Exception) Item {
	return Item{Kind: kindException, Name: x.Name, Pos: x.Pos}
}

func (c coverage) of(item Item) *sight {
	if c[item] == nil {
		c[item] = &sight{}
	}
	return c[item]
}

// note takes down what one test has shown, also that it has not touched something.
func (c coverage) note(set *policy.Set, e *policy.Evaluator, findings []decision.Finding) {
	for _, p := range set.Policies {
		objects := slices.ContainsFunc(findings, func(f decision.Finding) bool {
			return slices.ContainsFunc(f.Violations, func(v policy.Violation) bool { return v.Policy == p })
		})
		s := c.of(policyItem(p))
		s.touched, s.spared = s.touched || objects, s.spared || !objects
	}
	for _, x := range set.Exceptions {
		s := c.of(exceptionItem(x))
		s.touched = s.touched || e.Use(x).Exempted > 0
	}
}

func (c coverage) items() (untouched, unspared []Item) {
	untouched, unspared = []Item{}, []Item{}
	for item, s := range c {
		switch {
		case !s.touched:
			untouched = append(untouched, item)
		case item.Kind == kindPolicy && !s.spared:
			unspared = append(unspared, item)
		}
	}
	slices.SortFunc(untouched, compareItems)
	slices.SortFunc(unspared, compareItems)
	return untouched, unspared
}

func compareItems(a, b Item) int {
	return strings.Compare(sortKey(a.Pos), sortKey(b.Pos))
}

func sortKey(p strictyaml.Pos) string { return fmt.Sprintf("%s\x00%08d", p.File, p.Line) }
