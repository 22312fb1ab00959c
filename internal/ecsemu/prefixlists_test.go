package ecsemu_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// entriesOf gives what is in a prefix list, as CIDR=description.
func entriesOf(t fatal, r *ecsemu.Running, list string) []string {
	t.Helper()
	entries := []string{}
	for _, e := range must(t, r, "DescribePrefixListAttributes", hangzhou("PrefixListId", list)).list("Entries", "Entry") {
		entries = append(entries, fmt.Sprint(e["Cidr"], "=", e["Description"]))
	}
	return entries
}

func TestCreatedPrefixListsAreNormalised(t *testing.T) {
	r := startSmall(t)
	for family, test := range map[string]struct{ in, want []string }{
		"IPv4": {[]string{"203.0.113.7", "10.0.0.0/8"}, []string{"203.0.113.7/32=why", "10.0.0.0/8=why"}},
		"IPv6": {[]string{"2001:DB8:0:0::1", "2001:0DB8::/32"}, []string{"2001:db8::1/128=why", "2001:db8::/32=why"}},
	} {
		query := hangzhou("PrefixListName", "list", "AddressFamily", family, "MaxEntries", "5", "Description", "some")
		for i, cidr := range test.in {
			query.Set(fmt.Sprintf("Entry.%d.Cidr", i+1), cidr)
			query.Set(fmt.Sprintf("Entry.%d.Description", i+1), "why")
		}
		id := must(t, r, "CreatePrefixList", query).text("PrefixListId")
		if diff := cmp.Diff(test.want, entriesOf(t, r, id)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", family, diff)
		}
		got := must(t, r, "DescribePrefixListAttributes", hangzhou("PrefixListId", id))
		if got := got.text("CreationTime"); got != "2026-03-01T12:00Z" {
			t.Errorf("got creation time %q, want one without seconds", got)
		}
	}
}

func TestAHundredPrefixListsARegion(t *testing.T) {
	estate := &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "r"}}}
	for i := range 99 {
		estate.Regions[0].PrefixLists = append(estate.Regions[0].PrefixLists, ecsemu.PrefixList{ID: fmt.Sprintf("pl-%d", i)})
	}
	r := ecsemu.Start(t, estate, atStoppedClock)
	create := func() answer {
		return call(t, r, "CreatePrefixList", params("RegionId", "r", "PrefixListName", "list", "AddressFamily", "IPv4", "MaxEntries", "5"))
	}
	if got := create(); got.status != 200 {
		t.Errorf("the hundredth: %s", got.raw)
	}
	if got := create(); got.status != 404 || got.code() != "LimitExceed.PrefixListPerRegion" {
		t.Errorf("one more: got %d %q", got.status, got.code())
	}
}

