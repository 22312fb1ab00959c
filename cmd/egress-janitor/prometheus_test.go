package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/deploy/promtest"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/revoker"
)

const historyPolicies = `version: 1
policies:
  - name: no-open-world
    description: Nothing reaches the whole Internet.
    severity: critical
    owner: netsec@example.com
    groups: all
    match:
      destination: {covers: [0.0.0.0/0, "::/0"]}
    action: revoke
    grace: 0s
  - name: no-databases-outside
    description: Databases stay inside.
    severity: high
    owner: dba@example.com
    groups: all
    match:
      destination: {outside: [10.0.0.0/8]}
      ports: [3306]
    action: revoke
    grace: 0s
  - name: no-old-partner
    description: The contract with the partner has ended.
    severity: low
    owner: netsec@example.com
    groups: all
    match:
      destination: {within: [192.0.2.0/24]}
    action: revoke
    grace: 72h
`

func historyAccounts(t *testing.T) map[string]*emulatedAccount {
	t.Helper()
	crowd := ecsemu.Group{ID: "sg-crowd", Name: "crowd", VPC: "vpc-b"}
	for i := range 4 { // one more than the limit per group
		crowd.Egress = append(crowd.Egress, ecsemu.Rule{
			ID: fmt.Sprintf("sgr-crowd%d", i), Protocol: "tcp", Ports: fmt.Sprintf("%d/%d", 80+i, 80+i), Peer: "0.0.0.0/0",
		})
	}
	return map[string]*emulatedAccount{
		"prod": emulate(t, &ecsemu.Estate{Account: ecsemu.DefaultAccount, Regions: []ecsemu.Region{
			{ID: "cn-hangzhou", Groups: []ecsemu.Group{{ID: "sg-web", Name: "web", VPC: "vpc-a", Egress: []ecsemu.Rule{
				{ID: "sgr-keep", Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8"},
				{ID: "sgr-world", Protocol: "tcp", Ports: "22/22", Peer: "0.0.0.0/0"},
				{ID: "sgr-both", Protocol: "tcp", Ports: "3306/3306", Peer: "0.0.0.0/0"},
				{ID: "sgr-db", Protocol: "tcp", Ports: "3306/3306", Peer: "203.0.113.5/32"},
			}}}},
			{ID: "cn-shanghai", Groups: []ecsemu.Group{
				{ID: "sg-app", Name: "app", VPC: "vpc-c", Egress: []ecsemu.Rule{
					{ID: "sgr-six", Protocol: "udp", Ports: "53/53", Peer: "::/0"},
					{ID: "sgr-pending", Protocol: "tcp", Ports: "443/443", Peer: "192.0.2.7/32"},
				}},
				{ID: "sg-edited", Name: "edited", VPC: "vpc-c", Egress: []ecsemu.Rule{
					{ID: "sgr-edited", Protocol: "tcp", Ports: "21/21", Peer: "0.0.0.0/0"},
				}},
			}},
		}}),
		"staging": emulate(t, &ecsemu.Estate{Account: "2234567890123456", Regions: []ecsemu.Region{
			{ID: "cn-beijing", Groups: []ecsemu.Group{
				crowd,
				{ID: "sg-locked", Name: "locked", VPC: "vpc-b", Egress: []ecsemu.Rule{
					{ID: "sgr-locked", Protocol: "tcp", Ports: "25/25", Peer: "0.0.0.0/0"},
				}},
			}},
		}}),
	}
}

// TestPrometheusAnswersFromTheDaemonWhatTheHistorySays has a real Prometheus scrape a real daemon while rules are
// removed, edited by a person, withheld by a limit, refused by the cloud, restored, and added again by a person. Then
// it asks every query of dashboards and rules, and compares with what the history says. A restart must change nothing.
func TestPrometheusAnswersFromTheDaemonWhatTheHistorySays(t *testing.T) {
	t.Parallel()
	if !promtest.Available(t) {
		return
	}
	accounts := historyAccounts(t)
	s := newSite(t, buildFailpoints(t), map[string]string{
		"egress-janitor.yaml": configOf("@every 24h", accounts, "prod", "staging"), "policies.yaml": historyPolicies,
	})
	daemon := s.start(t, "")
	server := promtest.Start(t, []string{s.metrics}, filepath.Join("..", "..", "deploy", "prometheus", "egress-janitor.yaml"))
	// Every series is there with 0 before anything happens, or what happens first could not be seen.
	server.WaitFor(t, `count(egress_janitor_region_revocations_total{outcome="confirmed"} == 0) == 3`)
	server.WaitFor(t, `count(egress_janitor_revocations_total{outcome="confirmed"} == 0) == 3`)

	makeHistory(t, s, accounts)
	items := s.history(t)
	checkTheHistory(t, items)
	scraped(t, server, items)
	server.WaitFor(t, `sum(egress_janitor_findings_returned) == 1 and sum(egress_janitor_restores_total) == 1`)
	checkPage(t, s)
	checkQueries(t, server, items)

	terminate(t, daemon)
	s.start(t, "")
	server.WaitFor(t, `changes(process_start_time_seconds[1m]) == 1 and on (job) egress_janitor_next_sweep_timestamp_seconds > 0`)
	scraped(t, server, items)
	checkQueries(t, server, items)

	s.run(t, exitWithheld, "sweep", "--enforce", "--yes", "--account", "prod") // what came back is removed again
	items = s.history(t)
	scraped(t, server, items)
	checkQueries(t, server, items)
	samples, err := server.Query(t.Context(), `sum by (set) (
		label_replace(resets(egress_janitor_sweeps_total{outcome="complete"}[5m]), "set", "process", "", "")
		or label_replace(resets(egress_janitor_revocations_total[5m]), "set", "store", "", "")
		or label_replace(resets(egress_janitor_region_revocations_total[5m]), "set", "store", "", "")
		or label_replace(resets(egress_janitor_removed_rules_total[5m]), "set", "store", "", "")
		or label_replace(resets(egress_janitor_restores_total[5m]), "set", "store", "", ""))`)
	got := map[string]float64{}
	for _, sample := range samples {
		got[sample.Labels["set"]] = sample.Value
	}
	if diff := cmp.Diff(map[string]float64{"process": 1, "store": 0}, got); diff != "" || err != nil {
		t.Errorf("resets of counters by the restart: error %v (-want +got):\n%s", err, diff)
	}
}

// makeHistory makes a history of which every kind of ending is part.
func makeHistory(t *testing.T, s *site, accounts map[string]*emulatedAccount) {
	t.Helper()
	s.run(t, exitDone, "resume", "--reason", "the reports were read")
	accounts["prod"].misbehave(t, ecsemu.Fault{ // between the decision and the check right before the call
		Kind: ecsemu.FaultEditBefore, Action: "DescribeSecurityGroupAttribute", Group: "sg-edited", Skip: 1, Times: 1,
		Edit: cloud.EditContent, Rule: "sgr-edited",
	})
	accounts["staging"].misbehave(t, ecsemu.Fault{
		Kind: ecsemu.FaultError, Action: revoker.ActionRevoke, Status: http.StatusForbidden, Code: "Forbidden.RAM",
	})
	s.run(t, exitError, "sweep", "--enforce", "--yes")
	accounts["prod"].call(t, url.Values{ // somebody wants the rule back, and does not say so
		"Action": {"AuthorizeSecurityGroupEgress"}, "RegionId": {"cn-hangzhou"}, "SecurityGroupId": {"sg-web"},
		"IpProtocol": {"tcp"}, "PortRange": {"22/22"}, "DestCidrIp": {"0.0.0.0/0"},
	})
	s.run(t, exitDone, "restore", "sgr-db", "--yes") // somebody else does
	s.run(t, exitDone, "sweep")
}

// historyItem is what the test looks at of an item of history list.
type historyItem struct {
	Account, Region, Outcome, RestoredAs string
	Policies                             []string
	Rule                                 struct{ ID, Protocol, DestinationKind string }
}

func (s *site) history(t *testing.T) (items []historyItem) {
	t.Helper()
	if err := json.Unmarshal(s.run(t, exitDone, "history", "list", "--limit", "0", "--output", "json"), &items); err != nil {
		t.Fatal(err)
	}
	return items
}

// checkTheHistory holds the history against the story, so that what is compared with it is compared with something.
func checkTheHistory(t *testing.T, items []historyItem) {
	t.Helper()
	got := map[string]string{}
	for _, i := range items {
		got[i.Rule.ID] = i.Outcome
		if (i.RestoredAs != "") != (i.Rule.ID == "sgr-db") {
			t.Errorf("%s was restored as %q", i.Rule.ID, i.RestoredAs)
		}
	}
	want := map[string]string{
		"sgr-world": "confirmed", "sgr-both": "confirmed", "sgr-db": "confirmed", "sgr-six": "confirmed",
		"sgr-edited": "changed", "sgr-locked": "failed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// scraped waits until the server knows as many endings as there are.
func scraped(t *testing.T, server *promtest.Prometheus, items []historyItem) {
	t.Helper()
	server.WaitFor(t, fmt.Sprintf(`sum(egress_janitor_region_revocations_total) == %d`, len(items)))
}

// checkQueries asks everything that dashboards and rules ask, and compares the answers that the history knows as well.
func checkQueries(t *testing.T, server *promtest.Prometheus, items []historyItem) {
	t.Helper()
	expressions, err := promtest.Expressions(os.DirFS(filepath.Join("..", "..", "deploy", "grafana")))
	if err != nil {
		t.Fatal(err)
	}
	panels := map[string]map[string]float64{}
	for _, e := range expressions {
		samples, err := server.Query(t.Context(), promtest.Substitute(e.Query))
		if err != nil {
			t.Errorf("%s, panel %q: %v", e.File, e.Panel, err)
		}
		if e.File != "revoked-rules.json" {
			continue
		}
		if len(samples) == 0 {
			t.Errorf("%s, panel %q: no data", e.File, e.Panel)
		}
		panels[e.Panel] = figures(samples)
	}
	for panel, want := range expected(items) {
		if diff := cmp.Diff(want, panels[panel]); diff != "" {
			t.Errorf("panel %q (-want +got):\n%s", panel, diff)
		}
	}
	rules, err := server.Rules(t.Context())
	if err != nil || len(rules) < 20 {
		t.Errorf("%d rules, error %v", len(rules), err)
	}
	for _, rule := range rules {
		if _, err := server.Query(t.Context(), rule.Query); err != nil || rule.Health != "ok" {
			t.Errorf("rule %s is %s: %s; asked for it: %v", rule.Name, rule.Health, rule.LastError, err)
		}
	}
}

// figures are the values of an answer, by the values of their labels. What is 0 is left out.
func figures(samples []promtest.Sample) map[string]float64 {
	all := map[string]float64{}
	for _, sample := range samples {
		var labels []string
		for _, name := range []string{"account", "region", "policy", "protocol", "destination", "action", "outcome", "reason", "state"} {
			if value, ok := sample.Labels[name]; ok {
				labels = append(labels, value)
			}
		}
		if sample.Value != 0 {
			all[strings.Join(labels, " ")] = sample.Value
		}
	}
	return all
}

// expected is what panels must show, by the history.
func expected(items []historyItem) map[string]map[string]float64 {
	all := map[string]map[string]float64{ // no record says that a rule is a new one of the same content; the story does
		"Came back, now": {"": 1}, "Came back, by account and policy": {"prod no-open-world": 1},
		"Held by limits, now": {"": 4}, "Held since they came back": {"restored": 1},
	}
	for _, panel := range []string{
		"Rules removed", "Failed to remove", "Not removed after all", "Restored", "By policy and outcome",
		"By account and region", "By protocol and kind of destination", "By outcome",
	} {
		all[panel] = map[string]float64{}
	}
	for _, i := range items {
		all["By outcome"][i.Outcome]++
		for _, policy := range i.Policies {
			all["By policy and outcome"][policy+" "+i.Outcome]++
		}
		switch i.Outcome {
		case string(revoker.Confirmed):
			all["Rules removed"][""]++
			all["By account and region"][i.Account+" "+i.Region]++
			all["By protocol and kind of destination"][i.Rule.Protocol+" "+i.Rule.DestinationKind]++
		case string(revoker.Failed):
			all["Failed to remove"][""]++
		default:
			all["Not removed after all"][""]++
		}
		if i.RestoredAs != "" {
			all["Restored"][""]++
		}
	}
	return all
}

// checkPage looks at the page itself.
func checkPage(t *testing.T, s *site) {
	t.Helper()
	page := s.page(t)
	promtest.Check(t, strings.NewReader(page))
	if secret(page) {
		t.Error("a secret is on the page")
	}
	series := 0
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "egress_janitor_") {
			series++
		}
	}
	if series > 1000 {
		t.Errorf("%d series of 2 accounts, 3 regions and 3 policies", series)
	}
	for _, want := range []string{ // one of each kind that operators were promised
		`sweeps_total{outcome="complete"} 2`, `sweep_duration_seconds_count 2`,
		`last_sweep_timestamp_seconds{account="prod"} 1.`, `last_complete_sweep_timestamp_seconds{account="prod"} 1.`,
		`next_sweep_timestamp_seconds 1.`, `groups{account="prod",region="cn-shanghai"} 2`,
		`rules{account="staging",region="cn-beijing"} 5`,
		`findings{account="prod",policy="no-old-partner",state="pending"} 1`,
		`decisions{account="prod",action="hold",reason="restored"} 1`,
		`decisions{account="staging",action="hold",reason="limit-per-group"} 4`,
		`revocations_total{outcome="confirmed",policy="no-databases-outside"} 2`,
		`revocations_total{outcome="failed",policy="no-databases-outside"} 0`,
		`open_revocations 0`, `oldest_open_revocation_timestamp_seconds 0`, `limit_remaining{limit="per-window"} 46`,
		`api_calls_total{action="DescribeSecurityGroupAttribute",class="ok"} 5`,
		`api_call_duration_seconds_count{action="DescribeSecurityGroupAttribute"} 5`,
		`api_limiter_wait_seconds_total{action="RevokeSecurityGroupEgress"} 0`,
		`audit_entries `, `audit_head_info{head="`, `armed 1`, `paused 0`, `mode_info{mode="enforce"} 1`, `build_info{`,
	} {
		if !strings.Contains(page, "\negress_janitor_"+want) {
			t.Errorf("the page has no %s", want)
		}
	}
}
