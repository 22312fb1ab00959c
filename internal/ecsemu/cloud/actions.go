package cloud

import (
	"maps"
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// API versions, by which the products are told apart.
const (
	VersionECS = "2014-05-26"
	VersionSTS = "2015-04-01"
)

// Action says how a request for it is answered.
type Action struct {
	Name     string
	Version  string
	Regional bool // RegionId is needed.
	Writes   bool
	Pages    bool // It is a listing with a NextToken.
	OneGroup bool // Its SecurityGroupId says which group it is about.
	// regionMissing is answered if RegionId is needed and absent; nil is the usual refusal.
	regionMissing *wire.Refusal
	// resources gives what RAM looks at, as ARNs. Nil is "*": the action cannot be narrowed down.
	resources func(*call) []string
	unchecked bool // RAM is not asked: the action needs no permission, or asks by itself.
	handle    func(*call) (any, error)
}

type actionKey struct{ version, name string }

// actions is the table of what the cloud can do.
func actions() map[actionKey]*Action {
	table := map[actionKey]*Action{}
	for _, part := range [][]Action{
		regionActions(), groupActions(), ruleActions(), prefixListActions(), portListActions(), networkActions(),
		tagActions(), identityActions(),
	} {
		for i := range part {
			a := &part[i]
			if a.Version == "" {
				a.Version = VersionECS
			}
			table[actionKey{a.Version, a.Name}] = a
		}
	}
	return table
}

// ActionNames gives the names of all actions, in order.
func (c *Cloud) ActionNames() []string {
	names := map[string]bool{}
	for key := range c.actions {
		names[key.name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Named gives an action by its name; nil if there is none.
func (c *Cloud) Named(name string) *Action {
	for _, version := range []string{VersionECS, VersionSTS} {
		if found := c.actions[actionKey{version, name}]; found != nil {
			return found
		}
	}
	return nil
}

// Find gives the action of a request, or the refusal of an unknown one.
func (c *Cloud) Find(version, name string, p wire.Params) (*Action, error) {
	if version != VersionECS && version != VersionSTS {
		return nil, wire.Refusef(wire.CodeParameter, `The specified parameter "Action or Version" is not valid.`)
	}
	found := c.actions[actionKey{version, name}]
	if found == nil {
		return nil, wire.Refuse(wire.CodeNoAPI)
	}
	if name := p.BadMember(); name != "" {
		return nil, wire.Refusef(wire.CodeParameter, "The parameter "+name+" is no member of a list: expected a number from 1 on.")
	}
	// Both name the owner of resources. What either does alone is not documented; here, nothing.
	if id := p.Get("OwnerId"); version == VersionECS && id != "" && !wire.IsDigits(id) {
		return nil, wire.Refusef(wire.CodeParameter, "The parameter OwnerId must be a number.")
	}
	if version == VersionECS && p.Get("OwnerId") != "" && p.Get("OwnerAccount") != "" {
		return nil, wire.Refuse(wire.CodeOwner)
	}
	return found, nil
}

// call is a [Call] while the lock of the cloud is held. What it reads in the account and region may be a view of the
// past; see [Cloud.DoOn].
type call struct {
	cloud     *Cloud
	action    *Action
	params    wire.Params
	requestID string
	now       time.Time
	ids       *identifiers
	world     *World
	account   *account
	region    *region // Nil if the action is not regional.
	era       Era
	caller    *Credential
	secure    bool
	source    string
	changed   bool // The call had an effect.
}

// putGroup adds a group, or replaces the one with its ID, as an effect of the call.
func (c *call) putGroup(g *Group) {
	c.region.putGroup(g)
	c.changed = true
}

// plainResponse is the answer of actions that only say that they were done.
type plainResponse struct {
	RequestID string `json:"RequestId"`
}

// findRegion finds the region a request is about.
func (c *call) findRegion(regionMissing *wire.Refusal) (*region, error) {
	name := c.params.Get("RegionId")
	if name == "" {
		if regionMissing != nil {
			return nil, regionMissing
		}
		return nil, wire.Refuse(wire.CodeRegionMissing)
	}
	if r := c.account.regions[name]; r != nil {
		return r, nil
	}
	return nil, wire.Refuse(wire.CodeRegion)
}

// group finds the group a request is about.
func (c *call) group() (*Group, error) {
	id := c.params.Get("SecurityGroupId")
	if id == "" {
		return nil, wire.Missing("SecurityGroupId")
	}
	if g := c.region.groups[id]; g != nil {
		return g, nil
	}
	if !looksLikeID(id, "sg-") {
		return nil, wire.Refuse(wire.CodeGroupID)
	}
	return nil, wire.Refuse(wire.CodeGroupNotFound)
}

// looksLikeID tells whether a text could be the ID of a resource.
func looksLikeID(text, prefix string) bool {
	if len(text) <= len(prefix) || len(text) > 64 || text[:len(prefix)] != prefix {
		return false
	}
	for _, c := range []byte(text[len(prefix):]) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
