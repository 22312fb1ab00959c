package cloud

import (
	"maps"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Answers about port lists have their lists right under their names, without a wrapper as those about others have.

type portListsResponse struct {
	RequestID      string            `json:"RequestId"`
	NextToken      string            `json:"NextToken"`
	PortRangeLists []portListElement `json:"PortRangeLists"`
}

type portListElement struct {
	PortRangeListID   string       `json:"PortRangeListId"`
	PortRangeListName string       `json:"PortRangeListName"`
	MaxEntries        int          `json:"MaxEntries"`
	AssociationCount  int          `json:"AssociationCount"`
	CreationTime      string       `json:"CreationTime"`
	Description       string       `json:"Description"`
	ResourceGroupID   string       `json:"ResourceGroupId"`
	Tags              []tagElement `json:"Tags"`
}

func describePortRangeLists(c *call) (any, error) {
	wanted, err := readListFilter(c.params, "PortRangeList", wire.CodePortListIDs)
	if err != nil {
		return nil, err
	}
	var lists []*PortList
	for _, id := range slices.SortedFunc(maps.Keys(c.region.portLists), descending) {
		if l := c.region.portLists[id]; wanted.passes(id, l.Name, l.ResourceGroup, l.Tags) {
			lists = append(lists, l)
		}
	}
	page, token, err := nextPage(c, idListing("port lists"), lists, func(l *PortList) string { return l.ID })
	if err != nil {
		return nil, err
	}
	response := &portListsResponse{RequestID: c.requestID, NextToken: token, PortRangeLists: []portListElement{}}
	for _, l := range page {
		response.PortRangeLists = append(response.PortRangeLists, portListElement{
			PortRangeListID: l.ID, PortRangeListName: l.Name, MaxEntries: l.MaxEntries,
			AssociationCount: len(c.region.portListUsers(l.ID)), CreationTime: l.Created, Description: l.Description,
			ResourceGroupID: l.ResourceGroup, Tags: describeTags(l.Tags),
		})
	}
	return response, nil
}

type portEntriesResponse struct {
	RequestID string             `json:"RequestId"`
	Entries   []portEntryElement `json:"Entries"`
}

type portEntryElement struct {
	PortRange   string `json:"PortRange"`
	Description string `json:"Description"`
}

func describePortRangeListEntries(c *call) (any, error) {
	list, err := c.portList()
	if err != nil {
		return nil, err
	}
	response := &portEntriesResponse{RequestID: c.requestID, Entries: []portEntryElement{}}
	for _, e := range list.Entries {
		response.Entries = append(response.Entries, portEntryElement{PortRange: e.Ports, Description: e.Description})
	}
	return response, nil
}

// portList finds the list that a request is about.
func (c *call) portList() (*PortList, error) {
	id := c.params.Get("PortRangeListId")
	if id == "" {
		return nil, wire.Missing("PortRangeListId")
	}
	if list := c.region.portLists[id]; list != nil {
		return list, nil
	}
	return nil, wire.Refuse(wire.CodePortListNotFound)
}

type portListUsersResponse struct {
	RequestID                 string               `json:"RequestId"`
	NextToken                 string               `json:"NextToken"`
	PortRangeListAssociations []associationElement `json:"PortRangeListAssociations"`
}

func describePortRangeListAssociations(c *call) (any, error) {
	list, err := c.portList()
	if err != nil {
		return nil, err
	}
	page, token, err := nextPage(c, idListing("users of "+list.ID), c.region.portListUsers(list.ID), itself)
	if err != nil {
		return nil, err
	}
	return &portListUsersResponse{
		RequestID: c.requestID, NextToken: token,
		// It is spelt otherwise than for prefix lists.
		PortRangeListAssociations: associationsOf(page, "SecurityGroup"),
	}, nil
}

func deletePortRangeList(c *call) (any, error) {
	list, err := c.portList()
	if err != nil {
		return nil, err
	}
	if len(c.region.portListUsers(list.ID)) > 0 {
		return nil, wire.Refuse(wire.CodePortListInUse)
	}
	delete(c.region.portLists, list.ID)
	c.changed = true
	return &plainResponse{RequestID: c.requestID}, nil
}

func portListActions() []Action {
	return []Action{
		{
			Name: "DescribePortRangeLists", Regional: true, Pages: true, resources: listedPortLists,
			handle: describePortRangeLists,
		},
		{
			Name: "DescribePortRangeListEntries", Regional: true, resources: thePortList,
			handle: describePortRangeListEntries,
		},
		{
			Name: "DescribePortRangeListAssociations", Regional: true, Pages: true, resources: thePortList,
			handle: describePortRangeListAssociations,
		},
		{Name: "CreatePortRangeList", Regional: true, Writes: true, resources: newPortList, handle: createPortRangeList},
		{Name: "ModifyPortRangeList", Regional: true, Writes: true, resources: thePortList, handle: modifyPortRangeList},
		{Name: "DeletePortRangeList", Regional: true, Writes: true, resources: thePortList, handle: deletePortRangeList},
	}
}
