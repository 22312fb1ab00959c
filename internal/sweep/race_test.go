package sweep_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// restless is an account that people edit at the very moments at which it is read: a group just before its attributes
// or its rules are listed.
type restless struct {
	*estate
	draw func(label string, n int) int
}

func (r *restless) Group(ctx context.Context, region sg.Region, id string) (sg.Group, bool, error) {
	switch r.draw("edit of the group", 8) {
	case 0:
		r.add(id, []sg.Tag{{Key: "keep", Value: ""}})
	case 1:
		r.add(id, nil)
	case 2:
		delete(r.groups, id)
	}
	return r.estate.Group(ctx, region, id)
}

func (r *restless) Rules(ctx context.Context, region sg.Region, group, nic, token string) (sg.Page[sg.Rule], error) {
	rules := r.rules[group]
	switch at := r.draw("edit of the rules", 10); {
	case at < 3 && at < len(rules):
		r.rules[group] = slices.Delete(slices.Clone(rules), at, at+1)
	case at == 4 && len(rules) > 0: // delete, and create with the same content
		to := rules[0].Destination.Text
		r.rules[group] = slices.Clone(rules[1:])
		r.create(group, to)
	case at == 5 && len(rules) > 0:
		rules = slices.Clone(rules)
		rules[0].Description += "!"
		r.rules[group] = rules
	case at == 6:
		r.create(group, "198.51.100.9/32")
	case at == 7:
		r.create(group, "10.0.0.0/8")
	}
	return r.estate.Rules(ctx, region, group, nic, token)
}

// TestNothingIsRemovedThatMustNotBeWhenItIsSent has people edit while sweeps decide and settle, and checks at the moment of
// each call that every rule in it is the one that was decided on and still violates.
func TestNothingIsRemovedThatMustNotBeWhenItIsSent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		b.terms.Limits.PerWindow = 1_000
		cloud := &restless{estate: b.cloud, draw: func(label string, n int) int { return rapid.IntRange(0, n-1).Draw(rt, label) }}
		for _, group := range []string{"sg-1", "sg-2"} {
			b.cloud.add(group, nil, "198.51.100.1/32", "198.51.100.2/32", "10.0.0.0/8")
		}
		b.cloud.refuse = func(call *revoker.Call) *revoker.Answer {
			checkCall(rt, b, call)
			switch rapid.IntRange(0, 5).Draw(rt, "fate") {
			case 0:
				return &revoker.Answer{State: revoker.CallUnknown, Class: sg.ClassTransient, At: b.clock}
			case 1:
				return &revoker.Answer{State: revoker.CallRefused, Class: sg.ClassGone, Code: "gone", At: b.clock}
			}
			return nil
		}
		b.cloud.after = func(_ *revoker.Call, answer *revoker.Answer) {
			if rapid.Bool().Draw(rt, "answer lost") {
				*answer = revoker.Answer{State: revoker.CallUnknown, Class: sg.ClassTransient, At: b.clock}
			}
		}
		o := b.options()
		o.Groups, o.Rules = cloud, cloud
		b.sweep("dry-run")
		for range rapid.IntRange(1, 4).Draw(rt, "rounds") {
			b.sweep("")
			if _, err := sweep.Settle(t.Context(), o); err != nil && !strings.Contains(err.Error(), "reading group") {
				rt.Fatal(err)
			}
		}
	})
}

// checkCall checks I1, I2 and that the rules may go, at the moment at which a call arrives.
func checkCall(t *rapid.T, b *bench, call *revoker.Call) {
	work, err := b.store.Open(b.t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	g := b.cloud.groups[call.Ref.Group]
	if _, kept := g.Tag("keep"); kept {
		t.Fatalf("a call was sent for group %s, which is exempt", g.ID)
	}
	for _, p := range call.Parameters {
		if !strings.HasPrefix(p.Name, "SecurityGroupRuleId.") {
			continue
		}
		intent := openRevocation(work, p.Value)
		if intent == nil {
			t.Fatalf("a call was sent for %s, of which no revocation is open", p.Value)
		}
		at := slices.IndexFunc(b.cloud.rules[g.ID], func(r sg.Rule) bool { return r.ID == p.Value })
		if at < 0 {
			continue // gone meanwhile: harmless
		}
		r := &b.cloud.rules[g.ID][at]
		if r.Fingerprint() != intent.Rule.Fingerprint() || !strings.HasPrefix(r.Destination.Text, "198.51.100.") {
			t.Fatalf("a call was sent for %s, which is not the rule that was decided on", p.Value)
		}
	}
}

func openRevocation(work []revoker.Work, rule string) *revoker.Revocation {
	for i := range work {
		for j := range work[i].Revocations {
			if v := &work[i].Revocations[j]; v.Rule.ID == rule {
				return v
			}
		}
	}
	return nil
}
