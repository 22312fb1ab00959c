package cloud

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// How long, if nothing else is assumed, and how many tokens are remembered. Neither is documented; the second bounds the
// memory of a server whose clock stands still.
const (
	tokenLifetime    = 24 * time.Hour
	rememberedTokens = 200_000
	maxTokenLength   = 64
)

// tokens remembers what was done with which ClientToken. A call that was refused is not remembered, unless
// [Era.TokenRefusals] says so: whether the cloud does that is not documented, but to be refused for ever would make the
// token useless.
type tokens struct {
	limit int
	done  map[tokenKey]doneCall
	order []tokenKey // Oldest first.
}

// tokenKey is what a token is told apart by; see [TokenScope]. What is out of its scope is empty.
type tokenKey struct{ account, region, action, group, token string }

// tokenKey gives the key of the token of a call.
func (e *Era) tokenKey(account string, action *Action, p wire.Params) tokenKey {
	key := tokenKey{account: account, token: p.Get("ClientToken")}
	if e.TokenScope == TokenPerAccount {
		return key
	}
	key.action = action.Name
	if action.Regional {
		key.region = p.Get("RegionId")
	}
	if e.TokenScope == TokenPerGroup {
		key.group = p.Get("SecurityGroupId")
	}
	return key
}

type doneCall struct {
	parameters [sha256.Size]byte
	response   any
	refused    error
	at         time.Time
}

func newTokens(limit int) *tokens { return &tokens{limit: limit, done: map[tokenKey]doneCall{}} }

// once does what a call asks for, or gives the answer of the call that did it before with the same token. The answer is
// the same to the letter, the RequestId included.
func (t *tokens) once(c *call, handle func(*call) (any, error)) (any, error) {
	token := c.params.Get("ClientToken")
	if token == "" {
		return handle(c)
	}
	if len(token) > maxTokenLength || strings.IndexFunc(token, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
		// No document names the code for it.
		return nil, wire.Refusef(wire.CodeParameter, "The parameter ClientToken must be at most 64 ASCII characters.")
	}
	t.forget(c.now, cmp.Or(c.era.TokenLifetime, tokenLifetime))
	key := c.era.tokenKey(c.account.id, c.action, c.params)
	parameters := fingerprint(c.action.Name, c.params)
	if before, known := t.done[key]; known {
		if before.parameters != parameters {
			return nil, wire.Refuse(wire.CodeTokenMismatch)
		}
		return before.response, before.refused
	}
	response, err := handle(c)
	if err != nil && !c.era.TokenRefusals {
		return nil, err
	}
	t.done[key] = doneCall{parameters: parameters, response: response, refused: err, at: c.now}
	t.order = append(t.order, key)
	return response, err
}

// forget drops tokens that are too old, and the oldest if there are too many.
func (t *tokens) forget(now time.Time, lifetime time.Duration) {
	gone := 0
	for gone < len(t.order) && (len(t.order)-gone >= t.limit || now.Sub(t.done[t.order[gone]].at) >= lifetime) {
		delete(t.done, t.order[gone])
		gone++
	}
	t.order = t.order[gone:]
}

// fingerprint tells requests apart by what they ask for: a client that asks again does so with another time, nonce and
// signature, and maybe with another key of its account. A parameter that is empty is as good as absent.
func fingerprint(action string, p wire.Params) [sha256.Size]byte {
	names := make([]string, 0, len(p))
	for name, value := range p {
		if value != "" && !isCommon(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	text := append([]byte(action), 0)
	for _, name := range names {
		for _, part := range []string{name, p[name]} {
			text = binary.AppendUvarint(text, uint64(len(part)))
			text = append(text, part...)
		}
	}
	return sha256.Sum256(text)
}

// isCommon tells whether a parameter says how a request is sent, and nothing of what it asks for.
func isCommon(name string) bool {
	switch name {
	case "AccessKeyId", "Action", "ClientToken", "Format", "SecurityToken", "Signature", "SignatureMethod", "SignatureNonce",
		"SignatureType", "SignatureVersion", "Timestamp", "Version":
		return true
	}
	return false
}
