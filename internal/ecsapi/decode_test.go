package ecsapi

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

func TestRulesAreReadAsTheCloudSpellsThem(t *testing.T) {
	body, err := os.ReadFile("testdata/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeRules(string(body), "cn-hangzhou", "sg-bp1web", sg.NICIntranet)
	if err != nil {
		t.Fatal(err)
	}
	want := sg.Page[sg.Rule]{Next: "AAAAAdDWBF2", Items: []sg.Rule{
		sg.NewRule(&sg.Fields{
			ID: "sgr-bp1cidr", Protocol: "TCP", PortRange: "443/443", CIDR4: "203.0.113.9/24", SourceCIDR4: "10.0.0.0/8",
			Policy: "Accept", Priority: "1", NICType: "intranet", Description: `café 😀 "x"`, Created: "2025-01-02T03:04:05Z",
		}),
		sg.NewRule(&sg.Fields{
			ID: "sgr-bp1six", Protocol: "UDP", PortRange: "53/53", CIDR6: "2001:db8::/32", Policy: "Drop", Priority: "100",
			NICType: "intranet", Created: "2025-01-02T03:04Z",
		}),
		sg.NewRule(&sg.Fields{
			ID: "sgr-bp1peer", Protocol: "ALL", PortRange: "-1/-1", SourcePorts: "-1/-1", GroupID: "sg-bp1peer",
			GroupOwner: "1234567890123456", Policy: "Accept", Priority: "110", NICType: "intranet",
		}),
		sg.NewRule(&sg.Fields{
			ID: "sgr-bp1list", Protocol: "TCP", PortListID: "prl-bp1", PrefixListID: "pl-bp1", Policy: "Accept",
			Priority: "2", NICType: "intranet",
		}),
		sg.NewRule(&sg.Fields{
			ID: "sgr-bp1odd", Protocol: "TCP", PortRange: "65535/1", CIDR4: "0.0.0.0/0", Policy: "Accept",
			NICType: "intranet",
		}),
	}}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for i := range got.Items {
		if odd := got.Items[i].ID == "sgr-bp1odd"; odd != (got.Items[i].Unreadable != "") {
			t.Errorf("rule %s: unreadable because %q", got.Items[i].ID, got.Items[i].Unreadable)
		}
	}
	if at := got.Items[1].Created; !at.Equal(time.Date(2025, 1, 2, 3, 4, 0, 0, time.UTC)) {
		t.Errorf("a time without seconds was read as %v", at)
	}
}

func TestAnswersThatDoNotFitTheCallAreRefused(t *testing.T) {
	rules := func(body string) error { _, err := decodeRules(body, "r1", "sg-1", ""); return err }
	outside := func(body string) error { _, err := decodeRules(body, "r1", "sg-1", sg.NICInternet); return err }
	groups := func(body string) error { _, err := decodeGroups(body, "r1"); return err }
	regions := func(body string) error { _, err := decodeRegions(body); return err }
	list := func(body string) error { _, err := decodePrefixList(body, "pl-1"); return err }
	ports := func(body string) error { _, err := decodePortList(body); return err }
	identity := func(body string) error { _, err := decodeIdentity(body); return err }
	tests := map[string]struct {
		read func(body string) error
		body string
		want error // nil if the answer is fine
	}{
		"rules: nothing in it":             {rules, `{}`, errNoRules},
		"rules: null":                      {rules, `{"Permissions":null}`, errShape},
		"rules: none":                      {rules, `{"SecurityGroupId":"sg-1","Permissions":{"Permission":[]}}`, nil},
		"rules: null for none":             {rules, `{"SecurityGroupId":"sg-1","Permissions":{"Permission":null}}`, nil},
		"rules: none, of nobody knows":     {rules, `{"RegionId":"r1","Permissions":{"Permission":[]}}`, errNotSaid},
		"rules: no list at all":            {rules, `{"SecurityGroupId":"sg-1","RegionId":"r1","Permissions":{}}`, errNoList},
		"rules: of another group":          {rules, `{"SecurityGroupId":"sg-2","Permissions":{"Permission":[]}}`, errOtherGroup},
		"rules: of another region":         {rules, `{"RegionId":"r2","Permissions":{"Permission":[{}]}}`, errOtherRegion},
		"rules: of the other nic type":     {outside, `{"Permissions":{"Permission":[{"NicType":"intranet"}]}}`, errNIC},
		"rules: one of two is of another":  {outside, `{"Permissions":{"Permission":[{"NicType":"internet"},{"NicType":"x"}]}}`, errNIC},
		"rules: of this nic type":          {outside, `{"Permissions":{"Permission":[{"NicType":"Internet"}]}}`, nil},
		"rules: without a nic type":        {outside, `{"Permissions":{"Permission":[{"NicType":""},{}]}}`, nil},
		"rules: of any nic type":           {rules, `{"Permissions":{"Permission":[{"NicType":"intranet"}]}}`, nil},
		"rules: one for inbound traffic":   {rules, `{"Permissions":{"Permission":[{"Direction":"ingress"}]}}`, errDirection},
		"rules: one for outbound traffic":  {rules, `{"Permissions":{"Permission":[{"Direction":"Egress"}]}}`, nil},
		"rules: one without a direction":   {rules, `{"Permissions":{"Permission":[{}]}}`, nil},
		"rules: one that is null":          {rules, `{"Permissions":{"Permission":[null]}}`, errShape},
		"groups: nothing in it":            {groups, `{}`, errNoGroups},
		"groups: one without an id":        {groups, `{"SecurityGroups":{"SecurityGroup":[{"VpcId":"v"}]}}`, errNoID},
		"groups: of another region":        {groups, `{"RegionId":"r2","SecurityGroups":{"SecurityGroup":[]}}`, errOtherRegion},
		"groups: no list at all":           {groups, `{"RegionId":"r1","SecurityGroups":{}}`, errNoList},
		"groups: none, of nobody knows":    {groups, `{"SecurityGroups":{"SecurityGroup":[]}}`, errNotSaid},
		"groups: one, of nobody knows":     {groups, `{"SecurityGroups":{"SecurityGroup":[{"SecurityGroupId":"sg-1"}]}}`, nil},
		"groups: none":                     {groups, `{"RegionId":"r1","SecurityGroups":{"SecurityGroup":[]}}`, nil},
		"regions: no list at all":          {regions, `{"Regions":{}}`, errNoList},
		"regions: none":                    {regions, `{"Regions":{"Region":[]}}`, errNoRegions},
		"regions: one without an id":       {regions, `{"Regions":{"Region":[{}]}}`, errNoID},
		"identity: nobody":                 {identity, `{"Arn":"acs:ram::1:root"}`, errNoAccount},
		"prefix list: nothing in it":       {list, `{"PrefixListId":"pl-1"}`, errNoEntries},
		"prefix list: another one":         {list, `{"PrefixListId":"pl-2","Entries":{"Entry":[]}}`, errOtherList},
		"prefix list: no list at all":      {list, `{"PrefixListId":"pl-1","Entries":{}}`, errNoList},
		"prefix list: empty, of nobody":    {list, `{"Entries":{"Entry":[]}}`, errNotSaid},
		"prefix list: empty but read":      {list, `{"PrefixListId":"pl-1","Entries":{"Entry":[]}}`, nil},
		"prefix list: an entry that is no": {list, `{"Entries":{"Entry":[{"Cidr":1}]}}`, cmpopts.AnyError},
		"prefix list: one of two is bad":   {list, `{"Entries":{"Entry":[{"Cidr":"::/0"},{}]}}`, cmpopts.AnyError},
		"port list: nothing in it":         {ports, `{"RequestId":"R"}`, errNoEntries},
		"port list: null":                  {ports, `{"Entries":null}`, errShape},
		"port list: empty but read":        {ports, `{"Entries":[]}`, nil},
		"port list: one entry":             {ports, `{"Entries":[{"PortRange":"80/90","Description":"web"}]}`, nil},
		"port list: wrapped":               {ports, `{"Entries":{"Entry":[]}}`, errShape},
		"port list: one of two is bad":     {ports, `{"Entries":[{"PortRange":"1/2"},{"PortRange":"-1/-1"}]}`, cmpopts.AnyError},
		"port list: an entry without any":  {ports, `{"Entries":[{}]}`, cmpopts.AnyError},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.read(tt.body), cmpopts.EquateErrors()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestGroupsAreReadWhole(t *testing.T) {
	got, err := decodeGroups(`{"RegionId":"r1","NextToken":"T","SecurityGroups":{"SecurityGroup":[
		{"SecurityGroupId":"sg-2","SecurityGroupName":"web","Description":"d","SecurityGroupType":"enterprise",
		 "VpcId":"vpc-1","CreationTime":"2021-08-31T03:12:29Z","ResourceGroupId":"rg-1","ServiceManaged":true,
		 "ServiceID":12345678910,"Tags":{"Tag":[{"TagKey":"k","TagValue":"v"},{"TagKey":"empty","TagValue":""}]},
		 "RuleCount":100},
		{"SecurityGroupId":"sg-1","SecurityGroupType":"normal","ServiceManaged":false,"Tags":null}]}}`, "r1")
	if err != nil {
		t.Fatal(err)
	}
	want := sg.Page[sg.Group]{Next: "T", Items: []sg.Group{
		{
			Region: "r1", ID: "sg-2", Name: "web", Description: "d", Type: sg.TypeEnterprise, VPC: "vpc-1",
			ResourceGroup: "rg-1", ServiceManaged: true, Tags: []sg.Tag{{Key: "k", Value: "v"}, {Key: "empty"}},
		},
		{Region: "r1", ID: "sg-1", Type: sg.TypeNormal},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWhatIsNotClearlyFalseIsManaged(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "false": false, "False": false, "0": false, "true": true, "True": true, "1": true, "maybe": true,
	} {
		if got := isManaged(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestListsGivenTwiceCountTheLastTime(t *testing.T) {
	regions, err := decodeRegions(`{"Regions":{"Region":[{"RegionId":"a"}],"Region":[{"RegionId":"b"}]},` +
		`"Regions":{"Region":[{"RegionId":"c"}]}}`)
	if diff := cmp.Diff([]sg.Region{{ID: "c"}}, regions); diff != "" || err != nil {
		t.Errorf("error %v, -want +got:\n%s", err, diff)
	}
}

func TestGroupOnlyBelievesWhatItAskedFor(t *testing.T) {
	t.Parallel()
	const one, other = `{"SecurityGroupId":"sg-1","VpcId":"vpc-1"}`, `{"SecurityGroupId":"sg-2"}`
	tests := map[string]struct {
		answer string
		want   bool
		fails  bool
	}{
		"there":                       {`{"SecurityGroups":{"SecurityGroup":[` + one + `]}}`, true, false},
		"not there":                   {`{"RegionId":"cn-hangzhou","SecurityGroups":{"SecurityGroup":[]}}`, false, false},
		"not there, who knows where":  {`{"SecurityGroups":{"SecurityGroup":[]}}`, false, true},
		"not there, without a list":   {`{"RegionId":"cn-hangzhou","SecurityGroups":{}}`, false, true},
		"another group":               {`{"SecurityGroups":{"SecurityGroup":[` + other + `]}}`, false, true},
		"twice":                       {`{"SecurityGroups":{"SecurityGroup":[` + one + `,` + one + `]}}`, false, true},
		"nothing yet, but more pages": {`{"RegionId":"cn-hangzhou","NextToken":"T","SecurityGroups":{"SecurityGroup":[]}}`, false, true},
		"no listing":                  {`{}`, false, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newScript(t, says(200, tt.answer))
			got, there, err := newTestClient(t, server.URL).Group(t.Context(), hangzhou, "sg-1")
			if there != tt.want || (err != nil) != tt.fails {
				t.Errorf("got %v, %v", there, err)
			}
			var want sg.Group
			if tt.want {
				want = sg.Group{Region: "cn-hangzhou", ID: "sg-1", VPC: "vpc-1"}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	t.Run("no id is not asked", func(t *testing.T) {
		_, _, err := newTestClient(t, "http://127.0.0.1:1").Group(t.Context(), hangzhou, "")
		if e, ok := errors.AsType[*Error](err); !ok || e.Class != Invalid {
			t.Errorf("got %v, want an invalid call", err)
		}
	})
}

func TestAServerThatIgnoresTheNICTypeIsNotBelieved(t *testing.T) {
	server := newScript(t, says(200, `{"SecurityGroupId":"sg-1","Permissions":{"Permission":[{"NicType":"internet"}]}}`))
	c := newTestClient(t, server.URL)
	if _, err := c.Rules(t.Context(), hangzhou, "sg-1", sg.NICInternet, ""); err != nil {
		t.Errorf("the type that was asked for: %v", err)
	}
	_, err := c.Rules(t.Context(), hangzhou, "sg-1", sg.NICIntranet, "")
	if err == nil || !strings.Contains(err.Error(), errNIC.Error()) {
		t.Errorf("the other type: got %v, want %v", err, errNIC)
	}
}
