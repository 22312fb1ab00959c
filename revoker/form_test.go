package revoker_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

func nameOfRule(n int) string { return "SecurityGroupRuleId." + strconv.Itoa(n) }

// intents gives revocations of rules by their IDs.
func intents(ids ...string) []revoker.Revocation {
	all := make([]revoker.Revocation, len(ids))
	for i, id := range ids {
		all[i] = revoker.Revocation{ID: fmt.Sprintf("v%d", i), Ref: ref, Rule: sg.Rule{ID: id}}
	}
	return all
}

func manyIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("sgr-%d", i)
	}
	return ids
}

// counter gives new IDs.
func counter() func() string {
	n := 0
	return func() string { n++; return "c" + strconv.Itoa(n) }
}

func TestNewRevokeCallsRefusesWhatTheCloudWould(t *testing.T) {
	elsewhere := intents("r")
	elsewhere[0].Ref.Group = "sg-2"
	nowhere, noGroup := intents("r"), intents("r")
	nowhere[0].Ref.Region, noGroup[0].Ref.Group = "", ""
	farApart := intents(manyIDs(150)...)
	farApart[149].Rule.ID = "sgr-0" // each call alone would be good
	tests := []struct {
		name string
		id   string
		of   []revoker.Revocation
		want string
	}{
		{"no ID", "", intents("r"), "call without an ID"},
		{"an ID like that of a repeat", "c~1", intents("r"), "call c~1: the ID of a new call holds no ~"},
		{"no region", "c", nowhere, "call c: no region"},
		{"no group", "c", noGroup, "call c: no group"},
		{"another group", "c", append(intents("q"), elsewhere...), "calls for group sg-1: revocation v0 is of group sg-2"},
		{"a rule without an ID", "c", intents("r", ""), "calls for group sg-1: the rule of revocation v1 has no ID"},
		{"a rule twice", "c", intents("r", "s", "r"), "calls for group sg-1: rule r twice"},
		{"a rule in two calls", "c", farApart, "calls for group sg-1: rule sgr-0 twice"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := revoker.NewRevokeCalls(func() string { return test.id }, test.of[0].Ref, test.of)
			if err == nil || err.Error() != test.want {
				t.Errorf("got error %v, want %s", err, test.want)
			}
		})
	}
}

func TestTheRequestIsTheParametersAndTheirToken(t *testing.T) {
	calls, err := revoker.NewRevokeCalls(counter(), ref, intents("sgr-b", "sgr-a"))
	if err != nil || len(calls) != 1 {
		t.Fatalf("got %d calls, error %v", len(calls), err)
	}
	want := []revoker.Parameter{
		{Name: "RegionId", Value: "cn-a"},
		{Name: "SecurityGroupId", Value: "sg-1"},
		{Name: "SecurityGroupRuleId.1", Value: "sgr-b"},
		{Name: "SecurityGroupRuleId.2", Value: "sgr-a"},
		{Name: "ClientToken", Value: calls[0].ClientToken()},
	}
	if diff := cmp.Diff(want, calls[0].Request()); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"v0", "v1"}, calls[0].Carries); diff != "" {
		t.Errorf("revocations that it carries (-want +got):\n%s", diff)
	}
}

func TestNewRevokeCallsSendsEveryRuleOnceInTheFewestCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := manyIDs(rapid.OneOf(
			rapid.IntRange(0, 450), rapid.SampledFrom([]int{0, 1, 99, 100, 101, 200, 201}),
		).Draw(t, "rules"))
		calls, err := revoker.NewRevokeCalls(counter(), ref, intents(ids...))
		if err != nil {
			t.Fatal(err)
		}
		var sent []string
		tokens := map[string]bool{}
		for _, call := range calls {
			for i, p := range call.Parameters[2:] {
				if p.Name != nameOfRule(i+1) {
					t.Fatalf("parameter %s is in place %d", p.Name, i+1)
				}
				sent = append(sent, p.Value)
			}
			tokens[call.ClientToken()] = true
		}
		if !slices.Equal(sent, ids) {
			t.Fatalf("sent %d rules of %d, or in another order", len(sent), len(ids))
		}
		if want := (len(ids) + 99) / 100; len(calls) != want || len(tokens) != want {
			t.Fatalf("%d calls with %d tokens, want %d", len(calls), len(tokens), want)
		}
	})
}

