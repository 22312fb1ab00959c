package revoker

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// MaxRulesPerCall is how many rules one request can name.
// Source: RevokeSecurityGroupEgress, parameter SecurityGroupRuleId.N.
const MaxRulesPerCall = 100

// Call is one RevokeSecurityGroupEgress request: it names rules of one group by their IDs, which is the only form
// that cannot hit another rule. Make it with [NewCall]. A call is never changed; it is sent as it is, or not at all.
type Call struct {
	ID     string // unique among all calls ever made; never sent, but part of the token
	Region string
	Group  string
	Rules  []string
}

// NewCall makes a call for 1 to [MaxRulesPerCall] distinct rules, in the order given.
func NewCall(id, region, group string, rules []string) (Call, error) {
	switch {
	case id == "":
		return Call{}, errors.New("call without an ID")
	case region == "":
		return Call{}, fmt.Errorf("call %s: no region", id)
	case group == "":
		return Call{}, fmt.Errorf("call %s: no group", id)
	case len(rules) == 0 || len(rules) > MaxRulesPerCall:
		return Call{}, fmt.Errorf("call %s: %d rules, expected 1 to %d", id, len(rules), MaxRulesPerCall)
	}
	for i, rule := range rules {
		switch {
		case rule == "":
			return Call{}, fmt.Errorf("call %s: rule %d of %d has no ID", id, i+1, len(rules))
		case slices.Contains(rules[:i], rule):
			return Call{}, fmt.Errorf("call %s: rule %s twice", id, rule)
		}
	}
	return Call{ID: id, Region: region, Group: group, Rules: slices.Clone(rules)}, nil
}

// Parameter is one parameter of a request.
type Parameter struct {
	Name  string
	Value string
}

// Parameters are the parameters of the request in a fixed order, the ClientToken last. What every request carries
// (action, version, signature) is not among them.
func (c *Call) Parameters() []Parameter {
	return append(c.intent(), Parameter{Name: "ClientToken", Value: c.ClientToken()})
}

// intent is what the request asks for: all of its parameters but the token, which follows from them.
func (c *Call) intent() []Parameter {
	parameters := make([]Parameter, 0, len(c.Rules)+3)
	parameters = append(parameters,
		Parameter{Name: "RegionId", Value: c.Region},
		Parameter{Name: "SecurityGroupId", Value: c.Group},
	)
	for i, rule := range c.Rules {
		parameters = append(parameters, Parameter{Name: "SecurityGroupRuleId." + strconv.Itoa(i+1), Value: rule})
	}
	return parameters
}

// Batch is what [Split] makes calls of: any number of rules of one group.
type Batch struct {
	Region string
	Group  string
	Rules  []string
}

// Split makes the fewest calls that carry all rules of a batch, in the order given: one for each [MaxRulesPerCall] or
// part of it. newID must give a new ID at every call of it. A batch without rules makes no calls. Rules must be
// distinct over the whole batch, or two calls would work on one rule.
func Split(batch Batch, newID func() string) ([]Call, error) {
	seen := make(map[string]bool, len(batch.Rules))
	for _, rule := range batch.Rules {
		if seen[rule] {
			return nil, fmt.Errorf("splitting the batch of group %s: rule %s twice", batch.Group, rule)
		}
		seen[rule] = true
	}
	var calls []Call
	for rules := range slices.Chunk(batch.Rules, MaxRulesPerCall) {
		call, err := NewCall(newID(), batch.Region, batch.Group, rules)
		if err != nil {
			return nil, fmt.Errorf("splitting the batch of group %s: %w", batch.Group, err)
		}
		calls = append(calls, call)
	}
	return calls, nil
}
