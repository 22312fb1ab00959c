package sweep_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
)

func TestWhatIsDecidedIsRemovedAndProvenAndNothingElse(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32", "10.0.0.0/8", "198.51.100.2/32")
	b.cloud.add("sg-2", []sg.Tag{{Key: "keep", Value: ""}}, "198.51.100.3/32")
	result := b.decide()
	if len(result.Revocations) != 2 {
		t.Fatalf("got %d revocations, want 2: %v", len(result.Revocations), decisions(result))
	}
	settled := b.settle()
	if settled.Open != 0 || len(settled.Endings) != 2 {
		t.Errorf("got %+v, want both ended", settled)
	}
	want := map[string]string{"sgr-1": "confirmed", "sgr-3": "confirmed"}
	if diff := cmp.Diff(want, b.outcomes()); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sgr-2"}, b.cloud.left("sg-1")); diff != "" {
		t.Errorf("rules left (-want +got):\n%s", diff)
	}
	if len(b.cloud.sent) != 1 {
		t.Errorf("sent %d calls, want one for the two rules", len(b.cloud.sent))
	}
}

func TestASweepThatMayNotActRecordsAndLeavesNothingOpen(t *testing.T) {
	for _, why := range []string{decision.AuditMode, decision.ManualMode, decision.DryRun} {
		t.Run(why, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("sg-1", nil, "198.51.100.1/32")
			b.sweep(why)
			if result := b.sweep(why); len(result.Revocations) > 0 || result.Findings[0].Decision.Action != decision.Revoke {
				t.Errorf("got %d revocations and the decision %s", len(result.Revocations), result.Findings[0].Decision)
			}
			b.settle()
			if len(b.cloud.sent) > 0 {
				t.Errorf("sent %v", b.cloud.sent)
			}
		})
	}
}

// Everything here happens between the decision and the call. Each must keep the call from being sent.
func TestWhatDoesNotStandAnyMoreIsWithdrawn(t *testing.T) {
	tests := []struct {
		name   string
		change func(b *bench)
		want   string
	}{
		{"the group was exempted by a tag", func(b *bench) {
			b.cloud.add("sg-1", []sg.Tag{{Key: "keep", Value: "1"}})
		}, "withdrawn: no policy objects to the rule any more"},
		{"the group was protected by its tag", func(b *bench) {
			b.cloud.add("sg-1", []sg.Tag{{Key: decision.NeverTag, Value: decision.NeverValue}})
		}, "withdrawn: the decision is now skip: protected: the group has the tag egress-janitor: never"},
		{"the config protects the group now", func(b *bench) {
			b.terms.ProtectedGroups = []sg.Glob{"sg-*"}
		}, "withdrawn: the decision is now skip: protected: the config protects the group by its ID"},
		{"the policies were changed", func(b *bench) {
			b.set = b.policies(`exceptions:
  - name: late
    policies: [no-bad]
    groups: all
    match: {destination: {within: [198.51.100.1/32]}}
    reason: Somebody needs it.
    owner: a@example.com
    expires: 2099-12-31
`)
		}, "withdrawn: the decision is now exempt: late"},
		{
			"the mode is audit", func(b *bench) { b.mode = "audit" },
			"withdrawn: the mode is audit now, which carries out nothing that was decided by schedule",
		},
		{
			"the mode is manual and the schedule decided", func(b *bench) { b.mode = "manual" },
			"withdrawn: the mode is manual now, which carries out nothing that was decided by schedule",
		},
		{"the store is paused", func(b *bench) {
			if err := b.store.Pause(b.t.Context(), "oncall", "incident"); err != nil {
				b.t.Fatal(err)
			}
		}, "withdrawn: the decision is now hold: paused: paused by oncall"},
		{
			"the region is not looked after any more", func(b *bench) { b.regions = []string{"cn-beijing"} },
			"withdrawn: the config does not have the region any more",
		},
		{
			"the files were changed since", func(b *bench) { b.stop = "config or policies were changed" },
			"withdrawn: config or policies were changed",
		},
		{
			"the pause file is there", func(b *bench) { b.terms.Paused = "the pause file is there" },
			"withdrawn: the decision is now hold: paused: the pause file is there",
		},
		{
			"the limit was lowered", func(b *bench) { b.terms.Limits.PerSweep = 0 },
			"withdrawn: the decision is now hold: limit per-sweep",
		},
		{"the cloud manages the group now", func(b *bench) {
			g := b.cloud.groups["sg-1"]
			g.ServiceManaged = true
			b.cloud.groups["sg-1"] = g
		}, "withdrawn: the decision is now skip: managed: the group belongs to a cloud service"},
		{"somebody changed its description", func(b *bench) {
			b.cloud.rules["sg-1"][0].Description = "keep this"
		}, "changed: "},
		{"somebody deleted it", func(b *bench) { b.cloud.rules["sg-1"] = nil }, "already_absent"},
		{"somebody created it again", func(b *bench) {
			b.cloud.rules["sg-1"] = nil
			b.cloud.create("sg-1", "198.51.100.1/32")
		}, "already_absent"},
		{"the group was deleted", func(b *bench) { delete(b.cloud.groups, "sg-1") }, "already_absent"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("sg-1", nil, "198.51.100.1/32")
			b.decide()
			test.change(b)
			b.settle()
			if got := b.outcomes()["sgr-1"]; !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if len(b.cloud.sent) > 0 {
				t.Errorf("a call was sent: %v", b.cloud.sent)
			}
		})
	}
}

