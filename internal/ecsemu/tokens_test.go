package ecsemu_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

// movableClock is a server's time that a test sets.
type movableClock struct{ offset atomic.Int64 }

func (c *movableClock) now() time.Time           { return stoppedClock.Add(time.Duration(c.offset.Load())) }
func (c *movableClock) advance(d time.Duration)  { c.offset.Add(int64(d)) }
func (c *movableClock) option(o *ecsemu.Options) { o.Clock = c.now }
func (c *movableClock) at(values url.Values) url.Values {
	return with(values, "Timestamp", c.now().Format("2006-01-02T15:04:05Z"))
}

func token(values url.Values, token string) url.Values { return with(values, "ClientToken", token) }

func TestARepeatedTokenGetsTheSameAnswerAndNoEffect(t *testing.T) {
	region := params("RegionId", "cn-hangzhou")
	tags := with(region, "ResourceType", "securitygroup", "ResourceId.1", "sg-web")
	for _, test := range []struct {
		action string
		params url.Values
		undo   string // What takes the effect back, so that a second one would show.
		undone url.Values
	}{
		{revoke, byID("sgr-tcp"), authorize, web("IpProtocol", "tcp", "PortRange", "443/443", "DestCidrIp", "10.0.0.0/8")},
		{
			revoke, web("IpProtocol", "tcp", "PortRange", "443/443", "DestCidrIp", "10.0.0.0/8"),
			authorize, web("IpProtocol", "tcp", "PortRange", "443/443", "DestCidrIp", "10.0.0.0/8"),
		},
		{
			authorize, web("IpProtocol", "gre", "PortRange", "-1/-1", "DestCidrIp", "10.0.0.0/8"),
			revoke, web("IpProtocol", "gre", "PortRange", "-1/-1", "DestCidrIp", "10.0.0.0/8"),
		},
		{
			modify, web("SecurityGroupRuleId", "sgr-tcp", "Description", "new"),
			modify, web("SecurityGroupRuleId", "sgr-tcp", "Description", "old"),
		},
		{"CreateSecurityGroup", with(region, "VpcId", "vpc-1"), "", nil},
		{"CreatePrefixList", with(region, "PrefixListName", "list", "AddressFamily", "IPv4", "MaxEntries", "2"), "", nil},
		{"TagResources", with(tags, "Tag.1.Key", "k"), "UntagResources", with(tags, "TagKey.1", "k")},
	} {
		t.Run(test.action, func(t *testing.T) {
			r := startRevocable(t)
			first := must(t, r, test.action, token(test.params, "t"))
			if test.undo != "" {
				must(t, r, test.undo, test.undone)
			}
			before := r.Server.Rules("cn-hangzhou", "sg-web")
			second := must(t, r, test.action, token(test.params, "t"))
			if diff := cmp.Diff(first.raw, second.raw); diff != "" {
				t.Errorf("answers (-first +second):\n%s", diff)
			}
			if after := r.Server.Rules("cn-hangzhou", "sg-web"); !slices.Equal(before, after) {
				t.Errorf("the rules changed from %v to %v", before, after)
			}
			requests := r.Server.Requests()
			if !requests[0].Effect || requests[len(requests)-1].Effect {
				t.Errorf("want an effect on record for the first call, and none for the last: %+v", requests)
			}
			other := call(t, r, test.action, token(with(test.params, "Description", "other", "OwnerId", "1"), "t"))
			if other.status != 400 || other.code() != "IdempotentParameterMismatch" {
				t.Errorf("with other parameters: got %d %q", other.status, other.code())
			}
			third := must(t, r, test.action, token(test.params, "t"))
			if third.raw != first.raw {
				t.Errorf("after a mismatch: got %s, want %s", third.raw, first.raw)
			}
		})
	}
}

