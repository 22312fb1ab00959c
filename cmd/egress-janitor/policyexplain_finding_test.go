package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// A finding of a report can be explained as it stands, so it must hold all that its decision came from.
func TestAFindingOfAReportIsExplainedAsItWasDecided(t *testing.T) {
	t.Parallel()
	set, err := readPolicies([]string{policyOfEveryRule(t)})
	if err != nil {
		t.Fatal(err)
	}
	ordinary := sg.Fields{ID: "sgr-1", Protocol: "icmp", PortRange: "-1/-1", CIDR4: "0.0.0.0/0", Policy: "accept", Priority: "1"}
	odd, ofAnother := ordinary, ordinary
	odd.SourcePorts = "9/1"
	ofAnother.CIDR4, ofAnother.GroupID, ofAnother.GroupOwner = "", "sg-1", "2234567890123456"
	for name, of := range map[string]struct {
		group  sg.Group
		fields sg.Fields
		want   string
	}{
		"an ordinary rule":                          {sg.Group{ID: "sg-1", VPC: "vpc-1"}, ordinary, "revoke"},
		"a group of a cloud service":                {sg.Group{ID: "sg-1", VPC: "vpc-1", ServiceManaged: true}, ordinary, "skip: managed"},
		"a rule that was not understood":            {sg.Group{ID: "sg-1", VPC: "vpc-1"}, odd, "skip: unreadable"},
		"a group of the same ID of another account": {sg.Group{ID: "sg-1", VPC: "vpc-1"}, ofAnother, "revoke"},
	} {
		got := explainReported(t, set, &of.group, sg.NewRule(&of.fields))
		if got.decision.String() != of.want || got.saidOtherwise() != "" {
			t.Errorf("%s: got %q (the report %q), want %q of both", name, got.decision, got.saidOtherwise(), of.want)
		}
	}
}

// explainReported reports a rule and explains the finding of that report.
func explainReported(t *testing.T, set *policy.Set, group *sg.Group, rule sg.Rule) *explained {
	t.Helper()
	now := time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)
	rules := []sg.Rule{rule}
	found := set.Evaluator("prod", now).Evaluate(group, rules)
	findings := []decision.Finding{{Group: group, Rule: rule, Violations: found[0].Violations}}
	terms := &decision.Terms{Limits: decision.DefaultLimits()}
	terms.Decide(&decision.Subject{Findings: findings, Complete: true, Now: now}, nil)
	var out bytes.Buffer
	if err := report.JSON(&out, &report.Sweep{Account: "prod", Started: now, Finished: now, Findings: findings}); err != nil {
		t.Fatal(err)
	}
	var doc struct{ Findings []json.RawMessage }
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	subject, err := parseSubject(doc.Findings[0])
	if err != nil {
		t.Fatal(err)
	}
	ground := &explainGround{policies: set}
	return ground.explain(subject, now)
}

// What a finding cannot hold, such as what the store knew, is told of.
func TestAReportThatDecidedOtherwiseIsTold(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	d := &explained{
		subject:     &ruleSubject{reported: decision.Verdict{Action: decision.Hold, Reason: decision.ReasonRecurring}},
		explanation: &policy.Explanation{Finding: &policy.Finding{}},
		decision:    decision.Decision{Verdict: decision.Verdict{Action: decision.Revoke}},
	}
	if err := d.text(&out, false); err != nil {
		t.Fatal(err)
	}
	if want := "the report that the rule is from said hold: recurring: "; !bytes.Contains(out.Bytes(), []byte(want)) {
		t.Errorf("the text lacks %q:\n%s", want, out.String())
	}
}

// policyOfEveryRule writes a policy that would revoke everything, and gives the name of its file.
func policyOfEveryRule(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "policy.yaml")
	text := `version: 1
policies:
  - name: every
    description: A policy.
    severity: low
    owner: owner@example.com
    groups: all
    match: {every-rule: true}
    action: revoke
    grace: 0s
`
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
