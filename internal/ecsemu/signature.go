package ecsemu

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // G505: the API's first signature version is HMAC-SHA1.
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Freshness of requests. How long the cloud remembers a nonce is not documented; here, the last ones are, in number.
const (
	allowedSkew      = 15 * time.Minute
	timestampLayout  = "2006-01-02T15:04:05Z"
	rememberedNonces = 200_000
)

// percentEncode encodes by RFC 3986 with upper-case digits, as the signature needs it.
func percentEncode(text string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(text))
}

// stringToSign is the text that the RPC signature covers: the method, and every parameter but Signature, the empty
// ones included. The parameters are decoded and encoded again, so that how the client wrote them is of no matter.
func stringToSign(method string, params wire.Params) string {
	names := make([]string, 0, len(params))
	for name := range params {
		if name != "Signature" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var joined strings.Builder
	for i, name := range names {
		if i > 0 {
			joined.WriteByte('&')
		}
		joined.WriteString(percentEncode(name))
		joined.WriteByte('=')
		joined.WriteString(percentEncode(params[name]))
	}
	return method + "&%2F&" + percentEncode(joined.String())
}

// sign gives the RPC signature of a text.
func sign(secret, text string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// authenticate finds the key of a request and checks that its bearer sent it just now and once. In what order the
// cloud checks is not documented; here a nonce is remembered only once the signature is known to be good.
func (s *Server) authenticate(method, authorization string, params wire.Params) (*cloud.Credential, error) {
	if strings.HasPrefix(authorization, "ACS3-") {
		return nil, wire.Refusef(wire.CodeIncomplete, "ACS3 signatures are not supported by this emulator yet; "+
			"sign with HMAC-SHA1, version 1.0.")
	}
	for _, name := range []string{
		"Version", "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce",
	} {
		if params.Get(name) == "" {
			return nil, wire.Missing(name)
		}
	}
	if params.Get("SignatureMethod") != "HMAC-SHA1" {
		return nil, wire.Refuse(wire.CodeSignatureMethod)
	}
	if params.Get("SignatureVersion") != "1.0" || params.Get("SignatureType") != "" {
		return nil, wire.Refuse(wire.CodeIncomplete)
	}
	if err := s.checkTimestamp(params.Get("Timestamp")); err != nil {
		return nil, err
	}
	key := s.cloud.Credential(params.Get("AccessKeyId"))
	if key == nil {
		return nil, wire.Refuse(wire.CodeAccessKey)
	}
	text := stringToSign(method, params)
	if !hmac.Equal([]byte(sign(key.Secret, text)), []byte(params.Get("Signature"))) {
		return nil, wire.Refusef(wire.CodeSignature,
			"Specified signature is not matched with our calculation. server string to sign is:"+text)
	}
	if !s.nonces.use(key.ID + "\x00" + params.Get("SignatureNonce")) {
		return nil, wire.Refuse(wire.CodeNonceUsed)
	}
	return key, nil
}

func (s *Server) checkTimestamp(text string) error {
	if text == "" {
		return wire.Refuse(wire.CodeTimestampMissing)
	}
	stamp, err := time.Parse(timestampLayout, text)
	if err != nil {
		return wire.Refuse(wire.CodeTimestampFormat)
	}
	if s.clock().Sub(stamp).Abs() > allowedSkew {
		return wire.Refuse(wire.CodeTimestampExpired)
	}
	return nil
}

// nonces remembers the last ones that were used.
type nonces struct {
	mu    sync.Mutex
	known map[string]struct{}
	ring  []string
	next  int
}

func newNonces(remembered int) *nonces {
	return &nonces{known: map[string]struct{}{}, ring: make([]string, remembered)}
}

// use is false if the nonce was used before.
func (n *nonces) use(nonce string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, used := n.known[nonce]; used {
		return false
	}
	delete(n.known, n.ring[n.next])
	n.ring[n.next] = nonce
	n.known[nonce] = struct{}{}
	n.next = (n.next + 1) % len(n.ring)
	return true
}
