package cloud

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Limits of tags.
const (
	maxTags        = 20
	maxTagKey      = 128
	maxTagValue    = 128
	maxResourceIDs = 50
)

// Types of resources that something is known of.
const (
	typeGroup     = "securitygroup"
	typeInterface = "eni"
)

// isResourceType tells whether a type of resources can be named where tags and resource groups are dealt with. Prefix
// lists and port lists are no such type: they get their tags when they are created.
func isResourceType(kind string) bool {
	return slices.Contains([]string{
		typeGroup, typeInterface, "instance", "disk", "snapshot", "image", "volume", "ddh", "ddhcluster", "keypair",
		"launchtemplate", "reservedinstance", "snapshotpolicy", "elasticityassurance", "capacityreservation", "command",
		"invocation", "activation", "managedinstance",
	}, kind)
}

// tagResources tags groups. That a group is managed is no obstacle: the documents do not name tagging among what is
// refused for those.
func tagResources(c *call) (any, error) { return c.tagGroups(c.params.Texts("ResourceId")) }

// addTags is what TagResources was before it: of one resource.
func addTags(c *call) (any, error) { return c.tagGroups(c.theResource()) }

func (c *call) tagGroups(ids []string) (any, error) {
	groups, err := c.taggedGroups(ids)
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

// theResource gives the ResourceId of the older requests about tags.
func (c *call) theResource() []string {
	if id := c.params.Get("ResourceId"); id != "" {
		return []string{id}
	}
	return nil
}

// untagResources takes tags off groups: those of TagKey.N or, if there are none, all of them if All is true. A key that a
// group does not have is no obstacle.
func untagResources(c *call) (any, error) {
	groups, err := c.taggedGroups(c.params.Texts("ResourceId"))
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
	for _, key := range keys {
		if utf8.RuneCountInString(key) > maxTagKey {
			return nil, wire.Refuse(wire.CodeTagKey)
		}
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

// removeTags is what UntagResources was before it: of one resource, and of a tag with its value if one is given. No tags
// are all of them.
func removeTags(c *call) (any, error) {
	groups, err := c.taggedGroups(c.theResource())
	if err != nil {
		return nil, err
	}
	tags := readTags(c.params)
	if err := checkTagFilter(tags); err != nil {
		return nil, err
	}
	left := maps.Clone(groups[0].Tags)
	maps.DeleteFunc(left, func(key, value string) bool {
		return len(tags) == 0 || slices.ContainsFunc(tags, func(t tag) bool {
			return t.key == key && (t.anyValue || t.value == value)
		})
	})
	c.putTags(groups[0], left)
	return &plainResponse{RequestID: c.requestID}, nil
}

// taggedGroups finds the groups that a request about tags names. Of the other types of resources nothing exists here.
func (c *call) taggedGroups(ids []string) ([]*Group, error) {
	switch kind := c.params.Get("ResourceType"); {
	case kind == "":
		return nil, wire.Refuse(wire.CodeResourceTypeMissing)
	case !isResourceType(kind):
		return nil, wire.Refuse(wire.CodeResourceType)
	case len(ids) == 0:
		return nil, wire.Missing("ResourceId.1")
	case len(ids) > maxResourceIDs:
		return nil, wire.Refuse(wire.CodeResourceIDs)
	case kind != typeGroup:
		return nil, wire.Refuse(wire.CodeResourceNotFound)
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

// checkTags checks the tags of a request that sets them. A value that is absent is taken as empty: some clients cannot
// send empty texts.
func checkTags(tags []tag) error {
	if tooMany(tags) {
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

// checkTagFilter checks the tags that a listing is to show the resources of.
func checkTagFilter(tags []tag) error {
	if tooMany(tags) {
		return wire.Refuse(wire.CodeTags)
	}
	for _, t := range tags {
		if t.key == "" {
			return wire.Refuse(wire.CodeTagKey)
		}
	}
	return nil
}

// hasTags tells whether tags are all among those of a resource.
func hasTags(held map[string]string, asked []tag) bool {
	for _, t := range asked {
		if value, there := held[t.key]; !there || !t.anyValue && t.value != value {
			return false
		}
	}
	return true
}

// tag is a tag as a request names it.
type tag struct {
	index    int // The N of Tag.N.
	key      string
	value    string
	anyValue bool // The request gave no value.
}

// tooMany tells whether a request numbers tags beyond what it may.
func tooMany(tags []tag) bool { return len(tags) > 0 && tags[len(tags)-1].index > maxTags }

// readTags reads Tag.N.Key and Tag.N.Value, or their older spelling with small letters.
func readTags(p wire.Params) []tag {
	var tags []tag
	for _, e := range p.List("Tag") {
		t := tag{index: e.Index, key: cmp.Or(e.Fields.Get("Key"), e.Fields.Get("key")), anyValue: true}
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
	actions := []Action{
		{Name: "TagResources", Writes: true, resources: taggedResources, handle: tagResources},
		{Name: "UntagResources", Writes: true, resources: taggedResources, handle: untagResources},
		{Name: "ListTagResources", Pages: true, handle: listTagResources},
		{Name: "AddTags", Writes: true, resources: theTagged, handle: addTags},
		{Name: "RemoveTags", Writes: true, resources: theTagged, handle: removeTags},
		{Name: "DescribeTags", handle: describeAllTags},
	}
	for i := range actions {
		actions[i].Regional = true
		// Calls about tags answer 404 where the others answer 400.
		actions[i].regionMissing = &wire.Refusal{
			Code: wire.CodeRegionMissing, Status: 404, Message: "The parameter - RegionId should not be null",
		}
	}
	return actions
}
