package estates_test

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// comparedRules lets estates be compared.
var comparedRules = cmp.AllowUnexported(ecsemu.Rule{})

func load(t *testing.T, file string) (*ecsemu.Estate, error) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return estates.Load(file, data)
}

func TestLoadEstateKeepsWhatIsWritten(t *testing.T) {
	got, err := load(t, "estate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := &ecsemu.Estate{Account: "42", Regions: []ecsemu.Region{
		{
			ID: "cn-hangzhou",
			PrefixLists: []ecsemu.PrefixList{
				{
					ID: "pl-bp1x", Name: "saas", Family: "IPv4", MaxEntries: 20, Entries: []ecsemu.Entry{{CIDR: "203.0.113.0/24"}},
					Created: "2025-02-20T07:11Z",
				},
				{ID: "pl-bp1y", Name: "six", Family: "IPv6", Entries: []ecsemu.Entry{{CIDR: "2001:db8::/32", Description: "lab"}}},
			},
			Groups: []ecsemu.Group{
				{
					ID: "sg-bp1web", Name: "web-prod", Type: "enterprise", VPC: "vpc-bp1", Managed: true, ResourceGroup: "rg-x",
					Created: "2025-01-02T03:04:05Z", Tags: map[string]string{"env": "prod", "empty": "", "number": "010"},
					InnerAccess: "Accept",
					Egress: []ecsemu.Rule{
						{
							ID: "sgr-bp1", Protocol: "tcp", Ports: "443/443", Peer: "0.0.0.0/0", Policy: "accept", Priority: 1, NIC: "intranet",
							Description: "x", Created: "2025-01-02T03:04:05Z", Own: "10.0.0.0/8", SourcePorts: "1/65535",
						},
						{NoID: true, Protocol: "udp", Ports: "65535/1", Peer: "sg-other", PeerAccount: "7", Priority: 110},
						{Protocol: "tcp", PortList: "prl-1", Peer: "pl-bp1x"},
						{Protocol: "all", Peer: "::ffff:10.0.0.1/104", Policy: "drop"},
					},
				},
				{ID: "sg-bp2", Name: "classic", Type: "normal"},
			},
		},
		{ID: "cn-empty"},
	}}
	if diff := cmp.Diff(want, got, comparedRules); diff != "" {
		t.Errorf("estate (-want +got):\n%s", diff)
	}
	if _, err := ecsemu.New(ecsemu.Options{Estate: got}); err != nil {
		t.Errorf("serving it: %v", err)
	}
}

func TestLoadEstateReportsEveryProblemAtItsPlace(t *testing.T) {
	estate, err := load(t, "bad.yaml")
	found, ok := errors.AsType[*strictyaml.Error](err)
	if !ok || estate != nil {
		t.Fatalf("got estate %v and error %v, want none and a *strictyaml.Error", estate, err)
	}
	want, err := os.ReadFile("testdata/bad.err")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), found.Error()+"\n"); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestNewRefusesWhatMakesNoSense(t *testing.T) {
	twice := []ecsemu.AccessKey{{ID: "a", Secret: "s"}, {ID: "a", Secret: "s"}}
	region := func(r ecsemu.Region) *ecsemu.Estate { return &ecsemu.Estate{Regions: []ecsemu.Region{r}} }
	for _, test := range []struct {
		name    string
		options ecsemu.Options
		want    string
	}{
		{"a key twice", ecsemu.Options{Keys: twice}, `emulator options: access key 2: the ID "a" is given twice`},
		{"a key without a secret", ecsemu.Options{Keys: []ecsemu.AccessKey{{ID: "a"}}}, "emulator options: access key 1: the ID and the secret must not be empty"},
		{"a key of no account", ecsemu.Options{Keys: []ecsemu.AccessKey{{ID: "a", Secret: "s", Account: "x"}}}, `emulator options: access key "a": the account "x" is not a number of at most 20 digits`},
		{
			"keys of other accounts than the estate's",
			ecsemu.Options{Estate: &ecsemu.Estate{Account: "42"}, Keys: []ecsemu.AccessKey{{ID: "a", Secret: "s", Account: "43"}}},
			"emulator options: no access key is of the estate's account 42; name that account with a key, or none",
		},
		{"a negative latency", ecsemu.Options{Latency: -1}, "emulator options: latency, quota and quota window must not be negative"},
		{"an account that is none", ecsemu.Options{Estate: &ecsemu.Estate{Account: "x"}}, `emulator options: the account "x" is not a number of at most 20 digits`},
		{"a region without an ID", ecsemu.Options{Estate: region(ecsemu.Region{})}, `estate: region 1: the ID "" is empty or given twice`},
		{"a group twice", ecsemu.Options{Estate: region(ecsemu.Region{ID: "r", Groups: []ecsemu.Group{{ID: "g"}, {ID: "g"}}})}, `estate: region r: the group ID "g" is empty or given twice`},
		{"a list twice", ecsemu.Options{Estate: region(ecsemu.Region{ID: "r", PrefixLists: []ecsemu.PrefixList{{ID: "p"}, {ID: "p"}}})}, `estate: region r: the prefix list ID "p" is empty or given twice`},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, err := ecsemu.New(test.options)
			if err == nil {
				t.Fatal("it was taken")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" || server != nil {
				t.Errorf("server %t, error (-want +got):\n%s", server != nil, diff)
			}
		})
	}
}
