package ram_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
)

// The policies that operators are given allow what their names promise, and of all else that there is, nothing.
func TestPoliciesOfTheRepositoryAllowWhatTheirNamesPromise(t *testing.T) {
	t.Parallel()
	promises := map[string][]string{
		"restore.json": {"ecs:AuthorizeSecurityGroupEgress"},
		"revoke.json":  {revoke},
		"scan.json": {
			"ecs:DescribeNetworkInterfaces", "ecs:DescribePrefixListAttributes", "ecs:DescribeRegions", "ecs:DescribeSecurityGroupAttribute",
			"ecs:DescribeSecurityGroups",
		},
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "deploy", "ram", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		name := filepath.Base(file)
		names = append(names, name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			policies := []*ram.Policy{mustParse(t, string(data))}
			for _, resource := range []string{"*", groupA} {
				var allowed []string
				for _, action := range actionsOfTheCloud() {
					request := ram.Request{Action: action, Resources: []string{resource}}
					if ram.Evaluate(policies, &request) == ram.Allowed {
						allowed = append(allowed, action)
					}
				}
				if diff := cmp.Diff(promises[name], allowed); diff != "" {
					t.Errorf("actions on %s (-promised +allowed):\n%s", resource, diff)
				}
			}
		})
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"restore.json", "revoke.json", "scan.json"}, names); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
}

// actionsOfTheCloud are those that a policy for security groups could allow too much of, sorted.
func actionsOfTheCloud() []string {
	return []string{
		"ecs:AuthorizeSecurityGroup", "ecs:AuthorizeSecurityGroupEgress", "ecs:CreatePrefixList", "ecs:CreateSecurityGroup",
		"ecs:DeleteInstance", "ecs:DeletePrefixList", "ecs:DeleteSecurityGroup", "ecs:DescribeInstances",
		"ecs:DescribeNetworkInterfaces", "ecs:DescribePortRangeLists", "ecs:DescribePrefixListAssociations",
		"ecs:DescribePrefixListAttributes", "ecs:DescribePrefixLists", "ecs:DescribeRegions",
		"ecs:DescribeSecurityGroupAttribute", "ecs:DescribeSecurityGroupReferences", "ecs:DescribeSecurityGroups",
		"ecs:JoinSecurityGroup", "ecs:LeaveSecurityGroup", "ecs:ListTagResources", "ecs:ModifyPrefixList",
		"ecs:ModifySecurityGroupAttribute", "ecs:ModifySecurityGroupEgressRule", "ecs:ModifySecurityGroupPolicy",
		"ecs:ModifySecurityGroupRule", "ecs:RevokeSecurityGroup", "ecs:RevokeSecurityGroupEgress", "ecs:TagResources",
		"ecs:UntagResources", "ram:CreatePolicy", "sts:AssumeRole", "vpc:DescribeVpcs",
	}
}
