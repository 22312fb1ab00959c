package cloud

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
)

// principalKind says what may stand behind a key.
type principalKind int

const (
	accountItself principalKind = iota // It may do everything.
	userOfAccount
	sessionOfRole
)

// principal is who stands behind a key. It never changes.
type principal struct {
	kind     principalKind
	account  string
	id       string // Of the user or role.
	name     string // Of the user or role.
	session  string // Of the session.
	policies []*ram.Policy
	scope    *ram.Policy // What a session was limited to when it began; nil if it was not.
}

// arn is how trust policies name a principal. Sessions go by their role.
func (p *principal) arn() string {
	switch p.kind {
	case userOfAccount:
		return "acs:ram::" + p.account + ":user/" + p.name
	case sessionOfRole:
		return roleARN(p.account, p.name)
	case accountItself:
	}
	return "acs:ram::" + p.account + ":root"
}

func roleARN(account, name string) string { return "acs:ram::" + account + ":role/" + name }

// role is what others may become.
type role struct {
	account    string
	id         string
	name       string
	trust      *ram.Policy
	policies   []*ram.Policy
	maxSession time.Duration
}

// directory has the users and roles of an account. It never changes.
type directory struct {
	users map[string]*principal
	roles map[string]*role
	given *Estate // What it was read from.
}

// newDirectory reads the users and roles of an estate. Its errors say whose document is at fault.
func newDirectory(account string, estate *Estate) (*directory, error) {
	d := &directory{users: map[string]*principal{}, roles: map[string]*role{}, given: estate}
	for i := range estate.Users {
		user := &estate.Users[i]
		if user.Name == "" || d.users[user.Name] != nil {
			return nil, fmt.Errorf("user %d: the name %q is empty or given twice", i+1, user.Name)
		}
		policies, err := parsePolicies(user.Policies)
		if err != nil {
			return nil, fmt.Errorf("user %q: %w", user.Name, err)
		}
		d.users[user.Name] = &principal{
			kind: userOfAccount, account: account, id: numberOf('2', account, user.Name), name: user.Name, policies: policies,
		}
	}
	for i := range estate.Roles {
		from := &estate.Roles[i]
		if from.Name == "" || d.roles[from.Name] != nil {
			return nil, fmt.Errorf("role %d: the name %q is empty or given twice", i+1, from.Name)
		}
		r, err := newRole(account, from)
		if err != nil {
			return nil, fmt.Errorf("role %q: %w", from.Name, err)
		}
		d.roles[from.Name] = r
	}
	return d, nil
}

func newRole(account string, from *Role) (*role, error) {
	if from.MaxSession < 0 {
		return nil, errors.New("the longest session must not be negative")
	}
	trust, err := ram.ParseTrust([]byte(from.Trust))
	if err != nil {
		return nil, fmt.Errorf("trust policy: %w", err)
	}
	policies, err := parsePolicies(from.Policies)
	if err != nil {
		return nil, err
	}
	r := &role{
		account: account, id: numberOf('3', account, from.Name), name: from.Name, trust: trust, policies: policies,
		maxSession: from.MaxSession,
	}
	if r.maxSession == 0 {
		r.maxSession = time.Hour
	}
	return r, nil
}

func parsePolicies(documents []string) ([]*ram.Policy, error) {
	policies := make([]*ram.Policy, 0, len(documents))
	for i, document := range documents {
		policy, err := ram.Parse([]byte(document))
		if err != nil {
			return nil, fmt.Errorf("policy %d: %w", i+1, err)
		}
		policies = append(policies, policy)
	}
	return policies, nil
}

// numberOf gives the ID of a user or role: 18 digits, as the cloud has them. It follows from the name alone, so that the
// other identifiers of a seed are the same with users and without.
func numberOf(first byte, account, name string) string {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(account + "/" + name)) // It never fails, says its document.
	return fmt.Sprintf("%c%017d", first, hash.Sum64()%1e17)
}

// principal finds who a key of an account stands for.
func (d *directory) principal(account, user string) (*principal, error) {
	if user == "" {
		return &principal{kind: accountItself, account: account, id: account}, nil
	}
	if d == nil || d.users[user] == nil {
		return nil, fmt.Errorf("the account %s has no user %q", account, user)
	}
	return d.users[user], nil
}

// findRole finds a role by its ARN; nil if there is none. Names are told apart by case.
func (c *Cloud) findRole(arn string) *role {
	account, name, _ := strings.Cut(strings.TrimPrefix(arn, "acs:ram::"), ":role/")
	if d := c.people[account]; d != nil {
		return d.roles[name]
	}
	return nil
}
