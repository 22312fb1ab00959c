package ecsemu_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

func TestReadsLagBehind(t *testing.T) {
	r := startSmall(t, func(o *ecsemu.Options) { o.ReadLag = 10 * time.Second })
	wide := web("IpProtocol", "all", "PortRange", "-1/-1", "DestCidrIp", "0.0.0.0/0")
	list := func() []string {
		return groupIDs(must(t, r, "DescribeSecurityGroups", params("RegionId", "cn-hangzhou", "PageSize", "50")))
	}
	at := func(second int) { r.Server.SetClockOffset(time.Duration(second) * time.Second) }
	before := list()

	must(t, r, authorize, wide)
	at(5)
	created := must(t, r, "CreateSecurityGroup", params("RegionId", "cn-hangzhou", "VpcId", "vpc-1")).text("SecurityGroupId")
	must(t, r, "DeleteSecurityGroup", params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-db"))
	at(9)
	if got := len(rulesOf(t, r, "sg-web")); got != 0 {
		t.Errorf("after 9 seconds: got %d rules, want none", got)
	}
	if got := len(r.Server.Rules("cn-hangzhou", "sg-web")); got != 1 {
		t.Errorf("got %d rules in fact, want 1", got)
	}
	at(10)
	if got := len(rulesOf(t, r, "sg-web")); got != 1 {
		t.Errorf("after 10 seconds: got %d rules, want 1", got)
	}
	if diff := cmp.Diff(before, list()); diff != "" {
		t.Errorf("groups 5 seconds after their change (-want +got):\n%s", diff)
	}
	if got := call(t, r, "DeleteSecurityGroup", params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-db")).code(); got != "InvalidSecurityGroupId.NotFound" {
		t.Errorf("got code %q: writing calls see the world as it is", got)
	}
	at(15)
	got := map[string]bool{}
	for _, id := range list() {
		got[id] = true
	}
	if got["sg-db"] || !got[created] || len(got) != len(before) {
		t.Errorf("after 15 seconds: got %v", got)
	}
}

func TestALagByAFault(t *testing.T) {
	r := startSmall(t)
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultLag, Lag: 10 * time.Second, Action: attributeAction})
	must(t, r, authorize, web("IpProtocol", "all", "PortRange", "-1/-1", "DestCidrIp", "0.0.0.0/0"))
	counts := []int{len(rulesOf(t, r, "sg-web"))}
	r.Server.SetClockOffset(10 * time.Second)
	counts = append(counts, len(rulesOf(t, r, "sg-web")))
	r.Server.SetClockOffset(0)
	counts = append(counts, len(rulesOf(t, r, "sg-web")))
	if diff := cmp.Diff([]int{0, 1, 1}, counts); diff != "" {
		t.Errorf("rules at once, later, and once the clock went back (-want +got):\n%s", diff)
	}
	must(t, r, "CreateSecurityGroup", params("RegionId", "cn-hangzhou", "VpcId", "vpc-1"))
	if got := len(groupIDs(must(t, r, "DescribeSecurityGroups", params("RegionId", "cn-hangzhou")))); got != 9 {
		t.Errorf("got %d groups, want 9: the fault is of another action", got)
	}
}

