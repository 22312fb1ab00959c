package ecsemu_test

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

// tagging are parameters about the tags of groups of the small estate.
func tagging(pairs ...string) url.Values {
	return with(hangzhou("ResourceType", "securitygroup"), pairs...)
}

// tagsOf gives the tags of a group as the listing of groups tells them, as key=value.
func tagsOf(t fatal, r *ecsemu.Running, group string) string {
	t.Helper()
	wrapper, _ := oneGroup(t, r, group)["Tags"].(map[string]any)
	list, _ := wrapper["Tag"].([]any)
	var all []string
	for _, e := range list {
		tag, _ := e.(map[string]any)
		all = append(all, fmt.Sprint(tag["TagKey"], "=", tag["TagValue"]))
	}
	return strings.Join(all, " ")
}

func TestTags(t *testing.T) {
	r := startSmall(t)
	must(t, r, "TagResources", tagging("ResourceId.1", "sg-web", "ResourceId.2", "sg-managed",
		"Tag.1.Key", "env", "Tag.1.Value", "new", "Tag.2.Key", "other"))
	for id, want := range map[string]string{"sg-web": "empty= env=new other=", "sg-managed": "env=new other="} {
		if got := tagsOf(t, r, id); got != want {
			t.Errorf("%s: got tags %q, want %q", id, got, want)
		}
	}
	must(t, r, "UntagResources", tagging("ResourceId.1", "sg-web", "TagKey.1", "env", "TagKey.2", "none", "All", "true"))
	if got := tagsOf(t, r, "sg-web"); got != "empty= other=" {
		t.Errorf("after some were taken off: got tags %q", got)
	}
	must(t, r, "UntagResources", tagging("ResourceId.1", "sg-web", "ResourceId.2", "sg-managed", "All", "true"))
	if got := tagsOf(t, r, "sg-web") + tagsOf(t, r, "sg-managed"); got != "" {
		t.Errorf("after all were taken off: got tags %q", got)
	}
}

func TestRefusedTagsChangeNoResource(t *testing.T) {
	r := startSmall(t)
	// The second resource has no room for twenty more.
	got := call(t, r, "TagResources", with(tagging("ResourceId.1", "sg-db", "ResourceId.2", "sg-web"), manyTags(20)...))
	if got.code() != "QuotaExceed.Tags" || tagsOf(t, r, "sg-db") != "" {
		t.Errorf("got %q, and the tags %q on the first resource", got.code(), tagsOf(t, r, "sg-db"))
	}
	must(t, r, "TagResources", with(tagging("ResourceId.1", "sg-db"), manyTags(20)...))
	got = call(t, r, "TagResources", tagging("ResourceId.1", "sg-db", "Tag.1.Key", "k0", "Tag.1.Value", "other"))
	if got.status != 200 || !strings.Contains(tagsOf(t, r, "sg-db"), "k0=other") {
		t.Errorf("another value for one of twenty tags: got %d, tags %q", got.status, tagsOf(t, r, "sg-db"))
	}
}

// listed gives what ListTagResources tells, all pages of it, as resource:key=value.
func listed(t fatal, r *ecsemu.Running, pairs ...string) []string {
	t.Helper()
	all, query := []string{}, tagging(pairs...)
	for range 100 {
		got := must(t, r, "ListTagResources", query)
		for _, e := range got.list("TagResources", "TagResource") {
			if e["ResourceType"] != "securitygroup" {
				t.Fatalf("got a resource of the type %v", e["ResourceType"])
			}
			all = append(all, fmt.Sprint(e["ResourceId"], ":", e["TagKey"], "=", e["TagValue"]))
		}
		token := got.text("NextToken")
		if token == "" {
			return all
		}
		query = with(query, "NextToken", token)
	}
	t.Fatalf("the listing does not end")
	return nil
}

