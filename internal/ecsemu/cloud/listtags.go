package cloud

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// resourceGroupTag is a key that stands for the resource group of a resource, where resources are looked for.
const resourceGroupTag = "acs:rm:rgId"

// tagPage is how many tags a page of ListTagResources holds. No document tells; the request has no say in it.
const tagPage = 50

type tagResourcesResponse struct {
	RequestID    string `json:"RequestId"`
	NextToken    string `json:"NextToken"`
	TagResources struct {
		TagResource []tagResourceElement `json:"TagResource"`
	} `json:"TagResources"`
}

// tagResourceElement is a tag of a resource.
type tagResourceElement struct {
	ResourceID   string `json:"ResourceId"`
	ResourceType string `json:"ResourceType"`
	TagKey       string `json:"TagKey"`
	TagValue     string `json:"TagValue"`
}

// key is what the elements are in order by.
func (e tagResourceElement) key() string { return e.ResourceID + "\x00" + e.TagKey }

// listTagResources tells the tags of the resources that have the IDs, and the tags, that a request names. It tells all
// tags of those, not only the ones that were asked for: which of both the cloud does is not documented.
func listTagResources(c *call) (any, error) {
	ids, tags := c.params.Texts("ResourceId"), readTags(c.params)
	if err := c.checkTagListing(ids, tags); err != nil {
		return nil, err
	}
	groups, err := c.listedTagged(ids)
	if err != nil {
		return nil, err
	}
	var elements []tagResourceElement
	for _, g := range groups {
		elements = append(elements, tagsOf(g, tags)...)
	}
	sizes := idListing("tags")
	sizes.fallback, sizes.low, sizes.high = tagPage, tagPage, tagPage
	sizes.order = strings.Compare
	page, token, err := nextPage(c, sizes, elements, tagResourceElement.key)
	if err != nil {
		return nil, err
	}
	response := &tagResourcesResponse{RequestID: c.requestID, NextToken: token}
	response.TagResources.TagResource = append([]tagResourceElement{}, page...)
	return response, nil
}

// tagsOf gives what is told of a group if it has the tags that were asked for: its tags, or its resource group if that
// is what was asked for.
func tagsOf(g *Group, asked []tag) []tagResourceElement {
	if len(asked) == 1 && asked[0].key == resourceGroupTag {
		if g.ResourceGroup == "" || g.ResourceGroup != asked[0].value {
			return nil
		}
		return []tagResourceElement{{
			ResourceID: g.ID, ResourceType: typeGroup, TagKey: resourceGroupTag, TagValue: g.ResourceGroup,
		}}
	}
	if !hasTags(g.Tags, asked) {
		return nil
	}
	var elements []tagResourceElement
	for _, t := range describeTags(g.Tags) {
		elements = append(elements, tagResourceElement{
			ResourceID: g.ID, ResourceType: typeGroup, TagKey: t.TagKey, TagValue: t.TagValue,
		})
	}
	return elements
}

// checkTagListing checks all of a request but whether its resources exist. Filters by TagFilter.N are by invitation
// only, and refused.
func (c *call) checkTagListing(ids []string, tags []tag) error {
	switch kind := c.params.Get("ResourceType"); {
	case kind == "":
		return wire.Refuse(wire.CodeResourceTypeMissing)
	case !isResourceType(kind):
		return wire.Refuse(wire.CodeResourceType)
	case len(ids) > maxResourceIDs:
		return wire.Refuse(wire.CodeResourceIDs)
	case len(c.params.List("TagFilter")) > 0:
		return wire.Refusef(wire.CodeParameter, "The parameter TagFilter is not available to this account.")
	case len(ids) == 0 && len(tags) == 0:
		return wire.Refuse(wire.CodeTagsMissing)
	case tooMany(tags):
		return wire.Refuse(wire.CodeTags)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case t.key == "":
			return wire.Refuse(wire.CodeTagWithoutKey)
		case utf8.RuneCountInString(t.key) > maxTagKey:
			return wire.Refuse(wire.CodeTagKey)
		case utf8.RuneCountInString(t.value) > maxTagValue:
			return wire.Refuse(wire.CodeTagValue)
		case seen[t.key]:
			return wire.Refuse(wire.CodeTagTwice)
		case t.key == resourceGroupTag && (len(tags) > 1 || t.value == ""):
			return wire.Refuse(wire.CodeTagValue)
		}
		seen[t.key] = true
	}
	return nil
}

// listedTagged gives the groups with some IDs, or all of them, in ascending order.
func (c *call) listedTagged(ids []string) ([]*Group, error) {
	var groups []*Group
	if c.params.Get("ResourceType") == typeGroup && len(ids) == 0 {
		for _, id := range slices.Backward(c.region.order) {
			groups = append(groups, c.region.groups[id])
		}
		return groups, nil
	}
	if len(ids) == 0 {
		return nil, nil
	}
	slices.Sort(ids)
	return c.taggedGroups(slices.Compact(ids))
}
