package decision

import "github.com/egress-janitor/egress-janitor/internal/reach"

// foresee finds out of which findings a policy that goes by effects would have nothing to do with, were all grace over.
// Their clocks do not run. It asks nothing if no policy goes by effects.
func (d *decider) foresee() {
	prospective := make([]bool, len(d.Findings))
	asked := false
	for i := range d.Findings {
		for p, near := range d.ranks[i] {
			prospective[i] = prospective[i] || near == rankCandidate
			asked = asked || d.goesByEffect(i, p)
		}
	}
	if !asked {
		return
	}
	effects, _ := d.effects(prospective)
	d.outlook = make([]rank, len(d.Findings))
	for i := range d.Findings {
		d.outlook[i] = rankCandidate
		if _, near, left := onlyIf(effects[i]); left {
			d.outlook[i] = near
		}
	}
}

// goesByEffect tells whether a policy with `only-if: closes` would get as far as asking for it.
func (d *decider) goesByEffect(i, p int) bool {
	return d.Findings[i].Violations[p].Policy.OnlyIfCloses && d.ranks[i][p] > rankEffectUnknown
}

// effects asks for effects; without anybody to ask, none is known.
func (d *decider) effects(batch []bool) ([]*reach.Effect, []Batch) {
	if d.Reach == nil {
		return make([]*reach.Effect, len(d.Findings)), nil
	}
	return d.Reach.Effects(d.Findings, batch)
}

// reach gives the findings and batches their effects, and has the policies that go by these leave alone what closes
// nothing.
func (d *decider) reach() {
	d.Batches = nil
	if len(d.Findings) == 0 {
		return
	}
	batch := make([]bool, len(d.Findings))
	for i := range d.Findings {
		batch[i] = d.Findings[i].Decision.Batch
	}
	var effects []*reach.Effect
	effects, d.Batches = d.effects(batch)
	for i := range d.Findings {
		f := &d.Findings[i]
		f.Effect = effects[i]
		verdict, near, left := onlyIf(f.Effect)
		if !left {
			continue
		}
		for p := range f.Violations {
			if d.goesByEffect(i, p) {
				f.Decision.Policies[p], d.ranks[i][p] = verdict, near
			}
		}
	}
}

// onlyIf gives the verdict of `only-if: closes` on an effect, if it leaves the rule alone.
func onlyIf(e *reach.Effect) (verdict Verdict, near rank, left bool) {
	switch {
	case e == nil:
		return Verdict{
			Action: Hold, Reason: ReasonEffectUnknown, Detail: "what removing it would close was not computed",
		}, rankEffectUnknown, true
	case e.Class == reach.Unknown:
		return Verdict{Action: Hold, Reason: ReasonEffectUnknown, Detail: e.Sentence()}, rankEffectUnknown, true
	case e.Class == reach.None || e.Class == reach.Opens:
		return Verdict{Action: Report, Reason: ReasonNoEffect, Detail: e.Sentence()}, rankNoEffect, true
	}
	return Verdict{}, 0, false
}
