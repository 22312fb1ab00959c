package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/egress-janitor/egress-janitor/metrics"
	"github.com/egress-janitor/egress-janitor/policy"
)

var update = flag.Bool("update", false, "write the generated pages of docs/ anew")

// page compares a generated page of docs/ with what the code says now.
func page(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("..", "..", "docs", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/%s has drifted; write it anew with `go test ./cmd/egress-janitor -run TestReference -update` (-page +code):\n%s", name, diff)
	}
}

func TestReferenceOfCommands(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Commands\n\nGenerated from the code. `egress-janitor help COMMAND` says the same.\n" +
		"Data goes to standard output, messages to standard error; `NO_COLOR` is respected.\n")
	describe(&b, newRoot(system{out: &b, err: &b}))
	page(t, "cli.md", b.String())
}

func describe(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", cmd.CommandPath(), long(cmd))
	if cmd.Runnable() && cmd.Name() != "egress-janitor" {
		fmt.Fprintf(b, "\n```\n%s\n```\n", cmd.UseLine())
	}
	if cmd.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n\n```\n%s\n```\n", cmd.Example)
	}
	var flags strings.Builder
	cmd.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return // An older name of another flag.
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		value := ""
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			value = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(&flags, "| `%s` | %s | %s |\n", name, f.Usage, value)
	})
	if flags.Len() > 0 {
		fmt.Fprintf(b, "\n| Flag | Meaning | Default |\n|---|---|---|\n%s", flags.String())
	}
	for _, child := range cmd.Commands() {
		describe(b, child)
	}
}

func long(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

func TestReferenceOfMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := metrics.New(registry, metrics.Build{Version: "v", Revision: "r", GoVersion: "g"})
	// Some families are there only once there is something to tell.
	m.Policies([]string{"p"})
	m.Accounts([]string{"a"})
	m.Limits(map[string]int{"per-window": 1})
	m.Scanned("a", []metrics.RegionSize{{Region: "r"}})
	m.Snapshot(&metrics.Snapshot{})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# Metrics\n\nGenerated from the code. Beside these there are the usual ones of Go and of the process.\n\n" +
		"| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n")
	for _, f := range families {
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()),
			strings.Join(labels, ", "), f.GetHelp())
	}
	fmt.Fprintf(&b, "\nValues of `action` for API calls: %s. Of `class`: %s. Of `outcome` for revocations: %s; for restores: %s; "+
		"for sweeps: %s. Of `state`, and of `action` for decisions: %s. Of `limit`: %s. Of `protocol`: %s. Of `destination`: %s. "+
		"Anything else is counted as `other`; accounts, regions and policies beyond the bounds of a family as `_other`.\n",
		list(metrics.Actions()), list(metrics.Classes()), list(metrics.Outcomes()), list(metrics.RestoreOutcomes()),
		list(metrics.SweepOutcomes()), list(metrics.States()), list(metrics.LimitNames()), list(metrics.Protocols()),
		list(metrics.Destinations()))
	b.WriteString("\n| `action` of a decision | Values of `reason` |\n|---|---|\n")
	for _, action := range metrics.States() {
		fmt.Fprintf(&b, "| %s | %s |\n", action, list(metrics.Reasons(action)))
	}
	page(t, "metrics.md", b.String())
}

func list(values []string) string { return strings.Join(values, ", ") }

func TestExamplesInThePolicyReferenceLoad(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "policies.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(data, -1)
	if len(examples) < 3 {
		t.Fatalf("found %d examples; is the page still written with fences of yaml?", len(examples))
	}
	for i, example := range examples {
		set, err := policy.Load(fstest.MapFS{"p.yaml": {Data: example[1]}}, []string{"p.yaml"})
		if err != nil {
			t.Errorf("example %d does not load: %v", i+1, err)
			continue
		}
		if len(set.Warnings) > 0 {
			t.Errorf("example %d has warnings: %v", i+1, set.Warnings)
		}
	}
}

// passing are the parts of the demo's output that differ from run to run: times, IDs, hashes, and blanks that align.
var passing = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\b[A-Z2-7]{26}\b|head [0-9a-f]{12}| {2,}`)

// TestExcerptInTheReadmeIsReal finds every line of the README's excerpt in what the demo prints, in its order.
func TestExcerptInTheReadmeIsReal(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "<!-- begin demo -->\n```\n")
	excerpt, _, found := strings.Cut(rest, "```\n<!-- end demo -->")
	if !found {
		t.Fatal("the README has no excerpt of the demo")
	}
	var out, messages bytes.Buffer
	code := run(t.Context(), []string{"demo", "--once"},
		system{out: &out, err: &messages, getenv: func(string) string { return "" }, now: time.Now})
	if code != exitDone {
		t.Fatalf("the demo ended with %d:\n%s", code, messages.String())
	}
	printed := strings.Split(passing.ReplaceAllString(out.String(), "#"), "\n")
	for line := range strings.Lines(excerpt) {
		line = passing.ReplaceAllString(strings.TrimRight(line, "\n"), "#")
		if line == "" || line == "…" {
			continue
		}
		at := slices.Index(printed, line)
		if at < 0 {
			t.Fatalf("the demo does not print this line of the README any more, or not there:\n%s", line)
		}
		printed = printed[at+1:]
	}
}
