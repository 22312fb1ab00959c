package cloud

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// World is what all accounts hold. Groups and prefix lists in it are never changed but replaced, so that a clone of
// it is cheap and stays as it was. The server's lock guards the maps.
type World struct {
	accounts map[string]*account
	behind   *follower // Nil, but for a world that follows another at a distance.
}

// named gives an account by its login name; nil if none has it.
func (w *World) named(name string) *account {
	for _, a := range w.accounts {
		if name != "" && a.name == name {
			return a
		}
	}
	return nil
}

// region gives a region that an account sees; nil if it sees none of that ID.
func (w *World) region(account, id string) *region {
	if a := w.accounts[account]; a != nil {
		return a.regions[id]
	}
	return nil
}

type account struct {
	id      string
	name    string   // Its login name; may be empty.
	order   []string // Region IDs as they are listed.
	regions map[string]*region
	// resourceGroups are their IDs. Nil: any ID that looks like one is one.
	resourceGroups map[string]bool
}

// hasResourceGroup tells whether an ID is that of a resource group. That of the default group is not known.
func (a *account) hasResourceGroup(id string) bool {
	if a.resourceGroups == nil {
		return looksLikeID(id, "rg-")
	}
	return a.resourceGroups[id]
}

type region struct {
	id        string
	order     []string // Group IDs, descending, as they are listed.
	groups    map[string]*Group
	lists     map[string]*PrefixList
	portLists map[string]*PortList
	vpcs      map[string]*VPC // Empty: any ID that a group is created with is one.
	cards     map[string]*Interface
	// groupQuota is how many groups the region may have.
	groupQuota int
}

// defaultGroupQuota is how many groups an account may have in a region. The documents say at least 100, and that it can
// be raised.
const defaultGroupQuota = 1000

func newRegion(id string) *region {
	return &region{
		id: id, groups: map[string]*Group{}, lists: map[string]*PrefixList{},
		portLists: map[string]*PortList{}, vpcs: map[string]*VPC{}, cards: map[string]*Interface{},
		groupQuota: defaultGroupQuota,
	}
}

// emptyAccount knows the public regions and holds nothing.
func emptyAccount(id string) *account {
	a := &account{id: id, regions: map[string]*region{}}
	for _, name := range publicRegions() {
		a.order = append(a.order, name)
		a.regions[name] = newRegion(name)
	}
	return a
}

// newAccount makes the account of an estate.
func newAccount(estate *Estate, ids *identifiers) (*account, error) {
	a := &account{id: cmp.Or(estate.Account, DefaultAccount), name: estate.Name, regions: map[string]*region{}}
	for i := range estate.Regions {
		from := &estate.Regions[i]
		if _, twice := a.regions[from.ID]; twice || from.ID == "" {
			return nil, fmt.Errorf("estate: region %d: the ID %q is empty or given twice", i+1, from.ID)
		}
		r, err := from.build(ids)
		if err != nil {
			return nil, fmt.Errorf("estate: region %s: %w", from.ID, err)
		}
		a.order = append(a.order, from.ID)
		a.regions[from.ID] = r
	}
	for _, id := range estate.ResourceGroups {
		if a.resourceGroups == nil {
			a.resourceGroups = map[string]bool{}
		}
		a.resourceGroups[id] = true
	}
	return a, nil
}

func (from *Region) build(ids *identifiers) (*region, error) {
	r := newRegion(from.ID)
	for _, list := range from.PrefixLists {
		if _, twice := r.lists[list.ID]; twice || list.ID == "" {
			return nil, fmt.Errorf("the prefix list ID %q is empty or given twice", list.ID)
		}
		list.Family = cmp.Or(list.Family, FamilyIPv4)
		list.MaxEntries = cmp.Or(list.MaxEntries, len(list.Entries))
		r.lists[list.ID] = &list
	}
	for _, list := range from.PortLists {
		if r.portLists[list.ID] != nil || list.ID == "" {
			return nil, fmt.Errorf("the port list ID %q is empty or given twice", list.ID)
		}
		list.MaxEntries = cmp.Or(list.MaxEntries, len(list.Entries))
		r.portLists[list.ID] = &list
	}
	for _, vpc := range from.VPCs {
		if r.vpcs[vpc.ID] != nil || vpc.ID == "" {
			return nil, fmt.Errorf("the VPC ID %q is empty or given twice", vpc.ID)
		}
		r.vpcs[vpc.ID] = &vpc
	}
	for _, card := range from.Interfaces {
		if r.cards[card.ID] != nil || card.ID == "" {
			return nil, fmt.Errorf("the interface ID %q is empty or given twice", card.ID)
		}
		r.cards[card.ID] = &card
	}
	for i := range from.Groups {
		g := from.Groups[i].complete(ids.rule)
		if _, twice := r.groups[g.ID]; twice || g.ID == "" {
			return nil, fmt.Errorf("the group ID %q is empty or given twice", g.ID)
		}
		r.groups[g.ID] = g
		r.order = append(r.order, g.ID)
		r.addNamed(g)
	}
	slices.SortFunc(r.order, descending)
	// An estate with more had its quota raised, and may have as many again.
	r.groupQuota = cmp.Or(from.GroupQuota, max(defaultGroupQuota, 2*len(r.order)))
	return r, nil
}

// addNamed adds what a group names and the estate does not: its VPC, and lists of ports, of which nothing else is known.
func (r *region) addNamed(g *Group) {
	if g.VPC != "" && r.vpcs[g.VPC] == nil {
		r.vpcs[g.VPC] = &VPC{ID: g.VPC}
	}
	for _, rules := range [][]Rule{g.Egress, g.Ingress} {
		for i := range rules {
			if id := rules[i].PortList; id != "" && r.portLists[id] == nil {
				r.portLists[id] = &PortList{ID: id}
			}
		}
	}
}

// putGroup adds a group or replaces the one with its ID.
func (r *region) putGroup(g *Group) {
	if at, there := slices.BinarySearchFunc(r.order, g.ID, descending); !there {
		r.order = slices.Insert(r.order, at, g.ID)
	}
	r.groups[g.ID] = g
}

func (r *region) deleteGroup(id string) {
	if at, there := slices.BinarySearchFunc(r.order, id, descending); there {
		r.order = slices.Delete(r.order, at, at+1)
	}
	delete(r.groups, id)
}

// clone gives a world that later changes do not reach.
func (w *World) clone() *World {
	c := &World{accounts: make(map[string]*account, len(w.accounts))}
	for id, a := range w.accounts {
		twin := &account{
			id: a.id, name: a.name, order: a.order, regions: make(map[string]*region, len(a.regions)),
			resourceGroups: a.resourceGroups,
		}
		for name, r := range a.regions {
			twin.regions[name] = &region{
				id: r.id, order: slices.Clone(r.order), groups: maps.Clone(r.groups), lists: maps.Clone(r.lists),
				portLists: maps.Clone(r.portLists), vpcs: maps.Clone(r.vpcs), cards: maps.Clone(r.cards),
				groupQuota: r.groupQuota,
			}
		}
		c.accounts[id] = twin
	}
	return c
}
