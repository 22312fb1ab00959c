package sweep_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
)

func TestAnIncompleteSweepDoesNotMakePoliciesKnown(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32")
	b.cloud.add("sg-2", nil)
	b.rules = &failing{estate: b.cloud, group: "sg-2"}
	b.sweep(decision.DryRun)
	b.rules = nil
	if got := b.sweep("").Findings[0].Decision.String(); got != "hold: new-policy" {
		t.Errorf("got %q, want it held: no complete sweep has reported by these policies", got)
	}
}

func TestAnIncompleteGroupSaysNothingAboutClocks(t *testing.T) {
	b := newBench(t)
	b.terms.Limits = decision.DefaultLimits()
	b.set = patient(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32")
	for range 2 {
		b.clock = b.clock.Add(30 * time.Minute)
		b.sweep("")
	}
	// The group is read in part: the rule is there, and no policy could be asked about all of it.
	b.rules = &partial{estate: b.cloud}
	b.cloud.add("sg-1", []sg.Tag{{Key: "keep", Value: ""}})
	b.clock = b.clock.Add(30 * time.Minute)
	b.sweep("")
	b.rules = nil
	b.cloud.add("sg-1", nil)
	b.clock = b.clock.Add(30 * time.Minute)
	if got := b.sweep("").Findings[0].Decision.String(); got != "revoke" {
		t.Errorf("got %q, want the clock to have gone on", got)
	}
}

func TestAListThatWasNotReadSaysNothingAboutClocks(t *testing.T) {
	b := newBench(t)
	b.set = patient(t)
	b.cloud.add("sg-1", nil)
	b.cloud.rules["sg-1"] = []sg.Rule{rule("sgr-list", func(f *sg.Fields) { f.CIDR4, f.PrefixListID = "", "pl-1" })}
	for i := range 4 {
		b.cloud.lists = i != 2
		b.clock = b.clock.Add(30 * time.Minute)
		b.sweep("")
	}
	b.clock = b.clock.Add(30 * time.Minute)
	if got := b.sweep("").Findings[0].Decision.String(); got != "revoke" {
		t.Errorf("got %q, want the clock to have gone on while the list could not be read", got)
	}
}

func TestAPortListThatWasNotReadSaysNothingAboutClocks(t *testing.T) {
	b := newBench(t)
	b.set = load(t, mail("1h"))
	b.cloud.add("sg-1", nil)
	b.cloud.rules["sg-1"] = []sg.Rule{rule("sgr-ports", func(f *sg.Fields) { f.PortRange, f.PortListID = "", "prl-1" })}
	for i := range 4 {
		b.cloud.lists = i != 2
		b.clock = b.clock.Add(30 * time.Minute)
		b.sweep("")
	}
	b.clock = b.clock.Add(30 * time.Minute)
	if got := b.sweep("").Findings[0].Decision.String(); got != "revoke" {
		t.Errorf("got %q, want the clock to have gone on while the list could not be read", got)
	}
}

func TestOnlyCompleteSweepsCountForGrace(t *testing.T) {
	b := newBench(t)
	b.set = patient(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32")
	b.cloud.add("sg-2", nil)
	decided := func() string {
		b.clock = b.clock.Add(time.Hour)
		return b.sweep("").Findings[0].Decision.String()
	}
	decided()
	b.rules = &failing{estate: b.cloud, group: "sg-2"}
	decided()
	decided()
	b.rules = nil
	if got := decided(); got != "pending: grace" {
		t.Errorf("after two complete sweeps: got %q, want grace", got)
	}
	if got := decided(); got != "revoke" {
		t.Errorf("after three complete sweeps: got %q, want it due", got)
	}
}

// partial gives the first page of rules and fails at the second.
type partial struct{ *estate }

func (p *partial) Rules(ctx context.Context, region sg.Region, group, nic, token string) (sg.Page[sg.Rule], error) {
	if token != "" {
		return sg.Page[sg.Rule]{}, errors.New("no answer")
	}
	page, err := p.estate.Rules(ctx, region, group, nic, "")
	page.Next = "2"
	return page, err
}

func TestALateEffectAmendsTheRecord(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32", "10.0.0.0/8")
	b.decide()
	// The answer is lost, and the rule is still there until the revocation is given up.
	b.cloud.refuse = func(*revoker.Call) *revoker.Answer {
		return &revoker.Answer{State: revoker.CallUnknown, Class: sg.ClassTransient, Detail: "no answer", At: b.clock}
	}
	for range 60 {
		if b.settle().Open == 0 {
			break
		}
		b.clock = b.clock.Add(2 * time.Minute)
	}
	if got := b.outcomes()["sgr-1"]; !strings.HasPrefix(got, "failed") {
		t.Fatalf("got %q, want it given up", got)
	}
	b.sweep(decision.DryRun)
	if got := b.outcomes()["sgr-1"]; !strings.HasPrefix(got, "failed") {
		t.Errorf("got %q, though the rule is there", got)
	}
	whole := b.cloud.rules["sg-1"]
	b.cloud.rules["sg-1"] = whole[1:]
	b.rules = &failing{estate: b.cloud, group: "sg-1"}
	b.sweep(decision.DryRun)
	if got := b.outcomes()["sgr-1"]; !strings.HasPrefix(got, "failed") {
		t.Errorf("got %q, though the group could not be read", got)
	}
	b.rules = nil
	group := b.cloud.groups["sg-1"]
	delete(b.cloud.groups, "sg-1")
	b.sweep(decision.DryRun)
	if got := b.outcomes()["sgr-1"]; !strings.HasPrefix(got, "failed") {
		t.Errorf("got %q, though nothing but the group is shown to be gone", got)
	}
	b.cloud.groups["sg-1"] = group
	for range 1_000 { // a listing of two pages
		b.cloud.create("sg-1", "10.0.0.0/8")
	}
	b.sweep(decision.DryRun)
	if got := b.outcomes()["sgr-1"]; !strings.HasPrefix(got, "failed") {
		t.Errorf("got %q, though a listing of several pages proves nothing", got)
	}
	b.cloud.rules["sg-1"] = whole[1:]
	b.sweep(decision.DryRun)
	if got := b.outcomes()["sgr-1"]; !strings.HasPrefix(got, "confirmed: it had ended as failed") {
		t.Errorf("got %q, want it amended", got)
	}
}

func patient(t *testing.T) *policy.Set {
	t.Helper()
	return load(t, noBad("1h"))
}

func TestAClockOfGraceIsDroppedWhenThePolicyObjectsNoMore(t *testing.T) {
	b := newBench(t)
	b.set = patient(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32")
	decided := func() string {
		b.clock = b.clock.Add(30 * time.Minute)
		return b.sweep("").Findings[0].Decision.String()
	}
	for range 2 {
		if got := decided(); got != "pending: grace" {
			t.Fatalf("got %q", got)
		}
	}
	b.cloud.add("sg-1", []sg.Tag{{Key: "keep", Value: ""}})
	b.clock = b.clock.Add(30 * time.Minute)
	b.sweep("")
	b.cloud.add("sg-1", nil)
	for i := range 2 {
		if got := decided(); got != "pending: grace" {
			t.Errorf("sweep %d after the tag was taken off: got %q, want grace from the beginning", i+1, got)
		}
	}
	b.cloud.rules["sg-1"] = nil // while a rule is away its clock waits
	b.clock = b.clock.Add(30 * time.Minute)
	b.sweep("")
	b.cloud.create("sg-1", "198.51.100.1/32")
	if got := decided(); got != "revoke" {
		t.Errorf("created again with the same content: got %q, want no new grace", got)
	}
}
