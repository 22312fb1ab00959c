// Package deploy_test checks the files that operators take from this directory.
package deploy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/metrics"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// ramPolicy is a policy document of RAM, with the elements that ours use. Anything else in a file is an error.
type ramPolicy struct {
	Version   string
	Statement []struct {
		Effect   string
		Action   []string
		Resource string
	}
}

func readPolicy(t *testing.T, name string) ramPolicy {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("ram", name))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var policy ramPolicy
	if err := decoder.Decode(&policy); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if policy.Version != "1" {
		t.Errorf("%s: Version is %q, RAM knows only 1", name, policy.Version)
	}
	return policy
}

// granted are the actions that a policy allows, sorted.
func granted(t *testing.T, name string) []string {
	t.Helper()
	var actions []string
	for _, statement := range readPolicy(t, name).Statement {
		if statement.Effect != "Allow" || statement.Resource != "*" {
			t.Errorf("%s: want Allow on *, got %s on %s", name, statement.Effect, statement.Resource)
		}
		actions = append(actions, statement.Action...)
	}
	slices.Sort(actions)
	return actions
}

func TestEachPolicyGrantsWhatItsWorkCallsAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		// GetCallerIdentity, which all of them call too, needs no grant.
		"scan.json": {
			"ecs:DescribeNetworkInterfaces",
			"ecs:DescribePortRangeListEntries",
			"ecs:DescribePrefixListAttributes",
			"ecs:DescribeRegions",
			"ecs:DescribeSecurityGroupAttribute",
			"ecs:DescribeSecurityGroups",
		},
		"revoke.json":  {"ecs:" + revoker.ActionRevoke},
		"restore.json": {"ecs:" + revoker.ActionAuthorize},
	} {
		if diff := cmp.Diff(want, granted(t, name)); diff != "" {
			t.Errorf("actions of %s (-want +got):\n%s", name, diff)
		}
	}
}

// What is counted is what is called: no action is without a policy that grants it.
func TestThePoliciesTogetherGrantEveryActionThatIsCalled(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("ram", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{"GetCallerIdentity"}
	for _, file := range files {
		for _, action := range granted(t, filepath.Base(file)) {
			got = append(got, strings.TrimPrefix(action, "ecs:"))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(metrics.Actions(), got); diff != "" {
		t.Errorf("actions (-metrics +policies):\n%s", diff)
	}
}
