package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

const assumedConfig = `version: 1
mode: manual
policies: [policies]
store: sqlite:janitor.db
accounts:
  - name: prod
    id: "1234567890123456"
    regions: [eu-west-1]
    endpoint: ENDPOINT
    revoke-without-rule-id: true
    quotas: {DescribeSecurityGroupAttribute: 100, DescribeSecurityGroups: 100, RevokeSecurityGroupEgress: 100}
`

const assumedPolicy = `version: 1
policies:
  - name: no-open-world
    description: Nothing reaches the whole Internet.
    severity: critical
    owner: netsec@example.com
    groups: {without-tags: {egress-exempt: "*"}}
    match:
      destination: {covers: [0.0.0.0/0, "::/0"]}
    action: revoke
    grace: 0s
`

// assumedEstate has a rule of each spelling that an assumption changes, and more than one page of rules.
func assumedEstate() *ecsemu.Estate {
	g := ecsemu.Group{ID: "sg-bp1web", Name: "web", VPC: "vpc-1", Egress: []ecsemu.Rule{
		{Protocol: "tcp", Ports: "443/443", Peer: "0.0.0.0/0"},
		{Protocol: "47", Peer: "0.0.0.0/0"},
		{Protocol: "all", Peer: "::/0", Priority: 7, Description: "for now"},
		{Protocol: "udp", Ports: "53/53", Peer: "10.1.2.3", Policy: "drop"},
		{Protocol: "tcp", Ports: "22/22", Peer: "10.1.2.3/8"},
		{Protocol: "tcp", Ports: "5432/5432", Peer: "sg-bp2db"},
	}}
	db := ecsemu.Group{ID: "sg-bp2db", Name: "db", VPC: "vpc-1", Ingress: []ecsemu.Rule{
		{Protocol: "tcp", Ports: "5432/5432", Peer: "sg-bp1web"},
	}}
	return &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "eu-west-1", Groups: []ecsemu.Group{g, db}}}}
}

// Whatever the answer to a question is that the documents leave open: what violates a policy is removed, and proven to
// be, and nothing else is.
func TestTheProductHoldsUpWhateverIsAssumed(t *testing.T) {
	t.Parallel()
	names := []string{""}
	for _, a := range cloud.Assumptions() {
		for _, value := range a.Values[min(1, len(a.Values)):] {
			names = append(names, a.Name+"="+value.Name)
		}
		if a.Duration != "" {
			names = append(names, a.Name+"=1m")
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, "=") })
	if len(names) < 25 {
		t.Fatalf("got only %d assumptions: %q", len(names), names)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var era cloud.Era
			if name != "" {
				if err := era.Assume(name); err != nil {
					t.Fatal(err)
				}
			}
			r := ecsemu.Start(t, assumedEstate(), func(o *ecsemu.Options) { o.Era = era })
			got := enforced(t, r.URL)
			if diff := cmp.Diff(map[string]int{"confirmed": 3}, got); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			var left []string
			for _, rule := range r.Server.Rules("eu-west-1", "sg-bp1web") {
				left = append(left, rule.Peer)
			}
			if diff := cmp.Diff([]string{"10.1.2.3", "10.1.2.3/8", "sg-bp2db"}, left); diff != "" {
				t.Errorf("rules that are left, by their destination (-want +got):\n%s", diff)
			}
		})
	}
}

// enforced arms the product, lets it report, and then act. It gives how many revocations had which outcome.
func enforced(t *testing.T, endpoint string) map[string]int {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "janitor.yaml")
	for name, text := range map[string]string{
		file: strings.Replace(assumedConfig, "ENDPOINT", endpoint, 1), filepath.Join(dir, "policies", "open.yaml"): assumedPolicy,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, messages bytes.Buffer
	keys := map[string]string{
		"ALIBABA_CLOUD_ACCESS_KEY_ID": ecsemu.DefaultKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ecsemu.DefaultKeySecret,
	}
	sys := system{
		in: strings.NewReader(""), out: &out, err: &messages, now: time.Now, getenv: func(name string) string { return keys[name] },
	}
	for _, command := range [][]string{
		{"resume", "--reason", "a test"}, {"sweep"}, {"sweep", "--enforce", "--yes", "-o", "json"},
	} {
		out.Reset()
		if code := run(t.Context(), append(command, "-c", file), sys); code != exitDone {
			t.Fatalf("%s: got the exit code %d: %s", command, code, messages.String())
		}
	}
	var report struct {
		Totals struct{ ByOutcome map[string]int }
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return report.Totals.ByOutcome
}