func TestOnlyIsAFilterAndNoLicence(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32", "198.51.100.2/32", "10.0.0.0/8")
	b.cloud.add("sg-2", []sg.Tag{{Key: decision.NeverTag, Value: decision.NeverValue}}, "198.51.100.3/32")
	b.only = func(f *decision.Finding) bool { return f.Rule.ID != "sgr-1" }
	b.decide()
	b.settle()
	if diff := cmp.Diff(map[string]string{"sgr-2": "confirmed"}, b.outcomes()); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestManualModeCarriesOutWhatACommandDecided(t *testing.T) {
	b := newBench(t)
	b.mode, b.origin = "manual", revoker.ByCommand
	b.cloud.add("sg-1", nil, "198.51.100.1/32")
	b.decide()
	b.settle()
	if diff := cmp.Diff(map[string]string{"sgr-1": "confirmed"}, b.outcomes()); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestADenialEndsWhatIsOpenInTheAccount(t *testing.T) {
	b := newBench(t)
	for _, group := range []string{"sg-1", "sg-2", "sg-3"} {
		b.cloud.add(group, nil, "198.51.100.1/32")
	}
	b.cloud.refuse = func(*revoker.Call) *revoker.Answer {
		return &revoker.Answer{
			State: revoker.CallRefused, Class: sg.ClassDenied, Code: "Forbidden.RAM", Detail: "grant it", At: b.clock,
		}
	}
	b.decide()
	settled := b.settle()
	if settled.Stop == "" || settled.Open != 0 || len(b.cloud.sent) != 1 {
		t.Errorf("got %+v after %d calls, want the account stopped after one", settled, len(b.cloud.sent))
	}
	for rule, outcome := range b.outcomes() {
		if !strings.HasPrefix(outcome, "failed: ") || !strings.Contains(outcome, "Forbidden.RAM") {
			t.Errorf("%s: got %q, want it failed by the denial", rule, outcome)
		}
	}
	b.cloud.refuse = nil // the grant is there now
	b.sweep("")
	b.settle()
	if left := len(b.cloud.left("sg-1")) + len(b.cloud.left("sg-2")) + len(b.cloud.left("sg-3")); left > 0 {
		t.Errorf("%d rules are left, though nothing keeps them from being removed any more", left)
	}
}

func TestADenialLeavesOpenWhatMayHaveBeenSent(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32")
	b.cloud.add("sg-2", nil, "198.51.100.1/32")
	b.decide()
	// A process recorded the call for sg-2 and was killed: nobody knows whether it was sent.
	work, err := b.store.Open(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	calls, err := revoker.NewRevokeCalls(b.newID, work[1].Ref, work[1].Revocations)
	if err != nil {
		t.Fatal(err)
	}
	calls[0].Recorded, calls[0].Deadline, calls[0].State = b.clock, b.clock.Add(10*time.Second), revoker.CallRecorded
	if err := b.store.Record(t.Context(), &calls[0]); err != nil {
		t.Fatal(err)
	}
	b.cloud.refuse = func(*revoker.Call) *revoker.Answer {
		return &revoker.Answer{State: revoker.CallRefused, Class: sg.ClassDenied, Code: "Forbidden.RAM", At: b.clock}
	}
	if settled := b.settle(); settled.Open != 1 {
		t.Errorf("got %+v, want the one open that may have been sent", settled)
	}
	if got := b.outcomes()["sgr-2"]; got != "" {
		t.Errorf("got %q, want it open", got)
	}
}

func TestARuleWhosePeerIsGoneIsNotRevokedAnyMore(t *testing.T) {
	b := newBench(t)
	b.set = everything(t)
	b.cloud.add("sg-1", nil)
	b.cloud.add("sg-2", nil)
	b.cloud.rules["sg-1"] = []sg.Rule{rule("sgr-peer", func(f *sg.Fields) { f.CIDR4, f.GroupID = "", "sg-2" })}
	b.decide()
	delete(b.cloud.groups, "sg-2")
	b.settle()
	if got := b.outcomes()["sgr-peer"]; !strings.HasPrefix(got, "withdrawn: the decision is now hold: not-restorable") {
		t.Errorf("got %q, want it withdrawn: it could not be restored", got)
	}
}

func everything(t *testing.T) *policy.Set {
	t.Helper()
	return load(t, `version: 1
policies:
  - name: everything
    description: Whatever there is.
    severity: low
    owner: netsec@example.com
    groups: all
    match: {every-rule: true}
    action: revoke
    grace: 0s
  - name: only-reported
    description: Whatever there is.
    severity: low
    owner: netsec@example.com
    groups: all
    match: {every-rule: true}
    action: report
`)
}

func TestOnlyPoliciesThatAskForItAreTheCause(t *testing.T) {
	b := newBench(t)
	b.set = everything(t)
	b.cloud.add("sg-1", nil, "10.0.0.0/8")
	result := b.decide()
	if got := result.Revocations[0].Policies; len(got) != 1 || got[0].Policy != "everything" {
		t.Errorf("got the causes %v, want the policy alone that revokes", got)
	}
}

func TestNothingIsCarriedOutWithoutALedger(t *testing.T) {
	c := account(sg.Group{ID: "sg-1"})
	_, err := sweep.Run(t.Context(), sweep.Options{
		Order:    sweep.Order{ID: "s", Account: sweep.Account{Name: "prod", ID: "1234567890123456", Regions: []string{"*"}}},
		Identity: c, Groups: c, Rules: c,
		Policies: openWorld(t), Terms: &decision.Terms{}, Now: func() time.Time { return now },
	})
	if err == nil {
		t.Error("a sweep that is to act was taken without anything to record it in")
	}
}

func TestCredentialsOfAnotherAccountSettleNothing(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32")
	b.decide()
	b.cloud.owner = "9999999999999999"
	settled, err := sweep.Settle(t.Context(), b.options())
	if err == nil || !strings.Contains(err.Error(), "belong to 9999999999999999") {
		t.Errorf("got error %v, want one about whose credentials these are", err)
	}
	if settled.Open != 1 || len(b.cloud.sent) > 0 {
		t.Errorf("got %+v and %d calls, want it left open and nothing sent", settled, len(b.cloud.sent))
	}
}

func TestANameThatMeansAnotherAccountNowSettlesNothing(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32")
	b.decide()
	b.cloud.owner = "9999999999999999"
	delete(b.cloud.groups, "sg-1") // which the other account does not have
	o := b.options()
	o.Account.ID = b.cloud.owner
	settled, err := sweep.Settle(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "give the other account a name of its own") || settled.Open != 1 {
		t.Errorf("got %+v and error %v, want it left open with what to do", settled, err)
	}
}

func TestAGroupThatCannotBeReadStaysOpenAndStopsNoOther(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32")
	b.cloud.add("sg-2", nil, "198.51.100.1/32")
	b.decide()
	reader := &failing{estate: b.cloud, group: "sg-1"}
	o := b.options()
	o.Rules = reader
	settled, err := sweep.Settle(t.Context(), o)
	if err == nil || settled.Open != 1 {
		t.Errorf("got %+v and error %v, want one left open with the reason", settled, err)
	}
	want := map[string]string{"sgr-1": "", "sgr-2": "confirmed"}
	if diff := cmp.Diff(want, b.outcomes()); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// failing fails to read one group.
type failing struct {
	*estate
	group string
}

func (f *failing) Rules(ctx context.Context, region sg.Region, group, nic, token string) (sg.Page[sg.Rule], error) {
	if group == f.group {
		return sg.Page[sg.Rule]{}, errors.New("no answer")
	}
	return f.estate.Rules(ctx, region, group, nic, token)
}

func TestRestoredRulesAreThereAndLeftAlone(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32")
	b.decide()
	b.settle()
	records, err := b.store.Revocations(t.Context(), store.RevocationFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.Pause(t.Context(), "oncall", "restoring works when all is red"); err != nil {
		t.Fatal(err)
	}
	b.mode = "audit"
	err = b.store.AddRestores(t.Context(), []revoker.Restore{{
		ID: "restore-1", Revocation: records[0].ID, Ref: records[0].Ref, Rule: records[0].Rule,
		HoldUntil: b.clock.Add(24 * time.Hour), Actor: "tester", Created: b.clock,
	}})
	if err != nil {
		t.Fatal(err)
	}
	done, err := sweep.Restore(t.Context(), b.options(), b.store, b.store)
	if err != nil || len(done) != 1 || done[0].Outcome != revoker.Restored || done[0].RuleID != "sgr-2" {
		t.Fatalf("got %+v, %v, want the rule back as sgr-2", done, err)
	}
	b.mode = "enforce"
	if err := b.store.Resume(t.Context(), "oncall", "all is well"); err != nil {
		t.Fatal(err)
	}
	if got := b.sweep("").Findings[0].Decision.String(); got != "hold: restored" {
		t.Errorf("the restored rule is decided on as %q, want it held", got)
	}
	b.clock = b.clock.Add(25 * time.Hour)
	if got := b.sweep("").Findings[0].Decision.String(); got != "revoke" {
		t.Errorf("after the hold the rule is decided on as %q", got)
	}
}

func TestEachSweepIsHeldToItsOwnLimits(t *testing.T) {
	b := newBench(t)
	b.terms.Limits.PerGroup = 2
	b.cloud.add("sg-1", nil, "198.51.100.1/32", "198.51.100.2/32")
	b.decide() // two open revocations, as many as the limit
	b.cloud.create("sg-1", "198.51.100.3/32")
	b.cloud.create("sg-1", "198.51.100.4/32")
	b.sweep("") // two more
	b.settle()
	for rule, outcome := range b.outcomes() {
		if outcome != "confirmed" {
			t.Errorf("%s: got %q, want confirmed: neither sweep is over its limit", rule, outcome)
		}
	}
	if len(b.outcomes()) != 4 {
		t.Errorf("got %v, want four revocations", b.outcomes())
	}
}

// patient has a policy with grace.
