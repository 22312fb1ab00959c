package cloud

import "slices"

// Edit is what somebody else does to a group right before a call, as faults play it.
type Edit string

// Edits.
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

// Edits gives all of them.
func Edits() []Edit {
	return []Edit{EditTag, EditDescription, EditContent, EditRecreate, EditRemove, EditDeleteGroup}
}

// Change is an edit to one group.
type Change struct {
	Edit                   Edit
	Account, Region, Group string
	// Rules are the IDs of the rules that are edited, of either direction. None are all of one direction.
	Rules   []string
	Ingress bool // That direction is ingress.
}

// edits tells whether a change is about rules of a direction.
func (change *Change) edits(d direction) bool {
	return len(change.Rules) > 0 || change.Ingress == (d == ingress)
}

// Edit changes a group, if it is there.
func (c *Cloud) Edit(change Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.world.region(change.Account, change.Region)
	if r == nil || r.groups[change.Group] == nil {
		return
	}
	defer c.noteChanges(change.Account, change.Region)
	g := r.groups[change.Group]
	twin := *g
	switch change.Edit {
	case EditDeleteGroup:
		r.deleteGroup(g.ID)
		return
	case EditTag:
		twin.Tags = withTags(g.Tags, []tag{{key: ExemptTag, value: "true"}})
	case EditDescription, EditContent, EditRecreate, EditRemove:
		for _, d := range []direction{egress, ingress} {
			if change.edits(d) {
				twin = *d.with(&twin, c.editRules(d.rules(g), change))
			}
		}
	}
	r.putGroup(&twin)
}

// editRules gives the rules of a group as they are after an edit. What was created again comes last.
func (c *Cloud) editRules(rules []Rule, change Change) []Rule {
	kept, created := make([]Rule, 0, len(rules)), []Rule(nil)
	for _, rule := range rules {
		if len(change.Rules) > 0 && !slices.Contains(change.Rules, rule.ID) {
			kept = append(kept, rule)
			continue
		}
		switch change.Edit {
		case EditRemove:
		case EditRecreate:
			rule.Created = ruleTime(c.clock().UTC())
			if !rule.NoID {
				rule.ID = c.ids.rule()
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

// Held gives the group of a change as it is now; nil if it is not there.
func (c *Cloud) Held(change Change) *Group {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if r := c.world.region(change.Account, change.Region); r != nil {
		return r.groups[change.Group]
	}
	return nil
}

// PutBack adds those rules again that a group held before and has not any more. They are as they were, but have new IDs
// and creation times.
func (c *Cloud) PutBack(change Change, before *Group) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.world.region(change.Account, change.Region)
	if r == nil || r.groups[change.Group] == nil || before == nil {
		return
	}
	defer c.noteChanges(change.Account, change.Region)
	g := r.groups[change.Group]
	for _, d := range []direction{egress, ingress} {
		gone := slices.DeleteFunc(slices.Clone(d.rules(before)), func(rule Rule) bool {
			return slices.ContainsFunc(d.rules(g), func(there Rule) bool { return there.ID == rule.ID })
		})
		g = d.with(g, append(slices.Clone(d.rules(g)), c.editRules(gone, Change{Edit: EditRecreate})...))
	}
	r.putGroup(g)
}

// Owner gives what calls as the account itself are made with.
func (c *Cloud) Owner(account string) *Credential {
	return &Credential{Account: account, holder: &principal{kind: accountItself, account: account}}
}

// ForgetToken forgets what was done with the ClientToken of a call.
func (c *Cloud) ForgetToken(q *Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := c.era.tokenKey(q.Caller.Account, q.Action, q.Params)
	if _, known := c.tokens.done[key]; known {
		delete(c.tokens.done, key)
		c.tokens.order = slices.DeleteFunc(c.tokens.order, func(other tokenKey) bool { return other == key })
	}
}
