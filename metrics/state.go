package metrics

import (
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// state collects what is known from the store and from the configuration. A scrape sees one moment of it.
type state struct {
	descs    descs
	mu       sync.Mutex
	snapshot *Snapshot // nil until the first
	policies []string
	accounts []string
	limits   map[string]int
	scanned  map[string][]RegionSize

	named   *bound            // policies
	bounded map[string]*bound // of families with a label account, by what they are about
}

func newState() *state {
	return &state{
		descs:   newDescs(),
		scanned: map[string][]RegionSize{},
		named:   newBound(maxPolicies),
		bounded: map[string]*bound{
			"account": newBound(maxSeries),
			"region":  newBound(maxSeries),
			"removed": newBound(maxSeries / len(Outcomes())),
			"finding": newBound(maxSeries),
			"return":  newBound(maxSeries),
			"reason":  newBound(maxSeries),
			"effect":  newBound(maxSeries),
			"closed":  newBound(maxSeries),
		},
	}
}

func (s *state) change(set func(*state)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(s)
}

// Describe implements [prometheus.Collector].
func (s *state) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range s.descs.all() {
		out <- desc
	}
}

// Collect implements [prometheus.Collector].
func (s *state) Collect(out chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var families []*family
	families = append(families, s.configuration()...)
	families = append(families, s.sizes()...)
	if s.snapshot != nil {
		families = append(families, s.revoked(), s.revokedByRegion(), s.removed(), s.restored())
		families = append(families, s.singles()...)
		families = append(families, s.times()...)
		families = append(families, s.findings(), s.returned(), s.decisions())
		families = append(families, s.effects(), s.closed(), s.removedEffects())
	}
	for _, f := range families {
		f.send(out)
	}
}

// policy is the label of a policy: its name, or [Rest].
func (s *state) policy(name string) string {
	if name = label(name); s.named.admit(name) {
		return name
	}
	return Rest
}

// allPolicies are the labels of those that are loaded.
func (s *state) allPolicies() []string {
	labels := make([]string, 0, len(s.policies))
	for _, name := range s.policies {
		labels = append(labels, s.policy(name))
	}
	return labels
}

// account is the label of an account in a family of which each admitted set of labels is a series. What is added comes
// last: labels beside the account that tell the series apart.
func (s *state) account(family, name string, others ...string) string {
	name = label(name)
	if s.bounded[family].admit(append([]string{name}, others...)...) {
		return name
	}
	return Rest
}

// configured tells whether an account is one of the configuration.
func (s *state) configured(account string) bool { return slices.Contains(s.accounts, label(account)) }

// zero adds series with 0 for the accounts of the configuration, unless there are more than the bound allows: a series
// that says something must not be displaced by one that says nothing.
func (s *state) zero(f *family, bounded string, keys, labels [][]string) {
	wanted := map[string][]string{}
	for _, key := range keys {
		wanted[joined(key)] = key
	}
	if !s.bounded[bounded].room(wanted) {
		return
	}
	for _, series := range labels {
		f.add(0, series...)
	}
}

func (s *state) configuration() []*family {
	policies := newFamily(s.descs.policies, prometheus.GaugeValue)
	policies.add(float64(len(s.policies)))
	limits := newFamily(s.descs.limit, prometheus.GaugeValue)
	for name, limit := range s.limits {
		limits.add(float64(limit), name)
	}
	return []*family{policies, limits}
}

func (s *state) sizes() []*family {
	groups, rules := newFamily(s.descs.groups, prometheus.GaugeValue), newFamily(s.descs.rules, prometheus.GaugeValue)
	for _, account := range s.accounts {
		for _, size := range s.scanned[account] {
			name, region := s.account("region", account, label(size.Region)), label(size.Region)
			if name == Rest {
				region = Rest
			}
			groups.add(natural(size.Groups), name, region)
			rules.add(natural(size.Rules), name, region)
		}
	}
	return []*family{groups, rules}
}

func (s *state) revoked() *family {
	f := newFamily(s.descs.revocations, prometheus.CounterValue)
	policies := map[string]bool{}
	for _, count := range s.snapshot.Revocations {
		policy := s.policy(count.Policy)
		policies[policy] = true
		f.add(natural(count.Count), policy, known(Outcomes(), count.Outcome))
	}
	for _, policy := range s.allPolicies() {
		policies[policy] = true
	}
	for policy := range policies {
		for _, outcome := range Outcomes() {
			f.add(0, policy, outcome)
		}
	}
	return f
}

func (s *state) revokedByRegion() *family {
	f := newFamily(s.descs.regionRevocations, prometheus.CounterValue)
	add := func(account, region, outcome string, count float64) {
		account = s.account("removed", account, label(region))
		if account == Rest {
			region = Rest
		}
		f.add(count, account, label(region), outcome)
	}
	for _, count := range s.snapshot.Regions {
		for _, outcome := range Outcomes() {
			add(count.Account, count.Region, outcome, 0)
		}
		add(count.Account, count.Region, known(Outcomes(), count.Outcome), natural(count.Count))
	}
	var keys, series [][]string
	for _, account := range s.accounts {
		for _, size := range s.scanned[account] {
			keys = append(keys, []string{account, label(size.Region)})
			for _, outcome := range Outcomes() {
				series = append(series, []string{account, label(size.Region), outcome})
			}
		}
	}
	s.zero(f, "removed", keys, series)
	return f
}

