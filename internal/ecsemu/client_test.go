package ecsemu_test

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
)

// client calls with any key or session, signature and format. The zero values are the first signature, JSON and plain
// HTTP; see clientOf for a whole one.
type client struct {
	running *ecsemu.Running
	signer  acs.Signer
	scheme  acs.Scheme
	format  string // As the parameter Format has it; JSON if empty.
	secure  bool   // Over TLS.
}

// clientOf is a client of a server at the stopped clock.
func clientOf(r *ecsemu.Running, keyID, secret string) client {
	return client{running: r, signer: acs.Signer{KeyID: keyID, Secret: secret, Clock: func() time.Time { return stoppedClock }}}
}

// ownerOf is a client with the default key.
func ownerOf(r *ecsemu.Running) client {
	return clientOf(r, ecsemu.DefaultKeyID, ecsemu.DefaultKeySecret)
}

// at is the client with another clock.
func (c client) at(clock func() time.Time) client {
	c.signer.Clock = clock
	return c
}

// session is a client with the key that an answer to AssumeRole gives.
func (c client) session(assumed answer) client {
	credentials, _ := assumed.body["Credentials"].(map[string]any)
	text := func(name string) string {
		value, _ := credentials[name].(string)
		return value
	}
	c.signer.KeyID, c.signer.Secret = text("AccessKeyId"), text("AccessKeySecret")
	c.signer.Token = text("SecurityToken")
	return c
}

// in is the client with another scheme of signatures.
func (c client) in(scheme acs.Scheme) client {
	c.scheme = scheme
	return c
}

func (c client) address() string {
	if c.secure {
		return c.running.TLSURL
	}
	return c.running.URL
}

// request is a signed call, all of it in the query.
func (c client) request(t fatal, action string, business url.Values) *http.Request {
	t.Helper()
	format := c.format
	if format == "" {
		format = "JSON"
	}
	values := with(business)
	if c.scheme == acs.RPC {
		values = c.signer.RPC(http.MethodPost, with(values, "Action", action, "Version", versionOf(action), "Format", format))
	}
	r, err := http.NewRequest(http.MethodPost, c.address()+"/?"+values.Encode(), http.NoBody) //nolint:noctx // Short.
	if err != nil {
		t.Fatalf("making a request: %v", err)
	}
	if c.scheme == acs.ACS3 {
		r.Header.Set("X-Acs-Action", action)
		r.Header.Set("X-Acs-Version", versionOf(action))
		r.Header.Set("Accept", "application/"+strings.ToLower(format))
		c.signer.ACS3(r, nil)
	}
	return r
}

// call sends a call.
func (c client) call(t fatal, action string, business url.Values) answer {
	t.Helper()
	response, err := c.running.Client.Do(c.request(t, action, business))
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	got, err := readAnswer(response)
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	return got
}

// must is call for what has to succeed.
func (c client) must(t fatal, action string, business url.Values) answer {
	t.Helper()
	got := c.call(t, action, business)
	if got.status != http.StatusOK {
		t.Fatalf("%s: got status %d: %s", action, got.status, got.raw)
	}
	return got
}
