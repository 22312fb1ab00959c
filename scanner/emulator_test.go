package scanner_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsapi"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// emulated serves an estate and gives a client for it that no quota slows down.
func emulated(t *testing.T, estate *ecsemu.Estate, faults ...ecsemu.Fault) (*ecsapi.Client, *ecsemu.Server) {
	t.Helper()
	running := ecsemu.Start(t, estate)
	if err := running.Server.SetFaults(faults); err != nil {
		t.Fatal(err)
	}
	quotas := ecsapi.DefaultQuotas()
	for action := range quotas {
		quotas[action] = 100_000
	}
	client, err := ecsapi.New(ecsapi.Options{
		Endpoint:    running.URL,
		Credentials: ecsapi.Credentials{KeyID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret},
		Quotas:      quotas,
		Now:         time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client, running.Server
}

func scanEmulated(t *testing.T, client *ecsapi.Client) scanned {
	t.Helper()
	return mustScan(t, newCloud(), func(o *scanner.Options) { o.Groups, o.Rules = client, client })
}

// Over the wire, a scan sees every group and rule of the estate, in the least number of calls.
func TestScanOfAnEmulatedEstate(t *testing.T) {
	estate := estates.Generate(estates.GenerateOptions{
		Seed: 7, Regions: []string{"cn-beijing", "cn-hangzhou"}, Groups: 250, RulesPerGroup: 12, FindingShare: 0.1,
		Now: time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC),
	})
	hangzhou := &estate.Regions[1]
	big := ecsemu.Group{ID: "sg-big", VPC: "vpc-1"}
	for i := range 1500 { // more than the largest page
		big.Egress = append(big.Egress, ecsemu.Rule{
			Protocol: "tcp", Ports: "443/443", Peer: "10." + strconv.Itoa(i/256) + "." + strconv.Itoa(i%256) + ".0/24",
		})
	}
	classic := ecsemu.Group{ID: "sg-classic", Egress: []ecsemu.Rule{
		{ID: "sgr-out", NIC: "internet", Protocol: "all", Peer: "0.0.0.0/0"},
		{ID: "sgr-in", NIC: "intranet", Protocol: "all", Peer: "10.0.0.0/8"},
	}}
	hangzhou.Groups = append(hangzhou.Groups, big, classic)
	client, server := emulated(t, estate)

	got := scanEmulated(t, client)

	equal(t, "problems", got.problems(), []string(nil))
	calls := map[string]int{}
	for _, request := range server.Requests() {
		calls[request.Action]++
	}
	lists, total := map[string]bool{}, 0
	for _, region := range estate.Regions {
		for _, group := range region.Groups {
			total++
			visited := got.visited[region.ID+"/"+group.ID]
			if visited == nil || len(visited.Rules) != len(group.Egress) {
				t.Errorf("group %s: got %+v, want %d rules", group.ID, visited, len(group.Egress))
				continue
			}
			for _, rule := range visited.Rules {
				if rule.Unreadable != "" {
					t.Errorf("rule %s of %s is unreadable: %s", rule.ID, group.ID, rule.Unreadable)
				}
				if rule.Destination.List != nil {
					lists[region.ID+"/"+rule.Destination.Text] = true
				}
			}
		}
	}
	equal(t, "rules of the classic group", got.ruleIDs("cn-hangzhou/sg-classic"), []string{"sgr-out", "sgr-in"})
	if len(lists) == 0 {
		t.Error("the estate uses no lists, so their reading is not tested")
	}
	equal(t, "calls", calls, map[string]int{
		"DescribeRegions":                1,
		"DescribeSecurityGroups":         4,         // 125 and 127 groups, 100 a page
		"DescribeSecurityGroupAttribute": total + 2, // a second page for the big one, a second NIC for the classic one
		"DescribePrefixListAttributes":   len(lists),
	})
}

func TestScanOfAnEmulatedEstateWithFaults(t *testing.T) {
	const rulesOf = "DescribeSecurityGroupAttribute"
	tests := []struct {
		name     string
		fault    ecsemu.Fault
		regions  []string
		problems int
	}{
		{
			"a group is deleted in the middle: it takes nothing away",
			ecsemu.Fault{Kind: ecsemu.FaultDeleteGroup, Action: rulesOf, Group: "sg-1"},
			[]string{
				"cn-beijing complete=true groups=1 rules=1 err=<nil>",
				"cn-hangzhou complete=true groups=1 rules=1 err=<nil>",
			},
			0,
		},
		{
			"the pages of a group run in a circle",
			ecsemu.Fault{Kind: ecsemu.FaultLoopToken, Action: rulesOf, Group: "sg-1"},
			[]string{
				"cn-beijing complete=true groups=1 rules=1 err=<nil>",
				"cn-hangzhou complete=false groups=2 rules=2 err=<nil>",
			},
			1,
		},
		{
			"one region is denied",
			ecsemu.Fault{
				Kind: ecsemu.FaultError, Action: "DescribeSecurityGroups", Region: "cn-beijing", Status: 403,
				Code: "Forbidden.RAM",
			},
			[]string{
				"cn-beijing complete=false groups=0 rules=0",
				"cn-hangzhou complete=true groups=2 rules=2 err=<nil>",
			},
			1,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rule := []ecsemu.Rule{{Protocol: "all", Peer: "10.0.0.0/8"}}
			client, _ := emulated(t, &ecsemu.Estate{Regions: []ecsemu.Region{
				{ID: "cn-beijing", Groups: []ecsemu.Group{{ID: "sg-3", VPC: "vpc-1", Egress: rule}}},
				{ID: "cn-hangzhou", Groups: []ecsemu.Group{
					{ID: "sg-1", VPC: "vpc-1", Egress: rule}, {ID: "sg-2", VPC: "vpc-1", Egress: rule},
				}},
			}}, test.fault)

			got := scanEmulated(t, client)

			lines := got.regions()
			for i := range min(len(lines), len(test.regions)) { // what an error says is the adapter's
				if got.result.Regions[i].Err != nil {
					lines[i] = lines[i][:len(test.regions[i])]
				}
			}
			equal(t, "regions", lines, test.regions)
			if len(got.result.Problems) != test.problems {
				t.Errorf("got problems %q, want %d", got.problems(), test.problems)
			}
		})
	}
}
