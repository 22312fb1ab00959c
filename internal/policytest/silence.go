package policytest

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/egress-janitor/egress-janitor/policy"
)

// Silence is why a policy that a test wanted to object did not, or why an exception did not apply.
type Silence struct {
	Name string // of the policy or exception
	Why  string
}

// maxSilences bounds what a failed test says of policies that it does not name.
const maxSilences = 3

// silences explains, for a test that failed, what it wanted and did not get: of the policies that it names those without
// an objection, of all policies if none objects, and of the exception that it names if that does not apply.
func silences(want *expectation, got *Outcome, e *policy.Explanation) []Silence {
	exception, _ := strings.CutPrefix(want.decision, exempt)
	var list []Silence
	for i := range e.Policies {
		j := &e.Policies[i]
		if _, named := want.policies[j.Policy.Name]; j.Violation == nil &&
			(named || want.policies == nil && got.Decision == None && len(list) < maxSilences) {
			list = append(list, Silence{Name: j.Policy.Name, Why: "no objection, since " + decides(&j.Groups, &j.Match)})
		}
		if exception == want.decision || j.Violation == nil {
			continue
		}
		for k := range j.Exceptions {
			if x := &j.Exceptions[k]; x.Exception.Name == exception && x.Applies != policy.True {
				list = append(list, Silence{Name: exception, Why: "does not apply, since " + notApplied(x)})
			}
		}
	}
	return list
}

func notApplied(x *policy.ExceptionExplanation) string {
	if x.Expired {
		return "it has ended"
	}
	return decides(&x.Groups, &x.Match)
}

// decides names the first thing that is not true.
func decides(groups *policy.ScopeExplanation, match *policy.Node) string {
	for _, key := range groups.Keys {
		if groups.In != policy.True && key.Truth != policy.True {
			return fmt.Sprintf("%s %s is %s of the group, which has %s (%s)",
				key.Key, key.Asks, key.Truth, cmp.Or(key.Has, "none"), groups.Pos)
		}
	}
	node := match
	for next := firstUntrue(node); next != nil; next = firstUntrue(node) {
		node = next
	}
	text := strings.TrimSpace(node.Key + " " + node.Asks)
	if node.Has != "" {
		text += fmt.Sprintf(" is %s of the rule, which has %s", node.Truth, node.Has)
	} else {
		text += fmt.Sprintf(" is %s", node.Truth)
	}
	if node.Why != "" {
		text += ": " + node.Why
	}
	return fmt.Sprintf("%s (%s)", text, node.Pos)
}

// firstUntrue is the first of several that must all hold and does not; nil if the node itself decides.
func firstUntrue(n *policy.Node) *policy.Node {
	if n.Key != "" && n.Key != "all" {
		return nil
	}
	for i := range n.Children {
		if n.Children[i].Truth != policy.True {
			return &n.Children[i]
		}
	}
	return nil
}
