package ecsemu_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

// portsOf gives what is in a port list, as ports=description. Answers about port lists have no wrappers around lists.
func portsOf(t fatal, r *ecsemu.Running, list string) []string {
	t.Helper()
	ports := []string{}
	entries, _ := must(t, r, "DescribePortRangeListEntries", hangzhou("PortRangeListId", list)).body["Entries"].([]any)
	for _, e := range entries {
		entry, _ := e.(map[string]any)
		ports = append(ports, fmt.Sprint(entry["PortRange"], "=", entry["Description"]))
	}
	return ports
}

func createPortList(t fatal, r *ecsemu.Running, pairs ...string) string {
	t.Helper()
	query := with(hangzhou("PortRangeListName", "list", "MaxEntries", "3"), pairs...)
	return must(t, r, "CreatePortRangeList", query).text("PortRangeListId")
}

func TestAPortListFromItsCreationToItsDeletion(t *testing.T) {
	r := startSmall(t)
	id := createPortList(t, r, "Description", "what for", "ResourceGroupId", "rg-1", "Tag.1.Key", "env", "Tag.1.Value", "prod",
		"Entry.1.PortRange", "80/80", "Entry.1.Description", "web", "Entry.2.PortRange", "443/443", "Entry.2.Description", "")
	if diff := cmp.Diff([]string{"80/80=web", "443/443="}, portsOf(t, r, id)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	must(t, r, authorize, web("Permissions.1.IpProtocol", "tcp", "Permissions.1.PortRangeListId", id, "Permissions.1.DestCidrIp", "10.0.0.0/8"))
	lists := must(t, r, "DescribePortRangeLists", hangzhou("PortRangeListId.1", id)).body["PortRangeLists"]
	want := []any{map[string]any{
		"PortRangeListId": id, "PortRangeListName": "list", "MaxEntries": json.Number("3"), "AssociationCount": json.Number("1"),
		"CreationTime": "2026-03-01T12:00Z", "Description": "what for", "ResourceGroupId": "rg-1",
		"Tags": []any{map[string]any{"TagKey": "env", "TagValue": "prod"}},
	}}
	if diff := cmp.Diff(any(want), lists); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
	users := must(t, r, "DescribePortRangeListAssociations", hangzhou("PortRangeListId", id)).body["PortRangeListAssociations"]
	if diff := cmp.Diff(any([]any{map[string]any{"ResourceId": "sg-web", "ResourceType": "SecurityGroup"}}), users); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	must(t, r, "ModifyPortRangeList", hangzhou("PortRangeListId", id, "PortRangeListName", "other", "Description", "how",
		"RemoveEntry.1.PortRange", "80/80", "AddEntry.1.PortRange", "443/443", "AddEntry.1.Description", "tls", "AddEntry.2.PortRange", "1/2"))
	if diff := cmp.Diff([]string{"443/443=tls", "1/2="}, portsOf(t, r, id)); diff != "" {
		t.Errorf("entries afterwards (-want +got):\n%s", diff)
	}
	named := must(t, r, "DescribePortRangeLists", hangzhou("PortRangeListName", "other")).body["PortRangeLists"].([]any) //nolint:errcheck,forcetypeassert // Panics otherwise.
	if len(named) != 1 {
		t.Errorf("got %d lists of the new name", len(named))
	}
	remove := func() answer { return call(t, r, "DeletePortRangeList", hangzhou("PortRangeListId", id)) }
	if got := remove(); got.status != 400 || got.code() != "InvalidPortRangeListId.AssociationExist" {
		t.Errorf("deleting it while it is used: got %d %q", got.status, got.code())
	}
	must(t, r, "RevokeSecurityGroupEgress", web("SecurityGroupRuleId.1", fmt.Sprint(rulesOf(t, r, "sg-web")[0]["SecurityGroupRuleId"])))
	if got := remove(); got.status != 200 {
		t.Errorf("deleting it: %s", got.raw)
	}
	if got := remove(); got.status != 400 || got.code() != "InvalidPortRangeListId.NotFound" {
		t.Errorf("deleting it again: got %d %q", got.status, got.code())
	}
}

func TestAHundredPortListsARegion(t *testing.T) {
	r := startSmall(t) // It has one.
	for range 99 {
		createPortList(t, r)
	}
	got := call(t, r, "CreatePortRangeList", hangzhou("PortRangeListName", "list", "MaxEntries", "3"))
	if got.status != 400 || got.code() != "InvalidOperation.MaxCountExceed" {
		t.Errorf("got %d %q", got.status, got.code())
	}
}

func TestPortListRefusals(t *testing.T) {
	const create, modify, list = "CreatePortRangeList", "ModifyPortRangeList", "DescribePortRangeLists"
	made := func(pairs ...string) url.Values {
		return with(hangzhou("PortRangeListName", "name", "MaxEntries", "1"), pairs...)
	}
	changed := func(pairs ...string) url.Values { return with(hangzhou("PortRangeListId", "prl-known"), pairs...) }
	manyIDs := hangzhou()
	for i := range 101 {
		manyIDs.Set(fmt.Sprintf("PortRangeListId.%d", i+1), "prl-known")
	}
	checkRefusals(t, []refusalTest{
		{"a list without a name", create, made("PortRangeListName", ""), 400, "MissingParameter"},
		{"a list with a malformed name", create, made("PortRangeListName", "1a"), 400, "InvalidParameter.PortRangeListName"},
		{"a list without a size", create, made("MaxEntries", ""), 400, "MissingParameter"},
		{"a list with no size at all", create, made("MaxEntries", "0"), 400, "InvalidParameter"},
		{"a list with a size that is no number", create, made("MaxEntries", "x"), 400, "InvalidParameter"},
		{"a list with too large a size", create, made("MaxEntries", "2001"), 400, "InvalidOperation.MaxEntriesCountExceed"},
		{"a list with a malformed description", create, made("Description", "https://x"), 400, "InvalidDescription.Malformed"},
		{"a list in a malformed resource group", create, made("ResourceGroupId", "x"), 404, "InvalidResourceGroup.NotFound"},
		{"a list with an entry without ports", create, made("Entry.1.Description", "why"), 400, "InvalidParam.Entry"},
		{"a list with a malformed entry", create, made("Entry.1.PortRange", "80"), 400, "InvalidParameter.PortRange"},
		{"a list with ports the wrong way round", create, made("Entry.1.PortRange", "2/1"), 400, "InvalidParameter.PortRange"},
		{"a list with ports beyond the last", create, made("Entry.1.PortRange", "1/65536"), 400, "InvalidParameter.PortRange"},
		{"a list with an entry twice", create, made("Entry.1.PortRange", "1/1", "Entry.2.PortRange", "1/1"), 400, "InvalidParameter.PortRangeDuplicated"},
		{"a list with a malformed description of an entry", create, made("Entry.1.PortRange", "1/1", "Entry.1.Description", "d"), 400, "InvalidDescription.Malformed"},
		{"a list with more entries than its size", create, made("Entry.1.PortRange", "1/1", "Entry.2.PortRange", "2/2"), 400, "InvalidOperation.EntryCountExceedMaxEntries"},
		{"a list with a 201st entry", create, made("Entry.201.PortRange", "1/1"), 400, "LimitExceed.Entry"},
		{"a new name that is malformed", modify, changed("PortRangeListName", "-"), 400, "InvalidParameter.PortRangeListName"},
		{"adding more than the size", modify, changed("AddEntry.1.PortRange", "1/1"), 400, "LimitExceed.MaxEntries"},
		{"adding and removing the same", modify, changed("AddEntry.1.PortRange", "1/1", "RemoveEntry.1.PortRange", "1/1"), 400, "InvalidParameter.PortRangeDuplicated"},
		{"removing a malformed entry", modify, changed("RemoveEntry.1.PortRange", "x"), 400, "InvalidParameter.PortRange"},
		{"adding a malformed entry", modify, changed("AddEntry.1.PortRange", "x"), 400, "InvalidParameter.PortRange"},
		{"adding and removing malformed entries", modify, changed("AddEntry.1.PortRange", "x", "RemoveEntry.1.PortRange", "x"), 400, "InvalidParameter.PortRange"},
		{"changing no list", modify, hangzhou(), 400, "MissingParameter"},
		{"changing an unknown list", modify, changed("PortRangeListId", "prl-none"), 400, "InvalidPortRangeListId.NotFound"},
		{"entries of an unknown list", "DescribePortRangeListEntries", changed("PortRangeListId", "prl-none"), 400, "InvalidPortRangeListId.NotFound"},
		{"users of an unknown list", "DescribePortRangeListAssociations", changed("PortRangeListId", "prl-none"), 400, "InvalidPortRangeListId.NotFound"},
		{"users with too large a page", "DescribePortRangeListAssociations", changed("MaxResults", "101"), 400, "InvalidParameter"},
		{"lists with 101 IDs", list, manyIDs, 400, "LimitExceed.PortRangeListId"},
		{"lists with too large a page", list, hangzhou("MaxResults", "101"), 400, "InvalidParameter"},
		{"lists with a made-up token", list, hangzhou("NextToken", "x"), 400, "InvalidParameter"},
	})
}
