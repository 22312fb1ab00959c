package metrics_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/egress-janitor/egress-janitor/metrics"
)

const prefix = "egress_janitor_"

func at(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

// fill says everything once.
func fill(m *metrics.Metrics) {
	m.Policies([]string{"open-world", "expired"})
	m.Accounts([]string{"prod"})
	m.Limits(map[string]int{"per-group": 10, "per-sweep": 20, "percent": 10, "per-window": 50})
	m.Mode("enforce")
	m.Reloaded(true, at(1000))
	m.Reloaded(false, at(2000))
	m.NextSweep(at(7200))
	m.SweepInterval(2 * time.Hour)
	m.Sweep("complete", 42*time.Second)
	m.Sweep("skipped_overlap", 0)
	m.Scanned("prod", []metrics.RegionSize{{Region: "cn-hangzhou", Groups: 12, Rules: 340}})
	m.Snapshot(snapshot())
}

func snapshot() *metrics.Snapshot {
	return &metrics.Snapshot{
		At: at(3800),
		Revocations: []metrics.PolicyCount{
			{Policy: "open-world", Outcome: "confirmed", Count: 7},
			{Policy: "gone-policy", Outcome: "failed", Count: 1},
		},
		Regions:  []metrics.RegionCount{{Account: "prod", Region: "cn-hangzhou", Outcome: "confirmed", Count: 7}},
		Removed:  []metrics.KindCount{{Protocol: "tcp", Destination: "cidr4", Count: 6}, {Protocol: "47", Destination: "group", Count: 1}},
		Restores: map[string]int{"restored": 2},
		Open:     3, OldestOpen: at(3000), WindowUsed: 8,
		Entries: 99, Head: "0123456789abcdef0123456789abcdef", Armed: true,
		Accounts: []metrics.AccountTimes{
			{Account: "prod", LastStarted: at(3600), LastFinished: at(3700), LastComplete: at(1700)},
			{Account: "sold", LastStarted: at(5), LastFinished: at(6), LastComplete: at(6)},
		},
		Findings: []metrics.FindingCount{
			{Account: "prod", Policy: "open-world", State: "revoke", Count: 4},
			{Account: "sold", Policy: "open-world", State: "revoke", Count: 44},
		},
		Returned: []metrics.ReturnedCount{{Account: "prod", Policy: "open-world", Count: 1}},
		Decisions: []metrics.ReasonCount{
			{Account: "prod", Action: "revoke", Count: 4},
			{Account: "prod", Action: "hold", Reason: "limit-per-window", Count: 2},
			{Account: "prod", Action: "hold", Reason: "limit-of-the-moon", Count: 1},
			{Account: "prod", Action: "exempt", Reason: "sftp", Count: 1},
			{Account: "prod", Action: "exempt", Reason: "backup", Count: 1},
		},
		Effects: []metrics.EffectCount{
			{Account: "prod", Effect: "closes", Count: 3},
			{Account: "prod", Effect: "of-the-moon", Count: 1},
			{Account: "sold", Effect: "closes", Count: 44},
		},
		Closed:         []metrics.ClosedPairs{{Account: "prod", IPv4: 256, IPv6: 1 << 63}, {Account: "sold", IPv4: 1}},
		RemovedEffects: map[string]int{"closes": 5, "none": 1, "": 1},
	}
}

// A counter that is 0 for a scrape and then goes on where it was would look as if all of it had just happened.
func TestCountersOfTheStoreAreAbsentUntilTheFirstSnapshot(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m := metrics.New(registry, build())
	m.Policies([]string{"open-world"})
	m.Accounts([]string{"prod"})
	families := []string{
		"revocations_total", "region_revocations_total", "removed_rules_total", "restores_total", "open_revocations",
		"armed", "paused", "audit_entries", "audit_head_info", "last_complete_sweep_timestamp_seconds", "findings",
	}
	for _, name := range families {
		if got := count(t, registry, prefix+name); got != 0 {
			t.Errorf("%s has %d series before the store was read", name, got)
		}
	}
	m.Snapshot(&metrics.Snapshot{})
	for name, want := range map[string]int{
		"revocations_total": len(metrics.Outcomes()), "restores_total": len(metrics.RestoreOutcomes()),
		"removed_rules_total": (len(metrics.Protocols()) + 1) * len(metrics.Destinations()),
		"findings":            len(metrics.States()), "findings_returned": 1, "armed": 1, "open_revocations": 1,
		"last_complete_sweep_timestamp_seconds": 1,
	} {
		if got := count(t, registry, prefix+name); got != want {
			t.Errorf("%s: got %d series after an empty snapshot, want %d with 0", name, got, want)
		}
	}
}

func count(t *testing.T, registry prometheus.Gatherer, name string) int {
	t.Helper()
	n, err := testutil.GatherAndCount(registry, name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAccountsThatAreNotConfiguredAreOnlyCounted(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	fill(metrics.New(registry, build()))
	for series, want := range map[string]float64{
		prefix + "last_complete_sweep_timestamp_seconds": 1,
		prefix + "last_sweep_timestamp_seconds":          1,
	} {
		if got := count(t, registry, series); float64(got) != want {
			t.Errorf("%s: got %d series, want those of prod alone", series, got)
		}
	}
	for series := range values(t, registry) {
		if strings.Contains(series, "sold") {
			t.Errorf("the account left the configuration, and is still there: %s", series)
		}
	}
}

// values are all series with their values, as name{label=value,...}.
func values(t *testing.T, registry prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			var labels []string
			for _, l := range metric.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			all[f.GetName()+"{"+strings.Join(labels, ",")+"}"] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return all
}

func TestNumberOfSeriesIsBounded(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m := metrics.New(registry, build())
	s := &metrics.Snapshot{}
	var accounts, policies []string
	total := 0
	for i := range 700 {
		account, policy, region := fmt.Sprintf("a%03d", i), fmt.Sprintf("p%03d", i), fmt.Sprintf("r%d\xff", i%7)
		accounts, policies = append(accounts, account), append(policies, policy)
		total += i
		s.Revocations = append(s.Revocations, metrics.PolicyCount{Policy: policy, Outcome: "confirmed", Count: i})
		s.Regions = append(s.Regions, metrics.RegionCount{Account: account, Region: region, Outcome: "confirmed", Count: i})
		s.Findings = append(s.Findings, metrics.FindingCount{Account: account, Policy: policy, State: "revoke", Count: i})
		s.Returned = append(s.Returned, metrics.ReturnedCount{Account: account, Policy: policy, Count: i})
		s.Decisions = append(s.Decisions, metrics.ReasonCount{Account: account, Action: "hold", Reason: policy, Count: i})
		s.Removed = append(s.Removed, metrics.KindCount{Protocol: policy, Destination: account, Count: i})
		s.Accounts = append(s.Accounts, metrics.AccountTimes{Account: account, LastStarted: at(int64(1000 + i)), LastComplete: at(int64(1000 - i))})
		m.Scanned(account, []metrics.RegionSize{{Region: region, Groups: i, Rules: i}})
	}
	m.Accounts(accounts)
	m.Policies(policies)
	m.Snapshot(s)
	before := values(t, registry)
	sums, sizes := map[string]float64{}, map[string]int{}
	for series, value := range before {
		name, _, _ := strings.Cut(series, "{")
		sums[name] += value
		sizes[name]++
	}
	for _, name := range []string{
		"revocations_total", "region_revocations_total", "findings", "findings_returned", "decisions", "removed_rules_total",
		"groups", "rules",
	} {
		if sums[prefix+name] != float64(total) {
			t.Errorf("%s: what is over the bound is lost: got %v, want %d", name, sums[prefix+name], total)
		}
	}
	for name, size := range sizes {
		// Over the bound, closed lists and policies still tell series apart: at most 201 policies × 5 outcomes or 6 states.
		if size > 1300 {
			t.Errorf("%s has %d series", name, size)
		}
	}
	if got := before[prefix+"last_complete_sweep_timestamp_seconds{account=_other}"]; got != 1000-699 {
		t.Errorf("the oldest of the accounts over the bound is at %v", got)
	}
	// Another account that sorts first must not push one that has its series out of them.
	m.Accounts(append(accounts, "A"))
	s.Regions = append([]metrics.RegionCount{{Account: "A", Region: "r", Outcome: "confirmed", Count: 1}}, s.Regions...)
	m.Snapshot(s)
	after := values(t, registry)
	for series, value := range before {
		if strings.HasPrefix(series, prefix+"region_revocations_total") && after[series] < value {
			t.Errorf("%s fell from %v to %v", series, value, after[series])
		}
	}
}

// What a Prometheus of an ordinary size takes without a thought.
func TestAnOrdinaryEstateHasFewSeries(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m := metrics.New(registry, build())
	s := &metrics.Snapshot{}
	var accounts, policies []string
	for i := range 50 {
		policies = append(policies, fmt.Sprintf("policy-%d", i))
	}
	for i := range 3 {
		account := fmt.Sprintf("account-%d", i)
		accounts = append(accounts, account)
		var regions []metrics.RegionSize
		for j := range 10 {
			regions = append(regions, metrics.RegionSize{Region: fmt.Sprintf("region-%d", j), Groups: 50, Rules: 900})
		}
		m.Scanned(account, regions)
		for _, policy := range policies {
			for _, state := range metrics.States() {
				s.Findings = append(s.Findings, metrics.FindingCount{Account: account, Policy: policy, State: state, Count: 1})
			}
		}
	}
	m.Accounts(accounts)
	m.Policies(policies)
	m.Snapshot(s)
	got, err := testutil.GatherAndCount(registry)
	if err != nil || got > 3000 {
		t.Errorf("%d series of 3 accounts, 10 regions and 50 policies, error %v", got, err)
	}
}

func TestWhatIsOddIsNeitherAPanicNorAFailedScrape(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m := metrics.New(registry, build())
	m.Sweep("", -time.Second)
	m.Mode("reckless")
	m.Limits(map[string]int{"per-window": 5, "per-moon": 1})
	m.Accounts([]string{"\xff", "\xff"})
	m.Scanned("\xff", []metrics.RegionSize{{Region: "\xff", Groups: -1}})
	m.Snapshot(&metrics.Snapshot{
		WindowUsed: 9, Open: -1, Head: "\xff",
		Restores:    map[string]int{"\xff": -1},
		Revocations: []metrics.PolicyCount{{Policy: "\xff", Outcome: "\xff", Count: -1}},
		Regions:     []metrics.RegionCount{{Account: "\xff", Region: "\xff", Outcome: "\xff", Count: -1}},
		Findings:    []metrics.FindingCount{{Account: "\xff", Policy: "\xff", State: "\xff", Count: 1}},
		Decisions:   []metrics.ReasonCount{{Account: "\xff", Action: "\xff", Reason: "\xff", Count: 1}},
	})
	got := values(t, registry)
	for series, want := range map[string]float64{
		prefix + "limit_remaining{limit=per-window}":                     0,
		prefix + "findings{account=\uFFFD,policy=\uFFFD,state=other}":    1,
		prefix + "decisions{account=\uFFFD,action=other,reason=other}":   1,
		prefix + "mode_info{mode=enforce}":                               0,
		prefix + "sweeps_total{outcome=other}":                           1,
		prefix + "groups{account=\uFFFD,region=\uFFFD}":                  0,
		prefix + "revocations_total{outcome=other,policy=\uFFFD}":        0,
		prefix + "last_complete_sweep_timestamp_seconds{account=\uFFFD}": 0,
		prefix + "limit{limit=per-window}":                               5,
		prefix + "config_last_reload_successful{}":                       0,
		prefix + "next_sweep_timestamp_seconds{}":                        0,
		prefix + "oldest_open_revocation_timestamp_seconds{}":            0,
	} {
		if value, ok := got[series]; !ok || value != want {
			t.Errorf("%s: got %v (there: %v), want %v", series, value, ok, want)
		}
	}
}
