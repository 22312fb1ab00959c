package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// estate is an account that changes: people edit it, and calls take effect in it.
type estate struct {
	mu     sync.Mutex
	groups map[string]sg.Group
	rules  map[string][]sg.Rule
	owner  string // of the credentials
	lists  bool   // prefix lists can be read

	read    func(group string)                   // is called before the rules of a group are read
	refuse  func(*revoker.Call) *revoker.Answer  // nil, or an answer instead of doing what was asked
	after   func(*revoker.Call, *revoker.Answer) // may change the answer after the effect
	sent    []revoker.Call
	removed []string
	next    int
}

func newEstate() *estate {
	return &estate{groups: map[string]sg.Group{}, rules: map[string][]sg.Rule{}, owner: "1234567890123456"}
}

// add makes a group with rules to addresses.
func (e *estate) add(group string, tags []sg.Tag, destinations ...string) {
	e.groups[group] = sg.Group{
		Region: "cn-hangzhou", ID: group, Name: group, Type: sg.TypeNormal, VPC: "vpc-1", Tags: tags,
	}
	for _, to := range destinations {
		e.create(group, to)
	}
}

func (e *estate) create(group, to string) (id string) {
	e.next++
	id = "sgr-" + strconv.Itoa(e.next)
	e.rules[group] = append(slices.Clone(e.rules[group]), rule(id, func(f *sg.Fields) {
		f.CIDR4, f.Created = to, "2026-01-01T00:00:00Z"
	}))
	return id
}

func (e *estate) Identity(context.Context) (sg.Identity, error) {
	return sg.Identity{AccountID: e.owner}, nil
}

func (e *estate) Regions(context.Context) ([]sg.Region, error) {
	return []sg.Region{{ID: "cn-hangzhou"}}, nil
}

func (e *estate) Groups(context.Context, sg.Region, string) (sg.Page[sg.Group], error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var page sg.Page[sg.Group]
	for _, id := range slices.Sorted(maps.Keys(e.groups)) {
		page.Items = append(page.Items, e.groups[id])
	}
	return page, nil
}

func (e *estate) Group(_ context.Context, _ sg.Region, id string) (sg.Group, bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, there := e.groups[id]
	return g, there, nil
}

func (e *estate) Rules(_ context.Context, _ sg.Region, group, _, _ string) (sg.Page[sg.Rule], error) {
	if e.read != nil {
		e.read(group)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, there := e.groups[group]; !there {
		return sg.Page[sg.Rule]{}, sg.ErrGroupGone
	}
	return sg.Page[sg.Rule]{Items: slices.Clone(e.rules[group])}, nil
}

func (e *estate) PrefixList(_ context.Context, _ sg.Region, id string) (sg.PrefixList, error) {
	if !e.lists {
		return sg.PrefixList{}, errors.New("no answer")
	}
	return sg.PrefixList{ID: id, Entries: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/25")}}, nil
}

// Send implements revoker.Sender.
func (e *estate) Send(_ context.Context, call *revoker.Call) revoker.Answer {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent = append(e.sent, *call)
	if e.refuse != nil {
		if answer := e.refuse(call); answer != nil {
			return *answer
		}
	}
	parameters := map[string]string{}
	for _, p := range call.Parameters {
		parameters[p.Name] = p.Value
	}
	if call.Action == revoker.ActionAuthorize {
		e.create(call.Ref.Group, parameters["Permissions.1.DestCidrIp"]+parameters["DestCidrIp"])
	}
	for name, id := range parameters {
		if strings.HasPrefix(name, "SecurityGroupRuleId.") {
			e.removed = append(e.removed, id)
			e.rules[call.Ref.Group] = slices.DeleteFunc(slices.Clone(e.rules[call.Ref.Group]),
				func(r sg.Rule) bool { return r.ID == id })
		}
	}
	answer := revoker.Answer{State: revoker.CallSucceeded, Class: sg.ClassOK, At: now}
	if e.after != nil {
		e.after(call, &answer)
	}
	return answer
}

func (e *estate) left(group string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	ids := []string{}
	for _, r := range e.rules[group] {
		ids = append(ids, r.ID)
	}
	return ids
}

// bench is an account with a store, as a daemon or command has them.
type bench struct {
	t      *testing.T
	cloud  *estate
	store  *store.Memory
	clock  time.Time
	ids    int
	mode   string
	origin revoker.Origin
	terms  decision.Terms
	set    *policy.Set
	rules  scanner.RuleReader // of sweeps; nil: the cloud
}

// newBench has an armed store and the mode enforce, and a policy that objects to 198.51.100.0/24 outside of groups with
// the tag keep.
func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		t: t, cloud: newEstate(), clock: now, mode: "enforce", origin: revoker.BySchedule,
		terms: decision.Terms{Limits: decision.Limits{PerGroup: 100, PerSweep: 100, Percent: 100, PerWindow: 100}, MayAct: true},
	}
	b.store = store.NewMemory(b.now)
	b.set = b.policies("")
	if err := b.store.Resume(t.Context(), "tester", "the test begins"); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) now() time.Time { return b.clock }

