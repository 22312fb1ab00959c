package cloud

import (
	"maps"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

type prefixListsResponse struct {
	RequestID   string `json:"RequestId"`
	NextToken   string `json:"NextToken"`
	PrefixLists struct {
		PrefixList []prefixListElement `json:"PrefixList"`
	} `json:"PrefixLists"`
}

type prefixListElement struct {
	PrefixListID     string      `json:"PrefixListId"`
	PrefixListName   string      `json:"PrefixListName"`
	AddressFamily    string      `json:"AddressFamily"`
	MaxEntries       int         `json:"MaxEntries"`
	AssociationCount int         `json:"AssociationCount"`
	CreationTime     string      `json:"CreationTime"`
	Description      string      `json:"Description"`
	ResourceGroupID  string      `json:"ResourceGroupId"`
	Tags             tagElements `json:"Tags"`
}

// describePrefixLists lists prefix lists by descending ID. No document tells their order.
func describePrefixLists(c *call) (any, error) {
	wanted, err := readListFilter(c.params, "PrefixList", wire.CodePrefixListIDs)
	if err != nil {
		return nil, err
	}
	family := c.params.Get("AddressFamily")
	if family != "" && family != FamilyIPv4 && family != FamilyIPv6 {
		return nil, wire.Refuse(wire.CodeAddressFamily)
	}
	var lists []*PrefixList
	for _, id := range slices.SortedFunc(maps.Keys(c.region.lists), descending) {
		l := c.region.lists[id]
		if wanted.passes(id, l.Name, l.ResourceGroup, l.Tags) && (family == "" || family == l.Family) {
			lists = append(lists, l)
		}
	}
	page, token, err := nextPage(c, idListing("prefix lists"), lists, func(l *PrefixList) string { return l.ID })
	if err != nil {
		return nil, err
	}
	response := &prefixListsResponse{RequestID: c.requestID, NextToken: token}
	elements := make([]prefixListElement, 0, len(page))
	for _, l := range page {
		elements = append(elements, prefixListElement{
			PrefixListID: l.ID, PrefixListName: l.Name, AddressFamily: l.Family, MaxEntries: l.MaxEntries,
			AssociationCount: len(c.region.prefixListUsers(l.ID)), CreationTime: l.Created, Description: l.Description,
			ResourceGroupID: l.ResourceGroup, Tags: tagElements{describeTags(l.Tags)},
		})
	}
	response.PrefixLists.PrefixList = elements
	return response, nil
}

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
	list, err := c.prefixList()
	if err != nil {
		return nil, err
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

// prefixList finds the list that a request is about.
func (c *call) prefixList() (*PrefixList, error) {
	id := c.params.Get("PrefixListId")
	if id == "" {
		return nil, wire.Missing("PrefixListId")
	}
	if list := c.region.lists[id]; list != nil {
		return list, nil
	}
	return nil, wire.Refuse(wire.CodePrefixListNotFound)
}

type prefixListUsersResponse struct {
	RequestID              string `json:"RequestId"`
	NextToken              string `json:"NextToken"`
	PrefixListAssociations struct {
		PrefixListAssociation []associationElement `json:"PrefixListAssociation"`
	} `json:"PrefixListAssociations"`
}

func describePrefixListAssociations(c *call) (any, error) {
	list, err := c.prefixList()
	if err != nil {
		return nil, err
	}
	page, token, err := nextPage(c, idListing("users of "+list.ID), c.region.prefixListUsers(list.ID), itself)
	if err != nil {
		return nil, err
	}
	response := &prefixListUsersResponse{RequestID: c.requestID, NextToken: token}
	response.PrefixListAssociations.PrefixListAssociation = associationsOf(page, typeGroup)
	return response, nil
}

func deletePrefixList(c *call) (any, error) {
	list, err := c.prefixList()
	if err != nil {
		return nil, err
	}
	if len(c.region.prefixListUsers(list.ID)) > 0 {
		return nil, wire.Refuse(wire.CodePrefixListInUse)
	}
	delete(c.region.lists, list.ID)
	c.changed = true
	return &plainResponse{RequestID: c.requestID}, nil
}

func prefixListActions() []Action {
	return []Action{
		{
			Name: "DescribePrefixLists", Regional: true, Pages: true, resources: listedPrefixLists,
			handle: describePrefixLists,
		},
		{
			Name: "DescribePrefixListAttributes", Regional: true, resources: thePrefixList,
			handle: describePrefixListAttributes,
		},
		{
			Name: "DescribePrefixListAssociations", Regional: true, Pages: true, resources: thePrefixList,
			handle: describePrefixListAssociations,
		},
		{Name: "CreatePrefixList", Regional: true, Writes: true, handle: createPrefixList},
		{Name: "ModifyPrefixList", Regional: true, Writes: true, resources: thePrefixList, handle: modifyPrefixList},
		{Name: "DeletePrefixList", Regional: true, Writes: true, resources: thePrefixList, handle: deletePrefixList},
	}
}
