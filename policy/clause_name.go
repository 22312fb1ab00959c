package policy

import (
	"fmt"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// nameClause asks for destinations that are a group or a prefix list with certain IDs. Of other kinds of destination it
// is false. The owner of a group is not looked at: the IDs of another account's groups are IDs like any other.
type nameClause struct {
	kind  sg.DestinationKind
	globs []sg.Glob
	text  string // as written, for people; cut when long
}

func (c *nameClause) eval(p *probe) value {
	d := &p.rule.Destination
	if d.Kind == sg.NoDestination {
		return unread
	}
	return truth(d.Kind == c.kind && slices.ContainsFunc(c.globs, func(g sg.Glob) bool { return g.Match(d.Text) }))
}

// key is the key of a policy file that makes such a clause.
func (c *nameClause) key() string {
	if c.kind == sg.PeerGroup {
		return "destination-group"
	}
	return "prefix-list"
}

func (c *nameClause) because(p *probe) string {
	return fmt.Sprintf("destination %s matches %s %s", destinationText(p.rule), c.key(), c.text)
}

func (c *nameClause) canonical() string {
	names := make([]string, len(c.globs))
	for i, g := range c.globs {
		names[i] = fmt.Sprintf("%q", g)
	}
	return c.key() + " " + sortedList(names)
}