func TestWhatATokenIsOf(t *testing.T) {
	other := ecsemu.AccessKey{ID: "LTAIother", Secret: "s", Account: "42"}
	second := ecsemu.AccessKey{ID: "LTAIsecond", Secret: "s"}
	estate := &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou"}, {ID: "cn-qingdao"}}}
	r := ecsemu.Start(t, estate, atStoppedClock, func(o *ecsemu.Options) {
		o.Keys = []ecsemu.AccessKey{{ID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret}, other, second}
	})
	ask := func(key ecsemu.AccessKey, action, region string, pairs ...string) string {
		query := with(params("RegionId", region, "ClientToken", "t", "AccessKeyId", key.ID), pairs...)
		got := post(t, r, signed(http.MethodPost, key.Secret, common(action, query)))
		return got.text("SecurityGroupId") + got.text("PrefixListId") + got.code()
	}
	first := ecsemu.AccessKey{ID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret}
	id := ask(first, "CreateSecurityGroup", "cn-hangzhou")
	if got := ask(second, "CreateSecurityGroup", "cn-hangzhou", "VpcId", ""); got != id {
		t.Errorf("another key of the account: got %q, want %q", got, id)
	}
	for name, got := range map[string]string{
		"another account": ask(other, "CreateSecurityGroup", "cn-hangzhou"),
		"another region":  ask(first, "CreateSecurityGroup", "cn-qingdao"),
		"another action":  ask(first, "CreatePrefixList", "cn-hangzhou", "PrefixListName", "ab", "AddressFamily", "IPv4", "MaxEntries", "1"),
	} {
		if got == id || got == "IdempotentParameterMismatch" {
			t.Errorf("%s: got %q, want a new resource", name, got)
		}
	}
}

func TestRefusedCallsDoNotTakeTheirToken(t *testing.T) {
	r := startRevocable(t)
	if got := call(t, r, revoke, token(byID("sgr-none"), "t")).code(); got != "InvalidSecurityGroupRule.RuleNotExist" {
		t.Fatalf("got code %q", got)
	}
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultError, Code: "LastTokenProcessing", Times: 1})
	if got := call(t, r, revoke, token(byID("sgr-tcp"), "t")); got.status != 403 || got.code() != "LastTokenProcessing" {
		t.Errorf("got %d %q, want what the fault says with its status", got.status, got.code())
	}
	must(t, r, revoke, token(byID("sgr-tcp"), "t"))
	if diff := cmp.Diff([]string{"sgr-tcp"}, gone(r)); diff != "" {
		t.Errorf("revoked rules (-want +got):\n%s", diff)
	}
}

func TestALostAnswerIsThereForTheSameToken(t *testing.T) {
	for _, kind := range []ecsemu.FaultKind{ecsemu.FaultLoseAnswer, ecsemu.FaultErrorAfter, ecsemu.FaultTruncate} {
		r := startRevocable(t)
		setFaults(t, r, ecsemu.Fault{Kind: kind, Times: 1})
		query := token(byID("sgr-tcp"), "t")
		_, _ = tryPost(r, signed(http.MethodPost, ecsemu.DefaultKeySecret, common(revoke, query)))
		if got := call(t, r, revoke, byID("sgr-tcp")).code(); got != "InvalidSecurityGroupRule.RuleNotExist" {
			t.Errorf("%s: got code %q without a token", kind, got)
		}
		must(t, r, revoke, query)
	}
}

func TestTokensAreForgottenAfterADay(t *testing.T) {
	var clock movableClock
	r := startRevocable(t, clock.option)
	ask := func() string { return call(t, r, revoke, clock.at(token(byID("sgr-tcp"), "t"))).code() }
	got := []string{ask()}
	clock.advance(24*time.Hour - time.Second)
	got = append(got, ask())
	clock.advance(time.Second)
	got = append(got, ask())
	if diff := cmp.Diff([]string{"", "", "InvalidSecurityGroupRule.RuleNotExist"}, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

func TestOneOfManyCallsWithOneTokenHasTheEffect(t *testing.T) {
	r := startRevocable(t)
	queries := make([]url.Values, 16)
	for i := range queries {
		query := token(params("RegionId", "cn-hangzhou", "VpcId", "vpc-1"), "t")
		queries[i] = signed(http.MethodPost, ecsemu.DefaultKeySecret, common("CreateSecurityGroup", query))
	}
	answers := make([]string, len(queries))
	var wg sync.WaitGroup
	for i, query := range queries {
		wg.Go(func() {
			got, err := tryPost(r, query)
			answers[i] = fmt.Sprint(got.raw, err)
		})
	}
	wg.Wait()
	effects := 0
	for _, request := range r.Server.Requests() {
		if request.Effect {
			effects++
		}
	}
	if distinct := slices.Compact(answers); len(distinct) != 1 || effects != 1 {
		t.Errorf("got %d effects and answers %q, want one of each", effects, distinct)
	}
}

// ruleModel says what a group holds after a sequence of calls, in the plainest way.
type ruleModel struct {
	group string
	rules []modelRule
	known []string             // Every ID that ever was.
	used  map[string]modelCall // By token.
}

type modelRule struct{ content, id string }

type modelCall struct{ asked, raw string }

func modelQuery(group, content string) url.Values {
	return params("RegionId", "cn-hangzhou", "SecurityGroupId", group, "IpProtocol", "tcp", "PortRange", content+"/"+content,
		"DestCidrIp", "10.0.0.0/8")
}

// TestWritingCallsAgreeWithAModel makes random calls, some of which have a token of an earlier one, and lets the clock
// jump by days.
func TestWritingCallsAgreeWithAModel(t *testing.T) {
	var clock movableClock
	r := startRevocable(t, clock.option)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		create := clock.at(params("RegionId", "cn-hangzhou", "VpcId", "vpc-1"))
		group := must(t, r, "CreateSecurityGroup", create).text("SecurityGroupId")
		m := &ruleModel{group: group, used: map[string]modelCall{}}
		for range rapid.IntRange(1, 25).Draw(t, "calls") {
			if rapid.IntRange(0, 9).Draw(t, "day") == 0 {
				clock.advance(24 * time.Hour)
				m.used = map[string]modelCall{}
			}
			action, query := m.drawCall(t)
			if n := rapid.IntRange(0, 3).Draw(t, "token"); n > 0 {
				query = token(query, fmt.Sprintf("%d-%d", run, n))
			}
			m.check(t, r, action, query, call(t, r, action, clock.at(query)))
		}
	})
}

