package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// webRule is a rule of the group sg-bp1web.
func webRule(id string) sg.Rule {
	return sg.NewRule(&sg.Fields{
		ID: id, Protocol: "TCP", PortRange: "443/443", CIDR4: "0.0.0.0/0", Policy: "Accept", Priority: "1",
		NICType: "intranet", Created: "2025-01-02T03:04:05Z",
	})
}

// revocationOf is a revocation of a rule of that group, 90 seconds after the sweep began.
func revocationOf(rule string, outcome revoker.Outcome) revoker.Revocation {
	r := revoker.Revocation{
		ID: "rev-" + rule, Sweep: "SWEEP2", Ref: sg.GroupRef{Account: "prod", Region: "cn-hangzhou", Group: "sg-bp1web"},
		Rule: webRule(rule), Policies: []revoker.Cause{{Policy: "no-open-world", Hash: strings.Repeat("cd", 32)}},
		Origin: revoker.BySchedule, Actor: "janitor@host-1", Created: time.Date(2026, 11, 23, 2, 1, 30, 0, time.UTC),
		Outcome: outcome,
	}
	if outcome != "" {
		r.Ended = r.Created.Add(10 * time.Second)
	}
	if outcome == revoker.Confirmed {
		r.Attribution = revoker.Answered
	}
	return r
}

// acting is the report of a sweep that may act, with a finding for everything that can become of one.
func acting() *report.Sweep {
	started := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	web := &sg.Group{Region: "cn-hangzhou", ID: "sg-bp1web", Name: "web", Type: sg.TypeNormal, VPC: "vpc-1"}
	open := &policy.Policy{Name: "no-open-world", Severity: policy.Critical, Action: policy.Revoke}
	s := &report.Sweep{
		ID: "SWEEP2", Account: "prod", Mode: "enforce", PolicyHash: strings.Repeat("ab", 32),
		Started: started, Finished: started.Add(2 * time.Minute), Complete: true, Acting: true,
		Regions: []report.Region{{ID: "cn-hangzhou", Complete: true, Groups: 1, Rules: 300}},
	}
	add := func(id string, apply func(*decision.Decision)) {
		f := decision.Finding{
			Group: web, Rule: webRule(id),
			Violations: []policy.Violation{{Policy: open, Because: []string{"destination 0.0.0.0/0 covers 0.0.0.0/0"}}},
			Decision: decision.Decision{
				Verdict:  decision.Verdict{Action: decision.Revoke},
				Policies: []decision.Verdict{{Action: decision.Candidate}}, Batch: true,
			},
		}
		if apply != nil {
			apply(&f.Decision)
		}
		s.Findings = append(s.Findings, f)
	}
	for i, outcome := range append(revoker.Outcomes(), "") {
		id := fmt.Sprintf("sgr-%d", i+1)
		add(id, nil)
		s.Revocations = append(s.Revocations, revocationOf(id, outcome))
	}
	s.Revocations[4].Detail = "3 calls were sent, the last at 02:01:40\x1b[1m"
	add("sgr-7", nil)
	presumed := revocationOf("sgr-7", revoker.Confirmed)
	presumed.Attribution = revoker.Presumed
	s.Revocations = append(s.Revocations, presumed)
	add("sgr-8", func(d *decision.Decision) { d.Open = true })
	add("sgr-9", func(d *decision.Decision) {
		d.Verdict = decision.Verdict{Action: decision.Pending, Reason: "grace", Until: started.Add(time.Hour)}
		d.Policies, d.Batch = []decision.Verdict{d.Verdict}, false
	})
	return s
}

func TestActingSweepInEveryForm(t *testing.T) {
	for _, form := range forms() {
		t.Run(form.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := form.sweep(&out, acting()); err != nil {
				t.Fatal(err)
			}
			golden(t, "acting."+form.suffix, out.Bytes())
		})
	}
}

func TestAuditAsMarkdownAndCSV(t *testing.T) {
	for _, form := range forms()[2:] { // the first have tests of their own
		t.Run(form.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := form.sweep(&out, sample()); err != nil {
				t.Fatal(err)
			}
			golden(t, "report."+form.suffix, out.Bytes())
		})
	}
}

// A finding is executed only when its removal was proven: open, failed and withdrawn ones are not.
func TestExecutedMeansProven(t *testing.T) {
	var out bytes.Buffer
	if err := report.JSON(&out, acting()); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Findings []struct {
			Rule               struct{ ID string }
			Executed           bool
			NotExecutedBecause string
			Revocation         *struct{ Outcome string }
			Decision           struct{ Until string }
		}
		Totals struct{ ByOutcome map[string]int }
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range doc.Findings {
		outcome := "none"
		if f.Revocation != nil {
			outcome = f.Revocation.Outcome
		}
		got[f.Rule.ID] = strings.TrimSpace(fmt.Sprintf("%s %t %s%s", outcome, f.Executed, f.NotExecutedBecause, f.Decision.Until))
	}
	want := map[string]string{
		"sgr-1": "confirmed true", "sgr-2": "already_absent false", "sgr-3": "changed false", "sgr-4": "withdrawn false",
		"sgr-5": "failed false", "sgr-6": "open false", "sgr-7": "confirmed true",
		"sgr-8": "none false already-open", "sgr-9": "none false 2026-11-23T03:00:00Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("executions (-want +got):\n%s", diff)
	}
	counts := map[string]int{"confirmed": 2, "already_absent": 1, "changed": 1, "withdrawn": 1, "failed": 1, "open": 1}
	if diff := cmp.Diff(counts, doc.Totals.ByOutcome); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
}

// Why a sweep does not act says nothing about what it did decide to carry out, after a change of mode for one.
func TestWhatIsCarriedOutHasNoReasonNotToBe(t *testing.T) {
	s := acting()
	s.NotExecuted = decision.ManualMode
	for i := range s.Findings {
		s.Findings[i].Decision.Open = true
	}
	var out bytes.Buffer
	if err := report.JSON(&out, s); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "notExecutedBecause"); got != 1 { // of the one without a revocation
		t.Errorf("got %d reasons not to execute, want 1", got)
	}
}

// The same rule ID in another group is another rule.
func TestRevocationsOfOtherRulesAreNotTakenForTheFindings(t *testing.T) {
	for _, apply := range []func(*revoker.Revocation){
		func(r *revoker.Revocation) { r.Ref.Region = "cn-beijing" },
		func(r *revoker.Revocation) { r.Ref.Group = "sg-other" },
		func(r *revoker.Revocation) { r.Rule.ID = "sgr-other" },
	} {
		s := acting()
		s.Findings, s.Revocations = s.Findings[:1], s.Revocations[:1]
		apply(&s.Revocations[0])
		var out bytes.Buffer
		if err := report.JSON(&out, s); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), `"executed": true`) {
			t.Errorf("a finding is executed by the revocation %+v", s.Revocations[0])
		}
	}
}

func TestActingSweepWithoutRevocationsSaysSo(t *testing.T) {
	s := acting()
	s.Findings, s.Revocations = s.Findings[8:], nil
	var table, document bytes.Buffer
	if err := report.Table(&table, s, report.TableOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := report.JSON(&document, s); err != nil {
		t.Fatal(err)
	}
	if want := "Nothing was revoked: what violates is held, waits or is only reported; see the decisions above.\n"; !strings.HasSuffix(table.String(), want) {
		t.Errorf("the table does not end with %q:\n%s", want, table.String())
	}
	if !strings.Contains(document.String(), `"byOutcome": {}`) {
		t.Error("the totals of an acting sweep have no outcomes")
	}
}
