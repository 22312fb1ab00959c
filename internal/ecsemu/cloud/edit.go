package cloud

import "slices"

// Edit is what somebody else does to a group right before a call, as faults play it.
type Edit string

// Edits. Those of rules are of egress rules.
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
	// Rules are the IDs of the rules that are edited; none are all of the group.
	Rules []string
}

// Edit changes a group, if it is there.
func (c *Cloud) Edit(change Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.world.accounts[change.Account]
	if a == nil || a.regions[change.Region] == nil {
		return
	}
	r := a.regions[change.Region]
	g := r.groups[change.Group]
	if g == nil {
		return
	}
	defer c.noteChanges(change.Account, change.Region)
	twin := *g
	switch change.Edit {
	case EditDeleteGroup:
		r.deleteGroup(g.ID)
		return
	case EditTag:
		twin.Tags = withTags(g.Tags, []tag{{key: ExemptTag, value: "true"}})
	case EditDescription, EditContent, EditRecreate, EditRemove:
		twin.Egress = c.editRules(g.Egress, change)
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

// EgressOf gives the egress rules that a group of any account has now; nil if it is not there.
func (c *Cloud) EgressOf(account, region, group string) []Rule {
	c.mu.RLock()
	defer c.mu.RUnlock()
	a := c.world.accounts[account]
	if a == nil || a.regions[region] == nil || a.regions[region].groups[group] == nil {
		return nil
	}
	return slices.Clone(a.regions[region].groups[group].Egress)
}

// PutBack adds those of some rules again that a group has not any more. They are as they were, but have new IDs and
// creation times.
func (c *Cloud) PutBack(change Change, before []Rule) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.world.accounts[change.Account]
	if a == nil || a.regions[change.Region] == nil {
		return
	}
	r := a.regions[change.Region]
	g := r.groups[change.Group]
	if g == nil {
		return
	}
	defer c.noteChanges(change.Account, change.Region)
	there := map[string]bool{}
	for i := range g.Egress {
		there[g.Egress[i].ID] = true
	}
	gone := slices.DeleteFunc(slices.Clone(before), func(rule Rule) bool { return there[rule.ID] })
	twin := *g
	twin.Egress = append(slices.Clone(g.Egress), c.editRules(gone, Change{Edit: EditRecreate})...)
	r.putGroup(&twin)
}

// Owner gives what calls as the account itself are made with.
func (c *Cloud) Owner(account string) *Credential {
	return &Credential{Account: account, holder: &principal{kind: accountItself, account: account}}
}

// ForgetToken forgets what was done with the ClientToken of a call.
func (c *Cloud) ForgetToken(q *Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := tokenKey{account: q.Caller.Account, action: q.Action.Name, token: q.Params.Get("ClientToken")}
	if q.Action.Regional {
		key.region = q.Params.Get("RegionId")
	}
	if _, known := c.tokens.done[key]; known {
		delete(c.tokens.done, key)
		c.tokens.order = slices.DeleteFunc(c.tokens.order, func(other tokenKey) bool { return other == key })
	}
}