func TestListingPrefixLists(t *testing.T) {
	r := startSmall(t)
	must(t, r, authorize, web("IpProtocol", "all", "PortRange", "-1/-1", "DestPrefixListId", "pl-v6"))
	must(t, r, authorize, web("SecurityGroupId", "sg-db", "IpProtocol", "all", "PortRange", "-1/-1", "DestPrefixListId", "pl-v6"))
	id := must(t, r, "CreatePrefixList", hangzhou("PrefixListName", "made", "AddressFamily", "IPv4", "MaxEntries", "2",
		"ResourceGroupId", "rg-1", "Tag.1.Key", "env", "Tag.1.Value", "prod", "Entry.1.Cidr", "10.0.0.0/8", "Entry.1.Description", "")).text("PrefixListId")
	list := func(pairs ...string) []string {
		ids := []string{}
		for _, e := range must(t, r, "DescribePrefixLists", hangzhou(pairs...)).list("PrefixLists", "PrefixList") {
			ids = append(ids, fmt.Sprint(e["PrefixListId"], "*", e["AssociationCount"]))
		}
		return ids
	}
	all := []string{"pl-v6*2", "pl-v4*0", id + "*0"}
	for _, test := range []struct {
		name   string
		filter []string
		want   []string
	}{
		{"nothing: all, in descending order", nil, all},
		{"IDs", []string{"PrefixListId.1", "pl-v4", "PrefixListId.2", "pl-none", "PrefixListId.3", id}, []string{all[1], all[2]}},
		{"a name", []string{"PrefixListName", "six"}, all[:1]},
		{"a family", []string{"AddressFamily", "IPv4"}, all[1:]},
		{"a resource group", []string{"ResourceGroupId", "rg-1"}, all[2:]},
		{"a tag", []string{"Tag.1.Key", "env", "Tag.1.Value", "prod"}, all[2:]},
		{"two conditions at once", []string{"PrefixListName", "six", "AddressFamily", "IPv4"}, []string{}},
		{"a page", []string{"MaxResults", "2"}, all[:2]},
	} {
		if diff := cmp.Diff(test.want, list(test.filter...)); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", test.name, diff)
		}
	}
	got := must(t, r, "DescribePrefixLists", hangzhou("PrefixListId.1", id)).list("PrefixLists", "PrefixList")
	want := []map[string]any{{
		"PrefixListId": id, "PrefixListName": "made", "AddressFamily": "IPv4", "MaxEntries": json.Number("2"),
		"AssociationCount": json.Number("0"), "CreationTime": "2026-03-01T12:00Z", "Description": "",
		"ResourceGroupId": "rg-1", "Tags": map[string]any{"Tag": []any{map[string]any{"TagKey": "env", "TagValue": "prod"}}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("element (-want +got):\n%s", diff)
	}
}

func TestModifyingAPrefixList(t *testing.T) {
	r := startSmall(t)
	id := must(t, r, "CreatePrefixList", hangzhou("PrefixListName", "list", "AddressFamily", "IPv4", "MaxEntries", "2",
		"Entry.1.Cidr", "10.0.0.0/8")).text("PrefixListId")
	modify := func(pairs ...string) answer {
		return call(t, r, "ModifyPrefixList", with(hangzhou("PrefixListId", id), pairs...))
	}
	for _, step := range []struct {
		name   string
		params []string
		code   string
		want   []string
	}{
		{"adding one", []string{"AddEntry.1.Cidr", "1.1.1.1", "AddEntry.1.Description", "one"}, "", []string{"10.0.0.0/8=", "1.1.1.1/32=one"}},
		{"adding one more than it may have", []string{"AddEntry.1.Cidr", "2.2.2.2"}, "LimitExceed.MaxEntries", nil},
		{"describing one that is there", []string{"AddEntry.1.Cidr", "10.0.0.0/8", "AddEntry.1.Description", "ten"}, "", []string{"10.0.0.0/8=ten", "1.1.1.1/32=one"}},
		{"adding one that is there, without a description", []string{"AddEntry.1.Cidr", "1.1.1.1/32"}, "", []string{"10.0.0.0/8=ten", "1.1.1.1/32=one"}},
		{"one for another", []string{"RemoveEntry.1.Cidr", "1.1.1.1", "AddEntry.1.Cidr", "3.3.3.3"}, "", []string{"10.0.0.0/8=ten", "3.3.3.3/32="}},
		{"removing what is not there", []string{"RemoveEntry.1.Cidr", "9.9.9.9"}, "", []string{"10.0.0.0/8=ten", "3.3.3.3/32="}},
		{"adding and removing the same", []string{"RemoveEntry.1.Cidr", "3.3.3.3/32", "AddEntry.1.Cidr", "3.3.3.3"}, "InvalidParameter.CidrDuplicated", nil},
		{"adding the same twice", []string{"AddEntry.1.Cidr", "4.4.4.4", "AddEntry.2.Cidr", "4.4.4.4/32"}, "InvalidParameter.CidrDuplicated", nil},
		{"removing all", []string{"RemoveEntry.1.Cidr", "3.3.3.3", "RemoveEntry.2.Cidr", "10.0.0.0/8"}, "", []string{}},
	} {
		before := entriesOf(t, r, id)
		want := step.want
		if step.code != "" {
			want = before
		}
		got := modify(step.params...)
		if got.code() != step.code {
			t.Errorf("%s: got %d %q, want %q", step.name, got.status, got.code(), step.code)
		}
		if diff := cmp.Diff(want, entriesOf(t, r, id)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	if got := modify("PrefixListName", "other", "Description", "what it is for"); got.status != 200 {
		t.Fatalf("another name: %s", got.raw)
	}
	modify()
	got := must(t, r, "DescribePrefixListAttributes", hangzhou("PrefixListId", id))
	if got.text("PrefixListName") != "other" || got.text("Description") != "what it is for" {
		t.Errorf("got %q, %q", got.text("PrefixListName"), got.text("Description"))
	}
}

func TestEntriesOfAnEstateAreRemovedHoweverTheyAreWritten(t *testing.T) {
	r := ecsemu.Start(t, &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou", PrefixLists: []ecsemu.PrefixList{
		{ID: "pl-1", Name: "list", Family: "IPv6", Entries: []ecsemu.Entry{{CIDR: "2001:DB8::1"}, {CIDR: "2001:DB8:0::/32"}}},
	}}}}, atStoppedClock)
	must(t, r, "ModifyPrefixList", hangzhou("PrefixListId", "pl-1", "RemoveEntry.1.Cidr", "2001:db8::1/128", "RemoveEntry.2.Cidr", "2001:db8::/32"))
	if got := entriesOf(t, r, "pl-1"); len(got) != 0 {
		t.Errorf("got %q left", got)
	}
}

