package report_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// form is one form of output, for all that can be written in it.
type form struct {
	name    string
	suffix  string
	sweep   func(io.Writer, *report.Sweep) error
	history func(io.Writer, []report.HistoryItem) error
}

func forms() []form {
	return []form{
		{
			"table", "txt",
			func(w io.Writer, s *report.Sweep) error { return report.Table(w, s, report.TableOptions{}) },
			func(w io.Writer, items []report.HistoryItem) error {
				return report.HistoryTable(w, items, report.TableOptions{})
			},
		},
		{"JSON", "json", report.JSON, report.HistoryJSON},
		{"Markdown", "md", report.Markdown, report.HistoryMarkdown},
		{
			"CSV", "csv",
			func(w io.Writer, s *report.Sweep) error { return report.CSV(w, s, report.CSVOptions{}) },
			report.HistoryCSV,
		},
	}
}

// history is a list with a removal that was undone, one that is open, and a withdrawn one with hostile text.
func history() []report.HistoryItem {
	undone := report.HistoryItem{Revocation: revocationOf("sgr-1", revoker.Confirmed), GroupName: "web"}
	first := revoker.Call{
		ID: "call-1", Action: revoker.ActionRevoke, Ref: undone.Ref, Carries: []string{undone.ID, "rev-sgr-2"},
		Parameters: []revoker.Parameter{{Name: "RegionId", Value: "cn-hangzhou"}, {Name: "SecurityGroupRuleId.1", Value: "sgr-1"}},
		Recorded:   undone.Created.Add(time.Second), Deadline: undone.Created.Add(11 * time.Second),
		State: revoker.CallUnknown,
		Answer: revoker.Answer{
			State: revoker.CallUnknown, Class: sg.ClassTransient, Code: "InternalError", RequestID: "REQ-1",
			Detail: "HTTP 500", At: undone.Created.Add(2 * time.Second),
		},
	}
	second := first
	second.ID, second.State = "call-2", revoker.CallSucceeded
	second.Recorded = undone.Created.Add(5 * time.Second)
	second.Answer = revoker.Answer{
		State: revoker.CallSucceeded, Class: sg.ClassOK, RequestID: "REQ-2", At: undone.Created.Add(6 * time.Second),
	}
	undone.Calls = []revoker.Call{first, second}
	undone.Effect = revoker.Effect{Class: "closes", Sentence: "closes tcp/443 to 0.0.0.0/0 within this group"}
	undone.Restores = []revoker.Restore{
		{
			ID: "restore-1", Revocation: undone.ID, Actor: "ann", Created: undone.Ended.Add(time.Hour),
			Outcome: revoker.RestoreFailed, Detail: "denied", Ended: undone.Ended.Add(time.Hour + time.Second),
		},
		{
			ID: "restore-2", Revocation: undone.ID, Actor: "ann", Created: undone.Ended.Add(2 * time.Hour),
			HoldUntil: undone.Ended.Add(26 * time.Hour), Outcome: revoker.Restored, RuleID: "sgr-99",
			Ended: undone.Ended.Add(2*time.Hour + time.Second),
		},
	}
	open := report.HistoryItem{Revocation: revocationOf("sgr-2", ""), Calls: []revoker.Call{{
		ID: "call-3", Action: revoker.ActionRevoke, Carries: []string{"rev-sgr-2"}, State: revoker.CallRecorded,
		Recorded: undone.Created.Add(time.Second), Deadline: undone.Created.Add(11 * time.Second),
	}}}
	withdrawn := report.HistoryItem{Revocation: revocationOf("sgr-3", revoker.Withdrawn), GroupName: "old\x1b[2J|"}
	withdrawn.Rule.Description = "=HYPERLINK(\"http://evil\")\n| [click](http://evil) <img src=x> `"
	withdrawn.Detail = "exempt: sftp"
	withdrawn.Effect = revoker.Effect{Class: "unknown"} // by a version that kept no sentence
	return []report.HistoryItem{undone, open, withdrawn}
}

func TestHistoryInEveryForm(t *testing.T) {
	for _, form := range forms() {
		t.Run(form.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := form.history(&out, history()); err != nil {
				t.Fatal(err)
			}
			golden(t, "history."+form.suffix, out.Bytes())
		})
	}
}

