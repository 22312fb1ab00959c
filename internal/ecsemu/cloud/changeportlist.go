package cloud

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

type createPortListResponse struct {
	RequestID       string `json:"RequestId"`
	PortRangeListID string `json:"PortRangeListId"`
}

func createPortRangeList(c *call) (any, error) {
	made, err := c.readNewList("PortRangeListName", wire.CodePortListName)
	if err != nil {
		return nil, err
	}
	if c.params.Get("MaxEntries") == "" {
		return nil, wire.Missing("MaxEntries")
	}
	size, ok := wire.Decimal(c.params.Get("MaxEntries"))
	if !ok || size < 1 {
		return nil, wire.Refusef(wire.CodeParameter, "The parameter MaxEntries must be a number from 1 to 2000.")
	}
	if size > maxPortListEntries {
		return nil, wire.Refuse(wire.CodePortListSize)
	}
	entries, err := readPortEntries(c.params, "Entry")
	if err != nil {
		return nil, err
	}
	if len(entries) > size {
		return nil, wire.Refuse(wire.CodePortListMaxEntries)
	}
	if len(c.region.portLists) >= maxPortLists {
		return nil, wire.Refuse(wire.CodePortListQuota)
	}
	list := &PortList{
		ID: c.ids.resource("prl"), Name: made.name, Description: made.description, MaxEntries: size, Entries: entries,
		Created: c.now.Format(CreatedWithoutSecond), ResourceGroup: made.resourceGroup, Tags: made.tags,
	}
	c.region.portLists[list.ID], c.changed = list, true
	return &createPortListResponse{RequestID: c.requestID, PortRangeListID: list.ID}, nil
}

// modifyPortRangeList changes a port list as [modifyPrefixList] does a prefix list.
func modifyPortRangeList(c *call) (any, error) {
	old, err := c.portList()
	if err != nil {
		return nil, err
	}
	name, description := c.params.Get("PortRangeListName"), c.params.Get("Description")
	if err := checkListTexts(name, description, wire.CodePortListName); err != nil {
		return nil, err
	}
	added, err := readPortEntries(c.params, "AddEntry")
	if err != nil {
		return nil, err
	}
	removed, err := readPortEntries(c.params, "RemoveEntry")
	if err != nil {
		return nil, err
	}
	list := *old
	var apart bool
	if list.Entries, apart = changedEntries(old.Entries, added, removed, portEntries()); !apart {
		return nil, wire.Refuse(wire.CodePortEntryTwice)
	}
	if len(list.Entries) > list.MaxEntries && len(added) > 0 {
		return nil, wire.Refusef(wire.CodeMaxEntries,
			"The number of entries exceeds the MaxEntries of the specified PortRangeList.")
	}
	if name != "" {
		list.Name = name
	}
	if description != "" {
		list.Description = description
	}
	if list.Name != old.Name || list.Description != old.Description || !slices.Equal(list.Entries, old.Entries) {
		c.region.portLists[list.ID], c.changed = &list, true
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

func portEntries() entryKind[PortEntry] {
	return entryKind[PortEntry]{
		same:        func(a, b PortEntry) bool { return a.Ports == b.Ports },
		description: func(e *PortEntry) *string { return &e.Description },
	}
}

// readPortEntries reads a list of ranges, which must all be different.
func readPortEntries(p wire.Params, name string) ([]PortEntry, error) {
	elements := p.List(name)
	if len(elements) > 0 && elements[len(elements)-1].Index > maxEntriesAtOnce {
		return nil, wire.Refuse(wire.CodeEntryCount)
	}
	seen := map[string]bool{}
	entries := make([]PortEntry, 0, len(elements))
	for _, e := range elements {
		ports, description := e.Fields.Get("PortRange"), e.Fields.Get("Description")
		switch {
		case ports == "":
			return nil, wire.Refuse(wire.CodePortListEntry)
		case !isPortRange(ports):
			return nil, wire.Refuse(wire.CodePortEntryMalformed)
		case seen[ports]:
			return nil, wire.Refuse(wire.CodePortEntryTwice)
		}
		if err := checkEntryDescription(description); err != nil {
			return nil, err
		}
		seen[ports] = true
		entries = append(entries, PortEntry{Ports: ports, Description: description})
	}
	return entries, nil
}
