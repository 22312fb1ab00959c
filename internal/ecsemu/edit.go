package ecsemu

import (
	"fmt"
	"slices"
)

// Edit is what somebody else does to a group right before a call, as a fault of kind [FaultEditBefore] plays it.
type Edit string

// Edits. Those of rules apply to the fault's Rule; without one, to the rules that the call names by their IDs, or to all
// rules of the group if it names none.
const (
	// EditTag tags the group with ExemptTag.
	EditTag Edit = "tag"
	// EditDescription changes the description of rules, and so nothing that the cloud compares.
	EditDescription Edit = "description"
	// EditContent narrows rules down to one TCP port. They keep their IDs.
	EditContent Edit = "content"
	// EditRecreate removes rules and adds them again: they are as before, but have new IDs and creation times.
	EditRecreate Edit = "recreate"
	// EditRemove removes rules.
	EditRemove Edit = "remove"
	// EditDeleteGroup deletes the group.
	EditDeleteGroup Edit = "delete-group"
)

// ExemptTag is the key of the tag that EditTag sets; its value is true.
const ExemptTag = "egress-exempt"

func edits() []Edit {
	return []Edit{EditTag, EditDescription, EditContent, EditRecreate, EditRemove, EditDeleteGroup}
}

// validateEdit refuses an edit that would never happen.
func (f *Fault) validateEdit() error {
	if f.Kind == FaultEditBefore {
		if !slices.Contains(edits(), f.Edit) {
			return fmt.Errorf("the edit %q is unknown; known edits: %q", f.Edit, edits())
		}
		return nil
	}
	if f.Edit != "" || f.Rule != "" {
		return fmt.Errorf("the edit %q and the rule %q go with the kind %q only", f.Edit, f.Rule, FaultEditBefore)
	}
	return nil
}

// edit changes the group that a request is about, if it is there.
func (s *Server) edit(q *request, fault *armedFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.world.accounts[q.key.Account].regions[q.params.get("RegionId")]
	if r == nil {
		return
	}
	g := r.groups[q.params.get("SecurityGroupId")]
	if g == nil {
		return
	}
	twin := *g
	switch fault.Edit {
	case EditDeleteGroup:
		r.deleteGroup(g.ID)
		return
	case EditTag:
		twin.Tags = withTags(g.Tags, []tag{{key: ExemptTag, value: "true"}})
	case EditDescription, EditContent, EditRecreate, EditRemove:
		twin.Egress = s.editRules(g.Egress, fault, q.params.texts("SecurityGroupRuleId"))
	}
	r.putGroup(&twin)
}

// editRules gives the rules of a group as they are after an edit. What was created again comes last.
func (s *Server) editRules(rules []Rule, fault *armedFault, named []string) []Rule {
	if fault.Rule != "" {
		named = []string{fault.Rule}
	}
	kept, created := make([]Rule, 0, len(rules)), []Rule(nil)
	for _, rule := range rules {
		if len(named) > 0 && !slices.Contains(named, rule.ID) {
			kept = append(kept, rule)
			continue
		}
		switch fault.Edit {
		case EditRemove:
		case EditRecreate:
			rule.Created = ruleTime(s.clock().UTC())
			if !rule.NoID {
				rule.ID = s.ids.rule()
			}
			created = append(created, rule)
		case EditDescription:
			rule.Description += " (edited)"
			kept = append(kept, rule)
		case EditContent:
			kept = append(kept, rule.narrowed())
		case EditTag, EditDeleteGroup:
			// They are about the group.
		}
	}
	return append(kept, created...)
}

// narrowed gives a rule for one port instead of what it was for, which is never the port it had.
func (r *Rule) narrowed() Rule {
	twin := *r
	twin.Protocol, twin.PortList, twin.SourcePorts = "tcp", "", ""
	twin.Ports = "8443/8443"
	if r.Ports == twin.Ports {
		twin.Ports = "9443/9443"
	}
	return twin
}
