package cloud

import (
	"slices"
	"time"
)

// maxPending bounds what a world that lags behind remembers of the future: a clock that stands still must not fill the
// memory. Once there is more, the oldest of it shows early.
const maxPending = 100_000

// follower is what makes a world follow another at a distance. It holds what is to become of it, and when; what is
// there already it shares with the other, as groups and lists are replaced and never changed.
type follower struct {
	lag     time.Duration
	pending []pendingChange // In the order they were made.
}

type pendingChange struct {
	at    time.Time // When it was made.
	apply func(*World)
}

// Follow gives a world that is as this cloud's was so long ago, by its clock, but never before this call. Calls on it see
// it move on. It costs every writing call time in proportion to the groups of its region, until [Cloud.Unfollow].
func (c *Cloud) Follow(lag time.Duration) *World {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.world.clone()
	w.behind = &follower{lag: lag}
	if len(c.followers) == 0 {
		c.followed = c.world.clone()
	}
	c.followers = append(c.followers, w)
	return w
}

// Unfollow ends what [Cloud.Follow] began. Of other worlds, and of nil, it does nothing.
func (c *Cloud) Unfollow(w *World) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.followers = slices.DeleteFunc(c.followers, func(other *World) bool { return other == w })
	if len(c.followers) == 0 {
		c.followed = nil
	}
}

// noteChanges tells those who follow what became of a region. The lock of the cloud is held for writing. What changed
// is found by comparing, so that no action can forget to say it.
func (c *Cloud) noteChanges(accountID, regionID string) {
	if len(c.followers) == 0 {
		return
	}
	now := c.clock().UTC()
	owner, shown := c.world.accounts[accountID], c.followed.accounts[accountID]
	if owner == nil || shown == nil || owner.regions[regionID] == nil || shown.regions[regionID] == nil {
		return
	}
	var changes []func(*region)
	from, to := shown.regions[regionID], owner.regions[regionID]
	differ(from.groups, to.groups, func(id string, g *Group) {
		changes = append(changes, func(r *region) { r.show(id, g) })
	})
	differ(from.lists, to.lists, func(id string, list *PrefixList) {
		changes = append(changes, func(r *region) { show(r.lists, id, list) })
	})
	differ(from.portLists, to.portLists, func(id string, list *PortList) {
		changes = append(changes, func(r *region) { show(r.portLists, id, list) })
	})
	differ(from.vpcs, to.vpcs, func(id string, vpc *VPC) {
		changes = append(changes, func(r *region) { show(r.vpcs, id, vpc) })
	})
	differ(from.cards, to.cards, func(id string, card *Interface) {
		changes = append(changes, func(r *region) { show(r.cards, id, card) })
	})
	for _, change := range changes {
		change(from)
		for _, w := range c.followers {
			w.behind.note(w, pendingChange{at: now, apply: func(w *World) {
				if a := w.accounts[accountID]; a != nil && a.regions[regionID] != nil {
					change(a.regions[regionID])
				}
			}})
		}
	}
	for _, w := range c.followers {
		w.catchUp(now)
	}
}

// differ tells of what is in one map and not, or not the same, in the other. Nil stands for what is gone.
func differ[V any](from, to map[string]*V, tell func(id string, value *V)) {
	both := 0
	for id, value := range to {
		before := from[id]
		if before != nil {
			both++
		}
		if before != value {
			tell(id, value)
		}
	}
	if both == len(from) {
		return // Nothing is gone.
	}
	for id := range from {
		if to[id] == nil {
			tell(id, nil)
		}
	}
}

func show[V any](m map[string]*V, id string, value *V) {
	if value == nil {
		delete(m, id)
		return
	}
	m[id] = value
}

// show is what show is for maps that have no order.
func (r *region) show(id string, g *Group) {
	if g == nil {
		r.deleteGroup(id)
		return
	}
	r.putGroup(g)
}

func (f *follower) note(w *World, change pendingChange) {
	if len(f.pending) >= maxPending {
		f.pending[0].apply(w)
		f.pending = f.pending[1:]
	}
	f.pending = append(f.pending, change)
}

// isDue tells whether a world has to catch up.
func (w *World) isDue(now time.Time) bool {
	return w.behind != nil && len(w.behind.pending) > 0 && now.Sub(w.behind.pending[0].at) >= w.behind.lag
}

// catchUp has a world become what it is to be by now. The lock of its cloud is held for writing.
func (w *World) catchUp(now time.Time) {
	for w.isDue(now) {
		w.behind.pending[0].apply(w)
		w.behind.pending[0] = pendingChange{}
		w.behind.pending = w.behind.pending[1:]
	}
}

// see has a world that lags behind be as it is to be seen now. No lock is held.
func (c *Cloud) see(w *World) {
	if w == nil || w.behind == nil {
		return
	}
	now := c.clock().UTC()
	c.mu.RLock()
	due := w.isDue(now)
	c.mu.RUnlock()
	if !due {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w.catchUp(now)
}
