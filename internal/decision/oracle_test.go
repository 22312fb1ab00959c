package decision_test

import (
	"maps"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/policy"
)

func days(n int) time.Duration { return time.Duration(n) * day }

func snapshot(s *decision.State) *decision.State {
	if s == nil {
		return nil
	}
	c := *s
	c.Clocks, c.Past, c.Open = maps.Clone(s.Clocks), maps.Clone(s.Past), maps.Clone(s.Open)
	c.FirstSeen = maps.Clone(s.FirstSeen)
	return &c
}

// oracle is a second reading of how decisions are made. It keeps nothing and asks everything anew.
type oracle struct{ drawn }

func (o oracle) finding(i int) *decision.Finding { return &o.subject.Findings[i] }

func (o oracle) past(c decision.ContentRef) decision.Past { return o.state.Past[c] }

// intact is the clock as the store has it, if it may still be believed.
func (o oracle) intact(key decision.ClockKey) (decision.Clock, bool) {
	clock, ok := o.state.Clocks[key]
	held := o.past(key.ContentRef).HeldUntil
	if !ok || o.subject.Now.After(clock.LastSeen.Add(days(30))) || held.After(clock.Since) || held.After(o.subject.Now) {
		return decision.Clock{}, false
	}
	return clock, true
}

// spared tells whether a rule is older than the baseline of a policy, or might be.
func (o oracle) spared(i int, p *policy.Policy) bool {
	f := o.finding(i)
	before := func(at time.Time) bool { return !at.IsZero() && p.Baseline.After(at) }
	switch {
	case p.Baseline.IsZero():
		return false
	case f.Rule.Created.IsZero() || before(f.Rule.Created):
		return true
	}
	return o.state != nil && before(o.state.FirstSeen[contentOf(f)])
}

// doubted tells whether a stale set is what a policy stumbles over.
func doubted(v *policy.Violation) bool {
	return v.Stale != "" && v.Exempt == nil && v.Unsure == nil && v.Policy.Action == policy.Revoke && !v.InvalidExpiry
}

// reaches lists what the findings of a clock say: whether one gets as far as grace in a group that was read whole, and
// whether one of them was not read whole or judged by a set that is in doubt.
func (o oracle) reaches(key decision.ClockKey) (found, runs, torn bool) {
	for i := range o.subject.Findings {
		f := o.finding(i)
		for j := range f.Violations {
			v := &f.Violations[j]
			if contentOf(f) != key.ContentRef || v.Policy.Name != key.Policy {
				continue
			}
			found = true
			torn = torn || (f.Incomplete != "" || doubted(v)) && v.Policy.Grace > 0
			runs = runs || f.Incomplete == "" && unopposed(v, f) && !o.spared(i, v.Policy) && v.Policy.Grace > 0
		}
	}
	return found, runs, torn
}

// clock is a clock after the sweep.
func (o oracle) clock(key decision.ClockKey) (decision.Clock, bool) {
	clock, intact := o.intact(key)
	if o.subject.Again != nil {
		clock, intact = o.state.Clocks[key]
		return clock, intact
	}
	if !o.terms.MayAct {
		return decision.Clock{}, false
	}
	found, runs, torn := o.reaches(key)
	switch {
	case runs && o.past(key.ContentRef).HeldUntil.After(o.subject.Now):
		return decision.Clock{}, false
	case runs:
		if !intact {
			clock = decision.Clock{Since: o.subject.Now}
		}
		clock.LastSeen = o.subject.Now
		if o.subject.Complete {
			clock.Sweeps++
		}
		return clock, true
	case torn:
		return clock, intact
	case found || o.subject.Present[key.ContentRef]:
		return decision.Clock{}, false
	}
	return clock, intact
}

func (o oracle) clocks() map[decision.ClockKey]decision.Clock {
	if o.state == nil {
		return nil
	}
	clocks := map[decision.ClockKey]decision.Clock{}
	add := func(key decision.ClockKey) {
		if clock, ok := o.clock(key); ok {
			clocks[key] = clock
		}
	}
	for key := range o.state.Clocks {
		add(key)
	}
	for i := range o.subject.Findings {
		f := o.finding(i)
		for j := range f.Violations {
			add(decision.ClockKey{ContentRef: contentOf(f), Policy: f.Violations[j].Policy.Name})
		}
	}
	return clocks
}

func (o oracle) waits(i int, p *policy.Policy) bool {
	if o.state == nil || p.Grace == 0 {
		return false
	}
	key := decision.ClockKey{ContentRef: contentOf(o.finding(i)), Policy: p.Name}
	clock, runs := o.clock(key)
	if o.subject.Again != nil {
		clock, runs = o.intact(key)
	}
	return !o.terms.MayAct || !runs || clock.Sweeps < 3 || clock.Since.Add(p.Grace).After(o.subject.Now)
}

