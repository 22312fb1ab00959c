package configs_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// today is a day on which the result is looked at in detail. It is the same on every other one.
func today() time.Time { return time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC) }

func TestTheEstateHasThreeRegionsOfKnownSize(t *testing.T) {
	t.Parallel()
	type size struct{ Groups, Rules, Lists int }
	got := map[string]size{}
	for _, region := range loadEstate(t).Regions {
		s := size{Groups: len(region.Groups), Lists: len(region.PrefixLists)}
		for i := range region.Groups {
			s.Rules += len(region.Groups[i].Egress)
		}
		got[region.ID] = s
	}
	want := map[string]size{
		"cn-hangzhou":    {Groups: 26, Rules: 398, Lists: 4},
		"cn-beijing":     {Groups: 10, Rules: 130, Lists: 1},
		"ap-southeast-1": {Groups: 8, Rules: 117, Lists: 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sizes differ (-want +got):\n%s", diff)
	}
}

// TestTheEstateHoldsEveryOddity looks for what clients must cope with. Each of them stands in the estate on purpose.
func TestTheEstateHoldsEveryOddity(t *testing.T) {
	t.Parallel()
	rule := func(is func(*ecsemu.Group, *ecsemu.Rule) bool) func(*ecsemu.Group) bool {
		return func(g *ecsemu.Group) bool {
			return slices.ContainsFunc(g.Egress, func(r ecsemu.Rule) bool { return is(g, &r) })
		}
	}
	oddities := map[string]func(*ecsemu.Group) bool{
		"a managed group":         func(g *ecsemu.Group) bool { return g.Managed },
		"an advanced group":       func(g *ecsemu.Group) bool { return g.Type == ecsemu.TypeEnterprise },
		"a tag without a value":   func(g *ecsemu.Group) bool { v, there := g.Tags["egress-expires"]; return there && v == "" },
		"a tag that protects":     func(g *ecsemu.Group) bool { return g.Tags["egress-janitor"] == "never" },
		"a classic, public rule":  rule(func(g *ecsemu.Group, r *ecsemu.Rule) bool { return g.VPC == "" && r.NIC == "internet" }),
		"a classic, private rule": rule(func(g *ecsemu.Group, r *ecsemu.Rule) bool { return g.VPC == "" && r.NIC == "intranet" }),
		"a rule without an ID":    rule(func(_ *ecsemu.Group, r *ecsemu.Rule) bool { return r.NoID }),
		"a rule without a time":   rule(func(_ *ecsemu.Group, r *ecsemu.Rule) bool { return r.Created == "" }),
		"a legacy priority":       rule(func(_ *ecsemu.Group, r *ecsemu.Rule) bool { return r.Priority == 110 }),
		"ports the wrong way":     rule(func(_ *ecsemu.Group, r *ecsemu.Rule) bool { return r.Ports == "65535/1" }),
		"a drop rule":             rule(func(_ *ecsemu.Group, r *ecsemu.Rule) bool { return r.Policy == "drop" }),
		"IPv4 written as IPv6":    rule(func(_ *ecsemu.Group, r *ecsemu.Rule) bool { return r.Peer == "::ffff:0.0.0.0/96" }),
		"host bits":               rule(func(_ *ecsemu.Group, r *ecsemu.Rule) bool { return r.Peer == "10.20.33.7/20" }),
		"another account's group": rule(func(_ *ecsemu.Group, r *ecsemu.Rule) bool { return r.PeerAccount != "" }),
		"a source":                rule(func(_ *ecsemu.Group, r *ecsemu.Rule) bool { return r.Own != "" }),
		"an empty prefix list":    rule(func(_ *ecsemu.Group, r *ecsemu.Rule) bool { return r.Peer == "pl-t4nfuture" }),
		"a protocol by number":    rule(func(_ *ecsemu.Group, r *ecsemu.Rule) bool { return r.Protocol == "50" }),
	}
	regions := loadEstate(t).Regions
	for what, holds := range oddities {
		if !slices.ContainsFunc(regions, func(r ecsemu.Region) bool {
			return slices.ContainsFunc(r.Groups, func(g ecsemu.Group) bool { return holds(&g) })
		}) {
			t.Errorf("the estate has lost %s", what)
		}
	}
}

// What a rule refers to is there and could be referred to: otherwise a sweep of the estate would be incomplete.
func TestRulesReferToGroupsAndListsThatExist(t *testing.T) {
	t.Parallel()
	for _, region := range loadEstate(t).Regions {
		for i := range region.Groups {
			group := &region.Groups[i]
			for _, r := range group.Egress {
				switch {
				case isList(r.Peer):
					if !slices.ContainsFunc(region.PrefixLists, func(l ecsemu.PrefixList) bool { return l.ID == r.Peer }) {
						t.Errorf("rule %s: no prefix list %s in %s", r.ID, r.Peer, region.ID)
					}
				case isGroup(r.Peer) && r.PeerAccount == "":
					at := slices.IndexFunc(region.Groups, func(g ecsemu.Group) bool { return g.ID == r.Peer })
					if at < 0 {
						t.Errorf("rule %s: no group %s in %s", r.ID, r.Peer, region.ID)
					} else if group.Type == ecsemu.TypeEnterprise || region.Groups[at].Type == ecsemu.TypeEnterprise {
						t.Errorf("rule %s: advanced groups neither name groups nor are named, but it goes to %s", r.ID, r.Peer)
					}
				}
			}
		}
	}
}

func TestEveryRuleWasMadeAfterItsGroupAndLongAgo(t *testing.T) {
	t.Parallel()
	// Rules as old as this are past every age in the policies, today and ever after.
	latest := time.Date(2026, time.July, 1, 0, 0, 0, 0, time.UTC)
	for _, region := range loadEstate(t).Regions {
		for i := range region.Groups {
			group := &region.Groups[i]
			born, ok := sg.ParseTime(group.Created)
			if !ok {
				t.Errorf("group %s: %q is no time", group.ID, group.Created)
			}
			for _, r := range group.Egress {
				made, ok := sg.ParseTime(r.Created)
				switch {
				case r.Created == "":
				case !ok:
					t.Errorf("rule %s: %q is no time", r.ID, r.Created)
				case made.Before(born) || !made.Before(latest):
					t.Errorf("rule %s was made %s, want from %s (its group) to %s", r.ID, r.Created, group.Created, latest)
				}
			}
		}
	}
}

func TestEveryDecisionOfThisVersionOccurs(t *testing.T) {
	t.Parallel()
	got := map[string]int{}
	for _, d := range load(t).judge(t, today()).decisions {
		got[d]++
	}
	want := map[string]int{
		"exempt: bank-statements":    1,
		"exempt: egress-proxies":     8,
		"exempt: migration-tail":     2,
		"exempt: settlement-replica": 2,
		"hold: collateral":           8,
		"hold: drop-rule":            4,
		"hold: exception-unknown":    1,
		"hold: no-rule-id":           2,
		"hold: not-restorable":       2,
		"report: invalid-expiry":     6,
		"report: policy":             15,
		"revoke":                     18,
		"skip: managed":              2,
		"skip: protected":            5,
		"skip: unreadable":           1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decisions differ (-want +got):\n%s", diff)
	}
}

func TestDecisionsOfTheRulesThatTheEstateIsAbout(t *testing.T) {
	t.Parallel()
	got := load(t).judge(t, today())
	tests := []struct {
		name     string
		rule     string
		want     string
		policies []string
	}{
		{
			"a rule for everything is revoked for reaching the world, whatever else it touches",
			"sg-bp1webadmin sgr-bp1webadmin07", "revoke",
			[]string{"no-databases-outside", "no-open-world", "no-threats"},
		},
		{
			"all of IPv4 written as IPv6 is still all of IPv4",
			"sg-bp1apiuser sgr-bp1apiuser08", "revoke",
			[]string{"no-open-world", "no-threats"},
		},
		{
			"an exception that has ended exempts nothing",
			"sg-bp1dataetl sgr-bp1dataetl12", "revoke",
			[]string{"no-open-world", "no-threats"},
		},
		{
			"a port that the exception does not name is not exempt",
			"sg-t4nproxy sgr-t4nproxy05", "revoke",
			[]string{"no-open-world", "no-threats"},
		},
		{
			"a database outside is found over IPv6 as well",
			"sg-2zereplica sgr-2zereplica09", "revoke",
			[]string{"no-databases-outside"},
		},
		{
			"an address of the feed is revoked",
			"sg-2zecirunner sgr-2zecirunner06", "revoke",
			[]string{"no-threats"},
		},
		{
			"a list with one entry of the feed is held",
			"sg-bp1k8swork sgr-bp1k8swork07", "hold: collateral",
			[]string{"no-threats"},
		},
		{
			"a description whose date has passed",
			"sg-bp1payrisk sgr-bp1payrisk08", "revoke",
			[]string{"expired-rules"},
		},
		{
			"a description whose date cannot be understood",
			"sg-bp1payrisk sgr-bp1payrisk10", "report: invalid-expiry",
			[]string{"expired-rules"},
		},
		{
			"a tag without a date",
			"sg-t4nsandbox sgr-t4nsandbox01", "report: invalid-expiry",
			[]string{"expired-groups"},
		},
		{
			"a rule of unknown age, which an exception for old ones may cover",
			"sg-2zedts sgr-2zedts03", "hold: exception-unknown",
			[]string{"expired-groups"},
		},
		{
			"an oversized destination is for people to look at",
			"sg-t4npaygate sgr-t4npaygate09", "report: policy",
			[]string{"too-wide"},
		},
		{
			"a group that the configuration protects by its ID",
			"sg-bp1monitor sgr-bp1monitor08", "skip: protected",
			[]string{"no-open-world", "no-threats"},
		},
		{
			"a group that the configuration protects by a tag",
			"sg-bp1paycore sgr-bp1paycore09", "skip: protected",
			[]string{"no-open-world", "no-threats"},
		},
		{
			"a group that the configuration protects by its name",
			"sg-bp1bastion sgr-bp1bastion05", "skip: protected",
			[]string{"no-open-world", "no-threats"},
		},
		{
			"a group that its own tag protects",
			"sg-2zepaygate sgr-2zepaygate04", "skip: protected",
			[]string{"no-open-world", "no-threats"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got.decisions[test.rule] != test.want {
				t.Errorf("%s: got decision %q, want %q", test.rule, got.decisions[test.rule], test.want)
			}
			if diff := cmp.Diff(test.policies, got.policies[test.rule]); diff != "" {
				t.Errorf("%s: policies differ (-want +got):\n%s", test.rule, diff)
			}
		})
	}
}

func TestExceptionsAreUsedExpiredAndUnusedAsTheirCommentsSay(t *testing.T) {
	t.Parallel()
	got := load(t).judge(t, today())
	uses := map[string]int{
		"analytics-rollout": 0, "bank-statements": 1, "egress-proxies": 8, "migration-tail": 2,
		"proxies-filter-themselves": 9, "settlement-replica": 2, "sinkhole-probe": 0,
	}
	if diff := cmp.Diff(uses, got.uses); diff != "" {
		t.Errorf("uses differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"analytics-rollout"}, got.expired); diff != "" {
		t.Errorf("expired exceptions differ (-want +got):\n%s", diff)
	}
}

// The demo runs on the real clock, and documents show what it says.
func TestTheResultIsTheSameForTenYears(t *testing.T) {
	t.Parallel()
	all := load(t)
	want := all.judge(t, today())
	for _, day := range []time.Time{
		time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2027, time.March, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2030, time.July, 15, 0, 0, 0, 0, time.UTC),
		time.Date(2035, time.December, 31, 0, 0, 0, 0, time.UTC),
	} {
		if diff := cmp.Diff(want, all.judge(t, day), cmp.AllowUnexported(judgement{})); diff != "" {
			t.Errorf("on %s the result differs (-%s +then):\n%s", day.Format(time.DateOnly), today().Format(time.DateOnly), diff)
		}
	}
}

// A sweep that acts withholds everything once it is over a limit, and then there would be nothing to show.
func TestWhatIsRevokedStaysWithinTheDefaultLimits(t *testing.T) {
	t.Parallel()
	const perGroup, perSweep = 10, 20
	groups, total := map[string]int{}, 0
	for rule, decided := range load(t).judge(t, today()).decisions {
		if decided == "revoke" {
			group, _, _ := strings.Cut(rule, " ")
			groups[group]++
			total++
		}
	}
	if total > perSweep {
		t.Errorf("%d rules are revoked, want at most %d", total, perSweep)
	}
	for group, count := range groups {
		if count > perGroup {
			t.Errorf("%d rules of %s are revoked, want at most %d", count, group, perGroup)
		}
	}
}
