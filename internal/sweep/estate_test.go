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

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
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
	lists  bool   // prefix lists and port lists can be read
	blocks string // what a prefix list holds
	ports  sg.PortRange
	cards  []sg.Interface
	noCard error // why interfaces cannot be listed

	read    func(group string)                   // is called before the rules of a group are read
	refuse  func(*revoker.Call) *revoker.Answer  // nil, or an answer instead of doing what was asked
	after   func(*revoker.Call, *revoker.Answer) // may change the answer after the effect
	sent    []revoker.Call
	removed []string
	next    int
}

func newEstate() *estate {
	return &estate{
		groups: map[string]sg.Group{}, rules: map[string][]sg.Rule{}, owner: "1234567890123456",
		blocks: "198.51.100.0/25", ports: sg.PortRange{Low: 25, High: 25},
	}
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

func (e *estate) create(group, to string) {
	e.next++
	id := "sgr-" + strconv.Itoa(e.next)
	e.rules[group] = append(slices.Clone(e.rules[group]), rule(id, func(f *sg.Fields) {
		f.CIDR4, f.Created = to, "2026-01-01T00:00:00Z"
	}))
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
	return sg.PrefixList{ID: id, Entries: []netip.Prefix{netip.MustParsePrefix(e.blocks)}}, nil
}

func (e *estate) PortList(_ context.Context, _ sg.Region, id string) (sg.PortList, error) {
	if !e.lists {
		return sg.PortList{}, errors.New("no answer")
	}
	return sg.PortList{ID: id, Ranges: []sg.PortRange{e.ports}}, nil
}

// Interfaces implements [scanner.InterfaceLister].
func (e *estate) Interfaces(context.Context, sg.Region, string) (sg.Page[sg.Interface], error) {
	return sg.Page[sg.Interface]{Items: e.cards}, e.noCard
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
		if list := parameters["Permissions.1.PortRangeListId"]; list != "" {
			created := &e.rules[call.Ref.Group][len(e.rules[call.Ref.Group])-1]
			created.Ports, created.PortListID = sg.PortRange{}, list
		}
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
	// earlier are sets whose exceptions still count.
	earlier []*policy.Set
	rules   scanner.RuleReader // of sweeps; nil: the cloud
	only    func(*decision.Finding) bool
	scope   reach.Scope

	stop    string
	regions []string
}

// newBench has an armed store and the mode enforce, and a policy that objects to 198.51.100.0/24 outside of groups with
// the tag keep.
func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		t: t, cloud: newEstate(), clock: now, mode: "enforce", regions: []string{"*"}, origin: revoker.BySchedule,
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
	return load(b.t, noBad("0s")+more)
}

// load reads one policy file.
func load(t *testing.T, text string) *policy.Set {
	t.Helper()
	set, err := policy.Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, []string{"p.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// noBad is a file with a policy that objects to 198.51.100.0/24 outside of groups with the tag keep.
func noBad(grace string) string {
	return `version: 1
policies:
  - name: no-bad
    description: Nothing reaches the bad.
    severity: high
    owner: netsec@example.com
    groups: {without-tags: {keep: "*"}}
    match: {destination: {within: [198.51.100.0/24]}}
    action: revoke
    grace: ` + grace + "\n"
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
		Ledger: b.store, Doubts: b.store, Only: b.only, Earlier: b.earlier,
		Scope: b.scope, Interfaces: b.cloud,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

func (b *bench) options() sweep.SettleOptions {
	return sweep.SettleOptions{
		Account: b.account(), Identity: b.cloud, Groups: b.cloud, Rules: b.cloud,
		Present: b.present, Interfaces: b.cloud,
		Worklist: b.store, Journal: b.store, Sender: b.cloud, Now: b.now, NewID: b.newID, Workers: 1,
		LookAgain: time.Nanosecond,
		Wait:      func(_ context.Context, d time.Duration) error { b.clock = b.clock.Add(d); return nil },
	}
}

func (b *bench) present() sweep.Present {
	return sweep.Present{
		Stop: b.stop, Mode: b.mode, Regions: b.regions, Policies: b.set, Terms: &b.terms, Earlier: b.earlier,
		Scope: b.scope,
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
