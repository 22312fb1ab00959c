package ecsemu_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

func TestThrottlingTellsHowLongToWait(t *testing.T) {
	headers := func(a answer) [3]string {
		return [3]string{
			a.header.Get("x-ratelimit-user-api"), a.header.Get("x-ratelimit-user"), a.header.Get("x-acs-retry-after"),
		}
	}
	const used = "Limit:1,Remain:0,TimeLeft:1000,Reset:1000"
	for _, test := range []struct {
		name   string
		fault  ecsemu.Fault
		quotas map[string]ecsemu.Quota
		want   [3]string
	}{
		{name: "no quota"},
		{
			name: "a fault", fault: ecsemu.Fault{Kind: ecsemu.FaultThrottle}, want: [3]string{used, used, "1000"},
		},
		{name: "another fault", fault: ecsemu.Fault{Kind: ecsemu.FaultError}},
		{
			name: "quotas of which the longer one is used up", quotas: map[string]ecsemu.Quota{
				"DescribeRegions": {Calls: 5, Per: time.Second}, ecsemu.QuotaTogether: {Calls: 1, Per: time.Minute},
			},
			want: [3]string{"", "Limit:1,Remain:0,TimeLeft:30000,Reset:30000", "30000"},
		},
		{
			name: "quotas that are both used up", quotas: map[string]ecsemu.Quota{
				"DescribeRegions": {Calls: 1, Per: time.Second}, ecsemu.QuotaTogether: {Calls: 1, Per: time.Minute},
			},
			want: [3]string{used, "Limit:1,Remain:0,TimeLeft:30000,Reset:30000", "30000"},
		},
		{
			name: "quotas that are both used up, and the other one is longer", quotas: map[string]ecsemu.Quota{
				"DescribeRegions": {Calls: 1, Per: time.Minute}, ecsemu.QuotaTogether: {Calls: 1, Per: time.Second},
			},
			want: [3]string{"Limit:1,Remain:0,TimeLeft:30000,Reset:30000", used, "30000"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startSmall(t, func(o *ecsemu.Options) { o.Quotas = test.quotas })
			if got := call(t, r, "DescribeRegions", nil).header.Get("x-acs-retry-after"); got != "" {
				t.Errorf("got x-acs-retry-after %q of a call that passed", got)
			}
			if test.fault.Kind != "" {
				setFaults(t, r, test.fault)
			}
			if diff := cmp.Diff(test.want, headers(call(t, r, "DescribeRegions", nil))); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsNameTheHostOfTheirProduct(t *testing.T) {
	r := startRoles(t)
	for _, scheme := range []acs.Scheme{acs.RPC, acs.ACS3} {
		asks := ownerOf(r).in(scheme)
		for action, want := range map[string]string{"AssumeRole": "sts.aliyuncs.com", "DescribeSecurityGroups": "ecs.aliyuncs.com"} {
			if got := asks.call(t, action, nil); got.code() == "" || got.text("HostId") != want {
				t.Errorf("%s: got %s, want an error of %s", action, got.raw, want)
			}
		}
	}
}

// TestEditsOfIngressRules has one rule of each direction, and edits those that a call is about.
func TestEditsOfIngressRules(t *testing.T) {
	ingress := func(pairs ...string) []string {
		return append([]string{"RegionId", "cn-hangzhou", "SecurityGroupId", "sg-two"}, pairs...)
	}
	byParts := ingress("IpProtocol", "udp", "PortRange", "53/53", "SourceCidrIp", "192.0.2.0/24")
	for _, test := range []struct {
		name   string
		kind   ecsemu.FaultKind
		edit   cloud.Edit
		rule   string
		action string
		params []string
		want   map[string]int // How many rules of each direction keep their IDs.
	}{
		{"a call about ingress that names no IDs", ecsemu.FaultEditBefore, cloud.EditRemove, "", "RevokeSecurityGroup", byParts, map[string]int{"egress": 1}},
		{"a call about ingress with an ID", ecsemu.FaultEditBefore, cloud.EditRemove, "", "RevokeSecurityGroup", ingress("SecurityGroupRuleId.1", "sgr-in"), map[string]int{"egress": 1}},
		{"a call about both that names no IDs", ecsemu.FaultEditBefore, cloud.EditRemove, "", attributeAction, ingress(), map[string]int{"ingress": 1}},
		{"a fault with the ID of an ingress rule", ecsemu.FaultEditBefore, cloud.EditRemove, "sgr-in", attributeAction, ingress(), map[string]int{"egress": 1}},
		{"after the call", ecsemu.FaultEditAfter, cloud.EditRemove, "", "RevokeSecurityGroup", byParts, map[string]int{"egress": 1}},
		{"put back after the call", ecsemu.FaultEditAfter, cloud.EditRecreate, "", "RevokeSecurityGroup", ingress("SecurityGroupRuleId.1", "sgr-in"), map[string]int{"egress": 1, "new ingress": 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := ecsemu.Start(t, &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou", Groups: []ecsemu.Group{{
				ID: "sg-two", VPC: "vpc-1", Egress: []ecsemu.Rule{{ID: "sgr-out", Protocol: "all", Peer: "10.0.0.0/8"}},
				Ingress: []ecsemu.Rule{{ID: "sgr-in", Protocol: "all", Peer: "10.0.0.0/8"}},
			}}}}}, atStoppedClock)
			setFaults(t, r, ecsemu.Fault{Kind: test.kind, Edit: test.edit, Rule: test.rule, Action: test.action})
			call(t, r, test.action, params(test.params...))
			setFaults(t, r)
			got := map[string]int{}
			for _, rule := range rulesOf(t, r, "sg-two") {
				direction, _ := rule["Direction"].(string)
				if id := rule["SecurityGroupRuleId"]; id != "sgr-out" && id != "sgr-in" {
					direction = "new " + direction
				}
				got[direction]++
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsNameTheHostThatWasCalled(t *testing.T) {
	r := startSmall(t)
	for host, want := range map[string]string{
		"ecs.cn-hangzhou.aliyuncs.com": "ecs.cn-hangzhou.aliyuncs.com", "ecs.cn-hangzhou.aliyuncs.com:443": "ecs.cn-hangzhou.aliyuncs.com",
		"emulator:8080": "ecs.aliyuncs.com",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+"/?Version=2014-05-26&Format=JSON", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := r.Client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAnswer(response)
		if err != nil || got.text("HostId") != want {
			t.Errorf("%s: got %s and error %v, want host %s", host, got.raw, err, want)
		}
	}
}
