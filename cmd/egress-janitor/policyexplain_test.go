package main

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// adviceFile is a file with one policy, whose last keys and exceptions a test gives.
func adviceFile(rest string) string {
	return `version: 1
policies:
  - name: p
    description: A policy.
    severity: low
    owner: owner@example.com
    groups: all
` + rest
}

func TestTheDecisionSaysWhatWouldChangeIt(t *testing.T) {
	t.Parallel()
	const exception = `    match: {every-rule: true}
    action: revoke
    grace: 0s
exceptions:
  - {name: x, policies: [p], groups: all, match: MATCH, reason: r, owner: o, expires: 2027-01-31}
`
	for _, test := range []struct {
		name, file     string
		apply          func(*ruleSubject)
		decision, want string
	}{
		{
			"nobody objects", "    match: {ports: [22]}\n    action: revoke\n", nil, "", "",
		},
		{
			"a policy that only reports", "    match: {ports: [443]}\n    action: report\n", nil, "report: policy",
			"policy p (p.yaml:3:5) only reports: `action: revoke` would make the rule a candidate",
		},
		{
			"a revocation", "    match: {ports: [443]}\n    action: revoke\n    grace: 36h\n", nil, "revoke",
			"policy p (p.yaml:3:5) waits for its grace, which counts as over here: a recorded sweep holds the rule until the policy " +
				"has objected for 36h\n" +
				"to keep the rule, narrow it until no policy objects, or write an exception for it with an end",
		},
		{
			"an exemption", strings.ReplaceAll(exception, "MATCH", "{every-rule: true}"), nil, "exempt: x",
			"exception x (p.yaml:12:5) takes the rule out of p until 2027-02-01 00:00:00 UTC; without it p objects",
		},
		{
			"an exception that is unsure", strings.ReplaceAll(exception, "MATCH", "{older-than: 1d}"), nil, "hold: exception-unknown",
			"let what exception x (p.yaml:12:5) asks for be read, or narrow the exception",
		},
		{
			"a rule that drops", "    match: {rule-action: any, ports: [443]}\n    action: revoke\n",
			func(s *ruleSubject) { s.rule.Action = sg.Drop }, "hold: drop-rule",
			"the rule drops traffic, so revoking it may open some: policy p (p.yaml:3:5) must say `allow-opening: true`",
		},
		{
			"a date that is not understood", "    match: {expired: {description: 'until=(\\S+)'}}\n    action: revoke\n",
			func(s *ruleSubject) { s.rule.Description = "until=soon" }, "report: invalid-expiry",
			"correct the expiry date that cannot be understood: the policy objects once the date has passed",
		},
		{
			"a baseline", "    match: {ports: [443]}\n    action: revoke\n    baseline: 2026-12-01\n", nil, "report: baseline",
			"policy p (p.yaml:3:5) leaves alone what was there before its `baseline`, and what nobody knows to be newer: an earlier " +
				"one, or none, would object",
		},
		{
			"a group of a cloud service", "    match: {ports: [443]}\n    action: revoke\n    grace: 0s\n",
			func(s *ruleSubject) { s.group.ServiceManaged = true }, "skip: managed",
			"the rule is its cloud service's business: nobody else can change it",
		},
		{
			"a group that was not read whole", "    match: {ports: [443]}\n    action: revoke\n    grace: 0s\n",
			func(s *ruleSubject) { s.incomplete = "page 2 is missing" }, "skip: incomplete",
			"see why it could not be read: rights of the scanning role, or an API that fails",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set, err := policy.Load(fstest.MapFS{"p.yaml": {Data: []byte(adviceFile(test.file))}}, []string{"p.yaml"})
			if err != nil {
				t.Fatal(err)
			}
			subject := &ruleSubject{account: "prod", group: sg.Group{Region: "cn-hangzhou", ID: "sg-1"}, rule: sg.NewRule(&sg.Fields{
				ID: "sgr-1", Protocol: "tcp", PortRange: "443/443", CIDR4: "192.0.2.0/24", Policy: "accept", Priority: "1",
			})}
			if test.apply != nil {
				test.apply(subject)
			}
			ground := &explainGround{policies: set}
			doc := ground.explain(subject, time.Date(2027, time.January, 15, 12, 0, 0, 0, time.UTC))
			got := ""
			if doc.explanation.Finding != nil {
				got = doc.decision.String()
			}
			if got != test.decision {
				t.Errorf("the decision is %q, want %q", got, test.decision)
			}
			if diff := cmp.Diff(test.want, strings.Join(doc.hints, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
