package revoker

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// NewRevokeCalls makes the fewest calls that carry all of some revocations of one group, in the order given: one for
// each [MaxRulesPerCall] or part of it. All rules must have IDs, which is the only form that cannot hit another rule,
// and be distinct, or two calls would work on one rule. No revocations make no calls. newID must give a new ID at every
// call of it.
//
// Source: RevokeSecurityGroupEgress, parameter SecurityGroupRuleId.N.
func NewRevokeCalls(newID func() string, ref sg.GroupRef, revocations []Revocation) ([]Call, error) {
	seen := make(map[string]bool, len(revocations))
	for i := range revocations {
		v := &revocations[i]
		switch {
		case v.Ref != ref:
			return nil, fmt.Errorf("calls for group %s: revocation %s is of group %s", ref.Group, v.ID, v.Ref.Group)
		case v.Rule.ID == "":
			return nil, fmt.Errorf("calls for group %s: the rule of revocation %s has no ID", ref.Group, v.ID)
		case seen[v.Rule.ID]:
			return nil, fmt.Errorf("calls for group %s: rule %s twice", ref.Group, v.Rule.ID)
		}
		seen[v.Rule.ID] = true
	}
	var calls []Call
	for chunk := range slices.Chunk(revocations, MaxRulesPerCall) {
		call, err := newCall(newID(), ActionRevoke, ref)
		if err != nil {
			return nil, err
		}
		for i := range chunk {
			call.Carries = append(call.Carries, chunk[i].ID)
			call.add("SecurityGroupRuleId."+strconv.Itoa(i+1), chunk[i].Rule.ID)
		}
		calls = append(calls, call)
	}
	return calls, nil
}

// NewFlatCall makes the call that removes a rule which has no ID, in the form of the API from before IDs: the cloud
// looks for a rule with these fields. Every field is sent, since for omitted ones the cloud assumes its defaults, and
// might hit another rule. An error says why the rule cannot be named this way.
//
// Source: RevokeSecurityGroupEgress, page of 2021.
func NewFlatCall(id string, v *Revocation) (Call, error) {
	call, err := newCall(id, ActionRevoke, v.Ref)
	if err != nil {
		return Call{}, err
	}
	switch {
	case v.Rule.ID != "":
		return Call{}, fmt.Errorf("call %s: rule %s has an ID, which names it better than its fields", id, v.Rule.ID)
	case v.Rule.NICType == "":
		return Call{}, fmt.Errorf("call %s: the rule has no NIC type, and the cloud would assume one", id)
	}
	if err := call.addFields(&v.Rule, ""); err != nil {
		return Call{}, err
	}
	call.Carries = []string{v.ID}
	return call, nil
}

// maxPriority is the last priority that a call can name a rule with. Old rules of the cloud's own have 110.
// Source: AuthorizeSecurityGroupEgress and RevokeSecurityGroupEgress, parameter Priority.
const maxPriority = 100

// firstOfSeveral begins the names of the fields of a rule in the form of the API that carries several rules. It alone
// has a field for a port list; for all others the older form does, which every cloud understands.
//
// Source: AuthorizeSecurityGroupEgress, parameter Permissions.N.PortRangeListId.
const firstOfSeveral = "Permissions.1."

// NewRestoreCall makes the call that creates the rule of a restore. An error says why it cannot be created again.
//
// Source: AuthorizeSecurityGroupEgress.
func NewRestoreCall(id string, restore *Restore) (Call, error) {
	call, err := newCall(id, ActionAuthorize, restore.Ref)
	if err != nil {
		return Call{}, err
	}
	prefix := ""
	if restore.Rule.PortListID != "" {
		prefix = firstOfSeveral
	}
	if err := call.addFields(&restore.Rule, prefix); err != nil {
		return Call{}, err
	}
	if restore.Rule.Description != "" {
		call.add(prefix+"Description", restore.Rule.Description)
	}
	call.Carries = []string{restore.ID}
	return call, nil
}

func newCall(id, action string, ref sg.GroupRef) (Call, error) {
	switch {
	case id == "":
		return Call{}, errors.New("call without an ID")
	case strings.Contains(id, repeatMark):
		return Call{}, fmt.Errorf("call %s: the ID of a new call holds no %s", id, repeatMark)
	case ref.Region == "":
		return Call{}, fmt.Errorf("call %s: no region", id)
	case ref.Group == "":
		return Call{}, fmt.Errorf("call %s: no group", id)
	}
	call := Call{ID: id, Action: action, Ref: ref}
	call.add("RegionId", ref.Region)
	call.add("SecurityGroupId", ref.Group)
	return call, nil
}

func (c *Call) add(name, value string) {
	c.Parameters = append(c.Parameters, Parameter{Name: name, Value: value})
}

// addFields adds everything that makes a rule what it is, with exactly one destination: of several the cloud would
// silently ignore all but one. The order is fixed, for tokens depend on it. The prefix is that of the form: nothing, or
// [firstOfSeveral].
func (c *Call) addFields(r *sg.Rule, prefix string) error {
	switch {
	case r.Unreadable != "":
		return fmt.Errorf("call %s: the rule could not be understood whole: %s", c.ID, r.Unreadable)
	case r.Priority > maxPriority:
		return fmt.Errorf("call %s: the priority %d is over %d, which no call can name", c.ID, r.Priority, maxPriority)
	case r.PortListID != "" && prefix == "":
		return fmt.Errorf("call %s: the ports are those of the port list %s, which this form has no field for", c.ID, r.PortListID)
	}
	add := func(name, value string) { c.add(prefix+name, value) }
	optional := func(name, value string) {
		if value != "" {
			add(name, value)
		}
	}
	add("IpProtocol", strings.ToLower(r.Raw.Protocol))
	if r.PortListID != "" { // a range beside it would count for nothing
		add("PortRangeListId", r.PortListID)
	} else {
		add("PortRange", cmp.Or(r.Raw.PortRange, "-1/-1"))
	}
	optional("SourcePortRange", r.Raw.SourcePorts)
	optional("NicType", r.NICType)
	add("Policy", string(r.Action))
	add("Priority", strconv.Itoa(r.Priority))
	optional(ofFamily(r.Source.Text, "SourceCidrIp", "Ipv6SourceCidrIp"), r.Source.Text)
	switch r.Destination.Kind {
	case sg.CIDR4, sg.CIDR6:
		add(ofFamily(r.Destination.Text, "DestCidrIp", "Ipv6DestCidrIp"), r.Destination.Text)
	case sg.FromList:
		add("DestPrefixListId", r.Destination.Text)
	case sg.PeerGroup:
		add("DestGroupId", r.Destination.Text)
		optional(ownerParameter(r.Destination.Owner), r.Destination.Owner)
	case sg.NoDestination:
		return fmt.Errorf("call %s: the rule has no destination", c.ID)
	}
	return nil
}

// ofFamily chooses by how an address is written: an IPv4 block that is mapped into IPv6 is an IPv6 block to the cloud.
func ofFamily(address, v4, v6 string) string {
	if strings.Contains(address, ":") {
		return v6
	}
	return v4
}

// ownerParameter chooses by what names an account: its number, or its login. Listings give either in one field.
func ownerParameter(owner string) string {
	if _, err := strconv.ParseUint(owner, 10, 64); err != nil {
		return "DestGroupOwnerAccount"
	}
	return "DestGroupOwnerId"
}
