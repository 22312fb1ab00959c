package ecsemu_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

func TestTheServedActions(t *testing.T) {
	served := fmt.Sprintf("%q", []string{
		"AddTags", "AssumeRole", "AuthorizeSecurityGroup", "AuthorizeSecurityGroupEgress", "CreatePortRangeList",
		"CreatePrefixList", "CreateSecurityGroup", "DeletePortRangeList", "DeletePrefixList", "DeleteSecurityGroup",
		"DescribeNetworkInterfaces", "DescribePortRangeListAssociations", "DescribePortRangeListEntries",
		"DescribePortRangeLists", "DescribePrefixListAssociations", "DescribePrefixListAttributes", "DescribePrefixLists",
		"DescribeRegions", "DescribeSecurityGroupAttribute", "DescribeSecurityGroupReferences", "DescribeSecurityGroups",
		"DescribeTags", "DescribeVpcs", "GetCallerIdentity", "JoinResourceGroup", "ListTagResources",
		"ModifyPortRangeList", "ModifyPrefixList", "ModifySecurityGroupAttribute", "ModifySecurityGroupEgressRule",
		"ModifySecurityGroupPolicy", "ModifySecurityGroupRule", "RemoveTags", "RevokeSecurityGroup",
		"RevokeSecurityGroupEgress", "TagResources", "UntagResources",
	})
	err := startSmall(t).Server.SetFaults([]ecsemu.Fault{{Kind: ecsemu.FaultClose, Action: "None"}})
	if err == nil || !strings.HasSuffix(err.Error(), "known actions: "+served) {
		t.Errorf("got %v, want all actions that are served: %s", err, served)
	}
}
