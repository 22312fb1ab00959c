package sweep_test

import (
	"strings"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// mail is a file with a policy that objects to mail.
func mail(grace string) string {
	return `version: 1
policies:
  - name: no-mail
    description: Mail goes through the relay.
    severity: high
    owner: netsec@example.com
    groups: all
    match: {ports: {within: [25]}}
    action: revoke
    grace: ` + grace + "\n"
}

// A list is read again right before a call: what it holds then counts, not what it held when it was decided.
func TestAListThatChangedAfterTheDecisionIsReadAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		set    string
		rule   func(*sg.Fields)
		change func(*estate)
		want   string
	}{
		{
			"a prefix list", noBad("0s"), func(f *sg.Fields) { f.CIDR4, f.PrefixListID = "", "pl-1" },
			func(e *estate) { e.blocks = "203.0.113.0/24" }, "withdrawn: no policy objects to the rule any more",
		},
		{
			"a port list", mail("0s"), func(f *sg.Fields) { f.PortRange, f.PortListID = "", "prl-1" },
			func(e *estate) { e.ports = sg.PortRange{Low: 25, High: 443} }, "withdrawn: no policy objects to the rule any more",
		},
		{
			"a prefix list that cannot be read", noBad("0s"), func(f *sg.Fields) { f.CIDR4, f.PrefixListID = "", "pl-1" },
			func(e *estate) { e.lists = false },
			"withdrawn: no policy objects to the rule any more (the prefix list pl-1 could not be read)",
		},
		{
			"a port list that cannot be read", mail("0s"), func(f *sg.Fields) { f.PortRange, f.PortListID = "", "prl-1" },
			func(e *estate) { e.lists = false },
			"withdrawn: no policy objects to the rule any more (the port list prl-1 could not be read)",
		},
		{
			"a prefix list that stays", noBad("0s"), func(f *sg.Fields) { f.CIDR4, f.PrefixListID = "", "pl-1" },
			func(*estate) {}, "confirmed",
		},
		{
			"a port list that stays", mail("0s"), func(f *sg.Fields) { f.PortRange, f.PortListID = "", "prl-1" },
			func(*estate) {}, "confirmed",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.set, b.cloud.lists = load(t, test.set), true
			b.cloud.add("sg-1", nil)
			b.cloud.rules["sg-1"] = []sg.Rule{rule("sgr-list", test.rule)}
			if result := b.decide(); !result.Complete() || len(result.Revocations) != 1 {
				t.Fatalf("complete is %t, and %d rules are to be revoked; want a complete sweep and one", result.Complete(),
					len(result.Revocations))
			}
			test.change(b.cloud)
			b.settle()
			if got := b.outcomes()["sgr-list"]; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestARuleWithAPortListIsNotRevokedWhileTheListIsUnknown(t *testing.T) {
	b := newBench(t)
	b.set = everything(t)
	b.cloud.add("sg-1", nil)
	b.cloud.rules["sg-1"] = []sg.Rule{rule("sgr-ports", func(f *sg.Fields) { f.PortRange, f.PortListID = "", "prl-1" })}
	result := b.sweep("")
	if got := result.Findings[0].Decision; got.String() != "skip: incomplete" || got.Detail != "the port list prl-1 was not read" {
		t.Errorf("got %s (%s)", got, got.Detail)
	}
	if result.Complete() {
		t.Error("the sweep is complete, though a list was not read")
	}
}

func TestARuleWithAPortListIsRestoredWithIt(t *testing.T) {
	b := newBench(t)
	b.set, b.cloud.lists = load(t, mail("0s")), true
	b.cloud.add("sg-1", nil)
	b.cloud.rules["sg-1"] = []sg.Rule{rule("sgr-ports", func(f *sg.Fields) { f.PortRange, f.PortListID = "", "prl-1" })}
	b.decide()
	b.settle()
	records, err := b.store.Revocations(t.Context(), store.RevocationFilter{})
	if err != nil {
		t.Fatal(err)
	}
	err = b.store.AddRestores(t.Context(), []revoker.Restore{{
		ID: "restore-1", Revocation: records[0].ID, Ref: records[0].Ref, Rule: records[0].Rule,
		HoldUntil: b.clock.Add(24 * time.Hour), Actor: "tester", Created: b.clock,
	}})
	if err != nil {
		t.Fatal(err)
	}
	done, err := sweep.Restore(t.Context(), b.options(), b.store, b.store)
	if err != nil || len(done) != 1 || done[0].Outcome != revoker.Restored {
		t.Fatalf("got %+v, %v, want the rule back", done, err)
	}
	var sent []string
	for _, p := range b.cloud.sent[len(b.cloud.sent)-1].Parameters {
		sent = append(sent, p.Name+"="+p.Value)
	}
	const want = "RegionId=cn-hangzhou SecurityGroupId=sg-1 Permissions.1.IpProtocol=tcp Permissions.1.PortRangeListId=prl-1 " +
		"Permissions.1.Policy=accept Permissions.1.Priority=1 Permissions.1.DestCidrIp=0.0.0.0/0"
	if got := strings.Join(sent, " "); got != want {
		t.Errorf("sent\n%s\nwant\n%s", got, want)
	}
}
