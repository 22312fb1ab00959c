package decision_test

import (
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

func TestVerdictOfOnePolicy(t *testing.T) {
	exception := &policy.Exception{Name: "sftp"}
	for _, test := range []struct {
		name  string
		apply func(*decision.Finding)
		want  string
	}{
		{"nothing objects", nil, "candidate"},
		{"an exception applies", func(f *decision.Finding) { f.Violations[0].Exempt = exception }, "exempt: sftp"},
		{"an exception might apply", func(f *decision.Finding) { f.Violations[0].Unsure = exception }, "hold: exception-unknown"},
		{"the policy only reports", func(f *decision.Finding) {
			f.Violations[0].Policy = revoking(func(p *policy.Policy) { p.Action = policy.Report })
		}, "report: policy"},
		{"the expiry cannot be read", func(f *decision.Finding) { f.Violations[0].InvalidExpiry = true }, "report: invalid-expiry"},
		{"the contents of a set are in doubt", func(f *decision.Finding) { f.Violations[0].Stale = "it is old" }, "hold: stale-set"},
		{"an expiry comes before a set in doubt", func(f *decision.Finding) {
			f.Violations[0].InvalidExpiry = true
			f.Violations[0].Stale = "it is old"
		}, "report: invalid-expiry"},
		{"a set in doubt comes before a drop rule", func(f *decision.Finding) {
			f.Violations[0].Stale = "it is old"
			f.Rule.Action = sg.Drop
		}, "hold: stale-set"},
		{"a rule from before the baseline", func(f *decision.Finding) {
			f.Violations[0].Policy = revoking(func(p *policy.Policy) { p.Baseline = noon(0) })
			f.Rule.Created = noon(0).Add(-time.Nanosecond)
		}, "report: baseline"},
		{"a rule of the baseline's very moment", func(f *decision.Finding) {
			f.Violations[0].Policy = revoking(func(p *policy.Policy) { p.Baseline = noon(0) })
			f.Rule.Created = noon(0)
		}, "candidate"},
		{"a rule without a time of creation", func(f *decision.Finding) {
			f.Violations[0].Policy = revoking(func(p *policy.Policy) { p.Baseline = noon(0) })
		}, "report: baseline"},
		{"collateral comes before the baseline", func(f *decision.Finding) {
			f.Violations[0].Policy = revoking(func(p *policy.Policy) { p.Baseline = noon(0) })
			f.Violations[0].Collateral = true
		}, "hold: collateral"},
		{"a drop rule", func(f *decision.Finding) { f.Rule.Action = sg.Drop }, "hold: drop-rule"},
		{"a drop rule where opening is allowed", func(f *decision.Finding) {
			f.Rule.Action = sg.Drop
			f.Violations[0].Policy = revoking(func(p *policy.Policy) { p.AllowOpening = true })
		}, "candidate"},
		{"collateral", func(f *decision.Finding) { f.Violations[0].Collateral = true }, "hold: collateral"},
		{"collateral that the policy accepts", func(f *decision.Finding) {
			f.Violations[0].Collateral = true
			f.Violations[0].Policy = revoking(func(p *policy.Policy) { p.KeepCollateral = false })
		}, "candidate"},
		{"an exemption comes before everything", func(f *decision.Finding) {
			f.Violations[0].Exempt = exception
			f.Violations[0].InvalidExpiry = true
			f.Violations[0].Collateral = true
			f.Rule.Action = sg.Drop
		}, "exempt: sftp"},
		{"a report comes before what cannot be read", func(f *decision.Finding) {
			f.Violations[0].Policy = revoking(func(p *policy.Policy) { p.Action = policy.Report })
			f.Violations[0].InvalidExpiry = true
		}, "report: policy"},
		{"a drop rule comes before collateral", func(f *decision.Finding) {
			f.Rule.Action = sg.Drop
			f.Violations[0].Collateral = true
		}, "hold: drop-rule"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := decide(new(decision.Guards), candidate(test.apply))
			if got.Policies[0].String() != test.want {
				t.Errorf("got %s, want %s", got.Policies[0], test.want)
			}
		})
	}
}

func TestGuardsObjectInTheirOrder(t *testing.T) {
	guards := &decision.Guards{
		ProtectedGroups: []sg.Glob{"sg-core*"},
		ProtectedNames:  []sg.Glob{"bastion-*"},
		ProtectedTags:   map[string]sg.Glob{"tier": "core"},
	}
	// Each objection is put on top of the ones before it in this list, and must win over them.
	objections := []struct {
		name  string
		apply func(*decision.Finding)
		want  string
	}{
		{"nothing", func(*decision.Finding) {}, "revoke"},
		{"a priority that cannot be written", func(f *decision.Finding) { f.Rule.Priority = 110 }, "hold: not-restorable"},
		{"no ID", func(f *decision.Finding) { f.Rule.ID = "" }, "hold: no-rule-id"},
		{"not understood", func(f *decision.Finding) { f.Rule.Unreadable = "ports" }, "skip: unreadable"},
		{"not read whole", func(f *decision.Finding) { f.Incomplete = "page 2" }, "skip: incomplete"},
		{"protected", func(f *decision.Finding) { f.Group.ID = "sg-core1" }, "skip: protected"},
		{"managed", func(f *decision.Finding) { f.Group.ServiceManaged = true }, "skip: managed"},
	}
	f := candidate(nil)
	for _, o := range objections {
		o.apply(f)
		got := decide(guards, f)
		if got.String() != o.want {
			t.Errorf("%s: got %s, want %s", o.name, got, o.want)
		}
		if !got.Batch {
			t.Errorf("%s: a guard takes a rule out of the batch, but what a revocation closes does not depend on guards", o.name)
		}
	}
}

