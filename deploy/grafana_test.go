package deploy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/egress-janitor/egress-janitor/deploy/promtest"
	"github.com/egress-janitor/egress-janitor/metrics"
)

func compare(want, got any) string { return cmp.Diff(want, got) }

type dataSource struct{ Type, UID string }

// board is what our rules look at in a dashboard of Grafana's classic model.
type board struct {
	ID            *int
	UID           string
	Title         string
	Description   string
	SchemaVersion int
	Inputs        json.RawMessage `json:"__inputs"`
	Templating    struct {
		List []struct {
			Name, Label, Type string
			Query             any
			Datasource        *dataSource
		}
	}
	Panels []boardPanel
}

type boardPanel struct {
	ID          int
	Type        string
	Title       string
	Description string
	GridPos     struct{ H, W, X, Y int }
	Datasource  *dataSource
	FieldConfig struct {
		Defaults struct {
			Unit                 string
			Thresholds, Mappings json.RawMessage
		}
	}
	Targets []struct {
		RefID          string
		Expr           string
		Datasource     *dataSource
		Instant, Range bool
	}
	Options struct{ Content, ColorMode string }
}

func readBoards(t *testing.T) map[string]*board {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("grafana", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d dashboards, error %v", len(files), err)
	}
	boards := map[string]*board{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		var b board
		if err := decoder.Decode(&b); err != nil || decoder.More() {
			t.Fatalf("%s: error %v, or something after the dashboard", file, err)
		}
		boards[filepath.Base(file)] = &b
	}
	return boards
}

func TestDashboardsCanBeImportedAnywhere(t *testing.T) {
	t.Parallel()
	uids := map[string]string{}
	for file, b := range readBoards(t) {
		if b.ID != nil || b.Inputs != nil {
			t.Errorf("%s: an id, or inputs, belong to one Grafana", file)
		}
		if !regexp.MustCompile(`^[a-z0-9-]{8,40}$`).MatchString(b.UID) || uids[b.UID] != "" {
			t.Errorf("%s: the uid %q is not fixed, or also that of %s", file, b.UID, uids[b.UID])
		}
		uids[b.UID] = file
		if b.SchemaVersion != 39 || b.Title == "" || b.Description == "" {
			t.Errorf("%s: schema version %d, title %q, description %q", file, b.SchemaVersion, b.Title, b.Description)
		}
		var names []string
		for _, v := range b.Templating.List {
			names = append(names, v.Name)
			switch {
			case v.Label == "":
				t.Errorf("%s: the variable %s has no label", file, v.Name)
			case v.Type == "datasource" && v.Query != "prometheus":
				t.Errorf("%s: the variable %s is of data sources of %v", file, v.Name, v.Query)
			case v.Type == "query" && (v.Datasource == nil || v.Datasource.UID != "${datasource}"):
				t.Errorf("%s: the variable %s asks %v", file, v.Name, v.Datasource)
			}
		}
		if diff := cmp.Diff([]string{"datasource", "job", "account", "policy"}, names); diff != "" {
			t.Errorf("%s: variables (-want +got):\n%s", file, diff)
		}
	}
}

func TestEveryPanelSaysWhatItShows(t *testing.T) {
	t.Parallel()
	for file, b := range readBoards(t) {
		var ids []int
		var titles []string
		for i, p := range b.Panels {
			ids, titles = append(ids, p.ID), append(titles, p.Title)
			if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" {
				t.Errorf("%s, panel %q: description %q, unit %q", file, p.Title, p.Description, p.FieldConfig.Defaults.Unit)
			}
			if p.Datasource == nil || *p.Datasource != (dataSource{Type: "prometheus", UID: "${datasource}"}) {
				t.Errorf("%s, panel %q: its data source is %v", file, p.Title, p.Datasource)
			}
			coloured := (p.Type == "stat" && p.Options.ColorMode != "none") || p.Type == "bargauge"
			if d := p.FieldConfig.Defaults; coloured && d.Thresholds == nil && d.Mappings == nil {
				t.Errorf("%s, panel %q: without thresholds of its own Grafana shows everything from 80 on in red", file, p.Title)
			}
			if p.GridPos.W < 1 || p.GridPos.X < 0 || p.GridPos.X+p.GridPos.W > 24 || p.GridPos.H < 1 {
				t.Errorf("%s, panel %q: it is out of the grid: %+v", file, p.Title, p.GridPos)
			}
			for _, other := range b.Panels[:i] {
				if overlap(&p, &other) {
					t.Errorf("%s: the panels %q and %q overlap", file, p.Title, other.Title)
				}
			}
		}
		slices.Sort(ids)
		slices.Sort(titles)
		if len(slices.Compact(ids)) != len(b.Panels) || len(slices.Compact(titles)) != len(b.Panels) {
			t.Errorf("%s: two panels have one id, or one title", file)
		}
	}
}