func TestQuotas(t *testing.T) {
	var now atomic.Int64
	clock := func() time.Time { return stoppedClock.Add(time.Duration(now.Load())) }
	r := startSmall(t, func(o *ecsemu.Options) {
		o.Clock = clock
		o.QuotaCode = "Throttling"
		o.Quotas = map[string]ecsemu.Quota{
			"DescribeRegions": {Calls: 2, Per: time.Minute}, ecsemu.QuotaTogether: {Calls: 5, Per: time.Minute},
		}
	})
	ask := func(action string) [3]string {
		got := call(t, r, action, params("RegionId", "cn-hangzhou"))
		return [3]string{got.code(), got.header.Get("x-ratelimit-user-api"), got.header.Get("x-ratelimit-user")}
	}
	var got [][3]string
	for _, action := range []string{
		"DescribeRegions", "DescribeRegions", "DescribeRegions", "DescribeSecurityGroups", "DescribeSecurityGroups",
		"DescribeSecurityGroups", "DescribeSecurityGroups",
	} {
		got = append(got, ask(action))
	}
	now.Add(int64(29 * time.Second))
	got = append(got, ask("DescribeRegions"))
	now.Add(int64(time.Second))
	got = append(got, ask("DescribeRegions"))
	const left = ",TimeLeft:30000,Reset:30000"
	want := [][3]string{
		{"", "Limit:2,Remain:1" + left, "Limit:5,Remain:4" + left},
		{"", "Limit:2,Remain:0" + left, "Limit:5,Remain:3" + left},
		{"Throttling", "Limit:2,Remain:0" + left, ""},
		{"", "", "Limit:5,Remain:2" + left},
		{"", "", "Limit:5,Remain:1" + left},
		{"", "", "Limit:5,Remain:0" + left},
		{"Throttling", "", "Limit:5,Remain:0" + left},
		{
			"Throttling", "Limit:2,Remain:0,TimeLeft:1000,Reset:1000",
			"Limit:5,Remain:0,TimeLeft:1000,Reset:1000",
		},
		{"", "Limit:2,Remain:1,TimeLeft:60000,Reset:60000", "Limit:5,Remain:4,TimeLeft:60000,Reset:60000"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes and headers (-want +got):\n%s", diff)
	}
}

func TestQuotasThatMakeNoSense(t *testing.T) {
	for name, options := range map[string]ecsemu.Options{
		"no calls":                 {Quotas: map[string]ecsemu.Quota{"DescribeRegions": {Per: time.Second}}},
		"no window":                {Quotas: map[string]ecsemu.Quota{"DescribeRegions": {Calls: 1}}},
		"an unknown action":        {Quotas: map[string]ecsemu.Quota{"X": {Calls: 1, Per: time.Second}}},
		"an unknown code":          {QuotaCode: "Slow"},
		"a lag of less than":       {ReadLag: -1},
		"fewer calls than none":    {QuotaPerSecond: -1},
		"a window that ends early": {QuotaPerSecond: 1, QuotaWindow: -1},
	} {
		if _, err := ecsemu.New(options); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	for text, want := range map[string]ecsemu.Quota{
		"DescribeRegions=5/s": {Calls: 5, Per: time.Second}, "*=300/m": {Calls: 300, Per: time.Minute}, "=1/m": {Calls: 1, Per: time.Minute},
	} {
		action, quota, err := ecsemu.ParseQuota(text)
		if err != nil || quota != want || text[:len(action)] != action {
			t.Errorf("%s: got %q, %v, %v", text, action, quota, err)
		}
	}
	for _, text := range []string{"", "5", "A=5", "A=5/h", "A=0/s", "A=x/s", "A=-1/m", "A=99999999999999999999/s"} {
		if _, _, err := ecsemu.ParseQuota(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestListsThatAreDeletedAreSeenToBeLater(t *testing.T) {
	r := startSmall(t, func(o *ecsemu.Options) { o.ReadLag = 10 * time.Second })
	must(t, r, "DeletePrefixList", hangzhou("PrefixListId", "pl-v6"))
	for _, want := range []int{2, 1} {
		if got := must(t, r, "DescribePrefixLists", hangzhou()).list("PrefixLists", "PrefixList"); len(got) != want {
			t.Errorf("got %d lists, want %d", len(got), want)
		}
		r.Server.SetClockOffset(10 * time.Second)
	}
}

func TestAnotherEstateIsSeenAtOnceAndItsChangesLater(t *testing.T) {
	r := startSmall(t, func(o *ecsemu.Options) { o.ReadLag = 10 * time.Second })
	must(t, r, "DeleteSecurityGroup", hangzhou("SecurityGroupId", "sg-far"))
	group := []ecsemu.Group{{ID: "sg-new", Name: "new", VPC: "vpc-1"}}
	twice := &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou", Groups: append(group, group...)}}}
	if err := r.Server.SetEstate(twice); err == nil {
		t.Error("an estate that makes no sense was taken")
	}
	if got := groupIDs(must(t, r, "DescribeSecurityGroups", hangzhou())); len(got) != len(smallEstate().Regions[0].Groups) {
		t.Errorf("after an estate that was refused: got %v", got)
	}
	if err := r.Server.SetEstate(&ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou", Groups: group}}}); err != nil {
		t.Fatal(err)
	}
	must(t, r, "CreateSecurityGroup", hangzhou("VpcId", "vpc-1"))
	for _, want := range []int{1, 2} {
		if got := groupIDs(must(t, r, "DescribeSecurityGroups", hangzhou())); len(got) != want {
			t.Errorf("got %v, want %d groups", got, want)
		}
		r.Server.SetClockOffset(10 * time.Second)
	}
}

func TestRegionsThatAreMadeUpShareAQuota(t *testing.T) {
	r := startSmall(t, func(o *ecsemu.Options) {
		o.Quotas = map[string]ecsemu.Quota{ecsemu.QuotaDefault: {Calls: 1, Per: time.Minute}}
	})
	for _, test := range []struct{ region, want string }{
		{"cn-x", "InvalidRegionId.NotFound"}, {"cn-y", "Throttling.User"}, {"cn-hangzhou", ""},
	} {
		if got := call(t, r, "DescribeSecurityGroups", params("RegionId", test.region)).code(); got != test.want {
			t.Errorf("%s: got %q, want %q", test.region, got, test.want)
		}
	}
}

func TestAQuotaPerSecondIsOfSeconds(t *testing.T) {
	r := startSmall(t, func(o *ecsemu.Options) { o.QuotaPerSecond = 3 })
	got := call(t, r, "DescribeRegions", nil).header.Get("x-ratelimit-user-api")
	if want := "Limit:3,Remain:2,TimeLeft:1000,Reset:1000"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestQuotasAndFaultsTogether has answers that have no headers, or tell of a quota by themselves.
func TestQuotasAndFaultsTogether(t *testing.T) {
	r := startSmall(t, func(o *ecsemu.Options) {
		o.Quotas = map[string]ecsemu.Quota{ecsemu.QuotaDefault: {Calls: 5, Per: time.Minute}}
	})
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultThrottle, Times: 1}, ecsemu.Fault{Kind: ecsemu.FaultClose, Times: 1})
	got := call(t, r, "DescribeRegions", nil).header.Get("x-ratelimit-user-api")
	if want := "Limit:1,Remain:0,TimeLeft:1000,Reset:1000"; got != want {
		t.Errorf("throttled by a fault: got %q, want %q", got, want)
	}
	if _, err := tryPost(r, signed("POST", ecsemu.DefaultKeySecret, common("DescribeRegions", nil))); err == nil {
		t.Error("the second call was answered")
	}
	if got := len(r.Server.Requests()); got != 2 {
		t.Errorf("got %d requests on record, want 2", got)
	}
}
