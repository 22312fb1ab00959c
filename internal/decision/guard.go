package decision

import (
	"fmt"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// NeverTag is the tag that protects a group by default, with the value [NeverValue].
const (
	NeverTag   = "egress-janitor"
	NeverValue = "never"
)

// Guards protect rules whatever the policies say. The zero value has the guards that are always on.
type Guards struct {
	ProtectedGroups []sg.Glob
	ProtectedNames  []sg.Glob
	ProtectedTags   map[string]sg.Glob
}

func managed(g *sg.Group) string {
	if g.ServiceManaged {
		return "the group belongs to a cloud service"
	}
	return ""
}

// protected says by what a group is protected, or nothing.
func (g *Guards) protected(group *sg.Group) string {
	matches := func(text string) func(sg.Glob) bool {
		return func(glob sg.Glob) bool { return glob.Match(text) }
	}
	switch {
	case slices.ContainsFunc(g.ProtectedGroups, matches(group.ID)):
		return "the config protects the group by its ID"
	case slices.ContainsFunc(g.ProtectedNames, matches(group.Name)):
		return "the config protects the group by its name"
	}
	for _, tag := range group.Tags {
		if tag.Key == NeverTag && tag.Value == NeverValue {
			return fmt.Sprintf("the group has the tag %s: %s", tag.Key, tag.Value)
		}
		if glob, named := g.ProtectedTags[tag.Key]; named && glob.Match(tag.Value) {
			return fmt.Sprintf("the config protects groups with the tag %s: %s", tag.Key, glob)
		}
	}
	return ""
}

// incomplete says what of the rule, or of what it depends on, was not read whole.
func incomplete(f *Finding) string {
	switch {
	case f.Incomplete != "":
		return f.Incomplete
	case f.Rule.Destination.Kind == sg.FromList && f.Rule.Destination.List == nil:
		return fmt.Sprintf("the prefix list %s was not read", f.Rule.Destination.Text)
	case f.Rule.PortListID != "" && f.Rule.PortList == nil:
		return fmt.Sprintf("the port list %s was not read", f.Rule.PortListID)
	}
	return ""
}

func withoutID(r *sg.Rule, flatForm bool) string {
	switch {
	case r.ID != "":
		return ""
	case !flatForm:
		return "the cloud gave no rule ID, and only an ID names a rule beyond doubt; " +
			"accounts[].revoke-without-rule-id allows the other form"
	case r.PortListID != "":
		return "the cloud gave no rule ID, and the form without one has no field for the port list " + r.PortListID
	}
	return ""
}

// maxPriority is the last priority that the API lets a rule be created with.
// Source: AuthorizeSecurityGroupEgress, parameter Priority.
const maxPriority = 100

// notRestorable says why the rule could not be created again, should its revocation have been wrong.
func notRestorable(f *Finding) string {
	switch {
	case f.Rule.Priority > maxPriority:
		return fmt.Sprintf("priority %d is over %d, with which no rule can be created today", f.Rule.Priority, maxPriority)
	case f.Rule.Destination.Kind == sg.PeerGroup && f.Group.Type == sg.TypeEnterprise:
		return "no rule with a destination group can be created in an advanced group today"
	case f.Rule.Destination.Kind == sg.PeerGroup && f.Rule.Destination.Text == f.Group.ID && f.Rule.Destination.Owner == "":
		return "no rule can be created today whose destination is its own group"
	case f.PeerGone:
		return fmt.Sprintf("the destination group %s does not exist any more", f.Rule.Destination.Text)
	}
	return ""
}
