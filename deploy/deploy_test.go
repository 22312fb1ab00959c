// Package deploy_test checks the files that operators take from this directory.
package deploy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
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

func TestTheScanPolicyGrantsWhatAScanCallsAndNothingElse(t *testing.T) {
	t.Parallel()
	var got []string
	for _, statement := range readPolicy(t, "scan.json").Statement {
		if statement.Effect != "Allow" || statement.Resource != "*" {
			t.Errorf("want Allow on *, got %s on %s", statement.Effect, statement.Resource)
		}
		got = append(got, statement.Action...)
	}
	slices.Sort(got)
	// GetCallerIdentity, which a scan calls too, needs no grant.
	want := []string{
		"ecs:DescribePrefixListAttributes",
		"ecs:DescribeRegions",
		"ecs:DescribeSecurityGroupAttribute",
		"ecs:DescribeSecurityGroups",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions of scan.json differ (-want +got):\n%s", diff)
	}
}
