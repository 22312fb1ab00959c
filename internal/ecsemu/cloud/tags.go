package cloud

import (
	"cmp"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
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
	tags := readTags(c.params)
	if len(tags) == 0 {
		return nil, wire.Refuse(wire.CodeTagsMissing)
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	for _, g := range groups {
		if len(withTags(g.Tags, tags)) > maxTags {
			return nil, wire.Refuse(wire.CodeTagQuota)
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
	all, err := c.params.Bool("All")
	if err != nil {
		return nil, err
	}
	keys := c.params.Texts("TagKey")
	if len(keys) == 0 && !all {
		return nil, wire.Refuse(wire.CodeTagsMissing)
	}
	if len(keys) > maxTags {
		return nil, wire.Refuse(wire.CodeTags)
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
	switch c.params.Get("ResourceType") {
	case "":
		return nil, wire.Refuse(wire.CodeResourceTypeMissing)
	case "securitygroup":
	default:
		return nil, wire.Refuse(wire.CodeResourceType)
	}
	ids := c.params.Texts("ResourceId")
	if len(ids) == 0 {
		return nil, wire.Missing("ResourceId.1")
	}
	if len(ids) > maxResourceIDs {
		return nil, wire.Refuse(wire.CodeResourceIDs)
	}
	groups := make([]*Group, 0, len(ids))
	for _, id := range ids {
		g := c.region.groups[id]
		if g == nil {
			return nil, wire.Refuse(wire.CodeResourceNotFound)
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
		return wire.Refuse(wire.CodeTags)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		reserved := strings.HasPrefix(t.key, "aliyun") || strings.HasPrefix(t.key, "acs:")
		if t.key == "" || utf8.RuneCountInString(t.key) > maxTagKey || reserved || hasURL(t.key) {
			return wire.Refuse(wire.CodeTagKey)
		}
		if utf8.RuneCountInString(t.value) > maxTagValue || hasURL(t.value) {
			return wire.Refuse(wire.CodeTagValue)
		}
		if seen[t.key] {
			return wire.Refuse(wire.CodeTagTwice)
		}
		seen[t.key] = true
	}
	return nil
}

func hasURL(text string) bool {
	return strings.Contains(text, "http://") || strings.Contains(text, "https://")
}

// tag is a tag as a request names it.
type tag struct {
	key      string
	value    string
	anyValue bool // The request gave no value.
}

// readTags reads Tag.N.Key and Tag.N.Value, or their older spelling with small letters.
func readTags(p wire.Params) []tag {
	var tags []tag
	for _, e := range p.List("Tag") {
		t := tag{key: cmp.Or(e.Fields.Get("Key"), e.Fields.Get("key")), anyValue: true}
		for _, name := range []string{"value", "Value"} {
			if value, there := e.Fields[name]; there {
				t.value, t.anyValue = value, false
			}
		}
		tags = append(tags, t)
	}
	return tags
}

func tagActions() []Action {
	// Calls about tags answer 404 where the others answer 400.
	regionMissing := &wire.Refusal{Code: wire.CodeRegionMissing, Status: 404}
	return []Action{
		{Name: "TagResources", Regional: true, Writes: true, regionMissing: regionMissing, handle: tagResources},
		{Name: "UntagResources", Regional: true, Writes: true, regionMissing: regionMissing, handle: untagResources},
	}
}
