package policytest_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/egress-janitor/egress-janitor/internal/policytest"
)

// mixed is a report with a test that passed, one that failed, and things that no test touches.
func mixed(t *testing.T) *policytest.Report {
	t.Helper()
	return load(t, map[string]string{"a_test.yaml": head + `  - {name: mail is <revoked>, group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke}
  - {name: "a bell\a", group: {tags: {env: prod}}, rule: {to: 10.0.0.0/8, ports: 80, description: ""}, expect: none}
  - {name: guarded, group: {managed: true}, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke}
`}).Run(nil)
}

func TestTheTextSaysWhereWhatAndWhy(t *testing.T) {
	t.Parallel()
	report := mixed(t)
	want := `a_test.yaml:14:5: FAILED: a bell�: want none, got report: policy
    documented: report: policy, because description is empty
a_test.yaml:15:5: FAILED: guarded: want revoke, got skip: managed
    skip: managed, because the group belongs to a cloud service
    no-smtp: candidate, because protocol tcp overlaps tcp; ports 25 overlaps 25
policy.yaml:17:5: untouched: policy quarantine objects in no test
policy.yaml:24:5: untouched: policy expired objects in no test
policy.yaml:33:5: untouched: exception relays exempts in no test
policy.yaml:40:5: untouched: exception collector exempts in no test
1 test passed, 2 failed; untouched: 2 policies, 2 exceptions
`
	got := written(t, func(out *bytes.Buffer) error { return report.WriteText(out, false) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	all := written(t, func(out *bytes.Buffer) error { return report.WriteText(out, true) })
	if diff := cmp.Diff("a_test.yaml:13:5: ok: mail is <revoked> (revoke)\n"+want, all); diff != "" {
		t.Errorf("text of all (-want +got):\n%s", diff)
	}
}

func TestTheJSONHasNoNullAndLeavesOutWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	suite := load(t, map[string]string{"a_test.yaml": head +
		"  - {name: a, group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke}\n"})
	for name, c := range map[string]struct {
		report *policytest.Report
		keys   []string
	}{
		"all":  {suite.Run(nil), []string{"schemaVersion", "passed", "failed", "tests", "untouched", "oneSided"}},
		"some": {suite.Run(func(string) bool { return true }), []string{"schemaVersion", "passed", "failed", "tests"}},
		"none": {suite.Run(func(string) bool { return false }), []string{"schemaVersion", "passed", "failed", "tests"}},
	} {
		text := written(t, func(out *bytes.Buffer) error { return c.report.WriteJSON(out) })
		if strings.Contains(text, "null") {
			t.Errorf("%s: there is a null in\n%s", name, text)
		}
		var document map[string]any
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for key := range document {
			keys = append(keys, key)
		}
		if diff := cmp.Diff(c.keys, keys, cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Errorf("%s: keys (-want +got):\n%s", name, diff)
		}
	}
}

// junit is what CI systems look at.
type junit struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func TestTheJUnitFormCountsWhatItHolds(t *testing.T) {
	t.Parallel()
	report := mixed(t)
	for failUntouched, wantTests := range map[bool]int{false: 3, true: 7} {
		text := written(t, func(out *bytes.Buffer) error { return report.WriteJUnit(out, failUntouched) })
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' }) || strings.Contains(text, "&#x7;") {
			t.Errorf("there is a control character in\n%q", text)
		}
		var got junit
		if err := xml.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		tests, failures := 0, 0
		for _, suite := range got.Suites {
			inSuite := 0
			for _, c := range suite.Cases {
				if c.Failure != nil {
					inSuite++
				}
			}
			if suite.Tests != len(suite.Cases) || suite.Failures != inSuite {
				t.Errorf("suite %s counts %d and %d, holds %d and %d", suite.Name, suite.Tests, suite.Failures, len(suite.Cases), inSuite)
			}
			tests, failures = tests+len(suite.Cases), failures+inSuite
		}
		if got.Tests != tests || got.Failures != failures || tests != wantTests || failures != wantTests-1 {
			t.Errorf("counted %d tests and %d failures, holds %d and %d, want %d and %d",
				got.Tests, got.Failures, tests, failures, wantTests, wantTests-1)
		}
		if first := got.Suites[0].Cases[0]; first.Name != "mail is <revoked>" || first.Failure != nil {
			t.Errorf("got the first case %+v", first)
		}
	}
}
