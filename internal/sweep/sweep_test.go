package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/policy"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// cloud is an account of one region in memory.
type cloud struct {
	identity sg.Identity
	denied   error
	groups   []sg.Group
	rules    map[string][]sg.Rule
	broken   map[string]error // by group
	listing  error            // breaks off the listing of groups after the first page
}

func (c *cloud) Identity(context.Context) (sg.Identity, error) { return c.identity, c.denied }

func (c *cloud) Regions(context.Context) ([]sg.Region, error) {
	return []sg.Region{{ID: "cn-hangzhou"}}, nil
}

func (c *cloud) Groups(_ context.Context, _ sg.Region, token string) (sg.Page[sg.Group], error) {
	switch {
	case c.listing == nil:
		return sg.Page[sg.Group]{Items: c.groups}, nil
	case token == "":
		return sg.Page[sg.Group]{Items: c.groups, Next: "2"}, nil
	default:
		return sg.Page[sg.Group]{}, c.listing
	}
}

func (c *cloud) Group(context.Context, sg.Region, string) (sg.Group, bool, error) {
	return sg.Group{}, true, nil
}

func (c *cloud) Rules(_ context.Context, _ sg.Region, group, _, _ string) (sg.Page[sg.Rule], error) {
	return sg.Page[sg.Rule]{Items: c.rules[group]}, c.broken[group]
}

func (c *cloud) PrefixList(context.Context, sg.Region, string) (sg.PrefixList, error) {
	return sg.PrefixList{}, errors.New("no lists here")
}

func (c *cloud) PortList(context.Context, sg.Region, string) (sg.PortList, error) {
	return sg.PortList{}, errors.New("no lists here")
}

func rule(id string, apply func(*sg.Fields)) sg.Rule {
	f := &sg.Fields{ID: id, Protocol: "TCP", PortRange: "443/443", CIDR4: "0.0.0.0/0", Policy: "Accept", Priority: "1"}
	if apply != nil {
		apply(f)
	}
	return sg.NewRule(f)
}

