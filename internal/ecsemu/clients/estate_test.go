//go:build clients

package clients_test

import (
	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

const (
	account = "1234567890123456"
	region  = "cn-hangzhou"
	// odd is a text that has to survive every encoding on its way.
	odd = `a b*(c)+d%e~f'g"h & <i> 中文 😀 /?=#;,:@!`
	// wrongSecret is the code of a signature with another secret; some SDKs make another one of it.
	wrongSecret = "SignatureDoesNotMatch"
)

// caller is what calls are signed with. Texts that begin with $ are what a step before has kept.
type caller struct{ key, secret, token string }

func callers() map[string]caller {
	const secret = "sEcret/+=1&"
	return map[string]caller{
		"":             {key: "LTAI5tClients", secret: secret},
		"wrong secret": {key: "LTAI5tClients", secret: "sEcret/+=2"},
		"unknown key":  {key: "LTAI5tNobody", secret: secret},
		"disabled key": {key: "LTAI5tDisabled", secret: secret},
		"reader":       {key: "LTAI5tReader", secret: secret},
		"operator":     {key: "LTAI5tOperator", secret: secret},
		"session":      {key: "$key", secret: "$secret", token: "$token"},
		"other token":  {key: "$key", secret: "$secret", token: "$othertoken"},
		"no token":     {key: "$key", secret: "$secret"},
	}
}

// estate is what every client finds.
func estate() *ecsemu.Estate {
	key := func(who, user string) ecsemu.AccessKey {
		c := callers()[who]
		return ecsemu.AccessKey{ID: c.key, Secret: c.secret, User: user, Inactive: who == "disabled key"}
	}
	return &ecsemu.Estate{
		Account: account,
		Keys:    []ecsemu.AccessKey{key("", ""), key("disabled key", ""), key("reader", "reader"), key("operator", "operator")},
		Regions: []ecsemu.Region{{
			ID:          region,
			VPCs:        []cloud.VPC{{ID: "vpc-clients"}},
			PrefixLists: []ecsemu.PrefixList{{ID: "pl-clients", Name: "clients", MaxEntries: 5}},
		}},
		Users: []cloud.User{
			{Name: "reader", Policies: []string{allow("ecs:Describe*")}},
			{Name: "operator", Policies: []string{allow("sts:AssumeRole")}},
		},
		Roles: []cloud.Role{{
			Name:     "janitor",
			Policies: []string{allow("ecs:*")},
			Trust: `{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
				"Principal": {"RAM": ["acs:ram::` + account + `:root"]},
				"Condition": {"StringEquals": {"sts:ExternalId": "clients"}}}]}`,
		}},
	}
}

// allow is a policy for all resources.
func allow(action string) string {
	return `{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "` + action + `", "Resource": "*"}]}`
}
