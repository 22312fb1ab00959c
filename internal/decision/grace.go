package decision

import (
	"fmt"
	"maps"
	"time"
)

const (
	// Absence is for how long a rule may be away before its clocks of grace start anew.
	Absence = 30 * 24 * time.Hour
	// GraceSweeps is how many complete sweeps, the present one included, must have seen a rule before its grace can
	// be over: the passing of time alone, or a clock that is wrong once, removes nothing.
	GraceSweeps = 3
)

// touch is what the findings of a sweep say about a clock of grace. Of two rules with the same content in one group,
// which share a clock, the later in this list counts: a twin cannot keep the clock of a rule from running.
type touch int

const (
	ends   touch = iota + 1 // the policy does not get as far as grace any more
	rests                   // the group was not read whole, a set is stale, or an effect unknown: nothing is known for sure
	passes                  // the policy would revoke
)

// runClocks gives the clocks as they are after the verdicts so far.
func (d *decider) runClocks() map[ClockKey]Clock {
	switch {
	case d.state == nil:
		return nil
	case d.Again != nil:
		return maps.Clone(d.state.Clocks)
	case !d.MayAct:
		return map[ClockKey]Clock{}
	}
	touched := d.touches()
	clocks := map[ClockKey]Clock{}
	for key, clock := range d.state.Clocks {
		what, found := touched[key]
		kept := what == rests || !found && !d.Present[key.ContentRef]
		if kept && d.counts(key, clock) {
			clocks[key] = clock
		}
	}
	for key, what := range touched {
		if what == passes && !d.Now.Before(d.state.Past[key.ContentRef].HeldUntil) {
			clocks[key] = d.tick(key)
		}
	}
	return clocks
}

// touches says what the findings mean for each clock. A policy without grace needs none.
func (d *decider) touches() map[ClockKey]touch {
	touched := map[ClockKey]touch{}
	for i := range d.Findings {
		f := &d.Findings[i]
		for p := range f.Violations {
			what := ends
			switch {
			case f.Violations[p].Policy.Grace <= 0:
			case incomplete(f) != "", d.ranks[i][p] == rankStaleSet:
				what = rests
			case d.outlook != nil && d.goesByEffect(i, p) && d.outlook[i] == rankNoEffect:
				// It would close nothing, so nobody was warned of anything that is going to be closed.
			case d.outlook != nil && d.goesByEffect(i, p) && d.outlook[i] == rankEffectUnknown:
				what = rests
			case d.ranks[i][p] == rankCandidate:
				what = passes
			}
			key := d.clockKey(i, p)
			touched[key] = max(touched[key], what)
		}
	}
	return touched
}

func (d *decider) clockKey(i, p int) ClockKey {
	return ClockKey{ContentRef: d.contents[i], Policy: d.Findings[i].Violations[p].Policy.Name}
}

// tick gives a clock after a sweep in which the policy would revoke. Its beginning never moves, whatever the time of
// day does meanwhile: if that jumps backwards, the grace only becomes longer.
func (d *decider) tick(key ClockKey) Clock {
	clock, running := d.state.Clocks[key]
	if !running || !d.counts(key, clock) {
		clock = Clock{Since: d.Now}
	}
	clock.LastSeen = d.Now
	if d.Complete {
		clock.Sweeps++
	}
	return clock
}

// counts tells whether a clock of the state still stands: the rule was not away for too long, and not restored since
// it began.
func (d *decider) counts(key ClockKey, clock Clock) bool {
	held := d.state.Past[key.ContentRef].HeldUntil
	return d.Now.Sub(clock.LastSeen) <= Absence && !d.Now.Before(held) && !clock.Since.Before(held)
}

// grace tells whether a policy that would revoke has to wait, and gives its verdict then.
func (d *decider) grace(i, p int, clocks map[ClockKey]Clock) (verdict Verdict, waits bool) {
	grace := d.Findings[i].Violations[p].Policy.Grace
	if d.state == nil || grace <= 0 {
		return Verdict{}, false
	}
	wait := Verdict{Action: Pending, Reason: ReasonGrace}
	key := d.clockKey(i, p)
	clock, running := clocks[key]
	switch {
	case !d.MayAct:
		wait.Until = d.Now.Add(grace)
		wait.Detail = fmt.Sprintf("the %s of grace begin when the mode lets something be revoked", span(grace))
	case !running || !d.counts(key, clock):
		begin := d.Now
		if held := d.state.Past[key.ContentRef].HeldUntil; held.After(begin) {
			begin = held
		}
		wait.Until = begin.Add(grace)
		wait.Detail = fmt.Sprintf("%s of grace from %s on", span(grace), stamp(begin))
	case d.Now.Before(clock.Since.Add(grace)):
		wait.Until = clock.Since.Add(grace)
		wait.Detail = fmt.Sprintf("%s of grace since %s", span(grace), stamp(clock.Since))
	case clock.Sweeps < GraceSweeps:
		wait.Until = clock.Since.Add(grace)
		wait.Detail = fmt.Sprintf("%s of grace are over, but only %d complete sweeps have seen it, and %d must",
			span(grace), clock.Sweeps, GraceSweeps)
	default:
		return Verdict{}, false
	}
	return wait, true
}
