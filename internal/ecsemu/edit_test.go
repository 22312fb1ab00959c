package ecsemu_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

func TestALostAnswerHadItsEffect(t *testing.T) {
	r := startRevocable(t)
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultLoseAnswer, Times: 2})
	lost := func(id string) {
		t.Helper()
		query := signed(http.MethodPost, ecsemu.DefaultKeySecret, common(revoke, byID(id)))
		if got, err := tryPost(r, query); err == nil {
			t.Errorf("got an answer: %d %s", got.status, got.raw)
		}
	}
	lost("sgr-tcp")
	lost("sgr-none")
	if diff := cmp.Diff([]string{"sgr-tcp"}, gone(r)); diff != "" {
		t.Errorf("revoked rules (-want +got):\n%s", diff)
	}
	requests := r.Server.Requests()
	for i, want := range []struct {
		code   string
		effect bool
	}{{"", true}, {"InvalidSecurityGroupRule.RuleNotExist", false}} {
		if got := requests[i]; got.Status != 0 || got.Code != want.code || got.Effect != want.effect || got.Action != revoke {
			t.Errorf("request %d: got %s, status %d, code %q, effect %t, want status 0, %+v", i, got.Action, got.Status, got.Code,
				got.Effect, want)
		}
	}
}

func TestAnErrorAfterTheEffect(t *testing.T) {
	r := startRevocable(t)
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultErrorAfter, Times: 1},
		ecsemu.Fault{Kind: ecsemu.FaultErrorAfter, Status: 503, Code: "ServiceUnavailable", Message: "later"})
	first, second := call(t, r, revoke, byID("sgr-tcp")), call(t, r, revoke, byID("sgr-all"))
	if first.status != 500 || first.code() != "InternalError" {
		t.Errorf("got %d %q, want 500 InternalError", first.status, first.code())
	}
	if second.status != 503 || second.code() != "ServiceUnavailable" || second.message() != "later" {
		t.Errorf("got %d %q %q, want what the fault says", second.status, second.code(), second.message())
	}
	if diff := cmp.Diff([]string{"sgr-all", "sgr-tcp"}, gone(r)); diff != "" {
		t.Errorf("revoked rules (-want +got):\n%s", diff)
	}
}

func TestAnIgnoredCallLooksLikeADoneOne(t *testing.T) {
	r := startRevocable(t)
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultIgnore, Times: 3})
	token := with(byID("sgr-tcp"), "ClientToken", "t")
	if got := must(t, r, revoke, token); got.text("RequestId") == "" || len(got.body) != 1 {
		t.Errorf("got %s, want a RequestId", got.raw)
	}
	if got := call(t, r, revoke, byID("sgr-none")); got.code() != "InvalidSecurityGroupRule.RuleNotExist" {
		t.Errorf("got code %q for a call that would have been refused", got.code())
	}
	created := must(t, r, "CreateSecurityGroup", params("RegionId", "cn-hangzhou", "VpcId", "vpc-1")).text("SecurityGroupId")
	if got := r.Server.Rules("cn-hangzhou", created); created == "" || got != nil {
		t.Errorf("got group %q with rules %v, want the ID of a group that is not there", created, got)
	}
	must(t, r, revoke, token)
	if diff := cmp.Diff([]string{}, gone(r)); diff != "" {
		t.Errorf("revoked rules once the fault was over, with the same token (-want +got):\n%s", diff)
	}
	must(t, r, revoke, with(token, "ClientToken", "u"))
	if diff := cmp.Diff([]string{"sgr-tcp"}, gone(r)); diff != "" {
		t.Errorf("revoked rules with another token (-want +got):\n%s", diff)
	}
}

