package cloud

import (
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// authorize adds rules to a group. An answer names no IDs. Whether the cloud does a part of a request that it refuses is
// not documented; here it is all or nothing, unless [Era.PartialAuthorize] says otherwise.
func (d direction) authorize(c *call) (any, error) {
	g, err := c.changeableGroup()
	if err != nil {
		return nil, err
	}
	asked, bad := c.readRules(d, authorizing, g)
	atOnce := len(asked)
	if c.era.PartialAuthorize {
		atOnce = 1
	} else if bad != nil {
		return nil, bad
	}
	for part := range slices.Chunk(asked, max(atOnce, 1)) {
		if g, err = d.add(c, g, part); err != nil {
			return nil, err
		}
	}
	if bad != nil {
		return nil, bad
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

// add adds those rules to a group that it does not have yet, all of them or none, and gives the group as it is then.
func (d direction) add(c *call, g *Group, asked []permission) (*Group, error) {
	known := c.contents(d.rules(g))
	added := make([]Rule, 0, len(asked))
	for i := range asked {
		if err := asked[i].checkReferences(); err != nil {
			return nil, err
		}
		if rule := asked[i].rule; len(known[c.content(&rule)]) == 0 {
			added = append(added, rule)
		}
	}
	if len(added) == 0 {
		return g, nil
	}
	twin := d.with(g, append(slices.Clone(d.rules(g)), added...))
	if err := c.checkLimits(g, twin, authorizing); err != nil {
		return nil, err
	}
	fresh := d.rules(twin)[len(d.rules(g)):]
	for i := range fresh {
		fresh[i].ID = c.ids.rule()
		fresh[i].Created = ruleTime(c.now)
	}
	c.putGroup(twin)
	return twin, nil
}

func ruleTime(now time.Time) string { return now.Format(time.RFC3339) }

// changeableGroup finds the group a request is about, if the account may change its rules.
func (c *call) changeableGroup() (*Group, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	if g.Managed {
		return nil, wire.Refuse(wire.CodeManaged)
	}
	return g, nil
}
