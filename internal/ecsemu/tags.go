package ecsemu

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of tags.
const (
	maxTags        = 20
	maxTagKey      = 128
	maxTagValue    = 128
	maxResourceIDs = 50
)

// tagResources tags groups. That a group is managed is no obstacle: the documents do not name tagging among what is
// refused for those.
func tagResources(c *call) (any, error) {
	groups, err := c.taggedGroups()
	if err != nil {
		return nil, err
	}
	tags := c.params.tags()
	if len(tags) == 0 {
		return nil, refuse(codeTagsMissing)
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	for _, g := range groups {
		if len(withTags(g.Tags, tags)) > maxTags {
			return nil, refuse(codeTagQuota)
		}
	}
	for _, g := range groups {
		c.putTags(g, withTags(g.Tags, tags))
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

// untagResources takes tags off groups: those of TagKey.N or, if there are none, all of them if All is true. Its API
// page was not at hand. A key that a group does not have is no obstacle.
func untagResources(c *call) (any, error) {
	groups, err := c.taggedGroups()
	if err != nil {
		return nil, err
	}
	all, err := c.params.boolean("All")
	if err != nil {
		return nil, err
	}
	keys := c.params.texts("TagKey")
	if len(keys) == 0 && !all {
		return nil, refuse(codeTagsMissing)
	}
	if len(keys) > maxTags {
		return nil, refuse(codeTags)
	}
	for _, g := range groups {
		left := map[string]string{}
		if len(keys) > 0 {
			maps.Copy(left, g.Tags)
			maps.DeleteFunc(left, func(key, _ string) bool { return slices.Contains(keys, key) })
		}
		c.putTags(g, left)
	}
	return &plainResponse{RequestID: c.requestID}, nil
}

// taggedGroups finds the groups that a request about tags names.
func (c *call) taggedGroups() ([]*Group, error) {
	switch c.params.get("ResourceType") {
	case "":
		return nil, refuse(codeResourceTypeMissing)
	case "securitygroup":
	default:
		return nil, refuse(codeResourceType)
	}
	ids := c.params.texts("ResourceId")
	if len(ids) == 0 {
		return nil, missing("ResourceId.1")
	}
	if len(ids) > maxResourceIDs {
		return nil, refuse(codeResourceIDs)
	}
	groups := make([]*Group, 0, len(ids))
	for _, id := range ids {
		g := c.region.groups[id]
		if g == nil {
			return nil, refuse(codeResourceNotFound)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// putTags gives a group other tags, if they are others.
func (c *call) putTags(g *Group, tags map[string]string) {
	if maps.Equal(g.Tags, tags) {
		return
	}
	twin := *g
	twin.Tags = tags
	c.putGroup(&twin)
}

func withTags(old map[string]string, tags []tag) map[string]string {
	all := make(map[string]string, len(old)+len(tags))
	maps.Copy(all, old)
	for _, t := range tags {
		all[t.key] = t.value
	}
	return all
}

// checkTags checks the tags of a request that sets them. A value that is absent is taken as empty.
func checkTags(tags []tag) error {
	if len(tags) > maxTags {
		return refuse(codeTags)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		reserved := strings.HasPrefix(t.key, "aliyun") || strings.HasPrefix(t.key, "acs:")
		if t.key == "" || utf8.RuneCountInString(t.key) > maxTagKey || reserved || hasURL(t.key) {
			return refuse(codeTagKey)
		}
		if utf8.RuneCountInString(t.value) > maxTagValue || hasURL(t.value) {
			return refuse(codeTagValue)
		}
		if seen[t.key] {
			return refuse(codeTagTwice)
		}
		seen[t.key] = true
	}
	return nil
}

func hasURL(text string) bool {
	return strings.Contains(text, "http://") || strings.Contains(text, "https://")
}