func (b *bench) newID() string { b.ids++; return "id-" + strconv.Itoa(b.ids) }

func (b *bench) policies(more string) *policy.Set {
	b.t.Helper()
	set, err := policy.Load(fstest.MapFS{"p.yaml": {Data: []byte(`version: 1
policies:
  - name: no-bad
    description: Nothing reaches the bad.
    severity: high
    owner: netsec@example.com
    groups: {without-tags: {keep: "*"}}
    match: {destination: {within: [198.51.100.0/24]}}
    action: revoke
    grace: 0s
` + more)}}, []string{"p.yaml"})
	if err != nil {
		b.t.Fatal(err)
	}
	return set
}

func (b *bench) account() sweep.Account {
	return sweep.Account{Name: "prod", ID: "1234567890123456", Regions: []string{"*"}}
}

func (b *bench) sweep(notExecuted string) *sweep.Result {
	b.t.Helper()
	rules := b.rules
	if rules == nil {
		rules = b.cloud
	}
	result, err := sweep.Run(b.t.Context(), sweep.Options{
		Order: sweep.Order{
			ID: b.newID(), Account: b.account(), Origin: b.origin, Actor: "tester", Mode: b.mode, NotExecuted: notExecuted,
		},
		Identity: b.cloud, Groups: b.cloud, Rules: rules, Policies: b.set, Terms: &b.terms, Now: b.now, NewID: b.newID,
		Ledger: b.store, Doubts: b.store,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

func (b *bench) options() sweep.SettleOptions {
	return sweep.SettleOptions{
		Account: b.account(), Identity: b.cloud, Groups: b.cloud, Rules: b.cloud,
		Present:  func() sweep.Present { return sweep.Present{Mode: b.mode, Policies: b.set, Terms: &b.terms} },
		Worklist: b.store, Journal: b.store, Sender: b.cloud, Now: b.now, NewID: b.newID, Workers: 1,
		LookAgain: time.Nanosecond,
		Wait:      func(_ context.Context, d time.Duration) error { b.clock = b.clock.Add(d); return nil },
	}
}

func (b *bench) settle() *sweep.Settled {
	b.t.Helper()
	settled, err := sweep.Settle(b.t.Context(), b.options())
	if err != nil {
		b.t.Fatal(err)
	}
	return settled
}

// outcomes are what became of all revocations, by rule.
func (b *bench) outcomes() map[string]string {
	b.t.Helper()
	records, err := b.store.Revocations(b.t.Context(), store.RevocationFilter{})
	if err != nil {
		b.t.Fatal(err)
	}
	outcomes := map[string]string{}
	for i := range records {
		r := &records[i]
		outcomes[r.Rule.ID] = strings.TrimSuffix(fmt.Sprintf("%s: %s", r.Outcome, r.Detail), ": ")
	}
	return outcomes
}

// decide makes the reporting sweep that new policies need, and an acting one.
func (b *bench) decide() *sweep.Result {
	b.t.Helper()
	b.sweep(decision.DryRun)
	return b.sweep("")
}

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
		{"the mode is audit", func(b *bench) { b.mode = "audit" },
			"withdrawn: the mode is audit now, which carries out nothing that was decided by schedule"},
		{"the mode is manual and the schedule decided", func(b *bench) { b.mode = "manual" },
			"withdrawn: the mode is manual now, which carries out nothing that was decided by schedule"},
		{"the store is paused", func(b *bench) {
			if err := b.store.Pause(b.t.Context(), "oncall", "incident"); err != nil {
				b.t.Fatal(err)
			}
		}, "withdrawn: the decision is now hold: paused: paused by oncall"},
		{"the pause file is there", func(b *bench) { b.terms.Paused = "the pause file is there" },
			"withdrawn: the decision is now hold: paused: the pause file is there"},
		{"the limit was lowered", func(b *bench) { b.terms.Limits.PerSweep = 0 },
			"withdrawn: the decision is now hold: limit per-sweep"},
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
	set, err := policy.Load(fstest.MapFS{"p.yaml": {Data: []byte(`version: 1
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
`)}}, []string{"p.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	return set
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
func patient(t *testing.T) *policy.Set {
	t.Helper()
	set, err := policy.Load(fstest.MapFS{"p.yaml": {Data: []byte(`version: 1
policies:
  - name: no-bad
    description: Nothing reaches the bad.
    severity: high
    owner: netsec@example.com
    groups: {without-tags: {keep: "*"}}
    match: {destination: {within: [198.51.100.0/24]}}
    action: revoke
    grace: 1h
`)}}, []string{"p.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	return set
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
