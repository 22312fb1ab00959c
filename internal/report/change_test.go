package report_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/policy"
)

// changedSample is the sample under policies of which everything was changed that can be.
func changedSample() *report.Sweep {
	day := func(n int) time.Time { return time.Date(2026, time.December, n, 0, 0, 0, 0, time.UTC) }
	s := sample()
	s.Change = &policy.Change{
		ExceptionsRemoved: []policy.ExceptionChange{{Name: "sftp", Owner: "a@example.com", Ticket: "NET-7", Expires: day(31)}},
		ExceptionsEnded:   []policy.ExceptionChange{{Name: "old", Owner: "b@example.com", Expires: day(1)}},
		ExceptionsChanged: []policy.ExceptionChange{{Name: "mail", Owner: "c@example.com", Expires: day(20), Fields: []policy.FieldChange{
			{Key: "expires", Before: "2026-12-24T00:00:00Z", After: "2026-12-20T00:00:00Z", Wider: true}, {Key: "match", Wider: true},
		}}},
		ExceptionsAdded: []policy.ExceptionChange{{Name: "new", Owner: "d@example.com", Expires: day(30)}},
		PoliciesAdded:   []policy.ChangedPolicy{{Name: "too-wide", Action: policy.Report}},
		PoliciesRemoved: []policy.ChangedPolicy{{Name: "too-old", Action: policy.Revoke}},
		PoliciesChanged: []policy.ChangedPolicy{{Name: "no-open-world", Action: policy.Revoke, Fields: []policy.FieldChange{
			{Key: "grace", Before: "1h0m0s", After: "72h0m0s"}, {Key: "action", Before: "report", After: "revoke", Wider: true},
		}}},
		SetsChanged: []policy.SetChange{{Set: "bad\x1b[2J`", File: "p.yaml", Before: 10, After: 12}},
	}
	return s
}

func TestAChangeOfPoliciesInEveryForm(t *testing.T) {
	var text, page, doc bytes.Buffer
	if err := report.Table(&text, changedSample(), report.TableOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "change.txt", text.Bytes())
	if err := report.Markdown(&page, changedSample()); err != nil {
		t.Fatal(err)
	}
	golden(t, "change.md", page.Bytes())
	if err := report.JSON(&doc, changedSample()); err != nil {
		t.Fatal(err)
	}
	golden(t, "change.json", doc.Bytes())
	var value any
	if err := json.Unmarshal(doc.Bytes(), &value); err != nil {
		t.Fatalf("the report is no JSON: %v", err)
	}
	noNull(t, "$", value)
	if bytes.ContainsRune(text.Bytes(), '\x1b') || bytes.ContainsRune(page.Bytes(), '\x1b') {
		t.Error("a name from a file reaches the terminal as it is")
	}
}

func TestAChangeThatChangesNothingHasNoTitle(t *testing.T) {
	s := sample()
	s.Change = &policy.Change{}
	var text, page bytes.Buffer
	if err := report.Table(&text, s, report.TableOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", text.Bytes())
	if err := report.Markdown(&page, s); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.md", page.Bytes())
}
