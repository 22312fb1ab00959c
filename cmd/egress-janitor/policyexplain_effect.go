package main

import (
	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// effectAlone is what removing a rule alone does within its group.
func effectAlone(group *sg.Group, rules []sg.Rule, rule *sg.Rule, incomplete string) *reach.Effect {
	for i := range rules {
		if &rules[i] == rule {
			return reach.Compile(group, rules, reach.Options{Only: []int{i}, Incomplete: incomplete}).Effect(nil, []int{i})
		}
	}
	return nil
}

// onlyEffect is the effect of the one finding there is. It implements [decision.Reach].
type onlyEffect struct{ effect *reach.Effect }

// Effects implements [decision.Reach].
func (o onlyEffect) Effects(findings []decision.Finding, batch []bool) ([]*reach.Effect, []decision.Batch) {
	if !batch[0] {
		return []*reach.Effect{o.effect}, nil
	}
	return []*reach.Effect{o.effect}, []decision.Batch{{Group: findings[0].Group, Effect: o.effect}}
}
