package ecsemu_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

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
		{"a list without an ID", ecsemu.Options{Estate: region(ecsemu.Region{ID: "r", PrefixLists: []ecsemu.PrefixList{{}}})}, `estate: region r: the prefix list ID "" is empty or given twice`},
		{"a port list twice", ecsemu.Options{Estate: region(ecsemu.Region{ID: "r", PortLists: []ecsemu.PortList{{ID: "p"}, {ID: "p"}}})}, `estate: region r: the port list ID "p" is empty or given twice`},
		{"a port list without an ID", ecsemu.Options{Estate: region(ecsemu.Region{ID: "r", PortLists: []ecsemu.PortList{{}}})}, `estate: region r: the port list ID "" is empty or given twice`},
		{"a VPC twice", ecsemu.Options{Estate: region(ecsemu.Region{ID: "r", VPCs: []ecsemu.VPC{{ID: "v"}, {ID: "v"}}})}, `estate: region r: the VPC ID "v" is empty or given twice`},
		{"a VPC without an ID", ecsemu.Options{Estate: region(ecsemu.Region{ID: "r", VPCs: []ecsemu.VPC{{}}})}, `estate: region r: the VPC ID "" is empty or given twice`},
		{"an interface twice", ecsemu.Options{Estate: region(ecsemu.Region{ID: "r", Interfaces: []ecsemu.Interface{{ID: "e"}, {ID: "e"}}})}, `estate: region r: the interface ID "e" is empty or given twice`},
		{"an interface without an ID", ecsemu.Options{Estate: region(ecsemu.Region{ID: "r", Interfaces: []ecsemu.Interface{{}}})}, `estate: region r: the interface ID "" is empty or given twice`},
		{"a group without an ID", ecsemu.Options{Estate: region(ecsemu.Region{ID: "r", Groups: []ecsemu.Group{{}}})}, `estate: region r: the group ID "" is empty or given twice`},
		{"a region twice", ecsemu.Options{Estate: &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "r"}, {ID: "r"}}}}, `estate: region 2: the ID "r" is empty or given twice`},
		{"an account twice", ecsemu.Options{Estate: &ecsemu.Estate{Account: "42", Others: []ecsemu.Estate{{Account: "42"}}}}, "estate: the account 42 is there twice"},
		{"a key without an ID", ecsemu.Options{Keys: []ecsemu.AccessKey{{Secret: "s"}}}, "emulator options: access key 1: the ID and the secret must not be empty"},
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
