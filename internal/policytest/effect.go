package policytest

import (
	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// onlyRule computes what removing the rule of a test does, as if its group had no other. It implements [decision.Reach].
type onlyRule struct {
	group *sg.Group
	rule  *sg.Rule
}

// Effects implements [decision.Reach].
func (o *onlyRule) Effects(findings []decision.Finding, batch []bool) ([]*reach.Effect, []decision.Batch) {
	effect := reach.Compile(o.group, []sg.Rule{*o.rule}, reach.Options{}).Effect(nil, []int{0})
	if !batch[0] {
		return []*reach.Effect{effect}, nil
	}
	return []*reach.Effect{effect}, []decision.Batch{{Group: findings[0].Group, Effect: effect}}
}
