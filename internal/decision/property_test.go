package decision_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// drawn is a whole decision to be taken.
type drawn struct {
	terms   *decision.Terms
	subject *decision.Subject
	state   *decision.State
}

// rarely is true in about one of eight draws: with all objections at once nothing would ever be revoked.
func rarely(t *rapid.T, name string) bool { return rapid.IntRange(0, 7).Draw(t, name) == 0 }

func draw(t *rapid.T) drawn {
	d := drawn{terms: drawTerms(t), subject: &decision.Subject{
		Rules: rapid.SampledFrom([]int{0, 99, 100, 250}).Draw(t, "rules"), Complete: !rarely(t, "partly"), Now: noon(100),
	}}
	policies := drawPolicies(t)
	groups := drawGroups(t)
	for range rapid.IntRange(1, 12).Draw(t, "findings") {
		d.subject.Findings = append(d.subject.Findings, drawFinding(t, groups, policies))
	}
	d.state = drawState(t, d.subject, policies)
	if rapid.IntRange(0, 3).Draw(t, "again") == 0 {
		d.subject.Again = &decision.Again{
			Elsewhere:         rapid.IntRange(0, 3).Draw(t, "elsewhere"),
			ElsewhereByPolicy: map[string]int{"p0": rapid.IntRange(0, 3).Draw(t, "elsewhere by p0")},
		}
	}
	return d
}

func drawTerms(t *rapid.T) *decision.Terms {
	few := func(name string) int { return rapid.SampledFrom([]int{0, 1, 2, 3, 5, 8, 100, 100, 100}).Draw(t, name) }
	terms := &decision.Terms{
		Limits: decision.Limits{
			PerGroup: few("per-group"), PerSweep: few("per-sweep"), Percent: few("percent"), PerWindow: few("per-window"),
		},
		MayAct: !rarely(t, "audit"), FlatForm: rapid.Bool().Draw(t, "flat"),
	}
	if rarely(t, "paused by file") {
		terms.Paused = "by file"
	}
	if rarely(t, "protects") {
		terms.ProtectedGroups = []sg.Glob{"sg-0"}
	}
	return terms
}

func drawPolicies(t *rapid.T) []*policy.Policy {
	policies := make([]*policy.Policy, 3)
	for i := range policies {
		name := fmt.Sprintf("p%d", i)
		few := func(limit string) int { return rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, name+limit) }
		policies[i] = revoking(func(p *policy.Policy) {
			p.Name = name
			p.Grace = days(rapid.SampledFrom([]int{0, 3, 10}).Draw(t, name+" grace"))
			p.Limits = policy.Limits{PerSweep: few(" per sweep"), PerGroup: few(" per group")}
			p.AllowOpening = rarely(t, name+" allows opening")
			p.KeepCollateral = rapid.Bool().Draw(t, name+" keeps collateral")
			if rapid.IntRange(0, 3).Draw(t, name+" has a baseline") == 0 {
				p.Baseline = noon(rapid.SampledFrom([]int{50, 60}).Draw(t, name+" baseline"))
			}
			if rarely(t, name+" reports") {
				p.Action = policy.Report
			}
		})
	}
	return policies
}

func drawGroups(t *rapid.T) []*sg.Group {
	groups := make([]*sg.Group, 3)
	for i := range groups {
		groups[i] = &sg.Group{ID: fmt.Sprintf("sg-%d", i), ServiceManaged: rarely(t, "managed")}
		if rarely(t, "never") {
			groups[i].Tags = []sg.Tag{{Key: decision.NeverTag, Value: decision.NeverValue}}
		}
	}
	return groups
}

