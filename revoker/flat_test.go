package revoker_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// flat makes the n-th rule without an ID.
func flat(n int) sg.Rule {
	r := rule(n)
	f := r.Fields()
	f.ID = ""
	return sg.NewRule(&f)
}

func TestRulesWithoutIDsAreRevokedOneByOneByTheirFields(t *testing.T) {
	c := revokingRules(flat(0), rule(1), flat(2), rule(3))
	settled(t, c)
	var sizes []int
	for _, call := range c.sends {
		sizes = append(sizes, len(call.Carries))
	}
	if diff := cmp.Diff([]int{2, 1, 1}, sizes); diff != "" || len(c.rules) != 0 {
		t.Errorf("rules of calls (-want +got), with %d left:\n%s", len(c.rules), diff)
	}
}

func TestRulesWithoutIDsThatCannotBeNamedAreLeftAlone(t *testing.T) {
	other := func(apply func(*sg.Fields)) sg.Rule {
		r := flat(0)
		f := r.Fields()
		apply(&f)
		return sg.NewRule(&f)
	}
	tests := []struct {
		name   string
		listed []sg.Rule
		want   revoker.Outcome
	}{
		{"a twin was created later, and the rule is gone", []sg.Rule{
			other(func(f *sg.Fields) { f.Created = "2026-01-01T00:00:00Z" }),
		}, revoker.AlreadyAbsent},
		{"a twin is there, too", []sg.Rule{
			flat(0), other(func(f *sg.Fields) { f.Created = "2026-01-01T00:00:00Z" }),
		}, revoker.Failed},
		{"its description changed", []sg.Rule{other(func(f *sg.Fields) { f.Description = "new" })}, revoker.Changed},
		{"it has an ID now", []sg.Rule{other(func(f *sg.Fields) { f.ID = "sgr-9" })}, revoker.Changed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := revokingRules(flat(0))
			c.rules = test.listed
			settled(t, c)
			if v := c.journal.revocations[0]; v.Outcome != test.want || len(c.sends) != 0 {
				t.Errorf("got %s (%s) after %d calls, want %s after none", v.Outcome, v.Detail, len(c.sends), test.want)
			}
		})
	}
}
