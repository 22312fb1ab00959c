package ecsemu

import "time"

// API versions, by which the two products are told apart.
const (
	versionECS = "2014-05-26"
	versionSTS = "2015-04-01"
)

// action says how a request for it is answered.
type action struct {
	version  string
	regional bool // RegionId is needed.
	writes   bool
	pages    bool // It is a listing with a NextToken.
	oneGroup bool // Its SecurityGroupId says which group it is about.
	// regionMissing is answered if RegionId is needed and absent; the zero value is the usual refusal.
	regionMissing *refusal
	handle        func(*call) (any, error)
}

// actions is the table of what the server can do.
func actions() map[string]action {
	about := func(handle func(*call) (any, error)) action {
		return action{version: versionECS, regional: true, writes: true, oneGroup: true, handle: handle}
	}
	// Calls about tags answer 404 where the others answer 400.
	tags := func(handle func(*call) (any, error)) action {
		return action{
			version: versionECS, regional: true, writes: true, handle: handle,
			regionMissing: &refusal{code: codeRegionMissing, status: 404},
		}
	}
	return map[string]action{
		"DescribeRegions":        {version: versionECS, handle: describeRegions},
		"DescribeSecurityGroups": {version: versionECS, regional: true, pages: true, handle: describeSecurityGroups},
		actionDescribeAttribute: {
			version: versionECS, regional: true, pages: true, oneGroup: true, handle: describeSecurityGroupAttribute,
		},
		"DescribePrefixListAttributes":  {version: versionECS, regional: true, handle: describePrefixListAttributes},
		"CreateSecurityGroup":           {version: versionECS, regional: true, writes: true, handle: createSecurityGroup},
		"DeleteSecurityGroup":           about(deleteSecurityGroup),
		"AuthorizeSecurityGroupEgress":  about(authorizeEgress),
		"RevokeSecurityGroupEgress":     about(revokeEgress),
		"ModifySecurityGroupEgressRule": about(modifyEgressRule),
		"CreatePrefixList":              {version: versionECS, regional: true, writes: true, handle: createPrefixList},
		"TagResources":                  tags(tagResources),
		"UntagResources":                tags(untagResources),
		"GetCallerIdentity":             {version: versionSTS, handle: getCallerIdentity},
	}
}

// actionDescribeAttribute is named, as a kind of fault applies to it alone.
const actionDescribeAttribute = "DescribeSecurityGroupAttribute"

// call is one authenticated request, while the server's lock is held. What it reads in the account and region may be
// a view of the past; see [FaultStale].
type call struct {
	params    parameters
	requestID string
	now       time.Time
	ids       *identifiers
	world     *world
	account   *account
	region    *region // Nil if the action is not regional.
	era       era
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

// paged is an answer that may have more pages.
type paged interface{ setNextToken(token string) }

// find gives the handler of a request, or the refusal of an unknown one.
func (s *Server) find(params parameters) (action, error) {
	version := params.get("Version")
	if version != versionECS && version != versionSTS {
		return action{}, refusef(codeParameter, `The specified parameter "Action or Version" is not valid.`)
	}
	found, known := s.actions[params.get("Action")]
	if !known || found.version != version {
		return action{}, refuse(codeNoAPI)
	}
	// Both name the owner of resources. What either does alone is not documented; here, nothing.
	if version == versionECS && params.get("OwnerId") != "" && params.get("OwnerAccount") != "" {
		return action{}, refuse(codeOwner)
	}
	return found, nil
}

// perform runs an action on the world as it is, or on another one if that is not nil. It tells whether that changed
// anything. What is done with a ClientToken is remembered under the same lock, so that of two calls with one token that
// arrive at once, one has the effect and both have its answer.
func (s *Server) perform(q *request, other *world) (response any, changed bool, err error) {
	if q.do.writes {
		s.mu.Lock()
		defer s.mu.Unlock()
	} else {
		s.mu.RLock()
		defer s.mu.RUnlock()
	}
	c := &call{params: q.params, requestID: q.id, now: s.clock().UTC(), ids: s.ids, world: s.world, era: s.era}
	if other != nil {
		c.world = other
	}
	c.account = c.world.accounts[q.key.Account]
	if q.do.regional {
		if c.region, err = c.findRegion(q.do.regionMissing); err != nil {
			return nil, false, err
		}
	}
	if !q.do.writes {
		response, err = q.do.handle(c)
		return response, false, err
	}
	response, err = s.tokens.once(c, q.do.handle)
	return response, c.changed, err
}

// findRegion finds the region a request is about.
func (c *call) findRegion(regionMissing *refusal) (*region, error) {
	name := c.params.get("RegionId")
	if name == "" {
		if regionMissing != nil {
			return nil, regionMissing
		}
		return nil, refuse(codeRegionMissing)
	}
	if r := c.account.regions[name]; r != nil {
		return r, nil
	}
	return nil, refuse(codeRegion)
}

// group finds the group a request is about.
func (c *call) group() (*Group, error) {
	id := c.params.get("SecurityGroupId")
	if id == "" {
		return nil, missing("SecurityGroupId")
	}
	if g := c.region.groups[id]; g != nil {
		return g, nil
	}
	if !looksLikeID(id, "sg-") {
		return nil, refuse(codeGroupID)
	}
	return nil, refuse(codeGroupNotFound)
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
