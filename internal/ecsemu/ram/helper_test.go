package ram_test

import (
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
)

// Names that the tests share.
const (
	account = "1234567890123456"
	groupA  = "acs:ecs:cn-hangzhou:" + account + ":securitygroup/sg-a"
	groupB  = "acs:ecs:cn-hangzhou:" + account + ":securitygroup/sg-b"
	revoke  = "ecs:RevokeSecurityGroupEgress"
)

// document is a policy with the given statements.
func document(statements string) string {
	return `{"Version": "1", "Statement": [` + statements + `]}`
}

func mustParse(t *testing.T, text string) *ram.Policy {
	t.Helper()
	policy, err := ram.Parse([]byte(text))
	if err != nil {
		t.Fatalf("parsing %s: %v", text, err)
	}
	return policy
}

func mustParseTrust(t *testing.T, text string) *ram.Policy {
	t.Helper()
	policy, err := ram.ParseTrust([]byte(text))
	if err != nil {
		t.Fatalf("parsing %s: %v", text, err)
	}
	return policy
}
