package decision_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/policy"
)

// tally counts decisions.
func tally(s *decision.Subject) map[string]int {
	counts := map[string]int{}
	for i := range s.Findings {
		counts[s.Findings[i].Decision.String()]++
	}
	return counts
}

func together(lists ...[]decision.Finding) []decision.Finding {
	var all []decision.Finding
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

func TestLimitsWithholdTheirWholeScope(t *testing.T) {
	limited := func(limits policy.Limits) *policy.Policy {
		return revoking(func(p *policy.Policy) { p.Limits = limits })
	}
	for _, test := range []struct {
		name     string
		findings []decision.Finding
		rules    int // of the account
		limit    func(*decision.Limits)
		window   int
		want     map[string]int
	}{
		{
			"as many of a group as may be", rules("sg-1", 3, nil), 0,
			func(l *decision.Limits) { l.PerGroup = 3 }, 0,
			map[string]int{"revoke": 3},
		},
		{
			"one more of a group, and another group", together(rules("sg-1", 4, nil), rules("sg-2", 2, nil)), 0,
			func(l *decision.Limits) { l.PerGroup = 3 }, 0,
			map[string]int{"hold: limit per-group": 4, "revoke": 2},
		},
		{
			"as many of a sweep as may be", together(rules("sg-1", 2, nil), rules("sg-2", 2, nil)), 0,
			func(l *decision.Limits) { l.PerSweep = 4 }, 0,
			map[string]int{"revoke": 4},
		},
		{
			"one more of a sweep", together(rules("sg-1", 3, nil), rules("sg-2", 2, nil)), 0,
			func(l *decision.Limits) { l.PerSweep = 4 }, 0,
			map[string]int{"hold: limit per-sweep": 5},
		},
		{
			"what one limit withholds counts for another one", together(rules("sg-1", 4, nil), rules("sg-2", 2, nil)), 0,
			func(l *decision.Limits) { l.PerGroup, l.PerSweep = 3, 5 }, 0,
			map[string]int{"hold: limit per-group": 4, "hold: limit per-sweep": 2},
		},
		{
			"a tenth of 109 rules", rules("sg-1", 10, nil), 109,
			func(l *decision.Limits) { l.Percent = 10 }, 0,
			map[string]int{"revoke": 10},
		},
		{
			"more than a tenth of 109 rules", rules("sg-1", 11, nil), 109,
			func(l *decision.Limits) { l.Percent = 10 }, 0,
			map[string]int{"hold: limit percent": 11},
		},
		{
			"99 rules have no limit of percent", rules("sg-1", 99, nil), 99,
			func(l *decision.Limits) { l.Percent = 1 }, 0,
			map[string]int{"revoke": 99},
		},
		{
			"one percent of 150 rules", rules("sg-1", 1, nil), 150,
			func(l *decision.Limits) { l.Percent = 1 }, 0,
			map[string]int{"revoke": 1},
		},
		{
			"no percent of 150 rules", rules("sg-1", 1, nil), 150,
			func(l *decision.Limits) { l.Percent = 0 }, 0,
			map[string]int{"hold: limit percent": 1},
		},
		{
			"as many as the window has room for", rules("sg-1", 3, nil), 0,
			func(l *decision.Limits) { l.PerWindow = 10 }, 7,
			map[string]int{"revoke": 3},
		},
		{
			"one more than the window has room for", rules("sg-1", 3, nil), 0,
			func(l *decision.Limits) { l.PerWindow = 10 }, 8,
			map[string]int{"hold: limit per-window": 3},
		},
		{
			"as many as the policy allows", together(
				rules("sg-1", 2, limited(policy.Limits{PerSweep: 4, PerGroup: 2})),
				rules("sg-2", 2, limited(policy.Limits{PerSweep: 4, PerGroup: 2}))), 0,
			func(*decision.Limits) {}, 0,
			map[string]int{"revoke": 4},
		},
		{
			"more of a group than the policy allows", together(
				rules("sg-1", 3, limited(policy.Limits{PerGroup: 2})), rules("sg-2", 2, limited(policy.Limits{PerGroup: 2}))), 0,
			func(*decision.Limits) {}, 0,
			map[string]int{"hold: limit policy-per-group": 3, "revoke": 2},
		},
		{
			"more of a sweep than the policy allows", together(
				rules("sg-1", 3, limited(policy.Limits{PerSweep: 4})), rules("sg-2", 2, limited(policy.Limits{PerSweep: 4}))), 0,
			func(*decision.Limits) {}, 0,
			map[string]int{"hold: limit policy-per-sweep": 5},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			terms, state := acting(), knowing(nil)
			test.limit(&terms.Limits)
			state.Window = test.window
			s := &decision.Subject{Findings: test.findings, Rules: test.rules, Complete: true, Now: noon(0)}
			terms.Decide(s, state)
			if diff := cmp.Diff(test.want, tally(s)); diff != "" {
				t.Errorf("decisions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDetailsOfLimitsHaveBothNumbersAndTheKey(t *testing.T) {
	limited := revoking(func(p *policy.Policy) { p.Limits = policy.Limits{PerSweep: 2} })
	for _, test := range []struct {
		name  string
		by    *policy.Policy
		limit func(*decision.Limits)
		want  string
	}{
		{
			"per group", nil, func(l *decision.Limits) { l.PerGroup = 2 },
			"3 rules of the group would be revoked, more than the 2 that may be; " +
				"if all of them are meant, raise limits.per-group in the config",
		},
		{
			"percent", nil, func(l *decision.Limits) { l.Percent = 1 },
			"3 of the account's 200 rules would be revoked, more than the 2 that may be; " +
				"if all of them are meant, raise limits.percent in the config",
		},
		{
			"per window", nil, func(l *decision.Limits) { l.PerWindow = 52 },
			"53 rules of all accounts within 24h would be revoked, more than the 52 that may be; if all of them are meant, " +
				"raise limits.per-window in the config, or wait until earlier revocations are older than that",
		},
		{
			"of the policy", limited, func(*decision.Limits) {},
			"3 rules of the sweep by policy p would be revoked, more than the 2 that may be; " +
				"if all of them are meant, raise limits.per-sweep in the policy",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			terms, state := acting(), knowing(nil)
			test.limit(&terms.Limits)
			state.Window = 50
			s := &decision.Subject{Findings: rules("sg-1", 3, test.by), Rules: 200, Now: noon(0)}
			terms.Decide(s, state)
			for i := range s.Findings {
				if diff := cmp.Diff(test.want, s.Findings[i].Decision.Detail); diff != "" {
					t.Errorf("detail (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestAGroupIsAGroupOfItsRegion(t *testing.T) {
	terms := acting()
	terms.Limits.PerGroup = 2
	findings := rules("sg-1", 4, revoking(func(p *policy.Policy) { p.Limits = policy.Limits{PerGroup: 2} }))
	for i := range findings[2:] {
		findings[2+i].Group.Region = "cn-beijing"
	}
	s := &decision.Subject{Findings: findings, Now: noon(0)}
	terms.Decide(s, knowing(nil))
	if diff := cmp.Diff(map[string]int{"revoke": 4}, tally(s)); diff != "" {
		t.Errorf("two rules in each of two regions (-want +got):\n%s", diff)
	}
}

// A rule is charged to the policies that would revoke it, and to no other that it violates.
func TestOnlyCandidatePoliciesAreCharged(t *testing.T) {
	strict := func(name string) *policy.Policy {
		return revoking(func(p *policy.Policy) { p.Name, p.Limits = name, policy.Limits{PerSweep: 1} })
	}
	held := func(findings []decision.Finding) []decision.Finding {
		for i := range findings {
			findings[i].Violations = append(findings[i].Violations,
				policy.Violation{Policy: strict("q"), Exempt: &policy.Exception{Name: "x"}})
		}
		return findings
	}
	s := &decision.Subject{Findings: held(rules("sg-1", 3, nil)), Now: noon(0)}
	acting().Decide(s, knowing(nil))
	if diff := cmp.Diff(map[string]int{"revoke": 3}, tally(s)); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
	s = &decision.Subject{Findings: together(held(rules("sg-1", 3, nil)), rules("sg-2", 2, strict("r"))), Now: noon(0)}
	acting().Decide(s, knowing(nil))
	if diff := cmp.Diff(map[string]int{"revoke": 3, "hold: limit policy-per-sweep": 2}, tally(s)); diff != "" {
		t.Errorf("with another policy over its limit (-want +got):\n%s", diff)
	}
}

func TestOpenRevocationsAreMarkedAndNotCharged(t *testing.T) {
	terms := acting()
	terms.Limits.PerGroup = 2
	s := &decision.Subject{Findings: rules("sg-1", 4, nil), Now: noon(0)}
	state := knowing(func(state *decision.State) {
		state.Open[ruleOf(&s.Findings[0])] = true
		state.Open[ruleOf(&s.Findings[1])] = true
	})
	terms.Decide(s, state)
	for i := range s.Findings {
		got := s.Findings[i].Decision
		if open := i < 2; got.String() != "revoke" || got.Open != open {
			t.Errorf("rule %d: got %s (open %t), want revoke (open %t)", i, got, got.Open, open)
		}
	}
	s.Findings[0].Group.ServiceManaged = true
	terms.Decide(s, state)
	if got := s.Findings[0].Decision; got.String() != "skip: managed" || got.Open {
		t.Errorf("an objection to a rule with an open revocation: got %s (open %t)", got, got.Open)
	}
}

func TestACheckChargesOpenRevocationsOnly(t *testing.T) {
	for _, test := range []struct {
		name  string
		terms func(*decision.Terms)
		apply func(*decision.Again, *decision.State)
		want  string // for the two rules with an open revocation, of four
	}{
		{"within all limits", func(terms *decision.Terms) {
			terms.Limits = decision.Limits{PerGroup: 2, PerSweep: 2, Percent: 1, PerWindow: 2}
		}, func(_ *decision.Again, state *decision.State) { state.Window = 2 }, "revoke"},
		{
			"with as many elsewhere as may be", func(terms *decision.Terms) { terms.Limits.PerSweep = 5 },
			func(again *decision.Again, _ *decision.State) { again.Elsewhere = 3 }, "revoke",
		},
		{
			"with more elsewhere", func(terms *decision.Terms) { terms.Limits.PerSweep = 5 },
			func(again *decision.Again, _ *decision.State) { again.Elsewhere = 4 }, "hold: limit per-sweep",
		},
		{
			"percent with more elsewhere", func(terms *decision.Terms) { terms.Limits.Percent = 2 },
			func(again *decision.Again, _ *decision.State) { again.Elsewhere = 3 }, "hold: limit percent",
		},
		{
			"over the limit of the group", func(terms *decision.Terms) { terms.Limits.PerGroup = 1 },
			func(*decision.Again, *decision.State) {}, "hold: limit per-group",
		},
		{
			"a window that was made smaller", func(terms *decision.Terms) { terms.Limits.PerWindow = 9 },
			func(_ *decision.Again, state *decision.State) { state.Window = 10 }, "hold: limit per-window",
		},
		{
			"a window that is full", func(terms *decision.Terms) { terms.Limits.PerWindow = 10 },
			func(_ *decision.Again, state *decision.State) { state.Window = 10 }, "revoke",
		},
		{
			"the policy with as many elsewhere as may be", func(*decision.Terms) {},
			func(again *decision.Again, _ *decision.State) { again.ElsewhereByPolicy["p"] = 3 }, "revoke",
		},
		{
			"the policy with more elsewhere", func(*decision.Terms) {},
			func(again *decision.Again, _ *decision.State) { again.ElsewhereByPolicy["p"] = 4 }, "hold: limit policy-per-sweep",
		},
		{
			"paused meanwhile", func(terms *decision.Terms) { terms.Paused = "by file" },
			func(*decision.Again, *decision.State) {}, "hold: paused",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			limited := revoking(func(p *policy.Policy) { p.Limits = policy.Limits{PerSweep: 5} })
			terms, again := acting(), &decision.Again{ElsewhereByPolicy: map[string]int{}}
			s := &decision.Subject{Findings: rules("sg-1", 4, limited), Rules: 200, Complete: true, Now: noon(0), Again: again}
			state := knowing(func(state *decision.State) {
				state.Open[ruleOf(&s.Findings[0])] = true
				state.Open[ruleOf(&s.Findings[1])] = true
			})
			test.terms(terms)
			test.apply(again, state)
			terms.Decide(s, state)
			for i := range 2 {
				if got := s.Findings[i].Decision; got.String() != test.want || got.Open {
					t.Errorf("rule %d: got %s (open %t), want %s", i, got, got.Open, test.want)
				}
			}
		})
	}
}