func (s *state) removed() *family {
	f := newFamily(s.descs.removed, prometheus.CounterValue)
	for _, protocol := range append(Protocols(), Other) {
		for _, destination := range Destinations() {
			f.add(0, protocol, destination)
		}
	}
	for _, count := range s.snapshot.Removed {
		f.add(natural(count.Count), known(Protocols(), count.Protocol), known(Destinations(), count.Destination))
	}
	return f
}

func (s *state) restored() *family {
	f := newFamily(s.descs.restores, prometheus.CounterValue)
	for _, outcome := range RestoreOutcomes() {
		f.add(0, outcome)
	}
	for outcome, count := range s.snapshot.Restores {
		f.add(natural(count), known(RestoreOutcomes(), outcome))
	}
	return f
}

// singles are the families of one series.
func (s *state) singles() []*family {
	var all []*family
	single := func(desc *prometheus.Desc, value float64, labels ...string) {
		f := newFamily(desc, prometheus.GaugeValue)
		f.add(value, labels...)
		all = append(all, f)
	}
	single(s.descs.readAt, seconds(s.snapshot.At))
	single(s.descs.open, natural(s.snapshot.Open))
	single(s.descs.oldestOpen, seconds(s.snapshot.OldestOpen))
	single(s.descs.entries, float64(s.snapshot.Entries))
	single(s.descs.head, 1, label(s.snapshot.Head[:min(headDigits, len(s.snapshot.Head))]))
	single(s.descs.armed, truth(s.snapshot.Armed))
	single(s.descs.paused, truth(s.snapshot.Paused))
	if limit, set := s.limits[limitPerWindow]; set {
		single(s.descs.limitRemaining, natural(limit-s.snapshot.WindowUsed), limitPerWindow)
	}
	return all
}

// headDigits is how much of the audit log's head is exported: enough to compare it with what is noted elsewhere.
const headDigits = 12

func (s *state) times() []*family {
	started := newFamily(s.descs.lastSweep, prometheus.GaugeValue)
	complete := newFamily(s.descs.lastComplete, prometheus.GaugeValue)
	known := map[string]AccountTimes{}
	for _, times := range s.snapshot.Accounts {
		known[label(times.Account)] = times
	}
	for _, account := range s.accounts {
		name := s.account("account", account)
		started.least(seconds(known[account].LastStarted), name)
		complete.least(seconds(known[account].LastComplete), name)
	}
	return []*family{started, complete}
}

func (s *state) findings() *family {
	f := newFamily(s.descs.findings, prometheus.GaugeValue)
	for _, count := range s.snapshot.Findings {
		if s.configured(count.Account) {
			policy, state := s.policy(count.Policy), known(States(), count.State)
			f.add(natural(count.Count), s.account("finding", count.Account, policy, state), policy, state)
		}
	}
	var series [][]string
	for _, pair := range s.pairs() {
		for _, state := range States() {
			series = append(series, append(slices.Clone(pair), state))
		}
	}
	s.zero(f, "finding", series, series)
	return f
}

func (s *state) returned() *family {
	f := newFamily(s.descs.returned, prometheus.GaugeValue)
	for _, count := range s.snapshot.Returned {
		if s.configured(count.Account) {
			policy := s.policy(count.Policy)
			f.add(natural(count.Count), s.account("return", count.Account, policy), policy)
		}
	}
	keys := s.pairs()
	s.zero(f, "return", keys, keys)
	return f
}

// pairs are every account of the configuration with every policy that is loaded; none if there are more than could have
// series of their own.
func (s *state) pairs() [][]string {
	if len(s.accounts)*len(s.policies) > maxSeries {
		return nil
	}
	var pairs [][]string
	for _, account := range s.accounts {
		for _, policy := range s.allPolicies() {
			pairs = append(pairs, []string{account, policy})
		}
	}
	return pairs
}

func (s *state) decisions() *family {
	f := newFamily(s.descs.decisions, prometheus.GaugeValue)
	for _, count := range s.snapshot.Decisions {
		if s.configured(count.Account) {
			action := known(States(), count.Action)
			reason := reasonLabel(action, count.Reason)
			f.add(natural(count.Count), s.account("reason", count.Account, action, reason), action, reason)
		}
	}
	var keys [][]string
	for _, account := range s.accounts {
		for _, action := range States() {
			for _, reason := range Reasons(action) {
				keys = append(keys, []string{account, action, reason})
			}
		}
	}
	s.zero(f, "reason", keys, keys)
	return f
}

// limitPrefix begins the reasons that are limits.
const limitPrefix = "limit-"

// reasonLabel is the label of a reason. There may be any number of exceptions, and a revocation has no reason.
func reasonLabel(action, reason string) string {
	switch {
	case action == "exempt":
		return "exception"
	case action == "revoke" && reason == "":
		return "none"
	case strings.HasPrefix(reason, limitPrefix) && !slices.Contains(Reasons(action), reason):
		return limitPrefix + Other // still found by who looks for limits
	default:
		return known(Reasons(action), reason)
	}
}

// natural is a count that cannot be negative: a counter below 0 would fail the whole scrape.
func natural(n int) float64 { return float64(max(0, n)) }