func drawFinding(t *rapid.T, groups []*sg.Group, policies []*policy.Policy) decision.Finding {
	// Few contents and few IDs, so that rules of one content and of one key occur.
	port := rapid.IntRange(1, 4).Draw(t, "port")
	f := candidate(func(f *decision.Finding) {
		f.Group = rapid.SampledFrom(groups).Draw(t, "group")
		f.Rule.ID = fmt.Sprintf("sgr-%d-%d", port, rapid.IntRange(1, 3).Draw(t, "id"))
		f.Rule.Raw.PortRange = fmt.Sprintf("%d/%d", port, port)
		f.PeerGone = rarely(t, "peer gone")
		f.Violations = nil
	})
	if !rarely(t, "no time of creation") {
		f.Rule.Created = noon(rapid.SampledFrom([]int{49, 50, 55, 60, 61}).Draw(t, "created"))
	}
	if rarely(t, "incomplete") {
		f.Incomplete = "page 2"
	}
	if rarely(t, "unreadable") {
		f.Rule.Unreadable = "ports"
	}
	if rarely(t, "no ID") {
		f.Rule.ID = ""
	}
	if rarely(t, "drop") {
		f.Rule.Action = sg.Drop
	}
	for _, p := range policies {
		if len(f.Violations) > 0 && rapid.Bool().Draw(t, p.Name+" objects") {
			continue
		}
		v := policy.Violation{Policy: p, InvalidExpiry: rarely(t, "expiry"), Collateral: rarely(t, "collateral")}
		if rarely(t, "stale") {
			v.Stale = "its contents are old"
		}
		if rarely(t, "exempt") {
			v.Exempt = &policy.Exception{Name: "x"}
		}
		if rarely(t, "unsure") {
			v.Unsure = &policy.Exception{Name: "x"}
		}
		f.Violations = append(f.Violations, v)
	}
	return *f
}

func drawState(t *rapid.T, s *decision.Subject, policies []*policy.Policy) *decision.State {
	if rarely(t, "no store") {
		return nil
	}
	state := knowing(func(state *decision.State) {
		state.Reported = !rarely(t, "new policies")
		state.Window = rapid.IntRange(0, 4).Draw(t, "window")
		if rarely(t, "paused by command") {
			state.Paused = "by command"
		}
	})
	for i := range s.Findings {
		content := contentOf(&s.Findings[i])
		state.Past[content] = decision.Past{
			Revocations: rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3}).Draw(t, "revocations"),
			HeldUntil:   noon(rapid.SampledFrom([]int{-1000, -1000, 96, 100, 101}).Draw(t, "held until")),
		}
		if rapid.Bool().Draw(t, "seen") {
			state.FirstSeen[content] = noon(rapid.SampledFrom([]int{49, 50, 55, 60, 61}).Draw(t, "first seen"))
		}
		if rapid.IntRange(0, 3).Draw(t, "open") == 0 {
			state.Open[ruleOf(&s.Findings[i])] = true
		}
		for _, p := range policies {
			drawClock(t, state, decision.ClockKey{ContentRef: content, Policy: p.Name})
		}
	}
	s.Present = map[decision.ContentRef]bool{}
	for i := range 2 {
		content := decision.ContentRef{Group: "sg-0", Key: fmt.Sprintf("away-%d", i)}
		drawClock(t, state, decision.ClockKey{ContentRef: content, Policy: "p0"})
		s.Present[content] = rapid.Bool().Draw(t, "present")
	}
	return state
}

func drawClock(t *rapid.T, state *decision.State, key decision.ClockKey) {
	if rapid.IntRange(0, 3).Draw(t, "no clock") == 0 {
		return
	}
	state.Clocks[key] = decision.Clock{
		Since:    noon(rapid.SampledFrom([]int{60, 90, 95, 97, 98, 101}).Draw(t, "since")),
		LastSeen: noon(rapid.SampledFrom([]int{69, 70, 99, 99, 99, 101}).Draw(t, "last seen")),
		Sweeps:   rapid.IntRange(1, 4).Draw(t, "sweeps"),
	}
}

// decide takes the decision on copies of what it must not change.
func (d drawn) decide() ([]decision.Finding, map[decision.ClockKey]decision.Clock) {
	s := *d.subject
	s.Findings = slices.Clone(d.subject.Findings)
	clocks := d.terms.Decide(&s, d.state)
	return s.Findings, clocks
}

// TestEveryDecisionIsThatOfTheOracle holds decisions and clocks against a second reading of the same text, which is
// written without regard to cost.
func TestEveryDecisionIsThatOfTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		before := snapshot(d.state)
		findings, clocks := d.decide()
		want := oracle{d}
		for i := range findings {
			got := findings[i].Decision
			if got.String() != want.decision(i) {
				t.Fatalf("finding %d: got %s (%s), want %s", i, got, got.Detail, want.decision(i))
			}
			if got.Open != want.open(i) {
				t.Fatalf("finding %d, which is %s: open is %t", i, got, got.Open)
			}
		}
		if diff := cmp.Diff(want.clocks(), clocks); diff != "" {
			t.Fatalf("clocks (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(before, snapshot(d.state)); diff != "" {
			t.Fatalf("the decision changed the state (-before +after):\n%s", diff)
		}
	})
}

func TestTheOrderOfFindingsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		order := rapid.Permutation(indices(len(d.subject.Findings))).Draw(t, "order")
		shuffled := *d.subject
		shuffled.Findings = nil
		for _, i := range order {
			shuffled.Findings = append(shuffled.Findings, d.subject.Findings[i])
		}
		forth, clocks := d.decide()
		back, clocksBack := drawn{d.terms, &shuffled, d.state}.decide()
		for to, from := range order {
			if diff := cmp.Diff(forth[from].Decision, back[to].Decision); diff != "" {
				t.Fatalf("finding %d (-in order +shuffled):\n%s", from, diff)
			}
		}
		if diff := cmp.Diff(clocks, clocksBack); diff != "" {
			t.Fatalf("clocks (-in order +shuffled):\n%s", diff)
		}
	})
}

func TestASmallerLimitNeverAddsARevocation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		before, _ := d.decide()
		smaller := *d.terms
		for _, limit := range []*int{
			&smaller.Limits.PerGroup, &smaller.Limits.PerSweep, &smaller.Limits.Percent, &smaller.Limits.PerWindow,
		} {
			*limit = rapid.IntRange(0, *limit).Draw(t, "smaller")
		}
		shrinkPolicies(t, d.subject)
		after, _ := drawn{&smaller, d.subject, d.state}.decide()
		for i := range after {
			if after[i].Decision.Action == decision.Revoke && before[i].Decision.Action != decision.Revoke {
				t.Fatalf("finding %d was %s, and is to be revoked under smaller limits", i, before[i].Decision)
			}
		}
	})
}

// shrinkPolicies makes limits of policies smaller. No limit at all, which is zero, is the largest.
func shrinkPolicies(t *rapid.T, s *decision.Subject) {
	smaller := map[*policy.Policy]*policy.Policy{}
	for i := range s.Findings {
		violations := slices.Clone(s.Findings[i].Violations)
		for j := range violations {
			old := violations[j].Policy
			if smaller[old] == nil {
				p := *old
				for _, limit := range []*int{&p.Limits.PerSweep, &p.Limits.PerGroup} {
					if rapid.Bool().Draw(t, "shrink") {
						*limit = rapid.IntRange(1, max(1, *limit)).Draw(t, "smaller")
					}
				}
				smaller[old] = &p
			}
			violations[j].Policy = smaller[old]
		}
		s.Findings[i].Violations = violations
	}
}

// TestNothingWithAnObjectionIsRevoked is the safety property in words of its own, apart from the oracle.
func TestNothingWithAnObjectionIsRevoked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		findings, clocks := d.decide()
		for i := range findings {
			f := &findings[i]
			if f.Decision.Action != decision.Revoke {
				continue
			}
			switch never := f.Group.Tags != nil; {
			case f.Group.ServiceManaged, never, f.Incomplete != "", f.Rule.Unreadable != "", f.PeerGone,
				f.Rule.ID == "" && !d.terms.FlatForm:
				t.Fatalf("finding %d is to be revoked in spite of a guard", i)
			case !slices.ContainsFunc(f.Violations, func(v policy.Violation) bool {
				return unopposed(&v, f) && !(oracle{d}).spared(i, v.Policy) && (d.state == nil || v.Policy.Grace == 0 ||
					d.terms.MayAct && clocks[decision.ClockKey{ContentRef: contentOf(f), Policy: v.Policy.Name}].Sweeps >= 3)
			}):
				t.Fatalf("finding %d is to be revoked, and no policy asks for it now", i)
			case d.state == nil:
				continue
			}
			past := d.state.Past[contentOf(f)]
			if d.state.Paused != "" || d.terms.Paused != "" || !d.state.Reported || past.Revocations >= 3 ||
				d.subject.Now.Before(past.HeldUntil) {
				t.Fatalf("finding %d is to be revoked in spite of the store", i)
			}
		}
	})
}

func unopposed(v *policy.Violation, f *decision.Finding) bool {
	return v.Exempt == nil && v.Unsure == nil && v.Policy.Action == policy.Revoke && !v.InvalidExpiry && v.Stale == "" &&
		(f.Rule.Action != sg.Drop || v.Policy.AllowOpening) && (!v.Collateral || !v.Policy.KeepCollateral)
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