// spelled makes a rule without an ID that has every field, as changed by apply.
func spelled(apply func(*sg.Fields)) sg.Rule {
	f := sg.Fields{
		Protocol: "TCP", PortRange: "22/23", SourcePorts: "1024/65535", SourceCIDR4: "10.0.0.0/8", CIDR4: "192.0.2.0/24",
		Policy: "Accept", Priority: "7", NICType: "internet", Description: "why", Created: "2021-01-01T00:00:00Z",
	}
	apply(&f)
	return sg.NewRule(&f)
}

func TestFieldsOfARuleAreSentWhole(t *testing.T) {
	tests := []struct {
		name  string
		apply func(*sg.Fields)
		want  string // behind region and group
	}{
		{"an address block", func(*sg.Fields) {}, "IpProtocol=tcp PortRange=22/23 SourcePortRange=1024/65535 " +
			"NicType=internet Policy=accept Priority=7 SourceCidrIp=10.0.0.0/8 DestCidrIp=192.0.2.0/24"},
		{"an IPv6 block", func(f *sg.Fields) {
			f.SourceCIDR4, f.SourceCIDR6, f.CIDR4, f.CIDR6 = "", "2001:db8::/32", "", "2001:db8:1::/48"
		}, "IpProtocol=tcp PortRange=22/23 SourcePortRange=1024/65535 NicType=internet Policy=accept Priority=7 " +
			"Ipv6SourceCidrIp=2001:db8::/32 Ipv6DestCidrIp=2001:db8:1::/48"},
		{"an IPv4 block that is mapped into IPv6", func(f *sg.Fields) {
			f.CIDR4, f.CIDR6, f.SourceCIDR4, f.SourcePorts = "", "::ffff:192.0.2.0/120", "", ""
		}, "IpProtocol=tcp PortRange=22/23 NicType=internet Policy=accept Priority=7 Ipv6DestCidrIp=::ffff:192.0.2.0/120"},
		{
			"a prefix list", func(f *sg.Fields) { f.CIDR4, f.PrefixListID, f.SourceCIDR4, f.SourcePorts = "", "pl-1", "", "-1/-1" },
			"IpProtocol=tcp PortRange=22/23 SourcePortRange=-1/-1 NicType=internet Policy=accept Priority=7 DestPrefixListId=pl-1",
		},
		{"a group of the same account", func(f *sg.Fields) {
			f.CIDR4, f.GroupID, f.NICType, f.SourceCIDR4, f.SourcePorts = "", "sg-2", "intranet", "", ""
		}, "IpProtocol=tcp PortRange=22/23 NicType=intranet Policy=accept Priority=7 DestGroupId=sg-2"},
		{"a group of another account, by its number", func(f *sg.Fields) {
			f.CIDR4, f.GroupID, f.GroupOwner, f.SourceCIDR4, f.SourcePorts = "", "sg-2", "1234", "", ""
		}, "IpProtocol=tcp PortRange=22/23 NicType=internet Policy=accept Priority=7 DestGroupId=sg-2 DestGroupOwnerId=1234"},
		{"a group of another account, by its login", func(f *sg.Fields) {
			f.CIDR4, f.GroupID, f.GroupOwner, f.SourceCIDR4, f.SourcePorts = "", "sg-2", "a@example.com", "", ""
		}, "IpProtocol=tcp PortRange=22/23 NicType=internet Policy=accept Priority=7 DestGroupId=sg-2 " +
			"DestGroupOwnerAccount=a@example.com"},
		{"a drop rule for all protocols", func(f *sg.Fields) {
			f.Protocol, f.PortRange, f.Policy, f.Priority, f.SourceCIDR4, f.SourcePorts = "ALL", "", "Drop", "1", "", ""
		}, "IpProtocol=all PortRange=-1/-1 NicType=internet Policy=drop Priority=1 DestCidrIp=192.0.2.0/24"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := spelled(test.apply)
			flatCall, err := revoker.NewFlatCall("c", &revoker.Revocation{ID: "v", Ref: ref, Rule: r})
			if err != nil {
				t.Fatal(err)
			}
			restoreCall, err := revoker.NewRestoreCall("c", &revoker.Restore{ID: "x", Ref: ref, Rule: r})
			if err != nil {
				t.Fatal(err)
			}
			prefix := "RegionId=cn-a SecurityGroupId=sg-1 "
			if diff := cmp.Diff(prefix+test.want, written(flatCall)); diff != "" {
				t.Errorf("revoking call (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(prefix+test.want+" Description=why", written(restoreCall)); diff != "" {
				t.Errorf("restoring call (-want +got):\n%s", diff)
			}
			if flatCall.Action != revoker.ActionRevoke || restoreCall.Action != revoker.ActionAuthorize {
				t.Errorf("got actions %s and %s", flatCall.Action, restoreCall.Action)
			}
			if flatCall.ClientToken() == restoreCall.ClientToken() {
				t.Error("both have one token")
			}
		})
	}
}

