package cloud

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// maxRuleIDs is how many rules one request may name by their IDs.
const maxRuleIDs = 100

// revoke removes rules of one group, which a request names in one of three ways: by SecurityGroupRuleId.N, by
// Permissions.N, or by the parts of one rule at the top level. What does not match a rule by its parts is left out
// without a word, unless [Era.MissingParts] says otherwise; see [MissingRule] for IDs. Whether the cloud does a part of
// a request that it refuses is not documented; here it is all or nothing, unless [Era.PartialRevoke] says otherwise.
func (d direction) revoke(c *call) (any, error) {
	g, err := c.changeableGroup()
	if err != nil {
		return nil, err
	}
	var doomed map[int]bool
	if ids := c.ruleIDs(); len(ids) > 0 {
		doomed, err = d.rulesByID(c, g, ids)
	} else {
		doomed, err = d.rulesByContent(c, g)
	}
	if err != nil && !c.era.PartialRevoke {
		return nil, err
	}
	if len(doomed) > 0 {
		old := d.rules(g)
		left := make([]Rule, 0, len(old)-len(doomed))
		for i := range old {
			if !doomed[i] {
				left = append(left, old[i])
			}
		}
		c.putGroup(d.with(g, left))
	}
	if err != nil {
		return nil, err
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

// ruleIDs gives the list of IDs of a request. Before rules had IDs, it was an unknown parameter, and so ignored.
func (c *call) ruleIDs() []wire.Element {
	if c.era.NoRuleIDs {
		return nil
	}
	return listed(c.params, "SecurityGroupRuleId")
}

// rulesByID gives where in a group the rules with some IDs are; with an error, those before the bad one. A rule of another
// group, or of the other direction, is as good as none.
//
// That IDs may not come along with Permissions is documented, the code for it is not quite: the one here is said to be
// for Permissions along with any other parameter. What IDs do along with the parts of a rule is not documented; here
// they are refused, so that no client gets away with it, unless [Era.RuleIDsWin] says otherwise.
func (d direction) rulesByID(c *call, g *Group, ids []wire.Element) (map[int]bool, error) {
	if len(listed(c.params, "Permissions")) > 0 {
		return nil, wire.Refuse(wire.CodePermissions)
	}
	if d.hasFlatRule(c.params) && !c.era.RuleIDsWin || ids[len(ids)-1].Index > maxRuleIDs {
		return nil, wire.Refuse(wire.CodeRuleIDs)
	}
	rules := d.rules(g)
	found, seen := make(map[int]bool, len(ids)), make(map[string]bool, len(ids))
	for _, e := range ids {
		id := e.Fields.Get("")
		if seen[id] {
			return found, wire.Refuse(wire.CodeRuleIDTwice)
		}
		seen[id] = true
		at := slices.IndexFunc(rules, func(r Rule) bool { return id != "" && r.ID == id })
		switch {
		case at >= 0:
			found[at] = true
		case !looksLikeID(id, "sgr-"):
			return found, wire.Refuse(wire.CodeRuleIDs)
		case !c.era.missingSucceeds():
			return found, wire.Refuse(wire.CodeRuleNotExist)
		}
	}
	return found, nil
}

// rulesByContent gives where in a group the rules are whose parts a request gives; with an error, those before the bad
// one. What they have as their peer is looked at only if there is no such rule, as a rule must be removable when its peer
// is gone.
func (d direction) rulesByContent(c *call, g *Group) (map[int]bool, error) {
	asked, bad := c.readRules(d, revoking, g)
	if bad != nil && !c.era.PartialRevoke {
		return nil, bad
	}
	known := c.contents(d.rules(g))
	found := map[int]bool{}
	for i := range asked {
		places := known[c.content(&asked[i].rule)]
		for _, at := range places {
			found[at] = true
		}
		if len(places) > 0 {
			continue
		}
		if err := asked[i].checkReferences(); err != nil {
			return found, err
		}
		if c.era.missingPartsFail() {
			return found, c.noSuchRule(&asked[i].rule, known)
		}
	}
	return found, bad
}

// noSuchRule refuses the revocation of a rule by its parts. The first two codes are in the older tables, the last one
// is what was observed in 2026.
func (c *call) noSuchRule(rule *Rule, known map[Rule][]int) error {
	twin := c.content(rule)
	for _, nic := range []string{NicInternet, NicIntranet} {
		if twin.NIC = nic; len(known[twin]) > 0 {
			return wire.Refuse(wire.CodeNICMismatch)
		}
	}
	if rule.destination() == toGroup {
		return wire.Refuse(wire.CodeGroupItemNotFound)
	}
	return wire.Refuse(wire.CodeRuleNotExist)
}
