package cloud

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// maxRuleIDs is how many rules one request may name by their IDs.
const maxRuleIDs = 100

// revokeEgress removes rules of one group, which a request names in one of three ways: by SecurityGroupRuleId.N, by
// Permissions.N, or by the parts of one rule at the top level. What does not match a rule by its parts is left out
// without a word, in either era; see [MissingRule] for IDs. Whether the cloud does a part of a request that it
// refuses is not documented; here it is all or nothing.
func revokeEgress(c *call) (any, error) {
	g, err := c.changeableGroup()
	if err != nil {
		return nil, err
	}
	var doomed map[int]bool
	if ids := c.ruleIDs(); len(ids) > 0 {
		doomed, err = c.rulesByID(g, ids)
	} else {
		doomed, err = c.rulesByContent(g)
	}
	if err != nil {
		return nil, err
	}
	if len(doomed) > 0 {
		twin := *g
		twin.Egress = make([]Rule, 0, len(g.Egress)-len(doomed))
		for i := range g.Egress {
			if !doomed[i] {
				twin.Egress = append(twin.Egress, g.Egress[i])
			}
		}
		c.putGroup(&twin)
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

// ruleIDs gives the list of IDs of a request. Before rules had IDs, it was an unknown parameter, and so ignored.
func (c *call) ruleIDs() []wire.Element {
	if c.era.NoRuleIDs {
		return nil
	}
	return c.params.List("SecurityGroupRuleId")
}

// rulesByID gives where in a group the rules with some IDs are. A rule of another group is as good as none.
//
// That IDs may not come along with Permissions is documented, the code for it is not quite: the one here is said to be
// for Permissions along with any other parameter. What IDs do along with the parts of a rule is not documented; here
// they are refused, so that no client gets away with it.
func (c *call) rulesByID(g *Group, ids []wire.Element) (map[int]bool, error) {
	if len(c.params.List("Permissions")) > 0 {
		return nil, wire.Refuse(wire.CodePermissions)
	}
	if hasFlatRule(c.params) || ids[len(ids)-1].Index > maxRuleIDs {
		return nil, wire.Refuse(wire.CodeRuleIDs)
	}
	found, seen := make(map[int]bool, len(ids)), make(map[string]bool, len(ids))
	for _, e := range ids {
		id := e.Fields.Get("")
		if id == "" {
			return nil, wire.Refuse(wire.CodeRuleIDs)
		}
		if seen[id] {
			return nil, wire.Refuse(wire.CodeRuleIDTwice)
		}
		seen[id] = true
		at := slices.IndexFunc(g.Egress, func(r Rule) bool { return r.ID == id })
		switch {
		case at >= 0:
			found[at] = true
		case !looksLikeID(id, "sgr-"):
			return nil, wire.Refuse(wire.CodeRuleIDs)
		case !c.era.missingSucceeds():
			return nil, wire.Refuse(wire.CodeRuleNotExist)
		}
	}
	return found, nil
}

// rulesByContent gives where in a group the rules are whose parts a request gives. What they lead to is looked at only
// if there is no such rule, as a rule must be removable when its destination is gone.
//
// The older documents have two more codes for rules that are not there (InvalidNicType.Mismatch and
// InvalidGroupAuthItem.NotFound), and say at the same time that the call succeeds; here it does.
func (c *call) rulesByContent(g *Group) (map[int]bool, error) {
	asked, err := c.readRules(g)
	if err != nil {
		return nil, err
	}
	found := map[int]bool{}
	for i := range asked {
		content, there := asked[i].content(c.account.id), false
		for at := range g.Egress {
			if g.Egress[at].content(c.account.id) == content {
				found[at], there = true, true
			}
		}
		if there {
			continue
		}
		if err := c.checkReferences(g, &asked[i]); err != nil {
			return nil, err
		}
	}
	return found, nil
}
