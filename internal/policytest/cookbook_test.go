package policytest_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/policytest"
	"github.com/egress-janitor/egress-janitor/policy"
)

var update = flag.Bool("update", false, "write docs/cookbook.md anew")

// cookbook is the directory of the sample policies with tests.
func cookbook() string { return filepath.Join("..", "..", "configs", "cookbook") }

// recipes are the files of the cookbook in the order of its page: from what everybody needs to what few do.
func recipes() []string {
	return []string{
		"open-world", "database-ports", "smtp", "mining-pools", "metadata-service", "allow-list", "ipv6-parity",
		"expired-groups", "expired-descriptions", "too-wide", "too-old", "quarantine", "partner-ranges", "geo-set",
		"baseline-ratchet",
	}
}

func TestTheCookbookPassesItsTestsAndTheyTouchAllOfIt(t *testing.T) {
	t.Parallel()
	suite, err := policytest.Load(os.DirFS(cookbook()), []string{"."})
	if err != nil {
		t.Fatal(err)
	}
	report := suite.Run(nil)
	if report.Failed() > 0 || len(report.Untouched) > 0 || len(report.Unspared) > 0 {
		t.Error("\n" + written(t, func(out *bytes.Buffer) error { return report.WriteText(out, false) }))
	}
	tests := map[string]int{}
	for _, r := range report.Results {
		tests[r.Pos.File]++
	}
	for _, name := range recipes() {
		if n := tests[name+"_test.yaml"]; n < 5 {
			t.Errorf("%s has %d tests, want at least 5", name, n)
		}
	}
}

// People copy several of the files into one directory.
func TestTheCookbookLoadsTogetherAndWithoutWarnings(t *testing.T) {
	t.Parallel()
	set, err := policy.Load(os.DirFS(cookbook()), []string{"."})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Warnings) > 0 {
		t.Errorf("warnings: %v", set.Warnings)
	}
	files, err := filepath.Glob(filepath.Join(cookbook(), "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, file := range files {
		got = append(got, filepath.Base(file))
	}
	for _, name := range recipes() {
		want = append(want, name+".yaml", name+"_test.yaml")
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files of the cookbook and recipes of its page (-want +got):\n%s", diff)
	}
}

const cookbookHead = `# Cookbook

Fifteen policies to copy from. Each is a file in [configs/cookbook](../configs/cookbook) with a file of tests beside it; this
page is generated from both. All of them load together, so take any that you need.

To use one:

1. Copy the file, its ` + "`_test.yaml`" + ` and, if it has one, its feed into the directory of your policies.
2. Change what *Change* names, in the policy and in its tests.
3. Run ` + "`egress-janitor policy test`" + ` until it passes, and ` + "`egress-janitor audit`" + ` to see what it finds today.
4. Let it report for a while before a mode that acts is on. What a file revokes, it revokes only in the modes ` + "`manual`" + ` and
   ` + "`enforce`" + `, after its grace, and within its limits and those of the config.

Two things hold for all of them. Owners, tickets and dates are samples: an exception names a person who answers for it, and
ends within months. And a *basic* security group lets everything out that no drop rule forbids: there, revoking an accepting
rule tidies up and closes nothing by itself; in an *advanced* group it closes what the rule opened.

If you have never written a policy, begin with [Your first policy](first-policy.md). The language is in
[Policies](policies.md).
`

func TestThePageOfTheCookbookIsUpToDate(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString(cookbookHead + "\n")
	for _, name := range recipes() {
		title, _, _ := readRecipe(t, name)
		fmt.Fprintf(&page, "- [%s](#%s)\n", title, strings.ToLower(strings.ReplaceAll(title, " ", "-")))
	}
	for _, name := range recipes() {
		writeRecipe(t, &page, name)
	}
	file := filepath.Join("..", "..", "docs", "cookbook.md")
	if *update {
		if err := os.WriteFile(file, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), page.String()); diff != "" {
		t.Errorf("docs/cookbook.md has drifted; write it anew with `go test ./internal/policytest -run Cookbook -update` "+
			"(-page +files):\n%s", diff)
	}
}

// readRecipe takes a policy file apart: the title and the paragraphs of its first comment, and the rest.
func readRecipe(t *testing.T, name string) (title string, paragraphs []string, body string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(cookbook(), name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	comment, body, _ := strings.Cut(string(data), "version: 1\n")
	for line := range strings.Lines(comment) {
		text := strings.TrimSpace(strings.TrimPrefix(line, "#"))
		switch first, _, _ := strings.Cut(text, ":"); {
		case first == "Catches" || first == "Leaves alone" || first == "Change" || len(paragraphs) == 0:
			paragraphs = append(paragraphs, text)
		case text != "":
			paragraphs[len(paragraphs)-1] += "\n" + text
		}
	}
	title, summary, found := strings.Cut(paragraphs[0], ": ")
	if len(paragraphs) != 4 || !found {
		t.Fatalf("%s.yaml does not begin with a comment of a title and a summary, Catches, Leaves alone and Change", name)
	}
	paragraphs[0] = strings.ToUpper(summary[:1]) + summary[1:]
	return title, paragraphs, "version: 1\n" + body
}

func writeRecipe(t *testing.T, page *strings.Builder, name string) {
	t.Helper()
	title, paragraphs, body := readRecipe(t, name)
	fmt.Fprintf(page, "\n## %s\n\n%s\n\n", title, paragraphs[0])
	for _, p := range paragraphs[1:] {
		key, text, _ := strings.Cut(p, ": ")
		fmt.Fprintf(page, "- **%s:** %s\n", key, strings.ReplaceAll(text, "\n", "\n  "))
	}
	fmt.Fprintf(page, "\n[%s.yaml](../configs/cookbook/%s.yaml):\n\n```yaml\n%s```\n", name, name, body)
	suite, err := policytest.Load(os.DirFS(cookbook()), []string{name + "_test.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(page, "\nWhat [its tests](../configs/cookbook/%s_test.yaml) show:\n\n| A test | Decision |\n|---|---|\n", name)
	for _, r := range suite.Run(nil).Results {
		fmt.Fprintf(page, "| %s | `%s` |\n", r.Name, r.Want.Decision)
	}
}
