package decision_test

import (
	"fmt"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// revoking is a policy that asks for revocation and objects to nothing else.
func revoking(apply func(*policy.Policy)) *policy.Policy {
	p := &policy.Policy{Name: "p", Action: policy.Revoke, KeepCollateral: true}
	if apply != nil {
		apply(p)
	}
	return p
}

// candidate is a finding that would be revoked.
func candidate(apply func(*decision.Finding)) *decision.Finding {
	f := &decision.Finding{
		Group: &sg.Group{ID: "sg-1", Name: "web"},
		Rule: sg.Rule{
			ID: "sgr-1", Protocol: sg.TCP, Ports: sg.PortRange{Low: 443, High: 443}, Action: sg.Accept, Priority: 1,
			Destination: sg.Destination{Kind: sg.CIDR4, Text: "0.0.0.0/0"},
		},
		Violations: []policy.Violation{{Policy: revoking(nil)}},
	}
	if apply != nil {
		apply(f)
	}
	return f
}

// decide decides about one finding without a store.
func decide(guards *decision.Guards, f *decision.Finding) decision.Decision {
	s := &decision.Subject{Findings: []decision.Finding{*f}, Now: noon(0)}
	terms := &decision.Terms{Guards: *guards, Limits: decision.DefaultLimits()}
	terms.Decide(s, nil)
	return s.Findings[0].Decision
}

// noon is noon of a day in the tests.
func noon(day int) time.Time {
	return time.Date(2027, time.January, 1+day, 12, 0, 0, 0, time.UTC)
}

// acting are terms under which everything may be revoked.
func acting() *decision.Terms {
	return &decision.Terms{
		Limits: decision.Limits{PerGroup: 1000, PerSweep: 1000, Percent: 100, PerWindow: 1000}, MayAct: true,
	}
}

// knowing is a store that objects to nothing.
func knowing(apply func(*decision.State)) *decision.State {
	s := &decision.State{
		Reported: true, Clocks: map[decision.ClockKey]decision.Clock{}, Past: map[decision.ContentRef]decision.Past{},
		Open: map[decision.RuleRef]bool{}, FirstSeen: map[decision.ContentRef]time.Time{},
	}
	if apply != nil {
		apply(s)
	}
	return s
}

// rules are n findings of rules with contents and IDs of their own in one group.
func rules(group string, n int, p *policy.Policy) []decision.Finding {
	findings := make([]decision.Finding, n)
	for i := range findings {
		findings[i] = *candidate(func(f *decision.Finding) {
			f.Group.ID = group
			f.Rule.ID = fmt.Sprintf("sgr-%s-%d", group, i)
			f.Rule.Raw.PortRange = fmt.Sprintf("%d/%d", i+1, i+1)
			if p != nil {
				f.Violations[0].Policy = p
			}
		})
	}
	return findings
}

func contentOf(f *decision.Finding) decision.ContentRef {
	return decision.ContentRef{Region: f.Group.Region, Group: f.Group.ID, Key: f.Rule.ContentKey()}
}

func ruleOf(f *decision.Finding) decision.RuleRef {
	return decision.RuleRef{Region: f.Group.Region, Group: f.Group.ID, Key: f.Rule.Key()}
}
