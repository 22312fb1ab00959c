package policy_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// explainedTruth is a truth of the oracle as explanations spell it.
func explainedTruth(t truth) policy.Truth {
	return [...]policy.Truth{isFalse: policy.False, isUnknown: policy.Unknown, isTrue: policy.True}[t]
}

func TestAnExplanationAgreesWithTheOracleAndTheEvaluator(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation("Asia/Shanghai")
		if err != nil {
			t.Fatal(err)
		}
		f := drawFile(t, zone)
		text := renderFile(t, f, "Asia/Shanghai")
		set, err := policy.Load(memory(map[string]string{"p.yaml": text}), []string{"p.yaml"})
		if err != nil {
			t.Fatalf("loading: %v\n%s", err, text)
		}
		now := time.Date(2027, time.January, 15, rapid.IntRange(0, 23).Draw(t, "hour"), 0, 0, 0, time.UTC)
		group, oracleGroup := drawGroup(t)
		oracleGroup.account = "ab"
		evaluator := set.Evaluator("ab", now)
		for range 8 {
			rule, meaning := drawRule(t)
			explanation := evaluator.Explain(&group, &rule)
			o := oracleCase{file: f, group: &oracleGroup, rule: &meaning, now: now}
			o.check(t, explanation)
			if diff := cmp.Diff(f.verdicts(&oracleGroup, &meaning, now), explainedVerdicts(explanation)); diff != "" {
				t.Fatalf("(-oracle +explanation):\n%s\nrule %+v\n%s", diff, rule, text)
			}
		}
	})
}

// oracleCase is what the oracle judges.
type oracleCase struct {
	file  *oFile
	group *oGroup
	rule  *oRule
	now   time.Time
}

// check compares every truth at the top of a `groups` and of a `match` with the oracle's.
func (o *oracleCase) check(t *rapid.T, e *policy.Explanation) {
	f, group, rule, now := o.file, o.group, o.rule, o.now
	compare := func(what string, got policy.Truth, want truth) {
		if got != explainedTruth(want) {
			t.Fatalf("%s is explained as %s, and the oracle says %s", what, got, explainedTruth(want))
		}
	}
	judge := func(m *oMatch, fallback string) truth {
		return (&world{rule: rule, now: now, zone: f.zone}).judge(m, fallback)
	}
	for i := range f.policies {
		p, explained := &f.policies[i], &e.Policies[i]
		compare("groups of "+p.name, explained.Groups.In, p.groups.has(group, now, f.zone))
		compare("match of "+p.name, explained.Match.Truth, judge(&p.match, "accept"))
		checkNode(t, &explained.Match)
		if (explained.Violation != nil && explained.Violation.Collateral) != (explained.Excess != nil) {
			t.Fatalf("%s: excess %v does not explain the collateral", p.name, explained.Excess)
		}
		for _, x := range explained.Exceptions {
			var at int
			if _, err := fmt.Sscanf(x.Exception.Name, "x%d", &at); err != nil {
				t.Fatal(err)
			}
			compare("groups of "+x.Exception.Name, x.Groups.In, f.exceptions[at].groups.has(group, now, f.zone))
			compare("match of "+x.Exception.Name, x.Match.Truth, judge(&f.exceptions[at].match, "any"))
		}
	}
}

// explainedVerdicts makes verdicts of what the explanations of policies and exceptions say, not of the finding that is in
// them.
func explainedVerdicts(e *policy.Explanation) []verdict {
	var list []verdict
	for i := range e.Policies {
		p := &e.Policies[i]
		objects := p.Groups.In == policy.True && p.Match.Truth == policy.True
		if p.Violation == nil {
			if objects {
				list = append(list, verdict{Policy: p.Policy.Name + " objects without a violation"})
			}
			continue
		}
		v := verdict{Policy: p.Policy.Name, Collateral: p.Excess != nil, InvalidExpiry: !objects}
		for _, x := range p.Exceptions {
			switch {
			case x.Applies == policy.True && v.Exempt == "":
				v.Exempt, v.Unsure = x.Exception.Name, ""
			case x.Applies == policy.Unknown && v.Exempt == "" && v.Unsure == "":
				v.Unsure = x.Exception.Name
			}
		}
		list = append(list, v)
	}
	return list
}

// checkNode checks what holds for every node.
func checkNode(t interface{ Fatalf(string, ...any) }, n *policy.Node) {
	clause := n.Key != "" && len(n.Children) == 0
	switch {
	case n.Pos.Line == 0:
		t.Fatalf("a node without a place: %+v", n)
	case clause && (n.Truth == policy.Unknown) != (n.Gap != ""):
		t.Fatalf("a clause is unknown without a gap, or has one and is not: %+v", n)
	case n.Truth == policy.Unknown && clause && n.Why == "":
		t.Fatalf("a clause is unknown and does not say why: %+v", n)
	case clause && n.Asks == "":
		t.Fatalf("a clause asks for nothing: %+v", n)
	case n.Key == "" && n.Has != "":
		t.Fatalf("a mapping has a value: %+v", n)
	}
	for i := range n.Children {
		checkNode(t, &n.Children[i])
	}
}

func TestEveryClauseIsExplained(t *testing.T) {
	t.Parallel()
	set, err := policy.Load(os.DirFS("testdata/ok"), []string{"all-keys.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	rule := sg.NewRule(&sg.Fields{
		ID: "sgr-1", Protocol: "tcp", PortRange: "443/443", CIDR4: "0.0.0.0/0", Policy: "accept", Priority: "1",
		Created: "2026-01-01T00:00:00Z", Description: "until=2026-10-01",
	})
	group := sg.Group{Region: "cn-hangzhou", ID: "sg-1"}
	explanation := set.Evaluator("prod", present()).Explain(&group, &rule)
	seen := map[string]bool{}
	var walk func(n *policy.Node)
	walk = func(n *policy.Node) {
		seen[n.Key] = true
		if len(n.Children) == 0 && n.Key == "" {
			t.Errorf("%s: the clause is not explained: %+v", n.Pos, n)
		}
		checkNode(t, n)
		for i := range n.Children {
			walk(&n.Children[i])
		}
	}
	for i := range explanation.Policies {
		p := &explanation.Policies[i]
		walk(&p.Match)
		for j := range p.Exceptions {
			walk(&p.Exceptions[j].Match)
		}
	}
	for _, key := range matchKeysOf(t) {
		if !seen[key] {
			t.Errorf("no clause of all-keys.yaml is explained under the key %q", key)
		}
	}
}

// matchKeysOf are the keys that a `match` may have, as the loader itself tells them.
func matchKeysOf(t *testing.T) []string {
	t.Helper()
	message := loadError(t, map[string]string{"p.yaml": policyWith("{not-a-key: 1}")}, "p.yaml")
	_, known, found := strings.Cut(message, "known here: ")
	if !found {
		t.Fatalf("no keys in %q", message)
	}
	known, _, _ = strings.Cut(known, " [")
	return strings.Split(known, ", ")
}
