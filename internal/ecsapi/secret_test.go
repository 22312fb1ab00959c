package ecsapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestNothingPrintsACredential(t *testing.T) {
	options := testOptions("http://127.0.0.1:1")
	c, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	values := map[string]any{
		"a secret": options.Credentials.Secret, "a pointer to a secret": &options.Credentials.Secret,
		"credentials": options.Credentials, "a pointer to credentials": &options.Credentials,
		"options": options, "a pointer to options": &options, "a client": c, "what a client holds": c.pools,
		"a redactor": c.redactor, "a list of secrets": []Secret{canarySecret},
		"a struct with a client inside": struct{ c *Client }{c},
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			noCanary(t, name+" as "+verb, fmt.Sprintf(verb, value))
		}
	}
	options.Now = nil // a func is no JSON
	encoded, err := json.Marshal(map[string]any{"credentials": options.Credentials, "secret": Secret(canarySecret)})
	if err != nil {
		t.Fatal(err)
	}
	noCanary(t, "json", string(encoded))
	if want := `{"credentials":"\u003csecret\u003e","secret":"\u003csecret\u003e"}`; string(encoded) != want {
		t.Errorf("got %s, want %s", encoded, want)
	}
}

func TestCredentialsFromEnv(t *testing.T) {
	tests := map[string]struct {
		env  map[string]string
		want string // part of the error; empty for none
	}{
		"a key and its secret": {map[string]string{envKeyID: canaryKey, envSecret: canarySecret}, ""},
		"a temporary key": {
			map[string]string{envKeyID: canaryKey, envSecret: canarySecret, envSecurityToken: canaryToken}, "",
		},
		"nothing":        {nil, "set " + envKeyID + " and " + envSecret},
		"no secret":      {map[string]string{envKeyID: canaryKey}, "set " + envSecret},
		"no key":         {map[string]string{envSecret: canarySecret}, "set " + envKeyID},
		"only a token":   {map[string]string{envSecurityToken: canaryToken}, "set " + envKeyID + " and " + envSecret},
		"a line end":     {map[string]string{envKeyID: canaryKey, envSecret: canarySecret + "\n"}, envSecret},
		"a blank in key": {map[string]string{envKeyID: " " + canaryKey, envSecret: canarySecret}, envKeyID},
		"an odd token": {
			map[string]string{envKeyID: canaryKey, envSecret: canarySecret, envSecurityToken: canaryToken + "\x00"},
			envSecurityToken,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := CredentialsFromEnv(func(name string) string { return tt.env[name] })
			if tt.want == "" {
				want := Credentials{
					KeyID: tt.env[envKeyID], Secret: Secret(tt.env[envSecret]),
					SecurityToken: Secret(tt.env[envSecurityToken]),
				}
				if err != nil || got != want {
					t.Errorf("got other credentials than those set, error %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want it to name %s", err, tt.want)
			}
			noCanary(t, "the error", err.Error())
		})
	}
}
