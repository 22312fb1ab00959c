package deploy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/egress-janitor/egress-janitor/deploy/promtest"
)

// rule is a rule of Prometheus, with the keys that ours use. Anything else is an error.
type rule struct {
	Record, Alert, Expr, For string
	Labels                   struct{ Severity string }
	Annotations              struct {
		Summary, Description string
		RunbookURL           string `yaml:"runbook_url"`
	}
}

// decode reads a YAML file strictly: unknown keys are errors.
func decode(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func readRules(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	decode(t, rulesFile, &file)
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// alerts are the alerts of the rule file, sorted by name.
func alerts(t *testing.T) []rule {
	t.Helper()
	all := slices.DeleteFunc(readRules(t), func(r rule) bool { return r.Alert == "" })
	slices.SortFunc(all, func(a, b rule) int { return strings.Compare(a.Alert, b.Alert) })
	return all
}

func TestEveryAlertHasARunbookAndEveryRunbookAnAlert(t *testing.T) {
	t.Parallel()
	const base = "https://github.com/egress-janitor/egress-janitor/blob/main/docs/runbooks/"
	var want []string
	for _, alert := range alerts(t) {
		want = append(want, alert.Alert+".md")
		if alert.Annotations.RunbookURL != base+alert.Alert+".md" {
			t.Errorf("%s: its runbook is said to be at %s", alert.Alert, alert.Annotations.RunbookURL)
		}
		if alert.Annotations.Summary == "" || alert.Annotations.Description == "" {
			t.Errorf("%s has no summary or no description", alert.Alert)
		}
		if !slices.Contains([]string{"critical", "warning"}, alert.Labels.Severity) {
			t.Errorf("%s: severity %q", alert.Alert, alert.Labels.Severity)
		}
	}
	files, err := filepath.Glob(filepath.Join("..", "docs", "runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range files {
		got = append(got, filepath.Base(file))
		checkRunbook(t, file)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("runbooks (-alerts +files):\n%s", diff)
	}
}

// checkRunbook looks for what one needs at night.
func checkRunbook(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	title := "# " + strings.TrimSuffix(filepath.Base(file), ".md") + "\n"
	for _, want := range []string{
		title, "\n## What it means\n", "\n## What to look at\n", "\n## What to do\n", "\n## When to stop everything\n",
		"egress-janitor pause --reason",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q", file, want)
		}
	}
}

func TestRulesPassTheirUnitTests(t *testing.T) {
	t.Parallel()
	if !promtest.Available(t) {
		return
	}
	tests, err := filepath.Glob(filepath.Join("prometheus", "*_test.yaml"))
	if err != nil || len(tests) == 0 {
		t.Fatalf("%d files of tests, error %v", len(tests), err)
	}
	for _, args := range [][]string{{"check", "rules", rulesFile}, append([]string{"test", "rules"}, tests...)} {
		out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput()
		if err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// promtool does not say which alerts it has no test of.
func TestEveryAlertIsTestedToFireAndNotToFire(t *testing.T) {
	t.Parallel()
	fires, quiet := map[string]bool{}, map[string]bool{}
	tests, err := filepath.Glob(filepath.Join("prometheus", "*_test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tests {
		var file struct {
			RuleFiles []string `yaml:"rule_files"`
			Interval  string   `yaml:"evaluation_interval"`
			Tests     []struct {
				Name, Interval string
				InputSeries    []struct{ Series, Values string } `yaml:"input_series"`
				AlertRuleTest  []struct {
					EvalTime  string `yaml:"eval_time"`
					Alertname string
					ExpAlerts []struct {
						Labels      map[string]string `yaml:"exp_labels"`
						Annotations map[string]string `yaml:"exp_annotations"`
					} `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		decode(t, name, &file)
		for _, test := range file.Tests {
			for _, check := range test.AlertRuleTest {
				fires[check.Alertname] = fires[check.Alertname] || len(check.ExpAlerts) > 0
				quiet[check.Alertname] = quiet[check.Alertname] || len(check.ExpAlerts) == 0
			}
		}
	}
	for _, alert := range alerts(t) {
		if !fires[alert.Alert] || !quiet[alert.Alert] {
			t.Errorf("%s: tested to fire %v, tested not to %v", alert.Alert, fires[alert.Alert], quiet[alert.Alert])
		}
	}
}

func TestTheDirectoryOfRulesHoldsRulesAndTheirTestsOnly(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !regexp.MustCompile(`^[a-z_-]+\.yaml$`).MatchString(entry.Name()) {
			t.Errorf("prometheus/%s: neither rules nor their tests", entry.Name())
		}
	}
}
