package ecsemu

import (
	"errors"
	"fmt"
	"strings"
)

// What a server uses where nothing else is said.
const (
	DefaultAccount   = "1234567890123456"
	DefaultKeyID     = "LTAI5tEmulatorKey"
	DefaultKeySecret = "emulator-secret"
)

// AccessKey is a key the server takes, and the account whose state its bearer sees.
type AccessKey struct {
	ID      string
	Secret  string
	Account string // DefaultAccount if empty.
}

// ParseAccessKey reads "ID:SECRET" or "ID:SECRET:ACCOUNT". Its errors never repeat any part of the text, as each part
// may be the secret if the order was mixed up.
func ParseAccessKey(text string) (AccessKey, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return AccessKey{}, fmt.Errorf("parsing access key: expected ID:SECRET or ID:SECRET:ACCOUNT, found %d parts",
			len(parts))
	}
	key := AccessKey{ID: parts[0], Secret: parts[1], Account: DefaultAccount}
	if key.ID == "" || key.Secret == "" {
		return AccessKey{}, errors.New("parsing access key: the ID and the secret must not be empty")
	}
	if len(parts) == 3 {
		if key.Account = parts[2]; !isAccountID(key.Account) {
			return AccessKey{}, errors.New("parsing access key: the account must be a number of at most 20 digits")
		}
	}
	return key, nil
}

// isAccountID tells whether text can stand as an account ID, and so as a JSON number.
func isAccountID(text string) bool {
	return text != "" && len(text) <= 20 && text[0] != '0' && strings.Trim(text, "0123456789") == ""
}

// keyring gives the keys by ID. No keys at all stand for the default key, of the given account.
func keyring(keys []AccessKey, account string) (map[string]AccessKey, error) {
	if keys == nil {
		keys = []AccessKey{{ID: DefaultKeyID, Secret: DefaultKeySecret, Account: account}}
	}
	ring := make(map[string]AccessKey, len(keys))
	for i, key := range keys {
		if key.Account == "" {
			key.Account = DefaultAccount
		}
		if _, twice := ring[key.ID]; twice {
			return nil, fmt.Errorf("access key %d: the ID %q is given twice", i+1, key.ID)
		}
		if key.ID == "" || key.Secret == "" {
			return nil, fmt.Errorf("access key %d: the ID and the secret must not be empty", i+1)
		}
		if !isAccountID(key.Account) {
			return nil, fmt.Errorf("access key %q: the account %q is not a number of at most 20 digits", key.ID, key.Account)
		}
		ring[key.ID] = key
	}
	return ring, nil
}