func TestHistoryOfNothing(t *testing.T) {
	for _, test := range []struct{ form, want string }{
		{"table", ""},
		{"JSON", "[]\n"},
		{"Markdown", "# Revocations\n\nNone.\n"},
		{"CSV", "header"},
	} {
		for _, form := range forms() {
			if form.name != test.form {
				continue
			}
			var out bytes.Buffer
			if err := form.history(&out, nil); err != nil {
				t.Fatal(err)
			}
			got := out.String()
			if strings.HasPrefix(got, "revocation,sweep,") && strings.Count(got, "\n") == 1 {
				got = "header"
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.form, diff)
			}
		}
	}
}

func TestHistoryAsJSONHasNoNull(t *testing.T) {
	var out bytes.Buffer
	if err := report.HistoryJSON(&out, append(history(), report.HistoryItem{})); err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(out.Bytes(), &value); err != nil {
		t.Fatal(err)
	}
	noNull(t, "$", value)
}

// shown is what is known of a sweep.
func shown() *report.Shown {
	sweep := &report.PastSweep{
		ID: "SWEEP2", Account: "prod", Mode: "enforce", Origin: revoker.BySchedule, Actor: "janitor@host-1", Acting: true,
		PolicyHash: strings.Repeat("ab", 32), Started: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC),
		Finished: time.Date(2026, 11, 23, 2, 1, 30, 0, time.UTC), Groups: 2, Rules: 300,
		Problems: []string{"cn-beijing: ServiceUnavailable\x1b[2J"},
		Findings: []report.PastFinding{
			{
				Region: "cn-hangzhou", Group: "sg-bp1web", GroupName: "web\x1b[2J", Rule: webRule("sgr-1"), Action: "revoke",
				Policies: []report.PastViolation{{
					Name: "no-open-world", Severity: "critical", Verdict: "candidate", Because: []string{"too open"},
				}},
			},
			{
				Region: "cn-hangzhou", Group: "sg-bp1web", GroupName: "web\x1b[2J", Rule: webRule(""), Action: "hold",
				Reason: "limit-per-group", Detail: "11 of 10 rules",
				Policies: []report.PastViolation{{Name: "no-open-world", Severity: "critical", Verdict: "candidate"}},
			},
		},
	}
	return &report.Shown{Sweep: sweep, Revocations: history()}
}

func TestShow(t *testing.T) {
	for _, test := range []struct {
		name  string
		shown *report.Shown
	}{
		{"sweep", shown()},
		{"rule", &report.Shown{Revocations: history()[:1]}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var table, document bytes.Buffer
			if err := report.ShowTable(&table, test.shown, report.TableOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := report.ShowJSON(&document, test.shown); err != nil {
				t.Fatal(err)
			}
			golden(t, "show_"+test.name+".txt", table.Bytes())
			golden(t, "show_"+test.name+".json", document.Bytes())
			var value any
			if err := json.Unmarshal(document.Bytes(), &value); err != nil {
				t.Fatal(err)
			}
			noNull(t, "$", value)
		})
	}
}

func TestShowOfASweepThatDidNotEnd(t *testing.T) {
	for _, test := range []struct {
		name  string
		apply func(*report.PastSweep)
		want  string
	}{
		{"interrupted", func(p *report.PastSweep) { p.Interrupted = true }, "INTERRUPTED before it ended"},
		{"still running", func(*report.PastSweep) {}, "still running, or not known to have ended"},
	} {
		t.Run(test.name, func(t *testing.T) {
			past := &report.PastSweep{ID: "S", Account: "prod", Started: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}
			test.apply(past)
			var out bytes.Buffer
			if err := report.ShowTable(&out, &report.Shown{Sweep: past}, report.TableOptions{}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), test.want) || strings.Contains(out.String(), "DID NOT READ EVERYTHING") {
				t.Errorf("want %q and nothing on what was not read:\n%s", test.want, out.String())
			}
		})
	}
}

func TestEveryFormReportsWriteErrors(t *testing.T) {
	for _, form := range forms() {
		if form.sweep(full{}, acting()) == nil || form.history(full{}, history()) == nil {
			t.Errorf("%s: a report that could not be written was taken for written", form.name)
		}
	}
	if report.ShowTable(full{}, shown(), report.TableOptions{}) == nil || report.ShowJSON(full{}, shown()) == nil {
		t.Error("what could not be shown was taken for shown")
	}
}