func written(call revoker.Call) (text string) {
	for i, p := range call.Parameters {
		if i > 0 {
			text += " "
		}
		text += p.Name + "=" + p.Value
	}
	return text
}

func TestRulesThatTheirFieldsDoNotNameAreRefused(t *testing.T) {
	tests := []struct {
		name          string
		apply         func(*sg.Fields)
		flat, restore string
	}{
		{"an ID", func(f *sg.Fields) { f.ID = "r" }, "call c: rule r has an ID, which names it better than its fields", ""},
		{
			"no NIC type", func(f *sg.Fields) { f.NICType = "" },
			"call c: the rule has no NIC type, and the cloud would assume one", "",
		},
		{
			"a priority of old", func(f *sg.Fields) { f.Priority = "110" },
			"call c: the priority 110 is over 100, which no call can name",
			"call c: the priority 110 is over 100, which no call can name",
		},
		{
			"a port list", func(f *sg.Fields) { f.PortListID = "prl-1" },
			"call c: the ports are those of the port list prl-1, which this form has no field for", "",
		},
		{
			"two destinations", func(f *sg.Fields) { f.PrefixListID = "pl-1" },
			"call c: the rule could not be understood whole: 2 destinations: expected one of an address block, a group " +
				"and a prefix list",
			"call c: the rule could not be understood whole: 2 destinations: expected one of an address block, a group " +
				"and a prefix list",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := spelled(test.apply)
			_, flatErr := revoker.NewFlatCall("c", &revoker.Revocation{ID: "v", Ref: ref, Rule: r})
			_, restoreErr := revoker.NewRestoreCall("c", &revoker.Restore{ID: "x", Ref: ref, Rule: r})
			if got := text(flatErr); got != test.flat {
				t.Errorf("revoking: got %q, want %q", got, test.flat)
			}
			if got := text(restoreErr); got != test.restore {
				t.Errorf("restoring: got %q, want %q", got, test.restore)
			}
		})
	}
}

// The flat form has no field for a port list, so a rule with one is created by the other form, all of it.
func TestARuleWithAPortListIsRestoredByTheFormForSeveralRules(t *testing.T) {
	r := spelled(func(f *sg.Fields) { f.PortListID = "prl-1" })
	call, err := revoker.NewRestoreCall("c", &revoker.Restore{ID: "x", Ref: ref, Rule: r})
	if err != nil {
		t.Fatal(err)
	}
	const want = "RegionId=cn-a SecurityGroupId=sg-1 Permissions.1.IpProtocol=tcp Permissions.1.PortRangeListId=prl-1 " +
		"Permissions.1.SourcePortRange=1024/65535 Permissions.1.NicType=internet Permissions.1.Policy=accept " +
		"Permissions.1.Priority=7 Permissions.1.SourceCidrIp=10.0.0.0/8 Permissions.1.DestCidrIp=192.0.2.0/24 " +
		"Permissions.1.Description=why"
	if diff := cmp.Diff(want, written(call)); diff != "" {
		t.Errorf("call (-want +got):\n%s", diff)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
