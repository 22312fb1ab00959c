package cloud

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// What a cloud uses where nothing else is said.
const (
	DefaultAccount   = "1234567890123456"
	DefaultKeyID     = "LTAI5tEmulatorKey"
	DefaultKeySecret = "emulator-secret"
)

// AccessKey is a key that the cloud takes, and whose it is.
type AccessKey struct {
	ID       string
	Secret   string
	Account  string // The account of the estate if empty; see [Options.Keys].
	User     string // The name of a user of the account; empty: the account itself, which may do everything.
	Inactive bool   // The key was disabled.
}

// User is a user of an account. It may do what its policies allow, and nothing without any.
type User struct {
	Name     string
	Policies []string // Documents of RAM, in JSON.
}

// Role is what users, and roles, of this or other accounts may become by AssumeRole.
type Role struct {
	Name       string
	Trust      string // The trust policy in JSON: who may assume it.
	Policies   []string
	MaxSession time.Duration // How long a session may be at most; an hour if 0. The cloud has 1 to 12 hours.
}

// Credential is what a request can be signed with: an access key or a session of a role.
type Credential struct {
	ID       string
	Secret   string
	Token    string // Of a session; empty for a key.
	Account  string
	Inactive bool
	Expires  time.Time // Of a session; zero for a key.

	holder *principal
}

// ParseAccessKey reads "ID:SECRET" or "ID:SECRET:ACCOUNT". Its errors never repeat any part of the text, as each part
// may be the secret if the order was mixed up. Without an account, the key's is empty.
func ParseAccessKey(text string) (AccessKey, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return AccessKey{}, fmt.Errorf("parsing access key: expected ID:SECRET or ID:SECRET:ACCOUNT, found %d parts",
			len(parts))
	}
	key := AccessKey{ID: parts[0], Secret: parts[1]}
	if key.ID == "" || key.Secret == "" {
		return AccessKey{}, errors.New("parsing access key: the ID and the secret must not be empty")
	}
	if len(parts) == 3 {
		if key.Account = parts[2]; !IsAccountID(key.Account) {
			return AccessKey{}, errors.New("parsing access key: the account must be a number of at most 20 digits")
		}
	}
	return key, nil
}

// IsAccountID tells whether text can stand as an account ID, and so as a JSON number.
func IsAccountID(text string) bool {
	return wire.IsDigits(text) && len(text) <= 20 && text[0] != '0'
}

// populate makes the accounts and the keys.
func (c *Cloud) populate(o *Options) error {
	owner := DefaultAccount
	keys := slices.Clone(o.Keys)
	if o.Estate != nil {
		owner = cmp.Or(o.Estate.Account, DefaultAccount)
	}
	if !IsAccountID(owner) {
		return fmt.Errorf("emulator options: the account %q is not a number of at most 20 digits", owner)
	}
	for i := range keys {
		keys[i].Account = cmp.Or(keys[i].Account, owner)
	}
	if o.Estate != nil {
		for _, e := range append([]Estate{*o.Estate}, o.Estate.Others...) {
			held, err := c.takeEstate(&e)
			if err != nil {
				return err
			}
			keys = append(keys, held...)
		}
	}
	if keys == nil {
		keys = []AccessKey{{ID: DefaultKeyID, Secret: DefaultKeySecret, Account: owner}}
	}
	if err := c.takeKeys(keys); err != nil {
		return err
	}
	if o.Estate != nil && !slices.ContainsFunc(keys, func(key AccessKey) bool { return key.Account == owner }) {
		return fmt.Errorf("emulator options: no access key is of the estate's account %s; name that account with a key, or none",
			owner)
	}
	if len(keys) > 0 {
		c.home = keys[0].Account
	}
	return nil
}

// takeEstate makes the account of an estate, and gives its keys.
func (c *Cloud) takeEstate(e *Estate) ([]AccessKey, error) {
	a, err := newAccount(e, c.ids)
	if err != nil {
		return nil, err
	}
	if c.world.accounts[a.id] != nil {
		return nil, fmt.Errorf("estate: the account %s is there twice", a.id)
	}
	c.world.accounts[a.id] = a
	if c.people[a.id], err = newDirectory(a.id, e); err != nil {
		return nil, fmt.Errorf("estate: account %s: %w", a.id, err)
	}
	keys := slices.Clone(e.Keys)
	for i := range keys {
		keys[i].Account = a.id
	}
	return keys, nil
}

func (c *Cloud) takeKeys(keys []AccessKey) error {
	for i, key := range keys {
		if c.keys[key.ID] != nil {
			return fmt.Errorf("emulator options: access key %d: the ID %q is given twice", i+1, key.ID)
		}
		if key.ID == "" || key.Secret == "" {
			return fmt.Errorf("emulator options: access key %d: the ID and the secret must not be empty", i+1)
		}
		if !IsAccountID(key.Account) {
			return fmt.Errorf("emulator options: access key %q: the account %q is not a number of at most 20 digits",
				key.ID, key.Account)
		}
		holder, err := c.people[key.Account].principal(key.Account, key.User)
		if err != nil {
			return fmt.Errorf("emulator options: access key %q: %w", key.ID, err)
		}
		c.keys[key.ID] = &Credential{
			ID: key.ID, Secret: key.Secret, Account: key.Account, Inactive: key.Inactive, holder: holder,
		}
		if c.world.accounts[key.Account] == nil {
			c.world.accounts[key.Account] = emptyAccount(key.Account)
		}
	}
	return nil
}

// Credential finds what a request says it is signed with; nil if there is none of that ID.
func (c *Cloud) Credential(id string) *Credential {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if key := c.keys[id]; key != nil {
		return key
	}
	return c.sessions.byKey[id]
}
