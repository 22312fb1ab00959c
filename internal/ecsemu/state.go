package ecsemu

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// world is what all accounts hold. Groups and prefix lists in it are never changed but replaced, so that a clone of
// it is cheap and stays as it was. The server's lock guards the maps.
type world struct {
	accounts map[string]*account
}

type account struct {
	id      string
	order   []string // Region IDs as they are listed.
	regions map[string]*region
}

type region struct {
	id        string
	order     []string // Group IDs, descending, as they are listed.
	groups    map[string]*Group
	lists     map[string]*PrefixList
	vpcs      map[string]bool // The VPCs that exist; empty: any does.
	portLists map[string]bool // The port lists that exist, known from the rules that use them.
}

func newRegion(id string) *region {
	return &region{
		id: id, groups: map[string]*Group{}, lists: map[string]*PrefixList{},
		vpcs: map[string]bool{}, portLists: map[string]bool{},
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
	a := &account{id: cmp.Or(estate.Account, DefaultAccount), regions: map[string]*region{}}
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
	return a, nil
}

func (from *Region) build(ids *identifiers) (*region, error) {
	r := newRegion(from.ID)
	for _, list := range from.PrefixLists {
		if _, twice := r.lists[list.ID]; twice || list.ID == "" {
			return nil, fmt.Errorf("the prefix list ID %q is empty or given twice", list.ID)
		}
		list.Family = cmp.Or(list.Family, familyIPv4)
		list.MaxEntries = cmp.Or(list.MaxEntries, len(list.Entries))
		r.lists[list.ID] = &list
	}
	for i := range from.Groups {
		g := from.Groups[i].complete(ids.rule)
		if _, twice := r.groups[g.ID]; twice || g.ID == "" {
			return nil, fmt.Errorf("the group ID %q is empty or given twice", g.ID)
		}
		r.groups[g.ID] = g
		r.order = append(r.order, g.ID)
		if g.VPC != "" {
			r.vpcs[g.VPC] = true
		}
		for j := range g.Egress {
			if list := g.Egress[j].PortList; list != "" {
				r.portLists[list] = true
			}
		}
	}
	slices.SortFunc(r.order, descending)
	return r, nil
}

func descending(a, b string) int { return cmp.Compare(b, a) }

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
func (w *world) clone() *world {
	c := &world{accounts: make(map[string]*account, len(w.accounts))}
	for id, a := range w.accounts {
		twin := &account{id: a.id, order: a.order, regions: make(map[string]*region, len(a.regions))}
		for name, r := range a.regions {
			twin.regions[name] = &region{
				id: r.id, order: slices.Clone(r.order), groups: maps.Clone(r.groups), lists: maps.Clone(r.lists),
				vpcs: maps.Clone(r.vpcs), portLists: maps.Clone(r.portLists),
			}
		}
		c.accounts[id] = twin
	}
	return c
}
