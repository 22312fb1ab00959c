package metrics_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/egress-janitor/egress-janitor/metrics"
)

func build() metrics.Build {
	return metrics.Build{Version: "1.2.3", Revision: "0a1b2c3", GoVersion: "go1.26.0"}
}

// The names, labels and help texts are what dashboards and alerts of others are written against.
func TestExpositionIsAsDocumented(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m := metrics.New(registry, build())
	m.Call("DescribeRegions", "ok", 30*time.Millisecond)
	m.Call("DescribeRegions", "ok", 3*time.Second)
	m.Call("DescribeSecurityGroupAttribute", "throttled", 10*time.Millisecond)
	m.Wait("DescribeSecurityGroupAttribute", 1500*time.Millisecond)
	fill(m)

	golden, err := os.ReadFile("testdata/exposition.txt")
	if err != nil {
		t.Fatal(err)
	}
	if err := testutil.GatherAndCompare(registry, bytes.NewReader(golden)); err != nil {
		t.Error(err)
	}
}

func TestNamesFollowTheConventions(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	fill(metrics.New(registry, build()))
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestEverySeriesIsThereFromTheStart(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	metrics.New(registry, build())
	actions, classes := len(metrics.Actions())+1, len(metrics.Classes())+1 // and other
	for name, want := range map[string]int{
		"egress_janitor_build_info":                     1,
		"egress_janitor_api_calls_total":                actions * classes,
		"egress_janitor_api_call_duration_seconds":      actions,
		"egress_janitor_api_limiter_wait_seconds_total": actions,
	} {
		got, err := testutil.GatherAndCount(registry, name)
		if err != nil || got != want {
			t.Errorf("%s: got %d series and error %v, want %d", name, got, err, want)
		}
	}
}

func TestNoValueFromOutsideBecomesALabel(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m := metrics.New(registry, build())
	before, err := testutil.GatherAndCount(registry)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		odd := fmt.Sprintf("Code.%d: \xff https://example.com/?Signature=abc", i)
		m.Call(odd, odd, time.Second)
		m.Call("DescribeRegions", odd, time.Second)
		m.Wait(odd, time.Second)
	}
	after, err := testutil.GatherAndCount(registry)
	if err != nil || after != before {
		t.Errorf("%d series became %d, error %v", before, after, err)
	}
	const name = "egress_janitor_api_limiter_wait_seconds_total"
	want := "# HELP " + name + " Time that requests waited for their turn within the configured quota.\n" +
		"# TYPE " + name + " counter\n"
	for _, action := range metrics.Actions() {
		want += fmt.Sprintf("%s{action=%q} 0\n", name, action)
	}
	want += name + `{action="other"} 1000` + "\n"
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), name); err != nil {
		t.Error(err)
	}
}

func TestANegativeWaitIsNoPanic(t *testing.T) {
	m := metrics.New(prometheus.NewRegistry(), build())
	m.Wait("DescribeRegions", -time.Second) // a clock that was set back
}
