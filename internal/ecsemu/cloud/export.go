package cloud

import (
	"cmp"
	"maps"
	"slices"
)

// Estate gives what all accounts hold now, at one moment, as an estate that [New] takes. The account that the first key
// sees comes first, the others by their IDs. What New would fill in by itself is left empty, but for the IDs of rules.
// The keys are there only with their secrets, as one is of no use without the other. Sessions and ClientTokens are not
// there: they end with the cloud that made them.
func (c *Cloud) Estate(withSecrets bool) *Estate {
	c.mu.RLock()
	defer c.mu.RUnlock()
	accounts := slices.SortedFunc(maps.Values(c.world.accounts), func(a, b *account) int {
		return cmp.Or(-compareBool(a.id == c.home, b.id == c.home), cmp.Compare(a.id, b.id))
	})
	var all []Estate
	for _, a := range accounts {
		e := a.export()
		if d := c.people[a.id]; d != nil {
			e.Users, e.Roles = d.given.Users, d.given.Roles
		}
		if withSecrets {
			e.Keys = c.exportKeys(a.id)
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		return &Estate{}
	}
	first := &all[0]
	if len(all) > 1 {
		first.Others = all[1:]
	}
	return first
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func (c *Cloud) exportKeys(account string) []AccessKey {
	var keys []AccessKey
	for _, id := range slices.Sorted(maps.Keys(c.keys)) {
		held := c.keys[id]
		if held.Account != account {
			continue
		}
		key := AccessKey{ID: held.ID, Secret: held.Secret, Inactive: held.Inactive}
		if held.holder.kind == userOfAccount {
			key.User = held.holder.name
		}
		keys = append(keys, key)
	}
	return keys
}

func (a *account) export() Estate {
	e := Estate{Account: a.id, Name: a.name, ResourceGroups: slices.Sorted(maps.Keys(a.resourceGroups))}
	for _, id := range a.order {
		e.Regions = append(e.Regions, a.regions[id].export())
	}
	return e
}

func (r *region) export() Region {
	to := Region{ID: r.id, VPCs: sortedValues(r.vpcs), Interfaces: sortedValues(r.cards)}
	for _, list := range sortedValues(r.lists) {
		if list.MaxEntries == len(list.Entries) {
			list.MaxEntries = 0
		}
		to.PrefixLists = append(to.PrefixLists, list)
	}
	for _, list := range sortedValues(r.portLists) {
		if list.MaxEntries == len(list.Entries) {
			list.MaxEntries = 0
		}
		to.PortLists = append(to.PortLists, list)
	}
	for _, id := range r.order {
		to.Groups = append(to.Groups, r.groups[id].export())
	}
	if r.groupQuota != defaultQuotaOf(len(r.order)) {
		to.GroupQuota = r.groupQuota
	}
	return to
}

// defaultQuotaOf is what build gives a region of so many groups.
func defaultQuotaOf(groups int) int { return max(defaultGroupQuota, 2*groups) }

// sortedValues copies the values of a map, by their keys.
func sortedValues[V any](from map[string]*V) []V {
	var values []V
	for _, id := range slices.Sorted(maps.Keys(from)) {
		values = append(values, *from[id])
	}
	return values
}

// export gives a copy of a group without what complete fills in.
func (g *Group) export() Group {
	twin := *g
	if twin.InnerAccess == defaultInnerAccess(twin.Type) {
		twin.InnerAccess = ""
	}
	twin.Egress = exportRules(g.Egress, g.VPC != "")
	twin.Ingress = exportRules(g.Ingress, g.VPC != "")
	return twin
}

func defaultInnerAccess(groupType string) string {
	if groupType == TypeEnterprise {
		return "Drop"
	}
	return "Accept"
}

func exportRules(rules []Rule, vpc bool) []Rule {
	var twins []Rule
	for _, rule := range rules {
		if rule.NIC == defaultNIC(vpc) {
			rule.NIC = ""
		}
		if rule.Ports == PortsAll && !HasPorts(rule.Protocol) {
			rule.Ports = ""
		}
		if kind := rule.destination(); kind != toNothing {
			if rule.kind = toNothing; rule.destination() != kind {
				rule.kind = kind // Its text alone would not tell.
			}
		}
		twins = append(twins, rule)
	}
	return twins
}

func defaultNIC(vpc bool) string {
	if vpc {
		return NicIntranet
	}
	return NicInternet
}