func TestEditsRightBeforeACall(t *testing.T) {
	edit := func(edit cloud.Edit, rule string) ecsemu.Fault {
		return ecsemu.Fault{Kind: ecsemu.FaultEditBefore, Edit: edit, Rule: rule}
	}
	ruleByID := func(t *testing.T, r *ecsemu.Running, id string) ecsemu.Rule {
		t.Helper()
		for _, rule := range r.Server.Rules("cn-hangzhou", "sg-web") {
			if rule.ID == id {
				return rule
			}
		}
		t.Fatalf("there is no rule %s", id)
		return ecsemu.Rule{}
	}
	t.Run("the group is tagged", func(t *testing.T) {
		r := startRevocable(t)
		setFaults(t, r, edit(cloud.EditTag, ""))
		must(t, r, revoke, byID("sgr-tcp"))
		query := params("RegionId", "cn-hangzhou", "Tag.1.Key", cloud.ExemptTag, "Tag.1.Value", "true")
		if diff := cmp.Diff([]string{"sg-web"}, groupIDs(must(t, r, "DescribeSecurityGroups", query))); diff != "" {
			t.Errorf("tagged groups (-want +got):\n%s", diff)
		}
	})
	t.Run("the rules of the call are created again", func(t *testing.T) {
		r := startRevocable(t)
		setFaults(t, r, edit(cloud.EditRecreate, ""))
		before := len(ruleIDs(r, "sg-web"))
		if got := call(t, r, revoke, byID("sgr-tcp", "sgr-all")); got.code() != "InvalidSecurityGroupRule.RuleNotExist" {
			t.Errorf("got code %q", got.code())
		}
		if diff := cmp.Diff([]string{"sgr-all", "sgr-tcp"}, gone(r)); diff != "" || len(ruleIDs(r, "sg-web")) != before {
			t.Errorf("got %v; IDs that are gone (-want +got):\n%s", ruleIDs(r, "sg-web"), diff)
		}
		rules := r.Server.Rules("cn-hangzhou", "sg-web")
		if got := rules[len(rules)-2]; got.Peer != "0.0.0.0/0" || got.Description != "why" || got.Created != "2026-03-01T12:00:30Z" {
			t.Errorf("got %+v, want the first rule again", got)
		}
	})
	t.Run("the rules of the call are removed", func(t *testing.T) {
		r := startRevocable(t)
		setFaults(t, r, edit(cloud.EditRemove, ""))
		call(t, r, revoke, byID("sgr-tcp"))
		if diff := cmp.Diff([]string{"sgr-tcp"}, gone(r)); diff != "" || r.Server.Requests()[0].Effect {
			t.Errorf("effect on record %t; removed (-want +got):\n%s", r.Server.Requests()[0].Effect, diff)
		}
	})
	t.Run("one rule gets another description", func(t *testing.T) {
		r := startRevocable(t)
		setFaults(t, r, edit(cloud.EditDescription, "sgr-all"))
		must(t, r, revoke, byID("sgr-tcp"))
		if got := ruleByID(t, r, "sgr-all").Description; got != "why (edited)" {
			t.Errorf("got description %q", got)
		}
		if got := ruleByID(t, r, "sgr-late").Description; got != "" {
			t.Errorf("got description %q of another rule", got)
		}
	})
	t.Run("all rules become others before they are read", func(t *testing.T) {
		r := startRevocable(t)
		setFaults(t, r, edit(cloud.EditContent, ""))
		for _, want := range []string{"8443/8443", "9443/9443"} {
			for _, rule := range rulesOf(t, r, "sg-web") {
				if rule["PortRange"] != want || rule["IpProtocol"] != "TCP" || rule["PortRangeListId"] != "" {
					t.Errorf("got %v, want port %s of TCP", rule, want)
				}
			}
		}
		if diff := cmp.Diff([]string{}, gone(r)); diff != "" {
			t.Errorf("IDs that are gone (-want +got):\n%s", diff)
		}
	})
	t.Run("the group is deleted", func(t *testing.T) {
		r := startRevocable(t)
		setFaults(t, r, edit(cloud.EditDeleteGroup, ""))
		for range 2 {
			if got := call(t, r, revoke, byID("sgr-tcp")); got.code() != "InvalidSecurityGroupId.NotFound" {
				t.Errorf("got code %q", got.code())
			}
		}
		if got := call(t, r, revoke, with(byID("sgr-tcp"), "RegionId", "cn-x")).code(); got != "InvalidRegionId.NotFound" {
			t.Errorf("got code %q in an unknown region", got)
		}
	})
	t.Run("rules without an ID stay so", func(t *testing.T) {
		estate := &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou", Groups: []ecsemu.Group{
			{ID: "sg-web", Egress: []ecsemu.Rule{{NoID: true, Protocol: "all", Peer: "0.0.0.0/0"}}},
		}}}}
		r := ecsemu.Start(t, estate, atStoppedClock)
		setFaults(t, r, edit(cloud.EditRecreate, ""))
		if got := rulesOf(t, r, "sg-web"); len(got) != 1 || got[0]["SecurityGroupRuleId"] != "" {
			t.Errorf("got %v, want one rule without an ID", got)
		}
	})
}

func TestEditsOverHTTP(t *testing.T) {
	r := startRevocable(t)
	set := `[{"kind":"edit-before","edit":"remove","rule":"sgr-tcp","hits":0}]`
	status, body := control(t, r, http.MethodPost, "/_emulator/faults", set)
	if diff := cmp.Diff(set, body); status != 200 || diff != "" {
		t.Errorf("got %d (-want +got):\n%s", status, diff)
	}
	must(t, r, attributeAction, web())
	if diff := cmp.Diff([]string{"sgr-tcp"}, gone(r)); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
}

// TestEditsOfWhatIsNotThere has faults strike at calls about what they cannot edit: the answers are as without them.
func TestEditsOfWhatIsNotThere(t *testing.T) {
	r := startRevocable(t)
	setFaults(t, r,
		ecsemu.Fault{Kind: ecsemu.FaultEditAfter, Edit: cloud.EditRecreate, Times: 3},
		ecsemu.Fault{Kind: ecsemu.FaultEditAfter, Edit: cloud.EditTag, Times: 3},
		ecsemu.Fault{Kind: ecsemu.FaultEditBefore, Edit: cloud.EditRemove, Times: 3})
	for range 3 {
		for want, query := range map[string][]string{
			"InvalidSecurityGroupId.NotFound": {"SecurityGroupId", "sg-none"},
			"InvalidRegionId.NotFound":        {"RegionId", "cn-x"},
			"MissingParameter.RegionId":       {"RegionId", ""},
		} {
			if got := call(t, r, revoke, with(byID("sgr-tcp"), query...)).code(); got != want {
				t.Errorf("got code %q, want %q", got, want)
			}
		}
	}
	for _, fault := range r.Server.Faults() {
		if fault.Hits != 3 {
			t.Errorf("got %d hits of %s, want 3", fault.Hits, fault.Kind)
		}
	}
	if diff := cmp.Diff([]string{}, gone(r)); diff != "" {
		t.Errorf("rules that are gone (-want +got):\n%s", diff)
	}
}
