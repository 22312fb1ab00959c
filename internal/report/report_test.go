package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a report with one of everything, hostile text included.
func sample() *report.Sweep {
	started := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	web := &sg.Group{
		Region: "cn-hangzhou", ID: "sg-bp1web", Name: "web\x1b[2Jprod", Type: sg.TypeNormal, VPC: "vpc-1",
		Tags: []sg.Tag{{Key: "env", Value: "prod"}, {Key: "empty"}},
	}
	old := &sg.Group{Region: "cn-hangzhou", ID: "sg-bp2old", Name: "old", Type: sg.TypeEnterprise}
	open := &policy.Policy{Name: "no-open-world", Severity: policy.Critical, Action: policy.Revoke}
	wide := &policy.Policy{Name: "too-wide", Severity: policy.Low, Action: policy.Report}
	findings := []decision.Finding{
		{
			Group: web,
			Rule: sg.NewRule(&sg.Fields{
				ID: "sgr-1", Protocol: "TCP", PortRange: "443/443", CIDR4: "0.0.0.0/0", Policy: "Accept", Priority: "1",
				NICType: "intranet", Description: "=cmd|'/C calc'!A0 \u202e\r\n测试", Created: "2025-01-02T03:04:05Z",
			}),
			Violations: []policy.Violation{
				{Policy: open, Because: []string{"destination 0.0.0.0/0 covers 0.0.0.0/0"}},
				{Policy: wide, Because: []string{"destination 0.0.0.0/0 is wider than /8"}},
			},
		},
		{
			Group: old,
			Rule: sg.NewRule(&sg.Fields{
				Protocol: "ALL", PortRange: "-1/-1", SourceCIDR4: "10.0.0.0/8", SourcePorts: "1/100", GroupID: "sg-x",
				GroupOwner: "1", Policy: "Drop", Priority: "110", NICType: "internet",
			}),
			Violations: []policy.Violation{{Policy: open, Because: []string{"every rule of the group"}, Collateral: true}},
		},
	}
	terms := &decision.Terms{Limits: decision.DefaultLimits()}
	terms.Decide(&decision.Subject{Findings: findings, Rules: 300, Now: started}, nil)
	return &report.Sweep{
		ID: "SWEEP1", Account: "prod", Mode: "audit", PolicyHash: strings.Repeat("ab", 32),
		Started: started, Finished: started.Add(90 * time.Second),
		Unknown: []string{"grace", "window", "recurrence"}, NotExecuted: decision.AuditMode,
		Regions: []report.Region{
			{ID: "cn-beijing", Error: "DescribeSecurityGroups in cn-beijing: ServiceUnavailable"},
			{ID: "cn-hangzhou", Complete: true, Groups: 2, Rules: 300, Gone: 1},
		},
		Unreadable: 3,
		Findings:   findings,
		Exceptions: []report.Exception{
			{Exception: &policy.Exception{Name: "sftp", Reason: "until migration", Owner: "a@example.com", Expires: started.AddDate(0, 0, 3)}, Use: policy.Use{Exempted: 2, Unsure: 1}},
			{Exception: &policy.Exception{Name: "gone", Reason: "old", Owner: "b@example.com", Ticket: "NET-1", Expires: started}},
		},
		Errors: []report.Error{
			{Region: "cn-beijing", Text: "DescribeSecurityGroups in cn-beijing: ServiceUnavailable"},
			{Region: "cn-hangzhou", Group: "sg-bp2old", Rule: "sgr-7", Text: "rule not understood", Unreadable: true},
		},
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	if err := report.JSON(&out, sample()); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", out.Bytes())
	var value any
	if err := json.Unmarshal(out.Bytes(), &value); err != nil {
		t.Fatalf("the report is no JSON: %v", err)
	}
	noNull(t, "$", value)
}

// noNull fails for every null: absent means not applicable.
func noNull(t *testing.T, path string, value any) {
	t.Helper()
	switch v := value.(type) {
	case nil:
		t.Errorf("%s is null", path)
	case map[string]any:
		for key, child := range v {
			noNull(t, path+"."+key, child)
		}
	case []any:
		for _, child := range v {
			noNull(t, path+"[]", child)
		}
	}
}

func TestJSONOfNothingHasEmptyListsAndNoNull(t *testing.T) {
	var out bytes.Buffer
	if err := report.JSON(&out, &report.Sweep{}); err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(out.Bytes(), &value); err != nil {
		t.Fatal(err)
	}
	noNull(t, "$", value)
	for _, key := range []string{"findings", "groups", "exceptions", "errors"} {
		if list, ok := value[key].([]any); !ok || len(list) != 0 {
			t.Errorf("%s is %v, want an empty list", key, value[key])
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	if err := report.Table(&out, sample(), report.TableOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", out.Bytes())
}

func TestTableSaysFirstThatItIsNotComplete(t *testing.T) {
	var out bytes.Buffer
	if err := report.Table(&out, sample(), report.TableOptions{}); err != nil {
		t.Fatal(err)
	}
	warning, findings := strings.Index(out.String(), "NOT COMPLETE"), strings.Index(out.String(), "Findings")
	if warning < 0 || warning > findings {
		t.Errorf("the warning is at %d, the findings at %d", warning, findings)
	}
}

func TestTextOfTheCloudCannotSteerATerminal(t *testing.T) {
	hostile := "a\x1b[2J\x7f\u009b31m\u202e\u2028\U000e0041 测试"
	s := sample()
	s.Findings[0].Rule.Description = hostile
	var table, document bytes.Buffer
	if err := errors.Join(report.Table(&table, s, report.TableOptions{}), report.JSON(&document, s)); err != nil {
		t.Fatal(err)
	}
	for form, text := range map[string]string{"table": table.String(), "JSON": document.String()} {
		for _, r := range text {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Errorf("the %s has the character %U", form, r)
			}
		}
		if !strings.Contains(text, "测试") {
			t.Errorf("the %s lost text that is harmless", form)
		}
	}
	var got struct {
		Findings []struct{ Rule struct{ Description string } }
	}
	if err := json.Unmarshal(document.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hostile, got.Findings[0].Rule.Description); diff != "" {
		t.Errorf("escaping changed the meaning (-want +got):\n%s", diff)
	}
}

func TestColorOnlyWhenAskedFor(t *testing.T) {
	var plain, colored bytes.Buffer
	if err := report.Table(&plain, sample(), report.TableOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := report.Table(&colored, sample(), report.TableOptions{Color: true}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plain.String(), "\x1b[") || !strings.Contains(colored.String(), "\x1b[31m") {
		t.Error("colour where it was not asked for, or none where it was")
	}
}

func TestWriteErrorsAreNotLost(t *testing.T) {
	if report.JSON(full{}, sample()) == nil || report.Table(full{}, sample(), report.TableOptions{}) == nil {
		t.Error("a report that could not be written was taken for written")
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestNotices(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name       string
		expires    time.Time
		use        policy.Use
		incomplete bool
		want       string
	}{
		{"in use and far from its end", now.AddDate(1, 0, 0), policy.Use{Exempted: 1}, false, "[]"},
		{"at its end", now, policy.Use{}, false, "[expired]"},
		{"in its last 14 days", now.AddDate(0, 0, 14), policy.Use{Exempted: 1}, false, "[ends-soon]"},
		{"unused and near its end", now.AddDate(0, 0, 1), policy.Use{}, false, "[ends-soon matches-nothing]"},
		{"unused", now.AddDate(0, 0, 15), policy.Use{}, false, "[matches-nothing]"},
		{"holding a rule that it is unsure of", now.AddDate(0, 0, 15), policy.Use{Unsure: 1}, false, "[]"},
		{"unused as far as was read", now.AddDate(0, 0, 15), policy.Use{}, true, "[]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			err := report.JSON(&out, &report.Sweep{
				Started: now, Complete: !test.incomplete,
				Exceptions: []report.Exception{{Exception: &policy.Exception{Expires: test.expires}, Use: test.use}},
			})
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Exceptions []struct{ Notices []string } }
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, fmt.Sprint(got.Exceptions[0].Notices)); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
		})
	}
}
