package ecsapi_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsapi"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

// twoRules is an estate with one group of two rules.
func twoRules() *ecsemu.Estate {
	return &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou", Groups: []ecsemu.Group{{
		ID: "sg-1", VPC: "vpc-1", Egress: []ecsemu.Rule{
			{ID: "sgr-1", Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8"},
			{ID: "sgr-2", Protocol: "tcp", Ports: "443/443", Peer: "0.0.0.0/0"},
		},
	}}}}}
}

func revoking(token, rule string) *ecsapi.Write {
	return &ecsapi.Write{
		Action: "RevokeSecurityGroupEgress", Region: hangzhou, NotAfter: time.Now().Add(time.Minute),
		Parameters: map[string]string{
			"RegionId": "cn-hangzhou", "SecurityGroupId": "sg-1", "SecurityGroupRuleId.1": rule, "ClientToken": token,
		},
	}
}

// ruleIDs gives the rules that the group has now.
func ruleIDs(t *testing.T, c *ecsapi.Client) []string {
	t.Helper()
	got, err := rules(t.Context(), c, "sg-1")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i := range got {
		ids = append(ids, got[i].ID)
	}
	return ids
}

func classOf(err error) ecsapi.Class {
	if e, ok := errors.AsType[*ecsapi.Error](err); ok {
		return e.Class
	}
	return ecsapi.OK
}

func TestWritesWorkAgainstTheEmulator(t *testing.T) {
	c := newClient(t, ecsemu.Start(t, twoRules()).URL)
	for _, step := range []struct {
		name string
		call *ecsapi.Write
		want ecsapi.Class
		left []string
	}{
		{"a rule is removed", revoking("t1", "sgr-2"), ecsapi.OK, []string{"sgr-1"}},
		{"the same call again does nothing more", revoking("t1", "sgr-2"), ecsapi.OK, []string{"sgr-1"}},
		{"its token does not serve another call", revoking("t1", "sgr-1"), ecsapi.Idempotency, []string{"sgr-1"}},
		{"a rule that is gone is said to be", revoking("t2", "sgr-2"), ecsapi.Gone, []string{"sgr-1"}},
	} {
		id, err := c.Write(t.Context(), step.call)
		if got := classOf(err); got != step.want || id == "" {
			t.Errorf("%s: got class %s and request id %q (%v), want class %s", step.name, got, id, err, step.want)
		}
		if diff := cmp.Diff(step.left, ruleIDs(t, c)); diff != "" {
			t.Errorf("%s: rules left, -want +got:\n%s", step.name, diff)
		}
	}
	id, err := c.Write(t.Context(), &ecsapi.Write{
		Action: "AuthorizeSecurityGroupEgress", Region: hangzhou, NotAfter: time.Now().Add(time.Minute),
		Parameters: map[string]string{
			"RegionId": "cn-hangzhou", "SecurityGroupId": "sg-1", "ClientToken": "t3", "Permissions.1.IpProtocol": "TCP",
			"Permissions.1.PortRange": "443/443", "Permissions.1.DestCidrIp": "0.0.0.0/0", "Permissions.1.Policy": "accept",
			"Permissions.1.Priority": "1", "Permissions.1.Description": "规则 & \"1\"",
		},
	})
	if got := ruleIDs(t, c); err != nil || id == "" || len(got) != 2 {
		t.Errorf("a rule is created again: got rules %q, request id %q, %v", got, id, err)
	}
}

func TestAWriteWhoseAnswerIsLostIsDoneAndUnknown(t *testing.T) {
	for _, fault := range []struct {
		kind ecsemu.FaultKind
		left []string
	}{
		{ecsemu.FaultTruncate, []string{"sgr-1"}},       // after the effect
		{ecsemu.FaultClose, []string{"sgr-1", "sgr-2"}}, // instead of it
	} {
		t.Run(string(fault.kind), func(t *testing.T) {
			emulator := ecsemu.Start(t, twoRules())
			if err := emulator.Server.SetFaults([]ecsemu.Fault{{
				Kind: fault.kind, Action: "RevokeSecurityGroupEgress", Times: 1,
			}}); err != nil {
				t.Fatal(err)
			}
			c := newClient(t, emulator.URL)
			_, err := c.Write(t.Context(), revoking("t1", "sgr-2"))
			if got := classOf(err); got != ecsapi.Transient {
				t.Errorf("got %v, want an unknown outcome", err)
			}
			if got := len(emulator.Server.Requests()); got != 1 {
				t.Errorf("%d requests, want one", got)
			}
			if diff := cmp.Diff(fault.left, ruleIDs(t, c)); diff != "" {
				t.Errorf("rules left, -want +got:\n%s", diff)
			}
			if _, err := c.Write(t.Context(), revoking("t1", "sgr-2")); err != nil {
				t.Errorf("the same call again: %v", err)
			}
			if diff := cmp.Diff([]string{"sgr-1"}, ruleIDs(t, c)); diff != "" {
				t.Errorf("rules left in the end, -want +got:\n%s", diff)
			}
		})
	}
}