func TestListingTags(t *testing.T) {
	r := startSmall(t)
	for _, test := range []struct {
		name   string
		filter []string
		want   []string
	}{
		{"of one resource", []string{"ResourceId.1", "sg-web"}, []string{"sg-web:empty=", "sg-web:env=prod"}},
		{"of one without tags", []string{"ResourceId.1", "sg-db"}, []string{}},
		{
			"of several, in order, and each once",
			[]string{"ResourceId.1", "sg-web", "ResourceId.2", "sg-far", "ResourceId.3", "sg-web"},
			[]string{"sg-far:env=dev", "sg-web:empty=", "sg-web:env=prod"},
		},
		{
			"of those with a key: all their tags",
			[]string{"Tag.1.Key", "env"},
			[]string{"sg-far:env=dev", "sg-web:empty=", "sg-web:env=prod"},
		},
		{"of those with a key and value", []string{"Tag.1.Key", "env", "Tag.1.Value", "dev"}, []string{"sg-far:env=dev"}},
		{"of those with two tags", []string{"Tag.1.Key", "env", "Tag.2.Key", "empty"}, []string{"sg-web:empty=", "sg-web:env=prod"}},
		{"of a resource that has not the tag", []string{"ResourceId.1", "sg-far", "Tag.1.Key", "empty"}, []string{}},
		{"of a resource group", []string{"Tag.1.Key", "acs:rm:rgId", "Tag.1.Value", "rg-1"}, []string{"sg-db:acs:rm:rgId=rg-1"}},
		{"of another resource group", []string{"Tag.1.Key", "acs:rm:rgId", "Tag.1.Value", "rg-2"}, []string{}},
		{"of another type of resources", []string{"ResourceType", "instance", "Tag.1.Key", "env"}, []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, listed(t, r, test.filter...)); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPagesOfTagsAddUpToTheWhole(t *testing.T) {
	estate := &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou"}}}
	var want []string
	for i := range 60 {
		g := ecsemu.Group{ID: fmt.Sprintf("sg-%02d", i), Name: "n", VPC: "vpc-1", Tags: map[string]string{}}
		for k := range i % 5 {
			g.Tags[fmt.Sprintf("k%d", k)] = strconv.Itoa(i)
			want = append(want, fmt.Sprintf("%s:k%d=%d", g.ID, k, i))
		}
		estate.Regions[0].Groups = append(estate.Regions[0].Groups, g)
	}
	r := ecsemu.Start(t, estate, atStoppedClock)
	var ids []string
	for i := range 50 {
		ids = append(ids, fmt.Sprintf("ResourceId.%d", i+1), fmt.Sprintf("sg-%02d", i))
	}
	if diff := cmp.Diff(want[:100], listed(t, r, ids...)); diff != "" {
		t.Errorf("of fifty resources (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, listed(t, r, "Tag.1.Key", "k0")); diff != "" {
		t.Errorf("of all with a key (-want +got):\n%s", diff)
	}
	first := must(t, r, "ListTagResources", tagging("Tag.1.Key", "k0"))
	if n := len(first.list("TagResources", "TagResource")); n != 50 {
		t.Errorf("got a page of %d, want 50", n)
	}
	// It goes on behind the last one although that is gone.
	must(t, r, "UntagResources", tagging("ResourceId.1", "sg-24", "All", "true"))
	rest := must(t, r, "ListTagResources", tagging("Tag.1.Key", "k0", "NextToken", first.text("NextToken")))
	if got := rest.list("TagResources", "TagResource")[0]["ResourceId"]; got != "sg-26" {
		t.Errorf("the second page begins with %v", got)
	}
}

func TestOlderActionsAboutTags(t *testing.T) {
	r := startSmall(t)
	older := func(pairs ...string) url.Values {
		return tagging(append([]string{"ResourceId", "sg-web"}, pairs...)...)
	}
	describe := func(pairs ...string) []string {
		all := []string{}
		for _, e := range must(t, r, "DescribeTags", hangzhou(pairs...)).list("Tags", "Tag") {
			count, _ := e["ResourceTypeCount"].(map[string]any)
			all = append(all, fmt.Sprint(e["TagKey"], "=", e["TagValue"], "*", count["Securitygroup"]))
		}
		return all
	}
	must(t, r, "AddTags", older("Tag.1.Key", "env", "Tag.1.Value", "dev", "Tag.2.Key", "a", "Tag.2.Value", "b"))
	for _, test := range []struct {
		name   string
		filter []string
		want   []string
	}{
		{"of all", nil, []string{"a=b*1", "empty=*1", "env=dev*2"}},
		{"of a page", []string{"PageSize", "2", "PageNumber", "2"}, []string{"env=dev*2"}},
		{"of a resource", []string{"ResourceType", "securitygroup", "ResourceId", "sg-web"}, []string{"a=b*1", "empty=*1", "env=dev*1"}},
		{"of a resource that is not there", []string{"ResourceType", "securitygroup", "ResourceId", "sg-none"}, []string{}},
		{"of another type", []string{"ResourceType", "disk"}, []string{}},
		{"of those with a tag", []string{"Tag.1.Key", "a"}, []string{"a=b*1", "empty=*1", "env=dev*1"}},
	} {
		if diff := cmp.Diff(test.want, describe(test.filter...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	must(t, r, "RemoveTags", older("Tag.1.Key", "env", "Tag.1.Value", "prod", "Tag.2.Key", "a"))
	if got := tagsOf(t, r, "sg-web"); got != "empty= env=dev" {
		t.Errorf("without a, and without env if it were prod: got %q", got)
	}
	must(t, r, "RemoveTags", older("Tag.1.Key", "env", "Tag.1.Value", "dev"))
	if got := tagsOf(t, r, "sg-web"); got != "empty=" {
		t.Errorf("without env as it is: got %q", got)
	}
	must(t, r, "RemoveTags", older())
	must(t, r, "RemoveTags", older())
	if got := tagsOf(t, r, "sg-web"); got != "" {
		t.Errorf("without any: got %q", got)
	}
}

func TestTagRefusals(t *testing.T) {
	const tag, untag, list, older = "TagResources", "UntagResources", "ListTagResources", "AddTags"
	tags := func(pairs ...string) url.Values {
		return with(tagging("ResourceId.1", "sg-web", "Tag.1.Key", "k", "Tag.1.Value", "v"), pairs...)
	}
	untagged := func(pairs ...string) url.Values {
		return with(tagging("ResourceId.1", "sg-web", "TagKey.1", "k"), pairs...)
	}
	var ids, keys []string
	for i := range 51 {
		ids = append(ids, "ResourceId."+strconv.Itoa(i+1), "sg-web")
	}
	for i := range 21 {
		keys = append(keys, "TagKey."+strconv.Itoa(i+1), "k")
	}
	long := strings.Repeat("é", 129)
	checkRefusals(t, []refusalTest{
		{"tags in no region", tag, tags("RegionId", ""), 404, "MissingParameter.RegionId"},
		{"tags in an unknown region", tag, tags("RegionId", "x"), 404, "InvalidRegionId.NotFound"},
		{"tags of no resource type", tag, tags("ResourceType", ""), 404, "MissingParameter.ResourceType"},
		{"tags of an unknown resource type", tag, tags("ResourceType", "instances"), 404, "InvalidResourceType.NotFound"},
		{"tags of a resource type in capitals", tag, tags("ResourceType", "SecurityGroup"), 404, "InvalidResourceType.NotFound"},
		{"tags of a prefix list", tag, tags("ResourceType", "prefixlist", "ResourceId.1", "pl-v4"), 404, "InvalidResourceType.NotFound"},
		{"tags of an instance", tag, tags("ResourceType", "instance", "ResourceId.1", "i-1"), 404, "InvalidResourceId.NotFound"},
		{"tags of an instance by the ID of a group", tag, tags("ResourceType", "instance"), 404, "InvalidResourceId.NotFound"},
		{"tags of no resource", tag, tags("ResourceId.1", ""), 400, "MissingParameter"},
		{"tags of 51 resources", tag, tags(ids...), 400, "NumberExceed.ResourceIds"},
		{"tags of an unknown group", tag, tags("ResourceId.1", "sg-none"), 404, "InvalidResourceId.NotFound"},
		{"no tags", tag, tagging("ResourceId.1", "sg-web"), 404, "MissingParameter.Tags"},
		{"21 tags", tag, tags(manyTags(21)...), 400, "NumberExceed.Tags"},
		{"20 tags on top of two", tag, tags(manyTags(20)...), 403, "QuotaExceed.Tags"},
		{"a tag twice", tag, tags("Tag.2.Key", "k"), 400, "Duplicate.TagKey"},
		{"a tag without a key", tag, tags("Tag.1.Key", ""), 400, "InvalidTagKey.Malformed"},
		{"a tag with too long a key", tag, tags("Tag.1.Key", long), 400, "InvalidTagKey.Malformed"},
		{"a tag with a key of the vendor", tag, tags("Tag.1.Key", "aliyun.x"), 400, "InvalidTagKey.Malformed"},
		{"a tag with a key of the system", tag, tags("Tag.1.Key", "acs:x"), 400, "InvalidTagKey.Malformed"},
		{"a tag with an address in its key", tag, tags("Tag.1.Key", "a http://b"), 400, "InvalidTagKey.Malformed"},
		{"a tag with an address as its value", tag, tags("Tag.1.Value", "see https://a"), 400, "InvalidTagValue.Malformed"},
		{"a tag with too long a value", tag, tags("Tag.1.Value", long), 400, "InvalidTagValue.Malformed"},
		{"a tag in the older way without a resource", older, tagging("Tag.1.Key", "k"), 400, "MissingParameter"},
		{"a tag in the older way of an unknown group", older, tagging("Tag.1.Key", "k", "ResourceId", "sg-none"), 404, "InvalidResourceId.NotFound"},
		{"no tags in the older way", older, tagging("ResourceId", "sg-web"), 404, "MissingParameter.Tags"},
		{"no keys to take off", untag, untagged("TagKey.1", ""), 404, "MissingParameter.Tags"},
		{"21 keys to take off", untag, untagged(keys...), 400, "NumberExceed.Tags"},
		{"too long a key to take off", untag, untagged("TagKey.1", long), 400, "InvalidTagKey.Malformed"},
		{"all tags perhaps", untag, untagged("All", "perhaps"), 400, "InvalidParameter"},
		{"tags off an unknown group", untag, untagged("ResourceId.1", "sg-none"), 404, "InvalidResourceId.NotFound"},
		{"removing a tag without a key", "RemoveTags", tagging("ResourceId", "sg-web", "Tag.1.Value", "v"), 400, "InvalidTagKey.Malformed"},
		{"removing tags of no resource", "RemoveTags", tagging("Tag.1.Key", "k"), 400, "MissingParameter"},
		{"a listing in no region", list, params("ResourceType", "securitygroup", "ResourceId.1", "sg-web"), 404, "MissingParameter.RegionId"},
		{"a listing of no type", list, hangzhou("ResourceId.1", "sg-web"), 404, "MissingParameter.ResourceType"},
		{"a listing of an unknown type", list, tagging("ResourceType", "x", "ResourceId.1", "sg-web"), 404, "InvalidResourceType.NotFound"},
		{"a listing of nothing", list, tagging(), 404, "MissingParameter.Tags"},
		{"a listing of an unknown group", list, tagging("ResourceId.1", "sg-none"), 404, "InvalidResourceId.NotFound"},
		{"a listing of 51 resources", list, tagging(ids...), 400, "NumberExceed.ResourceIds"},
		{"a listing by 21 tags", list, with(tagging(), manyTags(21)...), 400, "NumberExceed.Tags"},
		{"a listing by a value alone", list, tagging("Tag.1.Value", "v"), 400, "InvalidParameter.TagValue"},
		{"a listing by a key twice", list, tagging("Tag.1.Key", "k", "Tag.2.Key", "k"), 400, "Duplicate.TagKey"},
		{"a listing by too long a key", list, tagging("Tag.1.Key", long), 400, "InvalidTagKey.Malformed"},
		{"a listing by too long a value", list, tagging("Tag.1.Key", "k", "Tag.1.Value", long), 400, "InvalidTagValue.Malformed"},
		{"a listing by a resource group and a tag", list, tagging("Tag.1.Key", "acs:rm:rgId", "Tag.1.Value", "rg-1", "Tag.2.Key", "k"), 400, "InvalidTagValue.Malformed"},
		{"a listing by a resource group that is none", list, tagging("Tag.1.Key", "acs:rm:rgId"), 400, "InvalidTagValue.Malformed"},
		{"a listing of an unknown type by a tag", list, tagging("ResourceType", "x", "Tag.1.Key", "k"), 404, "InvalidResourceType.NotFound"},
		{"a listing by pattern", list, tagging("TagFilter.1.TagKey", "k*"), 400, "InvalidParameter"},
		{"a listing with a made-up token", list, tagging("ResourceId.1", "sg-web", "NextToken", "x"), 400, "InvalidParameter"},
		{"an older listing of an unknown type", "DescribeTags", hangzhou("ResourceType", "x"), 404, "InvalidResourceType.NotFound"},
		{"an older listing with too large a page", "DescribeTags", hangzhou("PageSize", "101"), 400, "InvalidParameter"},
		{"an older listing in no region", "DescribeTags", nil, 404, "MissingParameter.RegionId"},
	})
}