func TestListsThatAreUsedAreNotDeleted(t *testing.T) {
	r := startSmall(t)
	must(t, r, authorize, web("IpProtocol", "all", "PortRange", "-1/-1", "DestPrefixListId", "pl-v4"))
	must(t, r, "AuthorizeSecurityGroup", web("SecurityGroupId", "sg-db", "IpProtocol", "all", "PortRange", "-1/-1", "SourcePrefixListId", "pl-v4"))
	users := must(t, r, "DescribePrefixListAssociations", hangzhou("PrefixListId", "pl-v4"))
	want := []map[string]any{
		{"ResourceId": "sg-web", "ResourceType": "securitygroup"}, {"ResourceId": "sg-db", "ResourceType": "securitygroup"},
	}
	if diff := cmp.Diff(want, users.list("PrefixListAssociations", "PrefixListAssociation")); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	remove := func() answer { return call(t, r, "DeletePrefixList", hangzhou("PrefixListId", "pl-v4")) }
	if got := remove(); got.status != 400 || got.code() != "NotAllowed.AssociationExist" {
		t.Errorf("used by both: got %d %q", got.status, got.code())
	}
	must(t, r, "RevokeSecurityGroupEgress", web("IpProtocol", "all", "PortRange", "-1/-1", "DestPrefixListId", "pl-v4"))
	if got := remove(); got.code() != "NotAllowed.AssociationExist" {
		t.Errorf("used by an ingress rule: got %d %q", got.status, got.code())
	}
	must(t, r, "RevokeSecurityGroup", web("SecurityGroupId", "sg-db", "IpProtocol", "all", "PortRange", "-1/-1", "SourcePrefixListId", "pl-v4"))
	if got := remove(); got.status != 200 {
		t.Errorf("used by none: %s", got.raw)
	}
	if got := remove(); got.status != 404 || got.code() != "InvalidPrefixListId.NotFound" {
		t.Errorf("deleted before: got %d %q", got.status, got.code())
	}
}

