package main

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// TestSARIFHasTheStructureOfTheStandard checks what the standard demands of the parts that are written: a reader of code
// scanning refuses a whole log for one of them. The numbers are sections of SARIF 2.1.0.
func TestSARIFHasTheStructureOfTheStandard(t *testing.T) {
	t.Parallel()
	v := validation{
		mistakes: []strictyaml.Problem{
			{Pos: strictyaml.Pos{File: "my policies/a:b.yaml", Line: 3, Column: 7}, Code: strictyaml.CodeUnknownKey, Message: `"<x>"`},
		},
		warnings: []strictyaml.Problem{
			{Pos: strictyaml.Pos{File: "/etc/p.yaml", Line: 1, Column: 1}, Code: policy.CodeOneFamily, Message: "one family"},
		},
	}
	var out bytes.Buffer
	if err := v.sarif(&out, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `\"<x>\"`) {
		t.Error("the message is escaped for HTML, which nobody undoes")
	}
	var log sarifLog
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || !strings.HasPrefix(log.Schema, "https://") || len(log.Runs) != 1 { // 3.13
		t.Fatalf("version %q, schema %q, %d runs", log.Version, log.Schema, len(log.Runs))
	}
	run := log.Runs[0]
	if run.ColumnKind != "unicodeCodePoints" { // 3.14.17: columns of YAML count runes
		t.Errorf("columnKind is %q", run.ColumnKind)
	}
	driver := run.Tool.Driver
	if driver.Name == "" || driver.Version != "1.2.3" { // 3.19.8
		t.Errorf("driver %q %q", driver.Name, driver.Version)
	}
	seen := map[string]bool{}
	for _, r := range driver.Rules { // 3.49
		help, err := url.Parse(r.HelpURI)
		switch {
		case r.ID == "" || seen[r.ID]:
			t.Errorf("rule ID %q is empty or not unique", r.ID)
		case r.ShortDescription.Text == "" || r.Help.Text == "":
			t.Errorf("rule %s is not described", r.ID)
		case err != nil || !help.IsAbs() || help.Fragment == "":
			t.Errorf("rule %s has the help URI %q", r.ID, r.HelpURI)
		}
		seen[r.ID] = true
	}
	wantURIs := []string{"my%20policies/a:b.yaml", "file:///etc/p.yaml"}
	for i, level := range []string{"error", "warning"} {
		r := run.Results[i]
		if r.Level != level || driver.Rules[r.RuleIndex].ID != r.RuleID || r.Message.Text == "" { // 3.27
			t.Errorf("result %d: %+v", i, r)
		}
		region := r.Locations[0].Physical.Region
		if region.StartLine < 1 || region.StartColumn < 1 { // 3.30: both count from 1
			t.Errorf("result %d is at %+v", i, region)
		}
		uri := r.Locations[0].Physical.Artifact.URI
		if _, err := url.Parse(uri); err != nil || uri != wantURIs[i] { // 3.4.3: a valid URI
			t.Errorf("the file of result %d is %q (%v), want %q", i, uri, err, wantURIs[i])
		}
	}
}

func TestARelativeFileNameIsNoURIWithAScheme(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"p.yaml": "p.yaml", "a:b.yaml": "./a:b.yaml", "策略.yaml": "%E7%AD%96%E7%95%A5.yaml", "../p.yaml": "../p.yaml", "100%.yaml": "100%25.yaml",
	} {
		if got := fileURI(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestAValidationWithoutProblemsHasEmptyListsNotNull(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	v := validation{set: &policy.Set{}}
	if err := v.json(&out); err != nil {
		t.Fatal(err)
	}
	if err := v.sarif(&out, ""); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), ": null") {
		t.Errorf("null in:\n%s", out.String())
	}
}
