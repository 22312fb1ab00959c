package ecsemu

import (
	"maps"
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
	tags := c.params.tags()
	if len(tags) == 0 {
		return nil, refuse(codeTagsMissing)
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	tagged := make([]*Group, 0, len(ids))
	for _, id := range ids {
		g := c.region.groups[id]
		if g == nil {
			return nil, refuse(codeResourceNotFound)
		}
		twin := *g
		twin.Tags = withTags(g.Tags, tags)
		if len(twin.Tags) > maxTags {
			return nil, refuse(codeTagQuota)
		}
		tagged = append(tagged, &twin)
	}
	for _, g := range tagged {
		c.region.putGroup(g)
	}
	return &plainResponse{RequestID: c.requestID}, nil
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