func overlap(a, b *boardPanel) bool {
	return a.GridPos.X < b.GridPos.X+b.GridPos.W && b.GridPos.X < a.GridPos.X+a.GridPos.W &&
		a.GridPos.Y < b.GridPos.Y+b.GridPos.H && b.GridPos.Y < a.GridPos.Y+a.GridPos.H
}

func TestTargetsOfPanels(t *testing.T) {
	t.Parallel()
	window := regexp.MustCompile(`\[([^\]]+)\]`)
	selector := regexp.MustCompile(`(?:egress_janitor|process)_\w+(\{[^}]*\})?`)
	for file, b := range readBoards(t) {
		for _, p := range b.Panels {
			if len(p.Targets) == 0 && p.Type != "row" && p.Type != "text" {
				t.Errorf("%s, panel %q asks nothing", file, p.Title)
			}
			for _, target := range p.Targets {
				where := file + ", panel " + p.Title + ", " + target.RefID
				if target.Datasource == nil || target.Datasource.UID != "${datasource}" || target.Instant == target.Range {
					t.Errorf("%s: data source %v, instant %v, range %v", where, target.Datasource, target.Instant, target.Range)
				}
				for _, match := range window.FindAllStringSubmatch(target.Expr, -1) {
					if !slices.Contains([]string{"$__rate_interval", "$__range", "$__interval"}, match[1]) {
						t.Errorf("%s: the window %s does not follow the dashboard", where, match[1])
					}
				}
				if strings.Contains(target.Expr, "$__range") && !target.Instant {
					t.Errorf("%s: a figure of the whole range is asked for at each step", where)
				}
				for _, match := range selector.FindAllStringSubmatch(target.Expr, -1) {
					if !strings.Contains(match[1], `job=~"$job"`) {
						t.Errorf("%s: %s is not of the chosen job", where, match[0])
					}
				}
			}
		}
	}
}

func TestTheDashboardSaysHowToListTheRules(t *testing.T) {
	t.Parallel()
	for _, p := range readBoards(t)["revoked-rules.json"].Panels {
		if p.Type == "text" && strings.Contains(p.Options.Content, "egress-janitor history list --since") {
			return
		}
	}
	t.Error("no text panel names the command that lists removed rules, whose IDs are in no metric")
}

// Names that no metric has give no error in Prometheus, only nothing.
func TestDashboardsAndRulesNameMetricsThatExist(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	m := metrics.New(registry, metrics.Build{})
	m.Policies([]string{"p"})
	m.Accounts([]string{"a"})
	m.Limits(map[string]int{"per-window": 1})
	m.Scanned("a", []metrics.RegionSize{{Region: "r"}})
	m.Snapshot(&metrics.Snapshot{})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	exists, used := map[string]bool{}, map[string]bool{}
	for _, f := range families {
		exists[f.GetName()] = true
	}
	expressions, err := promtest.Expressions(os.DirFS("grafana"))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range readRules(t) {
		expressions = append(expressions, promtest.Expression{File: rulesFile, Panel: rule.Alert + rule.Record, Query: rule.Expr})
	}
	for _, e := range expressions {
		for _, name := range regexp.MustCompile(`(?:\w+:)?egress_janitor_\w+(?::\w+)?`).FindAllString(e.Query, -1) {
			used[strings.TrimSuffix(name, "_bucket")] = true
			if !strings.Contains(name, ":") && !exists[strings.TrimSuffix(name, "_bucket")] {
				t.Errorf("%s, %s: there is no metric %s", e.File, e.Panel, name)
			}
		}
	}
	for name := range exists {
		if !used[name] && name != "egress_janitor_config_last_reload_success_timestamp_seconds" &&
			name != "egress_janitor_config_reloads_total" && name != "egress_janitor_last_sweep_timestamp_seconds" {
			t.Errorf("nothing shows %s", name)
		}
	}
}