func TestSingleGuards(t *testing.T) {
	for _, test := range []struct {
		name   string
		guards decision.Guards
		apply  func(*decision.Finding)
		want   string
	}{
		{"the never tag protects by default", decision.Guards{}, func(f *decision.Finding) {
			f.Group.Tags = []sg.Tag{{Key: "egress-janitor", Value: "never"}}
		}, "skip: protected"},
		{"another value of the tag does not", decision.Guards{}, func(f *decision.Finding) {
			f.Group.Tags = []sg.Tag{{Key: "egress-janitor", Value: "Never"}}
		}, "revoke"},
		{"a name of the config", decision.Guards{ProtectedNames: []sg.Glob{"we?"}}, nil, "skip: protected"},
		{"a tag of the config", decision.Guards{ProtectedTags: map[string]sg.Glob{"tier": "core*"}}, func(f *decision.Finding) {
			f.Group.Tags = []sg.Tag{{Key: "tier", Value: "core-1"}}
		}, "skip: protected"},
		{"a tag with another value", decision.Guards{ProtectedTags: map[string]sg.Glob{"tier": "core"}}, func(f *decision.Finding) {
			f.Group.Tags = []sg.Tag{{Key: "tier", Value: "web"}}
		}, "revoke"},
		{"a prefix list that was not read", decision.Guards{}, func(f *decision.Finding) {
			f.Rule.Destination = sg.Destination{Kind: sg.FromList, Text: "pl-1"}
		}, "skip: incomplete"},
		{"a prefix list that is empty", decision.Guards{}, func(f *decision.Finding) {
			f.Rule.Destination = sg.Destination{Kind: sg.FromList, Text: "pl-1", List: &sg.PrefixList{ID: "pl-1"}}
		}, "revoke"},
		{
			"a port list that was not read",
			decision.Guards{},
			func(f *decision.Finding) { f.Rule.PortListID = "prl-1" },
			"skip: incomplete",
		},
		{"a port list that was read", decision.Guards{}, func(f *decision.Finding) {
			f.Rule.PortListID, f.Rule.PortList = "prl-1", &sg.PortList{ID: "prl-1"}
		}, "revoke"},
		{"a destination group that is gone", decision.Guards{}, func(f *decision.Finding) {
			f.Rule.Destination = sg.Destination{Kind: sg.PeerGroup, Text: "sg-9"}
			f.PeerGone = true
		}, "hold: not-restorable"},
		{"a destination group in an advanced group", decision.Guards{}, func(f *decision.Finding) {
			f.Group.Type = sg.TypeEnterprise
			f.Rule.Destination = sg.Destination{Kind: sg.PeerGroup, Text: "sg-9"}
		}, "hold: not-restorable"},
		{"a group that names itself", decision.Guards{}, func(f *decision.Finding) {
			f.Rule.Destination = sg.Destination{Kind: sg.PeerGroup, Text: "sg-1"}
		}, "hold: not-restorable"},
		{"another group", decision.Guards{}, func(f *decision.Finding) {
			f.Rule.Destination = sg.Destination{Kind: sg.PeerGroup, Text: "sg-9"}
		}, "revoke"},
		{"the last priority that can be written", decision.Guards{}, func(f *decision.Finding) { f.Rule.Priority = 100 }, "revoke"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := decide(&test.guards, candidate(test.apply)); got.String() != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestHeadlineIsTheVerdictNearestToRevocation(t *testing.T) {
	report := policy.Violation{Policy: revoking(func(p *policy.Policy) { p.Action = policy.Report })}
	collateral := policy.Violation{Policy: revoking(nil), Collateral: true}
	exempt := policy.Violation{Policy: revoking(nil), Exempt: &policy.Exception{Name: "x"}}
	unopposed := policy.Violation{Policy: revoking(nil)}
	for _, test := range []struct {
		name       string
		violations []policy.Violation
		want       string
		batch      bool
	}{
		{"an exemption and a report", []policy.Violation{exempt, report}, "report: policy", false},
		{"a report and collateral", []policy.Violation{collateral, report}, "hold: collateral", false},
		{"one candidate is enough", []policy.Violation{exempt, report, unopposed, collateral}, "revoke", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := decide(new(decision.Guards), candidate(func(f *decision.Finding) { f.Violations = test.violations }))
			if got.String() != test.want || got.Batch != test.batch {
				t.Errorf("got %s (batch %t), want %s (batch %t)", got, got.Batch, test.want, test.batch)
			}
		})
	}
}
