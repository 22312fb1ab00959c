// Package cloud is what the emulator's cloud holds, and what its actions do to it. It answers calls that were
// authenticated, and knows nothing of HTTP, signatures or faults.
//
// Groups and lists are values that are replaced and never changed, so that a snapshot of the whole is cheap.
package cloud

import (
	"errors"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Options say what a [Cloud] begins with.
type Options struct {
	// Estate is what its accounts hold. Nil is one account that holds nothing, sees the public regions, and may create
	// groups in any VPC. It MUST NOT be changed after New.
	Estate *Estate
	// Keys are further access keys, beside those of the estate. Keys that name no account are of the estate's first.
	// Accounts that only a key names are empty. No keys at all, here and in the estate, stand for the default key.
	Keys  []AccessKey
	Clock func() time.Time
	Era   Era
	// Seed makes the identifiers that are handed out reproducible.
	Seed uint64
}

// Cloud is the world and the actions on it. Its methods may be called at any time and from any goroutine.
type Cloud struct {
	clock   func() time.Time
	era     Era
	ids     *identifiers
	actions map[actionKey]*Action
	given   []AccessKey // The keys of the options.

	mu       sync.RWMutex // Guards all that follows.
	home     string       // The account of the first key, or of the estate.
	people   map[string]*directory
	keys     map[string]*Credential
	world    *World
	tokens   *tokens
	sessions *sessions
	// followers are the worlds that follow this one at a distance, and followed is what they were told of it.
	followers []*World
	followed  *World
}

// New makes a cloud. It is refused if the estate or the keys make no sense, or if no key is of an account that the estate
// names, so that nobody could see it.
func New(o Options) (*Cloud, error) {
	if o.Clock == nil {
		return nil, errors.New("the clock is missing")
	}
	c := &Cloud{
		clock: o.Clock, era: o.Era, ids: newIdentifiers(o.Seed), actions: actions(), given: o.Keys,
		world: &World{accounts: map[string]*account{}}, tokens: newTokens(rememberedTokens),
		keys: map[string]*Credential{}, people: map[string]*directory{}, sessions: newSessions(o.Seed, rememberedSessions),
	}
	if err := o.Era.validate(); err != nil {
		return nil, err
	}
	if err := c.populate(&o); err != nil {
		return nil, err
	}
	return c, nil
}

// Call is one request that was authenticated.
type Call struct {
	Action    *Action
	Params    wire.Params
	RequestID string
	Caller    *Credential
	Secure    bool   // It came by TLS.
	Source    string // The address it came from; empty if it is not known.
}

// Answer is what a call came to.
type Answer struct {
	Response any
	Changed  bool // The call changed something, whatever becomes of the answer.
}

// Do carries a call out. Errors are refusals.
func (c *Cloud) Do(q *Call) (Answer, error) { return c.do(q, nil) }

// DoOn carries a call out on a snapshot instead of the world as it is.
func (c *Cloud) DoOn(snapshot *World, q *Call) (Answer, error) { return c.do(q, snapshot) }

// do remembers what is done with a ClientToken under the same lock, so that of two calls with one token that arrive at
// once, one has the effect and both have its answer.
func (c *Cloud) do(q *Call, other *World) (answer Answer, err error) {
	c.see(other)
	if q.Action.Writes {
		c.mu.Lock()
		defer c.mu.Unlock()
	} else {
		c.mu.RLock()
		defer c.mu.RUnlock()
	}
	k := &call{
		cloud: c, action: q.Action, params: q.Params, requestID: q.RequestID, now: c.clock().UTC(), ids: c.ids,
		world: c.world, era: c.era, caller: q.Caller, secure: q.Secure, source: q.Source,
	}
	if other != nil {
		k.world = other
	}
	if k.account = k.world.accounts[q.Caller.Account]; k.account == nil {
		return Answer{}, wire.Refuse(wire.CodeAccessKey) // The estate was replaced meanwhile.
	}
	if q.Action.Regional {
		if k.region, err = k.findRegion(q.Action.regionMissing); err != nil {
			return Answer{}, err
		}
	}
	if err := k.authorize(); err != nil {
		return Answer{}, err
	}
	if !q.Action.Writes {
		answer.Response, err = q.Action.handle(k)
		return answer, err
	}
	answer.Response, err = c.tokens.once(k, q.Action.handle)
	answer.Changed = k.changed && other == nil
	if other == nil {
		c.noteChanges(k.account.id, k.params.Get("RegionId"))
	}
	return answer, err
}

// Snapshot gives a copy of the world as it is.
func (c *Cloud) Snapshot() *World {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.world.clone()
}

// Home gives the account of the first key. It is empty if there are no keys at all.
func (c *Cloud) Home() string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.home
}

// Rules gives the egress rules that a group of the home account has now, in their order, with defaults filled in. It is
// nil if there is no such group.
func (c *Cloud) Rules(region, group string) []Rule {
	c.mu.RLock()
	defer c.mu.RUnlock()
	a := c.world.accounts[c.home]
	if a == nil || a.regions[region] == nil || a.regions[region].groups[group] == nil {
		return nil
	}
	rules := a.regions[region].groups[group].Egress
	return append(make([]Rule, 0, len(rules)), rules...)
}

// Regions gives the IDs of all regions that an account of the cloud sees, those of every account together.
func (c *Cloud) Regions() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var names []string
	for _, a := range c.world.accounts {
		names = append(names, a.order...)
	}
	return names
}

// KnowsRegion tells whether an account sees a region.
func (c *Cloud) KnowsRegion(account, region string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	a := c.world.accounts[account]
	return a != nil && a.regions[region] != nil
}

// RequestID hands out an ID for a request.
func (c *Cloud) RequestID() string { return c.ids.request() }
