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

// listing is an action that pages by tokens, and how to read what it lists.
type listing struct {
	action   string
	params   url.Values
	read     func(answer) []string
	smallest int
}

// listedOfEach is how much there is of everything in the estate of these tests.
const listedOfEach = 33

// manyOfEach is an estate with many of everything that is listed.
func manyOfEach() *ecsemu.Estate {
	region := ecsemu.Region{ID: "r"}
	for i := range listedOfEach {
		region.Groups = append(region.Groups, ecsemu.Group{
			ID: fmt.Sprintf("sg-%03d", i), Name: "n", VPC: "vpc-1", Egress: []ecsemu.Rule{
				{Protocol: "tcp", PortList: "prl-000", Peer: "pl-000"},
			},
		})
		region.PrefixLists = append(region.PrefixLists, ecsemu.PrefixList{ID: fmt.Sprintf("pl-%03d", i)})
		region.PortLists = append(region.PortLists, ecsemu.PortList{ID: fmt.Sprintf("prl-%03d", i)})
		region.Interfaces = append(region.Interfaces, ecsemu.Interface{ID: fmt.Sprintf("eni-%03d", i)})
	}
	return &ecsemu.Estate{Regions: []ecsemu.Region{region, {ID: "s", PrefixLists: region.PrefixLists}}}
}

func wrapped(outer, inner, id string) func(answer) []string {
	return func(a answer) []string {
		var ids []string
		for _, e := range a.list(outer, inner) {
			ids = append(ids, fmt.Sprint(e[id]))
		}
		return ids
	}
}

// bare reads a list without a wrapper.
func bare(name, id string) func(answer) []string {
	return func(a answer) []string {
		var ids []string
		elements, _ := a.body[name].([]any)
		for _, e := range elements {
			element, _ := e.(map[string]any)
			ids = append(ids, fmt.Sprint(element[id]))
		}
		return ids
	}
}

func listings() map[string]listing {
	in := func(pairs ...string) url.Values { return with(params("RegionId", "r"), pairs...) }
	return map[string]listing{
		"sg":  {"DescribeSecurityGroups", in(), groupIDs, 1},
		"pl":  {"DescribePrefixLists", in(), wrapped("PrefixLists", "PrefixList", "PrefixListId"), 1},
		"prl": {"DescribePortRangeLists", in(), bare("PortRangeLists", "PortRangeListId"), 1},
		"eni": {"DescribeNetworkInterfaces", in(), wrapped("NetworkInterfaceSets", "NetworkInterfaceSet", "NetworkInterfaceId"), 10},
		"sg of a prefix list": {
			"DescribePrefixListAssociations", in("PrefixListId", "pl-000"),
			wrapped("PrefixListAssociations", "PrefixListAssociation", "ResourceId"), 1,
		},
		"sg of a port list": {
			"DescribePortRangeListAssociations", in("PortRangeListId", "prl-000"),
			bare("PortRangeListAssociations", "ResourceId"), 1,
		},
	}
}

func TestPagesOfEveryListingAddUpToTheWhole(t *testing.T) {
	const n = listedOfEach
	r := ecsemu.Start(t, manyOfEach(), atStoppedClock)
	for name, l := range listings() {
		kind, _, _ := strings.Cut(name, " ")
		var want []string
		for i := range n {
			want = append(want, fmt.Sprintf("%s-%03d", kind, n-1-i))
		}
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 2, 10, 11, n - 1, n, n + 1, 100} {
				if size < l.smallest {
					continue
				}
				query, got := with(l.params, "MaxResults", strconv.Itoa(size)), []string(nil)
				for range n + 1 {
					page := must(t, r, l.action, query)
					ids := l.read(page)
					if len(ids) > size {
						t.Fatalf("got a page of %d, want at most %d", len(ids), size)
					}
					got = append(got, ids...)
					token := page.text("NextToken")
					if token == "" {
						break
					}
					query = with(query, "NextToken", token)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("all pages of %d (-want +got):\n%s", size, diff)
				}
			}
			if got := len(l.read(must(t, r, l.action, l.params))); got != 10 {
				t.Errorf("without a size: got a page of %d, want 10", got)
			}
		})
	}
}

func TestTokensAreRefusedWhereTheyAreNotFrom(t *testing.T) {
	const other = "43"
	estate := manyOfEach()
	estate.Others = []ecsemu.Estate{{Account: other, Regions: manyOfEach().Regions}}
	r := ecsemu.Start(t, estate, atStoppedClock, func(o *ecsemu.Options) {
		o.Keys = []ecsemu.AccessKey{
			{ID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret}, {ID: "LTAIother", Secret: "other", Account: other},
		}
	})
	for from, l := range listings() {
		token := must(t, r, l.action, with(l.params, "MaxResults", "10")).text("NextToken")
		for to, m := range listings() {
			got := call(t, r, m.action, with(m.params, "MaxResults", "10", "NextToken", token))
			if ok := got.status == 200; ok != (from == to) {
				t.Errorf("a token of %s in %s: got %d %q", from, to, got.status, got.code())
			}
		}
	}
	token := must(t, r, "DescribePrefixLists", params("RegionId", "r")).text("NextToken")
	if got := call(t, r, "DescribePrefixLists", params("RegionId", "s", "NextToken", token)); got.code() != "InvalidParameter" {
		t.Errorf("in another region: got %d %q", got.status, got.code())
	}
	users := must(t, r, "DescribePrefixListAssociations", params("RegionId", "r", "PrefixListId", "pl-000")).text("NextToken")
	got := call(t, r, "DescribePrefixListAssociations", params("RegionId", "r", "PrefixListId", "pl-001", "NextToken", users))
	if got.code() != "InvalidParameter" {
		t.Errorf("of another list: got %d %q", got.status, got.code())
	}
	stolen := common("DescribePrefixLists", params("RegionId", "r", "NextToken", token))
	stolen.Set("AccessKeyId", "LTAIother")
	if got := post(t, r, signed("POST", "other", stolen)); got.code() != "InvalidParameter" {
		t.Errorf("of another account: got %d %q", got.status, got.code())
	}
}

func TestATokenGoesOnAtItsPlaceUnderOtherFilters(t *testing.T) {
	r := ecsemu.Start(t, manyOfEach(), atStoppedClock)
	first := must(t, r, "DescribePrefixLists", params("RegionId", "r"))
	query := params("RegionId", "r", "NextToken", first.text("NextToken"))
	for i, id := range []string{"pl-030", "pl-022", "pl-001"} {
		query.Set(fmt.Sprintf("PrefixListId.%d", i+1), id)
	}
	got := wrapped("PrefixLists", "PrefixList", "PrefixListId")(must(t, r, "DescribePrefixLists", query))
	if diff := cmp.Diff([]string{"pl-022", "pl-001"}, got); diff != "" {
		t.Errorf("lists behind the first page (-want +got):\n%s", diff)
	}
	// What the token names may be gone.
	must(t, r, "DeletePrefixList", params("RegionId", "r", "PrefixListId", "pl-023"))
	rest := must(t, r, "DescribePrefixLists", params("RegionId", "r", "NextToken", first.text("NextToken")))
	if ids := wrapped("PrefixLists", "PrefixList", "PrefixListId")(rest); ids[0] != "pl-022" {
		t.Errorf("behind a list that is gone: got %q", ids)
	}
}