func (o oracle) candidate(i, j int) bool {
	v := &o.finding(i).Violations[j]
	return unopposed(v, o.finding(i)) && !o.spared(i, v.Policy) && !o.waits(i, v.Policy)
}

// verdict of one policy, and its place in the order of the design.
func (o oracle) verdict(i, j int) (text string, place int) {
	f := o.finding(i)
	v := &f.Violations[j]
	switch {
	case v.Exempt != nil:
		return "exempt: x", 1
	case v.Unsure != nil:
		return "hold: exception-unknown", 2
	case v.Policy.Action == policy.Report:
		return "report: policy", 3
	case v.InvalidExpiry:
		return "report: invalid-expiry", 4
	case v.Stale != "":
		return "hold: stale-set", 5
	case f.Rule.Action == "drop" && !v.Policy.AllowOpening:
		return "hold: drop-rule", 6
	case v.Collateral && v.Policy.KeepCollateral:
		return "hold: collateral", 7
	case o.spared(i, v.Policy):
		return "report: baseline", 8
	case o.waits(i, v.Policy):
		return "pending: grace", 9
	}
	return "candidate", 10
}

// unlimited is the decision before limits.
func (o oracle) unlimited(i int) string {
	headline, nearest := "", 0
	for j := range o.finding(i).Violations {
		if text, place := o.verdict(i, j); place > nearest {
			headline, nearest = text, place
		}
	}
	f := o.finding(i)
	switch never, named := f.Group.Tags != nil, o.terms.ProtectedGroups != nil && f.Group.ID == "sg-0"; {
	case headline != "candidate":
		return headline
	case f.Group.ServiceManaged:
		return "skip: managed"
	case never || named:
		return "skip: protected"
	case f.Incomplete != "":
		return "skip: incomplete"
	case f.Rule.Unreadable != "":
		return "skip: unreadable"
	case f.Rule.ID == "" && !o.terms.FlatForm:
		return "hold: no-rule-id"
	case f.PeerGone:
		return "hold: not-restorable"
	case o.state == nil:
		return "revoke"
	case o.past(contentOf(f)).HeldUntil.After(o.subject.Now):
		return "hold: restored"
	case o.past(contentOf(f)).Revocations > 2:
		return "hold: recurring"
	case !o.state.Reported:
		return "hold: new-policy"
	case o.state.Paused+o.terms.Paused != "":
		return "hold: paused"
	}
	return "revoke"
}

func (o oracle) isOpen(i int) bool { return o.state != nil && o.state.Open[ruleOf(o.finding(i))] }

func (o oracle) open(i int) bool {
	return o.subject.Again == nil && o.isOpen(i) && o.decision(i) == "revoke"
}

// count is how many findings are charged that satisfy a condition.
func (o oracle) count(is func(i int) bool) int {
	n := 0
	for i := range o.subject.Findings {
		if o.unlimited(i) == "revoke" && o.isOpen(i) == (o.subject.Again != nil) && is(i) {
			n++
		}
	}
	return n
}

func (o oracle) decision(i int) string {
	before := o.unlimited(i)
	if before != "revoke" || o.isOpen(i) != (o.subject.Again != nil) {
		return before
	}
	again := decision.Again{}
	if o.subject.Again != nil {
		again = *o.subject.Again
	}
	group := o.finding(i).Group
	inGroup := func(k int) bool { return o.finding(k).Group.ID == group.ID }
	limits, all := o.terms.Limits, o.count(func(int) bool { return true })
	share := o.subject.Rules * limits.Percent / 100
	if share == 0 && limits.Percent > 0 {
		share = 1
	}
	switch {
	case o.count(inGroup) > limits.PerGroup:
		return "hold: limit per-group"
	case all+again.Elsewhere > limits.PerSweep:
		return "hold: limit per-sweep"
	case o.subject.Rules >= 100 && all+again.Elsewhere > share:
		return "hold: limit percent"
	case o.state != nil && o.subject.Again == nil && o.state.Window+all > limits.PerWindow,
		o.state != nil && o.subject.Again != nil && o.state.Window > limits.PerWindow:
		return "hold: limit per-window"
	}
	for j, v := range o.finding(i).Violations {
		if !o.candidate(i, j) {
			continue
		}
		charges := func(k int) bool {
			for j, other := range o.finding(k).Violations {
				if other.Policy.Name == v.Policy.Name {
					return o.candidate(k, j)
				}
			}
			return false
		}
		most := v.Policy.Limits
		if n := o.count(func(k int) bool { return inGroup(k) && charges(k) }); most.PerGroup > 0 && n > most.PerGroup {
			return "hold: limit policy-per-group"
		}
		if n := o.count(charges) + again.ElsewhereByPolicy[v.Policy.Name]; most.PerSweep > 0 && n > most.PerSweep {
			return "hold: limit policy-per-sweep"
		}
	}
	return "revoke"
}
