package revoker_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/revoker"
)

func TestNewCallRefusesWhatTheCloudWould(t *testing.T) {
	tests := []struct {
		name              string
		id, region, group string
		rules             []string
		want              string
	}{
		{"no ID", "", "cn-a", "sg-1", []string{"r"}, "call without an ID"},
		{"no region", "c1", "", "sg-1", []string{"r"}, "call c1: no region"},
		{"no group", "c1", "cn-a", "", []string{"r"}, "call c1: no group"},
		{"no rules", "c1", "cn-a", "sg-1", nil, "call c1: 0 rules, expected 1 to 100"},
		{"a rule too many", "c1", "cn-a", "sg-1", ruleIDs(101), "call c1: 101 rules, expected 1 to 100"},
		{"a rule without an ID", "c1", "cn-a", "sg-1", []string{"r", ""}, "call c1: rule 2 of 2 has no ID"},
		{"a rule twice", "c1", "cn-a", "sg-1", []string{"r", "s", "r"}, "call c1: rule r twice"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := revoker.NewCall(test.id, test.region, test.group, test.rules)
			if err == nil || err.Error() != test.want {
				t.Errorf("got error %v, want %s", err, test.want)
			}
		})
	}
	if _, err := revoker.NewCall("c1", "cn-a", "sg-1", ruleIDs(100)); err != nil {
		t.Errorf("100 rules are refused: %v", err)
	}
}

func TestParametersAreExactlyTheRequest(t *testing.T) {
	call, err := revoker.NewCall("c1", "cn-hangzhou", "sg-1", []string{"sgr-b", "sgr-a"})
	if err != nil {
		t.Fatal(err)
	}
	want := []revoker.Parameter{
		{Name: "RegionId", Value: "cn-hangzhou"},
		{Name: "SecurityGroupId", Value: "sg-1"},
		{Name: "SecurityGroupRuleId.1", Value: "sgr-b"},
		{Name: "SecurityGroupRuleId.2", Value: "sgr-a"},
		{Name: "ClientToken", Value: call.ClientToken()},
	}
	if diff := cmp.Diff(want, call.Parameters()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

func TestNewCallKeepsItsOwnRules(t *testing.T) {
	rules := []string{"sgr-a", "sgr-b"}
	call, err := revoker.NewCall("c1", "cn-a", "sg-1", rules)
	if err != nil {
		t.Fatal(err)
	}
	before := call.ClientToken()
	rules[0] = "sgr-c"
	if call.ClientToken() != before {
		t.Error("the call changed with the caller's list")
	}
}

func TestSplitMakesTheFewestCallsInTheOrderGiven(t *testing.T) {
	for _, test := range []struct{ rules, calls int }{
		{0, 0}, {1, 1}, {99, 1}, {100, 1}, {101, 2}, {200, 2}, {201, 3}, {1000, 10},
	} {
		t.Run(strconv.Itoa(test.rules)+" rules", func(t *testing.T) {
			next := 0
			newID := func() string { next++; return fmt.Sprintf("call-%d", next) }
			batch := revoker.Batch{Region: "cn-a", Group: "sg-1", Rules: ruleIDs(test.rules)}
			calls, err := revoker.Split(batch, newID)
			if err != nil {
				t.Fatal(err)
			}
			var sent, ids []string
			for _, call := range calls {
				if len(call.Rules) == 0 || call.Region != "cn-a" || call.Group != "sg-1" {
					t.Errorf("odd call %+v", call)
				}
				sent, ids = append(sent, call.Rules...), append(ids, call.ID)
			}
			if len(calls) != test.calls || !slices.Equal(sent, batch.Rules) {
				t.Errorf("got %d calls with %d rules, want %d with all in order", len(calls), len(sent), test.calls)
			}
			if slices.Sort(ids); len(slices.Compact(ids)) != len(calls) {
				t.Errorf("calls share IDs: %v", ids)
			}
		})
	}
}

func TestSplitRefusesARuleInTwoCalls(t *testing.T) {
	rules := ruleIDs(150)
	rules[149] = rules[0] // each call alone would be good
	_, err := revoker.Split(revoker.Batch{Region: "cn-a", Group: "sg-1", Rules: rules}, func() string { return "c" })
	if want := "splitting the batch of group sg-1: rule sgr-0 twice"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	rules[149] = ""
	_, err = revoker.Split(revoker.Batch{Region: "cn-a", Group: "sg-1", Rules: rules}, func() string { return "c" })
	if err == nil || !strings.Contains(err.Error(), "has no ID") {
		t.Errorf("a rule without an ID: got error %v", err)
	}
}

func TestSplitSendsEveryRuleOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batch := revoker.Batch{Region: "cn-a", Group: "sg-1", Rules: ruleIDs(rapid.IntRange(0, 450).Draw(t, "rules"))}
		next := 0
		calls, err := revoker.Split(batch, func() string { next++; return strconv.Itoa(next) })
		if err != nil {
			t.Fatal(err)
		}
		var sent []string
		tokens := map[string]bool{}
		for _, call := range calls {
			sent = append(sent, call.Rules...)
			tokens[call.ClientToken()] = true
		}
		if !slices.Equal(sent, batch.Rules) {
			t.Fatalf("sent %d rules of %d", len(sent), len(batch.Rules))
		}
		if want := (len(batch.Rules) + 99) / 100; len(calls) != want || len(tokens) != want {
			t.Fatalf("%d calls with %d tokens, want %d", len(calls), len(tokens), want)
		}
	})
}

func TestOutcomesAreAllDistinct(t *testing.T) {
	want := []revoker.Outcome{"confirmed", "already_absent", "changed", "withdrawn", "failed"}
	if diff := cmp.Diff(want, revoker.Outcomes()); diff != "" {
		t.Errorf("outcomes, which stores and reports have written down (-want +got):\n%s", diff)
	}
}

func ruleIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("sgr-%d", i)
	}
	return ids
}
