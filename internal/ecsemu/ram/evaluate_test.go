package ram_test

import (
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
)

func TestVerdicts(t *testing.T) {
	t.Parallel()
	const (
		allowAll   = `{"Effect": "Allow", "Action": "*", "Resource": "*"}`
		allowA     = `{"Effect": "Allow", "Action": "` + revoke + `", "Resource": "` + groupA + `"}`
		allowB     = `{"Effect": "Allow", "Action": "` + revoke + `", "Resource": "` + groupB + `"}`
		denyA      = `{"Effect": "Deny", "Action": "` + revoke + `", "Resource": "` + groupA + `"}`
		notAllowA  = `{"Effect": "Allow", "Action": "*", "NotResource": "` + groupA + `"}`
		notDenyA   = `{"Effect": "Deny", "Action": "*", "NotResource": "` + groupA + `"}`
		notRevoke  = `{"Effect": "Allow", "NotAction": "` + revoke + `", "Resource": "*"}`
		notDenyDes = `{"Effect": "Deny", "NotAction": "ecs:Describe*", "Resource": "*"}`
	)
	both := []string{groupA, groupB}
	for name, test := range map[string]struct {
		statements string
		action     string
		resources  []string
		want       ram.Verdict
	}{
		"what no statement allows is denied":                  {allowA, "ecs:DescribeRegions", []string{groupA}, ram.Implicit},
		"what a statement names is allowed":                   {allowA, revoke, []string{groupA}, ram.Allowed},
		"another resource is not":                             {allowA, revoke, []string{groupB}, ram.Implicit},
		"all resources must be allowed":                       {allowA, revoke, both, ram.Implicit},
		"each by whichever statement":                         {allowA + "," + allowB, revoke, both, ram.Allowed},
		"a denial wins over what allows":                      {allowAll + "," + denyA, revoke, []string{groupA}, ram.Explicit},
		"a denial wins also when it comes first":              {denyA + "," + allowAll, revoke, []string{groupA}, ram.Explicit},
		"a denial of one resource denies all":                 {allowAll + "," + denyA, revoke, both, ram.Explicit},
		"a denial of the last resource denies all":            {allowAll + "," + denyA, revoke, []string{groupB, groupA}, ram.Explicit},
		"a denial of another resource does not":               {allowAll + "," + denyA, revoke, []string{groupB}, ram.Allowed},
		"a denial wins over nothing as well":                  {denyA, revoke, []string{groupA}, ram.Explicit},
		"actions are compared without regard to case":         {allowA, "ECS:revokesecuritygroupegress", []string{groupA}, ram.Allowed},
		"patterns of actions too":                             {`{"Effect": "Allow", "Action": "ECS:REVOKE*", "Resource": "*"}`, revoke, []string{groupA}, ram.Allowed},
		"resources are compared with regard to case":          {allowA, revoke, []string{"acs:ecs:cn-hangzhou:" + account + ":securitygroup/SG-A"}, ram.Implicit},
		"a star stands for any run of an action":              {`{"Effect": "Allow", "Action": "ecs:*Group*", "Resource": "*"}`, revoke, []string{groupA}, ram.Allowed},
		"a star stands for nothing too":                       {`{"Effect": "Allow", "Action": "ecs:RevokeSecurityGroupEgress*", "Resource": "*"}`, revoke, []string{groupA}, ram.Allowed},
		"a pattern fits the whole action":                     {`{"Effect": "Allow", "Action": "ecs:*Group", "Resource": "*"}`, revoke, []string{groupA}, ram.Implicit},
		"a question mark stands for one character":            {`{"Effect": "Allow", "Action": "ecs:*", "Resource": "acs:ecs:*:*:securitygroup/sg-?"}`, revoke, both, ram.Allowed},
		"a question mark does not stand for none":             {`{"Effect": "Allow", "Action": "ecs:*", "Resource": "acs:ecs:*:*:securitygroup/sg-a?"}`, revoke, []string{groupA}, ram.Implicit},
		"a star in the region does not reach the account":     {`{"Effect": "Allow", "Action": "ecs:*", "Resource": "acs:ecs:*:1:securitygroup/sg"}`, revoke, []string{"acs:ecs:cn-a:2:x:1:securitygroup/sg"}, ram.Implicit},
		"a relative ID may have colons":                       {`{"Effect": "Allow", "Action": "ecs:*", "Resource": "acs:ecs:*:*:a*c"}`, "ecs:X", []string{"acs:ecs:r:1:a:b:c"}, ram.Allowed},
		"another account is another resource":                 {`{"Effect": "Allow", "Action": "ecs:*", "Resource": "acs:ecs:*:999:*"}`, revoke, []string{groupA}, ram.Implicit},
		"another service is another resource":                 {`{"Effect": "Allow", "Action": "*", "Resource": "acs:vpc:*:*:*"}`, revoke, []string{groupA}, ram.Implicit},
		"NotAction leaves out what it names":                  {notRevoke, revoke, []string{groupA}, ram.Implicit},
		"NotAction is about all others":                       {notRevoke, "ecs:DescribeRegions", []string{"*"}, ram.Allowed},
		"a denial of all but some actions spares those":       {allowAll + "," + notDenyDes, "ecs:DescribeRegions", []string{"*"}, ram.Allowed},
		"a denial of all but some actions denies the rest":    {allowAll + "," + notDenyDes, revoke, []string{groupA}, ram.Explicit},
		"NotResource leaves out what it names":                {notAllowA, revoke, []string{groupA}, ram.Implicit},
		"NotResource is about all others":                     {notAllowA, revoke, []string{groupB}, ram.Allowed},
		"a denial of all but a resource spares it":            {allowAll + "," + notDenyA, revoke, []string{groupA}, ram.Allowed},
		"a denial of all but a resource denies the rest":      {allowAll + "," + notDenyA, revoke, both, ram.Explicit},
		"what cannot be scoped needs everything":              {allowAll, "ecs:AuthorizeSecurityGroupEgress", []string{"*"}, ram.Allowed},
		"an ARN of stars is everything":                       {`{"Effect": "Allow", "Action": "*", "Resource": "acs:*:**:*:*"}`, "ecs:AuthorizeSecurityGroupEgress", []string{"*"}, ram.Allowed},
		"all of a service is not everything":                  {`{"Effect": "Allow", "Action": "*", "Resource": "acs:ecs:*:*:*"}`, "ecs:AuthorizeSecurityGroupEgress", []string{"*"}, ram.Implicit},
		"an ARN without a region is not everything":           {`{"Effect": "Allow", "Action": "*", "Resource": "acs:*::*:*"}`, "ecs:AuthorizeSecurityGroupEgress", []string{"*"}, ram.Implicit},
		"all but something is not everything":                 {notAllowA, "ecs:AuthorizeSecurityGroupEgress", []string{"*"}, ram.Implicit},
		"all but something is denied all the same":            {allowAll + "," + notDenyA, "ecs:AuthorizeSecurityGroupEgress", []string{"*"}, ram.Explicit},
		"all but everything denies nothing":                   {allowAll + `,{"Effect": "Deny", "Action": "*", "NotResource": "*"}`, "ecs:AuthorizeSecurityGroupEgress", []string{"*"}, ram.Allowed},
		"a denial of some does not deny what is not scoped":   {allowAll + "," + denyA, revoke, []string{"*"}, ram.Allowed},
		"no resource is an action that cannot be scoped":      {allowAll, revoke, nil, ram.Allowed},
		"no resource is not allowed by a scope":               {allowA, revoke, nil, ram.Implicit},
		"no resource and no statement about it allow nothing": {allowA, "ecs:DescribeRegions", nil, ram.Implicit},
		"text that is no ARN needs everything too":            {allowA, revoke, []string{"sg-a"}, ram.Implicit},
		"a long pattern of stars takes no time":               {`{"Effect": "Allow", "Action": "ecs:*a*a*a*a*a*a*a*a*a*a*a*a*b", "Resource": "*"}`, "ecs:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", []string{"*"}, ram.Implicit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policies := []*ram.Policy{mustParse(t, document(test.statements))}
			got := ram.Evaluate(policies, &ram.Request{Action: test.action, Resources: test.resources})
			if got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestPoliciesCountTogether(t *testing.T) {
	t.Parallel()
	a := mustParse(t, document(`{"Effect": "Allow", "Action": "ecs:*", "Resource": "`+groupA+`"}`))
	b := mustParse(t, document(`{"Effect": "Allow", "Action": "ecs:*", "Resource": "`+groupB+`"}`))
	deny := mustParse(t, document(`{"Effect": "Deny", "Action": "ecs:Revoke*", "Resource": "*"}`))
	request := ram.Request{Action: revoke, Resources: []string{groupA, groupB}}
	for name, test := range map[string]struct {
		policies []*ram.Policy
		want     ram.Verdict
	}{
		"no policy allows nothing":               {nil, ram.Implicit},
		"one policy allows its part only":        {[]*ram.Policy{a}, ram.Implicit},
		"two policies allow both parts":          {[]*ram.Policy{a, b}, ram.Allowed},
		"the denial of a third wins":             {[]*ram.Policy{a, b, deny}, ram.Explicit},
		"a policy without statements is nothing": {[]*ram.Policy{{}}, ram.Implicit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ram.Evaluate(test.policies, &request); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// The exclusion that RAM itself can enforce: whatever a policy allows, groups with a tag are not touched.
func TestATagKeepsAGroupFromBeingTouched(t *testing.T) {
	t.Parallel()
	policies := []*ram.Policy{mustParse(t, document(
		`{"Effect": "Allow", "Action": "`+revoke+`", "Resource": "acs:ecs:*:`+account+`:securitygroup/*"},
		 {"Effect": "Deny", "Action": "`+revoke+`", "Resource": "*", "Condition": {"StringEquals": {"ecs:tag/protected": "yes"}}}`))}
	for name, test := range map[string]struct {
		context map[string][]string
		want    ram.Verdict
	}{
		"a group without tags may be":     {nil, ram.Allowed},
		"a group with another tag may be": {map[string][]string{"ecs:tag/team": {"yes"}}, ram.Allowed},
		"a group with another value too":  {map[string][]string{"ecs:tag/protected": {"no"}}, ram.Allowed},
		"a group with the tag may not be": {map[string][]string{"ecs:tag/protected": {"yes"}}, ram.Explicit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := ram.Request{Action: revoke, Resources: []string{groupA}, Context: test.context}
			if got := ram.Evaluate(policies, &request); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