func openWorld(t *testing.T) *policy.Set {
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
`)
}

func run(t *testing.T, c *cloud) *sweep.Result {
	t.Helper()
	o := sweep.Options{
		Order: sweep.Order{
			ID: "sweep-1", Account: sweep.Account{Name: "prod", ID: "1234567890123456", Regions: []string{"*"}},
			NotExecuted: decision.AuditMode,
		},
		Identity: c, Groups: c, Rules: c,
		Policies: openWorld(t),
		Terms:    &decision.Terms{Limits: decision.DefaultLimits()},
		Now:      func() time.Time { return now },
	}
	result, err := sweep.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func account(groups ...sg.Group) *cloud {
	for i := range groups {
		groups[i].Region, groups[i].VPC = "cn-hangzhou", "vpc-1"
	}
	return &cloud{
		identity: sg.Identity{AccountID: "1234567890123456"},
		groups:   groups, rules: map[string][]sg.Rule{}, broken: map[string]error{},
	}
}

func decisions(r *sweep.Result) []string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, fmt.Sprintf("%s %s %s", f.Group.ID, f.Rule.ID, f.Decision))
	}
	return list
}

func TestCredentialsOfAnotherAccountReadNothing(t *testing.T) {
	c := account(sg.Group{ID: "sg-1"})
	c.rules["sg-1"] = []sg.Rule{rule("sgr-1", nil)}
	c.identity.AccountID = "6543210987654321"
	r := run(t, c)
	if r.Complete() || len(r.Findings) > 0 || len(r.Regions) > 0 {
		t.Errorf("complete %t with %d findings in %d regions; nothing may be read of the wrong account",
			r.Complete(), len(r.Findings), len(r.Regions))
	}
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Err.Error(), "belong to 6543210987654321") {
		t.Errorf("problems %v do not say whose credentials these are", r.Problems)
	}
}

func TestGroupThatWasNotReadWholeIsNotActedOn(t *testing.T) {
	c := account(sg.Group{ID: "sg-1"}, sg.Group{ID: "sg-2"})
	c.rules["sg-1"] = []sg.Rule{rule("sgr-1", nil)}
	c.rules["sg-2"] = []sg.Rule{rule("sgr-2", nil)}
	c.broken["sg-2"] = errors.New("page 2 is missing")
	r := run(t, c)
	if r.Complete() {
		t.Error("the sweep is complete, but a group was not read whole")
	}
	want := []string{"sg-1 sgr-1 revoke"}
	if diff := cmp.Diff(want, decisions(r)); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

func TestGroupListedTwiceWithOtherContentIsNotActedOn(t *testing.T) {
	c := account(sg.Group{ID: "sg-1", Name: "web"}, sg.Group{ID: "sg-1", Name: "other"})
	c.rules["sg-1"] = []sg.Rule{rule("sgr-1", nil)}
	r := run(t, c)
	if r.Complete() {
		t.Error("the sweep is complete, but a group was listed with two contents")
	}
	want := []string{"sg-1 sgr-1 skip: incomplete"}
	if diff := cmp.Diff(want, decisions(r)); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

func TestDestinationGroupThatIsGoneMakesARuleNotRestorable(t *testing.T) {
	toGroup := func(id, owner string) func(*sg.Fields) {
		return func(f *sg.Fields) { f.CIDR4, f.GroupID, f.GroupOwner = "", id, owner }
	}
	c := account(sg.Group{ID: "sg-1"}, sg.Group{ID: "sg-2"})
	c.rules["sg-1"] = []sg.Rule{
		rule("sgr-1", toGroup("sg-2", "")),
		rule("sgr-2", toGroup("sg-9", "")),
		rule("sgr-3", toGroup("sg-9", "1234567890123456")),
		rule("sgr-4", toGroup("sg-9", "6543210987654321")), // of another account: who knows
	}
	want := []string{
		"sg-1 sgr-1 revoke",
		"sg-1 sgr-2 hold: not-restorable",
		"sg-1 sgr-3 hold: not-restorable",
		"sg-1 sgr-4 revoke",
	}
	if diff := cmp.Diff(want, decisions(run(t, c))); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

func TestDestinationGroupThatMayJustNotBeListedIsNotGone(t *testing.T) {
	c := account(sg.Group{ID: "sg-1"})
	c.listing = errors.New("page 2 is missing")
	c.rules["sg-1"] = []sg.Rule{rule("sgr-1", func(f *sg.Fields) { f.CIDR4, f.GroupID = "", "sg-9" })}
	want := []string{"sg-1 sgr-1 revoke"}
	if diff := cmp.Diff(want, decisions(run(t, c))); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

func TestUnreadableRulesAreCountedAndNamedUpToALimit(t *testing.T) {
	c := account(sg.Group{ID: "sg-1"})
	const count = 3*sweep.MaxUnreadable + 7
	for i := range count { // the last first
		c.rules["sg-1"] = append(c.rules["sg-1"],
			rule(fmt.Sprintf("sgr-%03d", count-1-i), func(f *sg.Fields) { f.PortRange = "65535/1" }))
	}
	r := run(t, c)
	if r.UnreadableCount != count || len(r.Unreadable) != sweep.MaxUnreadable {
		t.Errorf("counted %d and named %d, want %d and %d", r.UnreadableCount, len(r.Unreadable), count, sweep.MaxUnreadable)
	}
	if first, last := r.Unreadable[0].Rule, r.Unreadable[sweep.MaxUnreadable-1].Rule; first != "sgr-000" || last != "sgr-099" {
		t.Errorf("named %s to %s, want the first hundred, whatever the order of the answers", first, last)
	}
	if !r.Complete() {
		t.Error("a rule that was read but not understood makes nothing incomplete")
	}
}

func TestFindingsDoNotDependOnTheOrderOfTheAnswers(t *testing.T) {
	c := account(sg.Group{ID: "sg-1"}, sg.Group{ID: "sg-2"}, sg.Group{ID: "sg-3"})
	for _, g := range c.groups {
		for i := range 5 {
			c.rules[g.ID] = append(c.rules[g.ID], rule(fmt.Sprintf("sgr-%s-%d", g.ID, i), nil))
		}
		c.rules[g.ID] = append(c.rules[g.ID],
			rule("", nil), rule("", func(f *sg.Fields) { f.PortRange = "80/80" }), rule("", func(f *sg.Fields) { f.CIDR4 = "8.8.8.8" }))
	}
	want := run(t, c)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		random.Shuffle(len(c.groups), func(i, j int) { c.groups[i], c.groups[j] = c.groups[j], c.groups[i] })
		for _, rules := range c.rules {
			random.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
		}
		got := run(t, c)
		if diff := cmp.Diff(texts(want), texts(got)); diff != "" {
			t.Fatalf("findings in another order (-first +now):\n%s", diff)
		}
	}
}

func texts(r *sweep.Result) []string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, fmt.Sprint(f.Group.ID, f.Rule.ID, f.Rule.Raw, f.Rule.Destination.Text, f.Decision))
	}
	return list
}

func TestCancelledSweepIsAnErrorAndNoReport(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := account(sg.Group{ID: "sg-1"})
	_, err := sweep.Run(ctx, sweep.Options{
		Order: sweep.Order{
			ID: "s", Account: sweep.Account{Name: "prod", ID: "1234567890123456", Regions: []string{"*"}},
			NotExecuted: decision.AuditMode,
		},
		Identity: cancelling{c, cancel}, Groups: c, Rules: c,
		Policies: openWorld(t), Terms: &decision.Terms{}, Now: func() time.Time { return now },
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
}

// cancelling ends the context in the middle of a call.
type cancelling struct {
	*cloud
	cancel context.CancelFunc
}

func (c cancelling) Identity(ctx context.Context) (sg.Identity, error) {
	c.cancel()
	return sg.Identity{}, ctx.Err()
}

func TestMissingOptionsAreRefused(t *testing.T) {
	if _, err := sweep.Run(t.Context(), sweep.Options{Order: sweep.Order{ID: "s"}}); err == nil {
		t.Error("a sweep without an account was taken")
	}
}
