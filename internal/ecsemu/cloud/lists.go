package cloud

import (
	"net/netip"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Limits of prefix lists.
const (
	maxPrefixListEntries = 200
	maxPrefixLists       = 100
	CreatedWithoutSecond = "2006-01-02T15:04Z"
)

type prefixListResponse struct {
	RequestID      string `json:"RequestId"`
	PrefixListID   string `json:"PrefixListId"`
	PrefixListName string `json:"PrefixListName"`
	AddressFamily  string `json:"AddressFamily"`
	MaxEntries     int    `json:"MaxEntries"`
	CreationTime   string `json:"CreationTime"`
	Description    string `json:"Description"`
	Entries        struct {
		Entry []entryElement `json:"Entry"`
	} `json:"Entries"`
}

type entryElement struct {
	CIDR        string `json:"Cidr"`
	Description string `json:"Description"`
}

func describePrefixListAttributes(c *call) (any, error) {
	id := c.params.Get("PrefixListId")
	if id == "" {
		return nil, wire.Missing("PrefixListId")
	}
	list := c.region.lists[id]
	if list == nil {
		return nil, wire.Refuse(wire.CodePrefixListNotFound)
	}
	response := &prefixListResponse{
		RequestID: c.requestID, PrefixListID: list.ID, PrefixListName: list.Name, AddressFamily: list.Family,
		MaxEntries: list.MaxEntries, CreationTime: list.Created, Description: list.Description,
	}
	response.Entries.Entry = make([]entryElement, 0, len(list.Entries))
	for _, e := range list.Entries {
		response.Entries.Entry = append(response.Entries.Entry, entryElement(e))
	}
	return response, nil
}

type createPrefixListResponse struct {
	RequestID    string `json:"RequestId"`
	PrefixListID string `json:"PrefixListId"`
}

// createPrefixList makes a list. Its API page was not at hand but for how entries are normalised, so that what is
// refused gets the general codes.
func createPrefixList(c *call) (any, error) {
	p := c.params
	list := &PrefixList{
		Name: p.Get("PrefixListName"), Family: p.Get("AddressFamily"), Description: p.Get("Description"),
		Created: c.now.Format(CreatedWithoutSecond),
	}
	if list.Name == "" {
		return nil, wire.Missing("PrefixListName")
	}
	if !isGroupName(list.Name) {
		return nil, wire.Refusef(wire.CodeParameter, "The specified parameter PrefixListName is not valid.")
	}
	if list.Family != FamilyIPv4 && list.Family != FamilyIPv6 {
		return nil, wire.Refusef(wire.CodeParameter, "The parameter AddressFamily must be IPv4 or IPv6.")
	}
	if p.Get("MaxEntries") == "" {
		return nil, wire.Missing("MaxEntries")
	}
	var ok bool
	if list.MaxEntries, ok = p.Int("MaxEntries", 0, 1, maxPrefixListEntries); !ok {
		return nil, wire.Refusef(wire.CodeParameter, "The parameter MaxEntries must be a number from 1 to 200.")
	}
	if len(c.region.lists) >= maxPrefixLists {
		return nil, wire.Refusef(wire.CodeParameter, "The region has 100 prefix lists already.")
	}
	var err error
	if list.Entries, err = readEntries(p, list); err != nil {
		return nil, err
	}
	list.ID = c.ids.resource("pl")
	c.region.lists[list.ID], c.changed = list, true
	return &createPrefixListResponse{RequestID: c.requestID, PrefixListID: list.ID}, nil
}

func readEntries(p wire.Params, list *PrefixList) ([]Entry, error) {
	elements := p.List("Entry")
	if len(elements) > list.MaxEntries {
		return nil, wire.Refusef(wire.CodeParameter, "The list has more entries than MaxEntries.")
	}
	seen := map[string]bool{}
	entries := make([]Entry, 0, len(elements))
	for _, e := range elements {
		text, ok := normalEntry(e.Fields.Get("Cidr"), list.Family)
		if !ok {
			return nil, wire.Refusef(wire.CodeParameter, "The parameter Entry.N.Cidr is not a CIDR block of the AddressFamily.")
		}
		if seen[text] {
			return nil, wire.Refusef(wire.CodeParameter, "The parameter Entry.N.Cidr holds the same CIDR block twice.")
		}
		seen[text] = true
		entries = append(entries, Entry{CIDR: text, Description: e.Fields.Get("Description")})
	}
	return entries, nil
}

// normalEntry gives an entry as lists hold it: an address as a CIDR of its full length, IPv6 compressed and in small
// letters. Bits beyond the length stay, as nothing says that they are removed.
func normalEntry(text, family string) (string, bool) {
	prefix, ok := parsePrefix(text, family == FamilyIPv6)
	return prefix.String(), ok
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

func prefixListActions() []Action {
	return []Action{
		{Name: "DescribePrefixListAttributes", Regional: true, handle: describePrefixListAttributes},
		{Name: "CreatePrefixList", Regional: true, Writes: true, handle: createPrefixList},
	}
}
