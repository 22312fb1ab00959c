package cloud

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Limits of prefix lists and port lists.
const (
	maxPrefixListEntries = 200
	maxPrefixLists       = 100
	maxPortListEntries   = 2000
	maxPortLists         = 100 // Of port lists there is a quota, but no document tells it.
	maxEntriesAtOnce     = 200
	maxListIDs           = 100
	minEntryDescription  = 2
	maxEntryDescription  = 32
	CreatedWithoutSecond = "2006-01-02T15:04Z"
)

// isListName tells whether a text can name a list: as a group, but for what the vendor's own lists begin with.
func isListName(name string) bool {
	return isName(name) && !strings.HasPrefix(name, "com.aliyun") && !strings.HasPrefix(name, "com.alibabacloud")
}

// newList is what creating a list of either kind asks for.
type newList struct {
	name, description, resourceGroup string
	tags                             map[string]string
}

func (c *call) readNewList(nameParameter string, badName wire.Code) (newList, error) {
	p := c.params
	l := newList{name: p.Get(nameParameter), description: p.Get("Description"), resourceGroup: p.Get("ResourceGroupId")}
	if l.name == "" {
		return l, wire.Missing(nameParameter)
	}
	if err := checkListTexts(l.name, l.description, badName); err != nil {
		return l, err
	}
	if l.resourceGroup != "" && !c.account.hasResourceGroup(l.resourceGroup) {
		return l, wire.Refuse(wire.CodeResourceGroup)
	}
	tags := readTags(p)
	if err := checkTags(tags); err != nil {
		return l, err
	}
	if len(tags) > 0 {
		l.tags = withTags(nil, tags)
	}
	return l, nil
}

// checkListTexts checks the name and the description of a list, where there are any.
func checkListTexts(name, description string, badName wire.Code) error {
	if name != "" && !isListName(name) {
		return wire.Refuse(badName)
	}
	if description != "" && !isText(description, minDescription, maxDescription) {
		return wire.Refuse(wire.CodeListDescription)
	}
	return nil
}

// checkEntryDescription checks the description of one entry; none is none.
func checkEntryDescription(text string) error {
	if text != "" && !isText(text, minEntryDescription, maxEntryDescription) {
		return wire.Refuse(wire.CodeListDescription)
	}
	return nil
}

// entryKind is how the entries of one kind of lists are dealt with.
type entryKind[E any] struct {
	same        func(a, b E) bool
	description func(*E) *string
}

// changedEntries gives the entries of a list with some removed and some added. One that is added although it is there
// gets the new description, if there is one. It is false if an entry is to be both removed and added.
func changedEntries[E any](old, added, removed []E, kind entryKind[E]) ([]E, bool) {
	in := func(all []E, e E) int {
		return slices.IndexFunc(all, func(other E) bool { return kind.same(e, other) })
	}
	entries := make([]E, 0, len(old)+len(added))
	for _, e := range old {
		if in(removed, e) < 0 {
			entries = append(entries, e)
		}
	}
	for _, e := range added {
		if in(removed, e) >= 0 {
			return nil, false
		}
		at := in(entries, e)
		if at < 0 {
			entries = append(entries, e)
		} else if text := *kind.description(&e); text != "" {
			*kind.description(&entries[at]) = text
		}
	}
	return entries, true
}

// listFilter is which lists a listing shows. All its conditions must hold.
type listFilter struct {
	ids                 []string
	name, resourceGroup string
	tags                []tag
}

func readListFilter(p wire.Params, kind string, tooMany wire.Code) (listFilter, error) {
	f := listFilter{
		ids: p.Texts(kind + "Id"), name: p.Get(kind + "Name"), resourceGroup: p.Get("ResourceGroupId"), tags: readTags(p),
	}
	if len(f.ids) > maxListIDs {
		return f, wire.Refuse(tooMany)
	}
	return f, checkTagFilter(f.tags)
}

func (f *listFilter) passes(id, name, resourceGroup string, tags map[string]string) bool {
	return (len(f.ids) == 0 || slices.Contains(f.ids, id)) && (f.name == "" || f.name == name) &&
		(f.resourceGroup == "" || f.resourceGroup == resourceGroup) && hasTags(tags, f.tags)
}

// associated gives the groups with rules, of either direction, that a test is true of, as they are listed.
func (r *region) associated(names func(*Rule) bool) []string {
	ids := []string{}
	for _, id := range r.order {
		for _, rules := range [][]Rule{r.groups[id].Egress, r.groups[id].Ingress} {
			if i := slices.IndexFunc(rules, func(rule Rule) bool { return names(&rule) }); i >= 0 {
				ids = append(ids, id)
				break
			}
		}
	}
	return ids
}

func (r *region) prefixListUsers(id string) []string {
	return r.associated(func(rule *Rule) bool { return rule.Peer == id && rule.destination() == toPrefixList })
}

func (r *region) portListUsers(id string) []string {
	return r.associated(func(rule *Rule) bool { return rule.PortList == id })
}

// associationElement is a group whose rules name a list.
type associationElement struct {
	ResourceID   string `json:"ResourceId"`
	ResourceType string `json:"ResourceType"`
}

func associationsOf(groups []string, kind string) []associationElement {
	elements := make([]associationElement, 0, len(groups))
	for _, id := range groups {
		elements = append(elements, associationElement{ResourceID: id, ResourceType: kind})
	}
	return elements
}

// parsePrefix reads an address or a CIDR of one family, as text; in the IPv6 family, a mapped address is IPv6. An
// address of one link only is refused.
func parsePrefix(text string, v6 bool) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, false
		}
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	return prefix, prefix.Addr().Is4() != v6
}
