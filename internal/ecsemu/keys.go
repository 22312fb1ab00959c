package ecsemu

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
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
	Account string // The account of the server's estate if empty; see [New].
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
		if key.Account = parts[2]; !isAccountID(key.Account) {
			return AccessKey{}, errors.New("parsing access key: the account must be a number of at most 20 digits")
		}
	}
	return key, nil
}

// isAccountID tells whether text can stand as an account ID, and so as a JSON number.
func isAccountID(text string) bool {
	return isDigits(text) && len(text) <= 20 && text[0] != '0'
}

// isDigits tells whether text is one or more of 0 to 9.
func isDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// withAccounts gives the keys with those that name no account put to the given one. No keys at all stand for the
// default key.
func withAccounts(keys []AccessKey, account string) []AccessKey {
	if keys == nil {
		keys = []AccessKey{{ID: DefaultKeyID, Secret: DefaultKeySecret}}
	}
	keys = slices.Clone(keys)
	for i := range keys {
		keys[i].Account = cmp.Or(keys[i].Account, account)
	}
	return keys
}

// keyring gives the keys by ID.
func keyring(keys []AccessKey) (map[string]AccessKey, error) {
	ring := make(map[string]AccessKey, len(keys))
	for i, key := range keys {
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