func (m *ruleModel) drawCall(t *rapid.T) (action string, query url.Values) {
	content := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "content")
	switch rapid.SampledFrom([]string{"authorize", "by content", "by ID"}).Draw(t, "call") {
	case "authorize":
		return authorize, modelQuery(m.group, content)
	case "by content":
		return revoke, modelQuery(m.group, content)
	}
	ids := rapid.SliceOfNDistinct(rapid.SampledFrom(append(slices.Clone(m.known), "sgr-none")), 1, min(2, len(m.known)+1), rapid.ID).
		Draw(t, "IDs")
	return revoke, with(params("RegionId", "cn-hangzhou", "SecurityGroupId", m.group), numberedIDs(ids...)...)
}

// check compares what a call came back with, and what it did, with what the model says.
func (m *ruleModel) check(t *rapid.T, r *ecsemu.Running, action string, query url.Values, got answer) {
	wantCode, replayed := "", false
	key, asked := "", action+" "+query.Encode()
	if text := query.Get("ClientToken"); text != "" {
		key = action + " " + text
	}
	if before, used := m.used[key]; used && key != "" {
		replayed = true
		if before.asked != asked {
			wantCode = "IdempotentParameterMismatch"
		} else if got.raw != before.raw {
			t.Fatalf("%s: got %s, want the answer from before, %s", asked, got.raw, before.raw)
		}
	}
	if !replayed {
		wantCode = m.apply(action, query)
	}
	if got.code() != wantCode {
		t.Fatalf("%s: got code %q, want %q", asked, got.code(), wantCode)
	}
	if !replayed && wantCode == "" && key != "" {
		m.used[key] = modelCall{asked: asked, raw: got.raw}
	}
	rules := r.Server.Rules("cn-hangzhou", m.group)
	if len(rules) != len(m.rules) {
		t.Fatalf("%s: got %d rules, want %d", asked, len(rules), len(m.rules))
	}
	for i, rule := range rules {
		if m.rules[i].id == "" && !slices.Contains(m.known, rule.ID) {
			m.rules[i].id = rule.ID
			m.known = append(m.known, rule.ID)
		}
		if want := m.rules[i]; rule.ID != want.id || rule.Ports != want.content+"/"+want.content {
			t.Fatalf("%s: got rule %s for ports %s at %d, want %+v", asked, rule.ID, rule.Ports, i, want)
		}
	}
}

// apply gives the code of a call that no token answers, and does what it does.
func (m *ruleModel) apply(action string, query url.Values) (code string) {
	content := query.Get("PortRange")
	if content != "" {
		content = content[:1]
	}
	has := func(rule modelRule) bool { return rule.content == content }
	if action == authorize {
		if !slices.ContainsFunc(m.rules, has) {
			m.rules = append(m.rules, modelRule{content: content})
		}
		return ""
	}
	if content != "" {
		m.rules = slices.DeleteFunc(m.rules, has)
		return ""
	}
	left := slices.Clone(m.rules)
	for _, name := range []string{"SecurityGroupRuleId.1", "SecurityGroupRuleId.2"} {
		if id := query.Get(name); id != "" {
			before := len(left)
			left = slices.DeleteFunc(left, func(rule modelRule) bool { return rule.id == id })
			if len(left) == before {
				return "InvalidSecurityGroupRule.RuleNotExist"
			}
		}
	}
	m.rules = left
	return ""
}
