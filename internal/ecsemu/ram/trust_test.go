package ram_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
)

// trusting is a statement of a trust policy.
func trusting(effect, principal string) string {
	return `{"Effect": "` + effect + `", "Action": "sts:AssumeRole", "Principal": ` + principal + `}`
}

func TestTrust(t *testing.T) {
	t.Parallel()
	const (
		root  = `{"RAM": ["acs:ram::` + account + `:root"]}`
		scan  = `{"RAM": "acs:ram::` + account + `:user/scan"}`
		other = `{"RAM": ["acs:ram::2:root", "acs:ram::` + account + `:role/janitor"]}`
	)
	user := ram.Principal{Account: account, ARN: "acs:ram::" + account + ":user/scan"}
	role := ram.Principal{Account: account, ARN: "acs:ram::" + account + ":role/janitor"}
	stranger := ram.Principal{Account: "3", ARN: "acs:ram::3:user/scan"}
	mfa := `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": ` + root + `, "Condition": {"Bool": {"acs:MFAPresent": "true"}}}`
	for name, test := range map[string]struct {
		statements string
		principal  ram.Principal
		context    map[string][]string
		want       bool
	}{
		"the root stands for every user of its account":    {trusting("Allow", root), user, nil, true},
		"the root stands for every role of its account":    {trusting("Allow", root), role, nil, true},
		"the root does not stand for other accounts":       {trusting("Allow", root), stranger, nil, false},
		"a principal without an account is in none":        {trusting("Allow", root), ram.Principal{}, nil, false},
		"a user is trusted by name":                        {trusting("Allow", scan), user, nil, true},
		"a role is not a user":                             {trusting("Allow", scan), role, nil, false},
		"a user of that name elsewhere is another":         {trusting("Allow", scan), stranger, nil, false},
		"names are case-sensitive":                         {trusting("Allow", scan), ram.Principal{Account: account, ARN: "acs:ram::" + account + ":user/Scan"}, nil, false},
		"one of several principals is enough":              {trusting("Allow", other), role, nil, true},
		"nobody else is trusted":                           {trusting("Allow", other), user, nil, false},
		"a denial wins":                                    {trusting("Allow", root) + "," + trusting("Deny", scan), user, nil, false},
		"a denial wins also when it comes first":           {trusting("Deny", scan) + "," + trusting("Allow", root), user, nil, false},
		"a denial of one is none of another":               {trusting("Allow", root) + "," + trusting("Deny", scan), role, nil, true},
		"a condition must hold":                            {mfa, user, nil, false},
		"a condition that holds trusts":                    {mfa, user, map[string][]string{"acs:MFAPresent": {"true"}}, true},
		"actions are compared without regard to case":      {`{"Effect": "Allow", "Action": "STS:assumerole", "Principal": ` + root + `}`, user, nil, true},
		"another action is not assuming the role":          {`{"Effect": "Allow", "Action": "sts:SetSourceIdentity", "Principal": ` + root + `}`, user, nil, false},
		"a service is no identity":                         {trusting("Allow", `{"Service": ["ecs.aliyuncs.com"]}`), ram.Principal{Account: account, ARN: "ecs.aliyuncs.com"}, nil, false},
		"an identity provider is no identity":              {trusting("Allow", `{"Federated": "acs:ram::1:saml-provider/x"}`), ram.Principal{Account: "1", ARN: "acs:ram::1:saml-provider/x"}, nil, false},
		"services and identities may be trusted both":      {trusting("Allow", `{"Service": "ecs.aliyuncs.com", "RAM": "acs:ram::3:root"}`), stranger, nil, true},
		"an account number that begins alike is another's": {trusting("Allow", `{"RAM": "acs:ram::33:root"}`), stranger, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := mustParseTrust(t, document(test.statements))
			if got := policy.Trusts(test.principal, test.context); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestTheKindsOfPolicyDoNotMix(t *testing.T) {
	t.Parallel()
	user := ram.Principal{Account: account, ARN: "acs:ram::" + account + ":user/scan"}
	identity := mustParse(t, document(`{"Effect": "Allow", "Action": "*", "Resource": "*"}`))
	if identity.Trusts(user, nil) {
		t.Error("an identity policy trusts somebody")
	}
	trust := mustParseTrust(t, document(trusting("Allow", `{"RAM": "acs:ram::`+account+`:root"}`)))
	request := ram.Request{Action: "sts:AssumeRole", Resources: []string{"acs:ram::" + account + ":role/janitor"}}
	if got := ram.Evaluate([]*ram.Policy{trust}, &request); got != ram.Implicit {
		t.Errorf("a trust policy as an identity policy: got %v, want %v", got, ram.Implicit)
	}
}

func TestWhatNoTrustPolicySaysIsRefused(t *testing.T) {
	t.Parallel()
	const unknown = "statement 1: the statement has the unknown element "
	for name, test := range map[string]struct{ statement, want string }{
		"a principal is required":               {`{"Effect": "Allow", "Action": "sts:AssumeRole"}`, "statement 1: Principal is missing"},
		"there is no resource":                  {`{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": "acs:ram::1:root"}, "Resource": "*"}`, unknown + `"Resource", not one of Effect, Action, Principal, Condition`},
		"there is no NotAction":                 {`{"Effect": "Allow", "NotAction": "ecs:*", "Principal": {"RAM": "acs:ram::1:root"}}`, unknown + `"NotAction", not one of Effect, Action, Principal, Condition; statement 1: Action is missing`},
		"a principal is an object":              {trusting("Allow", `"*"`), `statement 1: Principal is the text "*", not an object`},
		"a principal is not empty":              {trusting("Allow", `{}`), "statement 1: Principal is empty"},
		"a principal is of a known kind":        {trusting("Allow", `{"AWS": "1"}`), `statement 1: Principal has the unknown element "AWS", not one of RAM, Service, Federated`},
		"a principal is one at least":           {trusting("Allow", `{"RAM": []}`), "statement 1: Principal RAM is an empty list"},
		"a principal has no wildcard":           {trusting("Allow", `{"RAM": "*"}`), `statement 1: Principal RAM "*" is no account, user or role`},
		"a name has no wildcard":                {trusting("Allow", `{"RAM": "acs:ram::1:user/*"}`), `statement 1: Principal RAM "acs:ram::1:user/*" is no account, user or role`},
		"a name is not empty":                   {trusting("Allow", `{"RAM": "acs:ram::1:role/"}`), `statement 1: Principal RAM "acs:ram::1:role/" is no account, user or role`},
		"a group is no principal":               {trusting("Allow", `{"RAM": "acs:ram::1:group/g"}`), `statement 1: Principal RAM "acs:ram::1:group/g" is no account, user or role`},
		"an account has an ID of digits":        {trusting("Allow", `{"RAM": ["acs:ram::1:root", "acs:ram::me:root"]}`), `statement 1: Principal RAM "acs:ram::me:root" is no account, user or role`},
		"an account has an ID":                  {trusting("Allow", `{"RAM": "acs:ram:::root"}`), `statement 1: Principal RAM "acs:ram:::root" is no account, user or role`},
		"an identity is not in a region":        {trusting("Allow", `{"RAM": "acs:ram:cn-hangzhou:1:root"}`), `statement 1: Principal RAM "acs:ram:cn-hangzhou:1:root" is no account, user or role`},
		"an identity is one of RAM":             {trusting("Allow", `{"RAM": "acs:ecs::1:root"}`), `statement 1: Principal RAM "acs:ecs::1:root" is no account, user or role`},
		"a service has a name":                  {trusting("Allow", `{"Service": ""}`), `statement 1: Principal Service "" is malformed`},
		"an identity provider has no blanks":    {trusting("Allow", `{"Federated": "a b"}`), `statement 1: Principal Federated "a b" is malformed`},
		"the kind of a principal comes once":    {trusting("Allow", `{"RAM": "acs:ram::1:root", "RAM": "acs:ram::1:root"}`), `statement 1: Principal has "RAM" twice`},
		"conditions are as strict as elsewhere": {`{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": "acs:ram::1:root"}, "Condition": {"Equals": {"sts:ExternalId": "x"}}}`, `statement 1: condition operator "Equals" is unknown`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ram.ParseTrust([]byte(document(test.statement)))
			if err == nil {
				t.Fatalf("parsed %s", test.statement)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}
