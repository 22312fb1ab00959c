package ecsemu_test

import (
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// The accounts of these tests.
const (
	homeAccount  = "1234567890123456"
	otherAccount = "42"
)

func policy(statements string) string { return `{"Version":"1","Statement":[` + statements + `]}` }

func allow(action, resource string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
}

func deny(action, resource string) string {
	return `{"Effect":"Deny","Action":"` + action + `","Resource":"` + resource + `"}`
}

func when(statement, condition string) string {
	return statement[:len(statement)-1] + `,"Condition":` + condition + `}`
}

// trust is a trust policy for principals, as a JSON list of them.
func trust(principals string) string {
	return policy(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":` + principals + `}}`)
}

// user is a user with policies. Its key's ID is its name, and so is its secret.
func user(name string, policies ...string) cloud.User {
	return cloud.User{Name: name, Policies: policies}
}

// startPeople serves the small estate with users and roles, and a second account with a role and a group.
func startPeople(t *testing.T, users []cloud.User, roles []cloud.Role, opts ...func(*ecsemu.Options)) *ecsemu.Running {
	t.Helper()
	estate := smallEstate()
	estate.Keys = []ecsemu.AccessKey{{ID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret}}
	estate.Users, estate.Roles = users, roles
	for _, u := range users {
		estate.Keys = append(estate.Keys, ecsemu.AccessKey{ID: u.Name, Secret: u.Name, User: u.Name})
	}
	estate.Others = []ecsemu.Estate{{
		Account: otherAccount,
		Regions: []ecsemu.Region{{ID: "cn-hangzhou", Groups: []ecsemu.Group{{ID: "sg-other", Name: "other", VPC: "vpc-o"}}}},
		Roles: []cloud.Role{{
			Name: "guest", Trust: trust(`["acs:ram::` + homeAccount + `:root"]`), Policies: []string{policy(allow("ecs:Describe*", "*"))},
			MaxSession: 2 * time.Hour,
		}},
	}}
	return ecsemu.Start(t, estate, append([]func(*ecsemu.Options){atStoppedClock}, opts...)...)
}

func as(r *ecsemu.Running, user string) client { return clientOf(r, user, user) }
