package deploy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/egress-janitor/egress-janitor/deploy/promtest"
	"github.com/egress-janitor/egress-janitor/metrics"
)

var rulesFile = filepath.Join("prometheus", "egress-janitor.yaml")

// process is a daemon as far as its metrics go. Each scrape finds that it did some more.
type process struct {
	metrics *metrics.Metrics
	handler http.Handler
}

// start starts a process that has not read the store yet.
func start() *process {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := metrics.New(registry, metrics.Build{Version: "1.2.3", Revision: "0a1b2c3", GoVersion: "go1.26.0"})
	m.Policies([]string{"no-open-world", "expired"})
	m.Accounts([]string{"prod", "test"})
	m.Limits(map[string]int{"per-group": 10, "per-sweep": 20, "percent": 10, "per-window": 50})
	m.Mode("enforce")
	m.Reloaded(true, time.Now())
	m.NextSweep(time.Now().Add(time.Hour))
	m.SweepInterval(2 * time.Hour)
	m.Scanned("prod", []metrics.RegionSize{{Region: "cn-hangzhou", Groups: 12, Rules: 340}})
	return &process{metrics: m, handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}
}

func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.metrics.Sweep("complete", 42*time.Second)
	p.metrics.Call("DescribeSecurityGroups", "ok", 30*time.Millisecond)
	p.metrics.Call("DescribeSecurityGroups", "throttled", 30*time.Millisecond)
	p.metrics.Wait("DescribeSecurityGroups", time.Second)
	p.handler.ServeHTTP(w, r)
}

// after is what the store says after a number of removals.
func after(removed int) *metrics.Snapshot {
	now := time.Now()
	return &metrics.Snapshot{
		At: now,
		Revocations: []metrics.PolicyCount{
			{Policy: "no-open-world", Outcome: "confirmed", Count: removed},
			{Policy: "no-open-world", Outcome: "failed", Count: removed / 5},
			{Policy: "expired", Outcome: "confirmed", Count: removed},
		},
		Regions: []metrics.RegionCount{
			{Account: "prod", Region: "cn-hangzhou", Outcome: "confirmed", Count: removed},
			{Account: "prod", Region: "cn-hangzhou", Outcome: "failed", Count: removed / 5},
		},
		Removed:  []metrics.KindCount{{Protocol: "tcp", Destination: "cidr4", Count: removed}},
		Restores: map[string]int{"restored": removed / 3},
		Open:     1, OldestOpen: now.Add(-time.Minute), WindowUsed: removed,
		Entries: int64(removed) * 4, Head: fmt.Sprintf("%064x", removed), Armed: true,
		Accounts: []metrics.AccountTimes{{Account: "prod", LastStarted: now, LastFinished: now, LastComplete: now.Add(-time.Minute)}},
		Findings: []metrics.FindingCount{{Account: "prod", Policy: "no-open-world", State: "pending", Count: 2}},
		Returned: []metrics.ReturnedCount{{Account: "prod", Policy: "no-open-world", Count: 1}},
		Decisions: []metrics.ReasonCount{
			{Account: "prod", Action: "hold", Reason: "limit-per-sweep", Count: 21},
			{Account: "prod", Action: "hold", Reason: "recurring", Count: 1},
		},
		Effects:        []metrics.EffectCount{{Account: "prod", Effect: "closes", Count: removed}},
		Closed:         []metrics.ClosedPairs{{Account: "prod", IPv4: 1 << 32, IPv6: 1 << 40}},
		RemovedEffects: map[string]int{"closes": removed - 1, "none": 1},
	}
}

// The history: a process removes rules, is replaced by one that goes on from the same store, and that removes more.
func TestEveryExpressionGivesDataWhereThereIsAHistory(t *testing.T) {
	t.Parallel()
	if !promtest.Available(t) {
		return
	}
	var running atomic.Pointer[process]
	running.Store(start())
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { running.Load().ServeHTTP(w, r) })
	// Two processes of one store show the same. What they say must not be added up.
	one, two := httptest.NewServer(handler), httptest.NewServer(handler)
	t.Cleanup(one.Close)
	t.Cleanup(two.Close)
	address := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	server := promtest.Start(t, []string{address(one), address(two)}, rulesFile)
	scraped := func(removed int) {
		server.WaitFor(t, fmt.Sprintf(
			`count(egress_janitor_removed_rules_total{protocol="tcp",destination="cidr4"} == %d) == 2`, removed))
	}
	running.Load().metrics.Snapshot(after(100))
	scraped(100)
	running.Load().metrics.Snapshot(after(110))
	scraped(110)
	running.Store(start())
	server.WaitFor(t, `absent(egress_janitor_removed_rules_total)`)
	running.Load().metrics.Snapshot(after(115))
	scraped(115)
	server.WaitFor(t, `min(count_over_time(egress_janitor_sweeps_total{outcome="complete"}[10s])) > 5`)

	expressions, err := promtest.Expressions(os.DirFS("grafana"))
	if err != nil {
		t.Fatal(err)
	}
	panels := map[string][]promtest.Sample{}
	for _, e := range expressions {
		samples, err := server.Query(t.Context(), promtest.Substitute(e.Query))
		if err != nil || len(samples) == 0 {
			t.Errorf("%s, panel %q: %d samples and error %v", e.File, e.Panel, len(samples), err)
		}
		panels[e.File+" "+e.Panel] = samples
	}
	checkFigures(t, panels)
	checkRules(t, server)
}

// checkFigures looks at panels that must be exact: neither a restart nor a second process changes what was removed.
func checkFigures(t *testing.T, panels map[string][]promtest.Sample) {
	t.Helper()
	for panel, want := range map[string]map[string]float64{
		"Rules removed":                       {"": 15},
		"Failed to remove":                    {"": 3},
		"Not removed after all":               {"": 0},
		"Restored":                            {"": 5},
		"Came back, now":                      {"": 1},
		"Came back, by account and policy":    {"account=prod policy=no-open-world": 1},
		"Held by limits, now":                 {"": 21},
		"By account and region":               {"account=prod region=cn-hangzhou": 15},
		"By protocol and kind of destination": {"destination=cidr4 protocol=tcp": 15},
		"By policy and outcome": {
			"outcome=confirmed policy=no-open-world": 15, "outcome=failed policy=no-open-world": 3,
			"outcome=confirmed policy=expired": 15,
		},
	} {
		got := map[string]float64{}
		for _, sample := range panels["revoked-rules.json "+panel] {
			var labels []string
			for _, name := range []string{"account", "destination", "outcome", "policy", "protocol", "region"} {
				if value, ok := sample.Labels[name]; ok {
					labels = append(labels, name+"="+value)
				}
			}
			got[strings.Join(labels, " ")] = sample.Value
		}
		if diff := compare(want, got); diff != "" {
			t.Errorf("panel %q (-want +got):\n%s", panel, diff)
		}
	}
}

// checkRules has the server evaluate every rule, and asks it for each expression.
func checkRules(t *testing.T, server *promtest.Prometheus) {
	t.Helper()
	rules, err := server.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(rules) < 20 {
		t.Errorf("the server has loaded %d rules", len(rules))
	}
	for _, rule := range rules {
		if rule.Health != "ok" {
			t.Errorf("%s is %s: %s", rule.Name, rule.Health, rule.LastError)
		}
		samples, err := server.Query(t.Context(), rule.Query)
		if err != nil {
			t.Errorf("%s: %v", rule.Name, err)
		}
		if strings.Contains(rule.Name, ":") && len(samples) == 0 {
			t.Errorf("%s records nothing", rule.Name)
		}
	}
}
