package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
)

// replayedSnapshot is what one snapshot came to.
type replayedSnapshot struct {
	file     string
	account  string
	started  time.Time // of the scan
	now      time.Time // at which it was judged
	complete bool
	problem  string // the first one, if not complete
	groups   int
	rules    int
	findings int
	entries  []replayEntry
	policies map[string]policyCount
}

// replayKind is how the verdicts about a rule differ. Without policies to compare with all findings are caught.
type replayKind string

const (
	exemptionLost   replayKind = "exemption-lost"
	newlyCaught     replayKind = "newly-caught"
	decisionChanged replayKind = "decision-changed"
	noLongerCaught  replayKind = "no-longer-caught"
	caught          replayKind = "caught"
)

// replayKinds are the kinds in the order of reports: what is revoked against somebody's word comes first.
func replayKinds() []replayKind {
	return []replayKind{exemptionLost, newlyCaught, decisionChanged, noLongerCaught, caught}
}

// replayEntry is a rule of which there is something to say.
type replayEntry struct {
	kind   replayKind
	before *decision.Finding // nil: not caught
	after  *decision.Finding // nil: not caught
}

// finding is what identifies the rule.
func (e *replayEntry) finding() *decision.Finding { return cmp.Or(e.after, e.before) }

// policyCount is how many rules a policy objects to.
type policyCount struct{ before, after, lost, newly, noLonger int }

// fill compares.
func (s *replayedSnapshot) fill(after, before *sweep.Result) {
	s.complete, s.policies = after.Complete(), map[string]policyCount{}
	problems := after.Problems
	if before != nil {
		s.complete = s.complete && before.Complete()
		problems = slices.Concat(problems, before.Problems)
	}
	if !s.complete {
		s.problem = "nothing was read"
		if len(problems) > 0 {
			p := problems[0]
			s.problem = "not read whole: " + strings.Join(slices.DeleteFunc([]string{p.Region, p.Group, p.List, p.Err.Error()},
				func(part string) bool { return part == "" }), " ")
		}
	}
	for _, r := range after.Regions {
		s.groups += r.Groups
		s.rules += r.Rules
	}
	s.findings = len(after.Findings)
	if before == nil {
		for i := range after.Findings {
			s.add(replayEntry{kind: caught, after: &after.Findings[i]})
		}
		return
	}
	old := byRule(before.Findings)
	for i := range after.Findings {
		f := &after.Findings[i]
		e := replayEntry{after: f}
		if twins := old[ruleOf(f)]; len(twins) > 0 {
			e.before, old[ruleOf(f)] = twins[0], twins[1:]
		}
		s.add(e)
	}
	for i := range before.Findings {
		f := &before.Findings[i]
		if slices.Contains(old[ruleOf(f)], f) {
			s.add(replayEntry{before: f})
		}
	}
	slices.SortStableFunc(s.entries, func(a, b replayEntry) int {
		return cmp.Compare(slices.Index(replayKinds(), a.kind), slices.Index(replayKinds(), b.kind))
	})
}

// byRule gives the findings of each rule; several only of rules without an ID that are equal.
func byRule(findings []decision.Finding) map[decision.RuleRef][]*decision.Finding {
	rules := make(map[decision.RuleRef][]*decision.Finding, len(findings))
	for i := range findings {
		rules[ruleOf(&findings[i])] = append(rules[ruleOf(&findings[i])], &findings[i])
	}
	return rules
}

func ruleOf(f *decision.Finding) decision.RuleRef {
	return decision.RuleRef{Region: f.Group.Region, Group: f.Group.ID, Key: f.Rule.Key()}
}

// add counts a rule, and keeps it if there is something to say of it.
func (s *replayedSnapshot) add(e replayEntry) {
	before, after := verdicts(e.before), verdicts(e.after)
	lost := false
	for _, name := range slices.Sorted(maps.Keys(union(before, after))) {
		n := s.policies[name]
		was, now := before[name], after[name]
		switch {
		case was == "":
			n.newly++
			n.after++
		case now == "":
			n.noLonger++
			n.before++
		default:
			n.before++
			n.after++
		}
		if isExempt(was) && now != "" && !isExempt(now) {
			lost = true
			n.lost++
		}
		s.policies[name] = n
	}
	switch {
	case e.kind == caught:
	case lost:
		e.kind = exemptionLost
	case e.before == nil:
		e.kind = newlyCaught
	case e.after == nil:
		e.kind = noLongerCaught
	case e.before.Decision.String() != e.after.Decision.String() || !maps.Equal(before, after):
		e.kind = decisionChanged
	default:
		return
	}
	s.entries = append(s.entries, e)
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// verdicts are those of the policies that object to a rule, by their names.
func verdicts(f *decision.Finding) map[string]string {
	list := map[string]string{}
	if f == nil {
		return list
	}
	for i := range f.Violations {
		list[f.Violations[i].Policy.Name] = f.Decision.Policies[i].String()
	}
	return list
}

func isExempt(verdict string) bool { return strings.HasPrefix(verdict, string(decision.Exempt)+": ") }

// sentence says what an entry is, in words.
func (e *replayEntry) sentence() string {
	f := e.finding()
	rule := fmt.Sprintf("%s %s in %s %s", cmp.Or(f.Rule.ID, "(no ID)"), ruleText(&f.Rule), f.Group.Region, f.Group.ID)
	switch e.kind {
	case caught, newlyCaught:
		return fmt.Sprintf("%s by %s: %s", rule, strings.Join(policiesOfFinding(f), ", "), f.Decision)
	case noLongerCaught:
		return fmt.Sprintf("%s by %s: was %s", rule, strings.Join(policiesOfFinding(f), ", "), f.Decision)
	case exemptionLost, decisionChanged:
	}
	return fmt.Sprintf("%s: %s → %s%s", rule, e.before.Decision, e.after.Decision, e.byPolicy())
}

// byPolicy says how the verdicts of policies changed, where the decision alone does not.
func (e *replayEntry) byPolicy() string {
	before, after := verdicts(e.before), verdicts(e.after)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(union(before, after))) {
		if before[name] != after[name] {
			parts = append(parts, fmt.Sprintf("%s: %s → %s", name, cmp.Or(before[name], "-"), cmp.Or(after[name], "-")))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

func policiesOfFinding(f *decision.Finding) []string {
	names := make([]string, len(f.Violations))
	for i := range f.Violations {
		names[i] = f.Violations[i].Policy.Name
	}
	return names
}
