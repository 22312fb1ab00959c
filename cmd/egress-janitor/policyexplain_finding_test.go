package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
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
	findings := []decision.Finding{{
		Group: group, Rule: rule, Violations: found[0].Violations,
		Effect: &reach.Effect{Scope: reach.ScopeGroup, Class: reach.Closes}, Narrowing: &reach.Narrowing{Sentence: "narrow it"},
	}}
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

// A finding has an effect, which is that of a sweep: its words are repeated, and a policy that goes by effects goes by it.
func TestTheEffectOfAFindingIsTheReports(t *testing.T) {
	t.Parallel()
	const file = "    match: {ports: [443]}\n    action: revoke\n    only-if: closes\n"
	set, err := policy.Load(fstest.MapFS{"p.yaml": {Data: []byte(adviceFile(file))}}, []string{"p.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, effect, want string }{
		{"it closes", `{"scope": "group", "class": "closes", "sentence": "closes it", "warning": "WARNING: look", "new": 1}`, "revoke"},
		{"it closes nothing", `{"scope": "interface", "class": "none", "sentence": "closes nothing"}`, "report: no-effect"},
		{"it cannot be told", `{"scope": "group", "class": "unknown", "sentence": "cannot tell"}`, "hold: effect-unknown"},
		{"nobody worked it out", `{"scope": "group", "class": "unknown"}`, "hold: effect-unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			subject, err := parseSubject([]byte(`{"account": "prod", "region": "r", "group": {"id": "sg-1"}, "effect": ` + test.effect +
				`, "narrowing": {"sentence": "s"}, "rule": {"id": "sgr-1", "protocol": "tcp", "portRange": "443/443",
				"destination": "192.0.2.0/24", "destinationKind": "cidr4", "action": "accept", "priority": 1}}`))
			if err != nil {
				t.Fatal(err)
			}
			d := (&explainGround{policies: set}).explain(subject, time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC))
			if got := d.decision.String(); got != test.want {
				t.Errorf("the decision is %q, want %q", got, test.want)
			}
			var text, document bytes.Buffer
			if err := errors.Join(d.text(&text, true), d.json(&document)); err != nil {
				t.Fatal(err)
			}
			var doc struct {
				Effect   json.RawMessage
				EffectOf string
			}
			if err := json.Unmarshal(document.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			if !subject.recorded.known() {
				if strings.Contains(text.String(), "\neffect ") || doc.Effect != nil {
					t.Errorf("an effect that nobody worked out is told:\n%s", text.String())
				}
				return
			}
			if want := "effect    by the report, beside what else was to be removed: " + subject.recorded.sentence; !strings.Contains(text.String(), want) {
				t.Errorf("the text lacks %q:\n%s", want, text.String())
			}
			if test.name == "it closes" && !strings.Contains(text.String(), "          \x1b[31mWARNING: look\x1b[0m\n") {
				t.Errorf("the text lacks the warning, or its colour:\n%s", text.String())
			}
			var want, got bytes.Buffer
			if err := errors.Join(json.Compact(&want, []byte(test.effect)), json.Compact(&got, doc.Effect)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), got.String()); diff != "" || doc.EffectOf != "report" {
				t.Errorf("the JSON has another effect, of %q (-report +explain):\n%s", doc.EffectOf, diff)
			}
		})
	}
}
