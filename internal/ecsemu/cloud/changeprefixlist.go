package cloud

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

type createPrefixListResponse struct {
	RequestID    string `json:"RequestId"`
	PrefixListID string `json:"PrefixListId"`
}

func createPrefixList(c *call) (any, error) {
	p := c.params
	made, err := c.readNewList("PrefixListName", wire.CodePrefixListName)
	if err != nil {
		return nil, err
	}
	family := p.Get("AddressFamily")
	if family == "" {
		return nil, wire.Missing("AddressFamily")
	}
	if family != FamilyIPv4 && family != FamilyIPv6 {
		return nil, wire.Refuse(wire.CodeAddressFamily)
	}
	if p.Get("MaxEntries") == "" {
		return nil, wire.Missing("MaxEntries")
	}
	size, ok := p.Int("MaxEntries", 0, 1, maxPrefixListEntries)
	if !ok {
		return nil, wire.Refusef(wire.CodeParameter, "The parameter MaxEntries must be a number from 1 to 200.")
	}
	entries, err := readEntries(p, "Entry", family)
	if err != nil {
		return nil, err
	}
	if len(entries) > size {
		return nil, wire.Refuse(wire.CodeMaxEntries)
	}
	if len(c.region.lists) >= maxPrefixLists {
		return nil, wire.Refuse(wire.CodePrefixListQuota)
	}
	list := &PrefixList{
		ID: c.ids.resource("pl"), Name: made.name, Description: made.description, Family: family, MaxEntries: size,
		Entries: entries, Created: c.now.Format(CreatedWithoutSecond), ResourceGroup: made.resourceGroup, Tags: made.tags,
	}
	c.region.lists[list.ID], c.changed = list, true
	return &createPrefixListResponse{RequestID: c.requestID, PrefixListID: list.ID}, nil
}

// modifyPrefixList changes the name, the description and the entries of a list. An entry that is added although it is
// there gets the new description. One that is removed although it is not there is no obstacle: no document says what
// the cloud makes of it.
func modifyPrefixList(c *call) (any, error) {
	old, err := c.prefixList()
	if err != nil {
		return nil, err
	}
	name, description := c.params.Get("PrefixListName"), c.params.Get("Description")
	if err := checkListTexts(name, description, wire.CodePrefixListName); err != nil {
		return nil, err
	}
	added, err := readEntries(c.params, "AddEntry", old.Family)
	if err != nil {
		return nil, err
	}
	removed, err := readEntries(c.params, "RemoveEntry", old.Family)
	if err != nil {
		return nil, err
	}
	list := *old
	var apart bool
	if list.Entries, apart = changedEntries(old.Entries, added, removed, prefixEntries()); !apart {
		return nil, wire.Refuse(wire.CodeEntryTwice)
	}
	if len(list.Entries) > list.MaxEntries && len(added) > 0 {
		return nil, wire.Refuse(wire.CodeMaxEntries)
	}
	if name != "" {
		list.Name = name
	}
	if description != "" {
		list.Description = description
	}
	if list.Name != old.Name || list.Description != old.Description || !slices.Equal(list.Entries, old.Entries) {
		c.region.lists[list.ID], c.changed = &list, true
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

func prefixEntries() entryKind[Entry] {
	return entryKind[Entry]{
		same:        func(a, b Entry) bool { return sameNetwork(a.CIDR, b.CIDR) },
		description: func(e *Entry) *string { return &e.Description },
	}
}

// sameNetwork compares entries by what they mean, as those of an estate may be written in other ways.
func sameNetwork(a, b string) bool {
	if a == b {
		return true
	}
	for _, v6 := range []bool{false, true} {
		one, ok := parsePrefix(a, v6)
		if other, okToo := parsePrefix(b, v6); ok && okToo {
			return one == other
		}
	}
	return false
}

// readEntries reads a list of networks of one family, which must all be different.
func readEntries(p wire.Params, name, family string) ([]Entry, error) {
	elements := p.List(name)
	if len(elements) > 0 && elements[len(elements)-1].Index > maxEntriesAtOnce {
		return nil, wire.Refuse(wire.CodeEntryCount)
	}
	seen := map[string]bool{}
	entries := make([]Entry, 0, len(elements))
	for _, e := range elements {
		text, ok := normalEntry(e.Fields.Get("Cidr"), family)
		if !ok {
			return nil, wire.Refuse(wire.CodeEntryMalformed)
		}
		if seen[text] {
			return nil, wire.Refuse(wire.CodeEntryTwice)
		}
		seen[text] = true
		description := e.Fields.Get("Description")
		if err := checkEntryDescription(description); err != nil {
			return nil, err
		}
		entries = append(entries, Entry{CIDR: text, Description: description})
	}
	return entries, nil
}

// normalEntry gives an entry as lists hold it: an address as a CIDR of its full length, IPv6 compressed and in small
// letters. Bits beyond the length are refused.
func normalEntry(text, family string) (string, bool) {
	prefix, ok := parsePrefix(text, family == FamilyIPv6)
	return prefix.String(), ok && prefix == prefix.Masked()
}