func TestPrefixListRefusals(t *testing.T) {
	const create, modify, list = "CreatePrefixList", "ModifyPrefixList", "DescribePrefixLists"
	made := func(pairs ...string) url.Values {
		return with(hangzhou("PrefixListName", "name", "AddressFamily", "IPv4", "MaxEntries", "2"), pairs...)
	}
	changed := func(pairs ...string) url.Values { return with(hangzhou("PrefixListId", "pl-v4"), pairs...) }
	many, manyIDs := made(), hangzhou()
	for i := range 201 {
		many.Set(fmt.Sprintf("Entry.%d.Cidr", i+1), fmt.Sprintf("10.0.%d.0/24", i))
		if i < 101 {
			manyIDs.Set(fmt.Sprintf("PrefixListId.%d", i+1), "pl-v4")
		}
	}
	checkRefusals(t, []refusalTest{
		{"a list without a name", create, made("PrefixListName", ""), 400, "MissingParameter"},
		{"a list with a malformed name", create, made("PrefixListName", "-"), 400, "InvalidParameter.PrefixListName"},
		{"a list with a name of 129 characters", create, made("PrefixListName", strings.Repeat("n", 129)), 400, "InvalidParameter.PrefixListName"},
		{"a list with a name of the vendor", create, made("PrefixListName", "com.aliyun.x"), 400, "InvalidParameter.PrefixListName"},
		{"a list with another name of the vendor", create, made("PrefixListName", "com.alibabacloud.x"), 400, "InvalidParameter.PrefixListName"},
		{"a list of no family", create, made("AddressFamily", ""), 400, "MissingParameter"},
		{"a list of an unknown family", create, made("AddressFamily", "ipv4"), 400, "InvalidParameter.AddressFamily"},
		{"a list without a size", create, made("MaxEntries", ""), 400, "MissingParameter"},
		{"a list with too large a size", create, made("MaxEntries", "201"), 400, "InvalidParameter"},
		{"a list with no size at all", create, made("MaxEntries", "0"), 400, "InvalidParameter"},
		{"a list with too short a description", create, made("Description", "d"), 400, "InvalidDescription.Malformed"},
		{"a list with an address as its description", create, made("Description", "http://d"), 400, "InvalidDescription.Malformed"},
		{"a list in a malformed resource group", create, made("ResourceGroupId", "x"), 404, "InvalidResourceGroup.NotFound"},
		{"a list with a reserved tag", create, made("Tag.1.Key", "aliyun"), 400, "InvalidTagKey.Malformed"},
		{"a list with a malformed entry", create, made("Entry.1.Cidr", "x"), 400, "InvalidParameter.CidrMalformed"},
		{"a list with an entry without a network", create, made("Entry.1.Description", "why"), 400, "InvalidParameter.CidrMalformed"},
		{"a list with bits beyond the length", create, made("Entry.1.Cidr", "10.0.0.1/8"), 400, "InvalidParameter.CidrMalformed"},
		{"a list with an entry of the other family", create, made("Entry.1.Cidr", "::/0"), 400, "InvalidParameter.CidrMalformed"},
		{"a list with an entry twice", create, made("Entry.1.Cidr", "1.1.1.1", "Entry.2.Cidr", "1.1.1.1/32"), 400, "InvalidParameter.CidrDuplicated"},
		{"a list with too long a description of an entry", create, made("Entry.1.Cidr", "1.1.1.1", "Entry.1.Description", strings.Repeat("d", 33)), 400, "InvalidDescription.Malformed"},
		{"a list with more entries than its size", create, made("Entry.1.Cidr", "1.1.1.1", "Entry.2.Cidr", "1.1.1.2", "Entry.3.Cidr", "1.1.1.3"), 400, "LimitExceed.MaxEntries"},
		{"a list with 201 entries", create, many, 400, "LimitExceed.Entry"},
		{"a new name that is malformed", modify, changed("PrefixListName", "-"), 400, "InvalidParameter.PrefixListName"},
		{"a new description that is malformed", modify, changed("Description", "-"), 400, "InvalidDescription.Malformed"},
		{"removing a malformed entry", modify, changed("RemoveEntry.1.Cidr", "x"), 400, "InvalidParameter.CidrMalformed"},
		{"adding an entry of the other family", modify, changed("AddEntry.1.Cidr", "::1"), 400, "InvalidParameter.CidrMalformed"},
		{"adding the 201st entry of a request", modify, changed("AddEntry.201.Cidr", "1.1.1.1"), 400, "LimitExceed.Entry"},
		{"changing no list", modify, hangzhou(), 400, "MissingParameter"},
		{"changing an unknown list", modify, changed("PrefixListId", "pl-none"), 404, "InvalidPrefixListId.NotFound"},
		{"deleting no list", "DeletePrefixList", hangzhou(), 400, "MissingParameter"},
		{"users of an unknown list", "DescribePrefixListAssociations", changed("PrefixListId", "pl-none"), 404, "InvalidPrefixListId.NotFound"},
		{"users with too large a page", "DescribePrefixListAssociations", changed("MaxResults", "101"), 400, "InvalidParameter"},
		{"lists of an unknown family", list, hangzhou("AddressFamily", "x"), 400, "InvalidParameter.AddressFamily"},
		{"lists with 101 IDs", list, manyIDs, 400, "LimitExceed.PrefixListId"},
		{"lists with too large a page", list, hangzhou("MaxResults", "101"), 400, "InvalidParameter"},
		{"lists with a page that is none", list, hangzhou("MaxResults", "0"), 400, "InvalidParameter"},
		{"lists with a made-up token", list, hangzhou("NextToken", "x"), 400, "InvalidParameter"},
		{"lists with a tag without a key", list, hangzhou("Tag.1.Value", "x"), 400, "InvalidTagKey.Malformed"},
	})
}

