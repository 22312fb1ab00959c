package ecsapi

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// hidden is what a secret prints as.
const hidden = "<secret>"

// Environment variables that hold credentials, as all tools of the cloud name them.
const (
	envKeyID         = "ALIBABA_CLOUD_ACCESS_KEY_ID"
	envSecret        = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
	envSecurityToken = "ALIBABA_CLOUD_SECURITY_TOKEN" //nolint:gosec // the name of a variable, no secret
)

// Secret is a text that prints as <secret> by every verb of fmt and in every encoding. Converting it to a string is
// the one way to read it. Keep it out of unexported fields of structs that are printed: fmt calls no methods there.
type Secret string

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// Format hides the secret whatever the verb, so that %x and %q do not show it either.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the secret in JSON, YAML and logs.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Credentials are an access key, with a security token if the key is a temporary one. They print as <secret> whole:
// the key ID is not for logs either.
type Credentials struct {
	KeyID         string
	Secret        Secret
	SecurityToken Secret
}

// String hides the credentials.
func (Credentials) String() string { return hidden }

// GoString hides the credentials.
func (Credentials) GoString() string { return hidden }

// Format hides the credentials whatever the verb.
func (Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the credentials in JSON, YAML and logs.
func (Credentials) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// CredentialsFromEnv takes credentials from ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and, for
// temporary keys, ALIBABA_CLOUD_SECURITY_TOKEN. The error names the variables to set or to mend, never their values.
func CredentialsFromEnv(getenv func(string) string) (Credentials, error) {
	values := map[string]string{}
	var missing []string
	for _, name := range []string{envKeyID, envSecret, envSecurityToken} {
		value := getenv(name)
		if value == "" && name != envSecurityToken {
			missing = append(missing, name)
		}
		values[name] = value
	}
	if len(missing) > 0 {
		return Credentials{}, fmt.Errorf("no credentials: set %s in the environment", strings.Join(missing, " and "))
	}
	c := Credentials{
		KeyID: values[envKeyID], Secret: Secret(values[envSecret]), SecurityToken: Secret(values[envSecurityToken]),
	}
	if err := c.validate(); err != nil {
		return Credentials{}, err
	}
	return c, nil
}

var (
	errNoCredentials = errors.New("no credentials: a key id and its secret are needed")
	errBlank         = errors.New("white space or a control character in it: often a line end copied along")
)

func (c Credentials) validate() error {
	if c.KeyID == "" || c.Secret == "" {
		return errNoCredentials
	}
	odd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	switch {
	case strings.ContainsFunc(c.KeyID, odd):
		return fmt.Errorf("access key id (%s): %w", envKeyID, errBlank)
	case strings.ContainsFunc(string(c.Secret), odd):
		return fmt.Errorf("access key secret (%s): %w", envSecret, errBlank)
	case strings.ContainsFunc(string(c.SecurityToken), odd):
		return fmt.Errorf("security token (%s): %w", envSecurityToken, errBlank)
	}
	return nil
}
