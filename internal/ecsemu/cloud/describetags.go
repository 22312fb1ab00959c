package cloud

import (
	"cmp"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Page sizes of DescribeTags.
const (
	defaultTagPage = 50
	maxTagPage     = 100
)

type tagsResponse struct {
	RequestID string `json:"RequestId"`
	numbers

	Tags struct {
		Tag []countedTag `json:"Tag"`
	} `json:"Tags"`
}

// countedTag is a tag, and how many resources have it.
type countedTag struct {
	TagKey            string `json:"TagKey"`
	TagValue          string `json:"TagValue"`
	ResourceTypeCount struct {
		SecurityGroup int `json:"Securitygroup"`
	} `json:"ResourceTypeCount"`
}

// describeAllTags is DescribeTags, the older listing of tags: of one resource, of one type, or of all. A resource that
// does not exist has none.
func describeAllTags(c *call) (any, error) {
	if kind := c.params.Get("ResourceType"); kind != "" && !isResourceType(kind) {
		return nil, wire.Refuse(wire.CodeResourceType)
	}
	asked := readTags(c.params)
	if err := checkTagFilter(asked); err != nil {
		return nil, err
	}
	page, told, err := numberedPage(c, defaultTagPage, maxTagPage, c.countTags(asked))
	if err != nil {
		return nil, err
	}
	response := &tagsResponse{RequestID: c.requestID, numbers: told}
	response.Tags.Tag = append([]countedTag{}, page...)
	return response, nil
}

// countTags gives the tags of the groups that a request is about, by key and value.
func (c *call) countTags(asked []tag) []countedTag {
	if kind := c.params.Get("ResourceType"); kind != "" && kind != typeGroup {
		return nil
	}
	counts := map[tagElement]int{}
	id := c.params.Get("ResourceId")
	for _, g := range c.region.groups {
		if id != "" && id != g.ID || !hasTags(g.Tags, asked) {
			continue
		}
		for _, t := range describeTags(g.Tags) {
			counts[t]++
		}
	}
	all := make([]countedTag, 0, len(counts))
	for t, n := range counts {
		counted := countedTag{TagKey: t.TagKey, TagValue: t.TagValue}
		counted.ResourceTypeCount.SecurityGroup = n
		all = append(all, counted)
	}
	slices.SortFunc(all, func(a, b countedTag) int {
		return cmp.Or(cmp.Compare(a.TagKey, b.TagKey), cmp.Compare(a.TagValue, b.TagValue))
	})
	return all
}