// TestOnePartOfAListIsChanged has lists with more entries than they may have now: only more of those are refused.
func TestOnePartOfAListIsChanged(t *testing.T) {
	estate := func() *ecsemu.Estate {
		return &ecsemu.Estate{Regions: []ecsemu.Region{{
			ID: "cn-hangzhou",
			PrefixLists: []ecsemu.PrefixList{{
				ID: "pl-1", Name: "old", Description: "older", MaxEntries: 1, Entries: []ecsemu.Entry{{CIDR: "1.1.1.1/32"}, {CIDR: "2.2.2.2/32"}},
			}},
			PortLists: []cloud.PortList{{
				ID: "prl-1", Name: "old", Description: "older", MaxEntries: 1, Entries: []cloud.PortEntry{{Ports: "1/1"}, {Ports: "2/2"}},
			}},
		}}}
	}
	for _, list := range []struct{ kind, id, list, entry, one, two string }{
		{"PrefixList", "pl-1", "DescribePrefixLists", "Cidr", "1.1.1.1", "2.2.2.2"},
		{"PortRangeList", "prl-1", "DescribePortRangeLists", "PortRange", "1/1", "2/2"},
	} {
		for _, test := range []struct {
			name   string
			params []string
			code   string
			want   [2]string
			effect bool
		}{
			{"nothing", nil, "", [2]string{"old", "older"}, false},
			{"the same", []string{list.kind + "Name", "old", "Description", "older"}, "", [2]string{"old", "older"}, false},
			{"the name", []string{list.kind + "Name", "new"}, "", [2]string{"new", "older"}, true},
			{"the description", []string{"Description", "newer"}, "", [2]string{"old", "newer"}, true},
			{"an entry less", []string{"RemoveEntry.1." + list.entry, list.one}, "", [2]string{"old", "older"}, true},
			{
				"one entry as it is instead of two",
				[]string{"RemoveEntry.1." + list.entry, list.one, "AddEntry.1." + list.entry, list.two},
				"",
				[2]string{"old", "older"},
				true,
			},
			{"an entry as it is", []string{"AddEntry.1." + list.entry, list.two}, "LimitExceed.MaxEntries", [2]string{"old", "older"}, false},
		} {
			t.Run(list.kind+": "+test.name, func(t *testing.T) {
				r := ecsemu.Start(t, estate(), atStoppedClock)
				if got := call(t, r, "Modify"+list.kind, with(hangzhou(list.kind+"Id", list.id), test.params...)); got.code() != test.code {
					t.Errorf("got %s, want code %q", got.raw, test.code)
				}
				if got := r.Server.Requests()[0].Effect; got != test.effect {
					t.Errorf("got effect %t, want %t", got, test.effect)
				}
				if got := call(t, r, list.list, hangzhou()).raw; !strings.Contains(got, `"`+test.want[0]+`"`) || !strings.Contains(got, `"`+test.want[1]+`"`) {
					t.Errorf("got %s, want %q", got, test.want)
				}
			})
		}
	}
}
