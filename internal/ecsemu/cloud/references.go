package cloud

import (
	"maps"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// maxReferenceIDs is how many groups DescribeSecurityGroupReferences takes.
const maxReferenceIDs = 10

type referencesResponse struct {
	RequestID               string `json:"RequestId"`
	SecurityGroupReferences struct {
		SecurityGroupReference []referenceElement `json:"SecurityGroupReference"`
	} `json:"SecurityGroupReferences"`
}

type referenceElement struct {
	SecurityGroupID           string `json:"SecurityGroupId"`
	ReferencingSecurityGroups struct {
		ReferencingSecurityGroup []referencingElement `json:"ReferencingSecurityGroup"`
	} `json:"ReferencingSecurityGroups"`
}

type referencingElement struct {
	SecurityGroupID string `json:"SecurityGroupId"`
	AliUID          any    `json:"AliUid"` // The account: a number, as accounts are told elsewhere.
}

// describeSecurityGroupReferences tells what other groups, of whichever account, have rules about groups. Groups that no
// other has rules about are left out; no document says how those are told.
func describeSecurityGroupReferences(c *call) (any, error) {
	ids := c.params.Texts("SecurityGroupId")
	if len(ids) == 0 || len(ids) > maxReferenceIDs {
		return nil, wire.Refusef(wire.CodeGroupID,
			"The specified parameter SecurityGroupId is essential and size should less than 10")
	}
	slices.Sort(ids)
	response := &referencesResponse{RequestID: c.requestID}
	response.SecurityGroupReferences.SecurityGroupReference = []referenceElement{}
	for _, id := range slices.Compact(ids) {
		if c.region.groups[id] == nil {
			if !looksLikeID(id, "sg-") {
				return nil, wire.Refuse(wire.CodeGroupID)
			}
			return nil, wire.Refusef(wire.CodeGroupNotFound, "The SecurityGroupId provided does not exist in our records.")
		}
		found := c.referencing(id)
		if len(found) == 0 {
			continue
		}
		e := referenceElement{SecurityGroupID: id}
		e.ReferencingSecurityGroups.ReferencingSecurityGroup = found
		all := &response.SecurityGroupReferences.SecurityGroupReference
		*all = append(*all, e)
	}
	return response, nil
}

// referencing gives the other groups with rules, of either direction, about a group of the account.
func (c *call) referencing(id string) []referencingElement {
	var found []referencingElement
	for _, account := range slices.Sorted(maps.Keys(c.world.accounts)) {
		owner := c.world.accounts[account]
		r := owner.regions[c.region.id]
		if r == nil {
			continue
		}
		for _, other := range r.order {
			own := owner == c.account
			if own && other == id {
				continue
			}
			if g := r.groups[other]; c.refers(g.Egress, id, own) || c.refers(g.Ingress, id, own) {
				found = append(found, referencingElement{SecurityGroupID: other, AliUID: accountNumber(account)})
			}
		}
	}
	return found
}

// refers tells whether one of some rules is about a group of the account. Rules of its own name it without an account;
// those of other accounts name the account, by its ID or its login name.
func (c *call) refers(rules []Rule, id string, own bool) bool {
	return slices.ContainsFunc(rules, func(rule Rule) bool {
		if rule.Peer != id || rule.destination() != toGroup {
			return false
		}
		if rule.PeerAccount == "" {
			return own
		}
		return rule.PeerAccount == c.account.id || rule.PeerAccount == c.account.name
	})
}
