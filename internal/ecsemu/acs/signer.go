package acs

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Signer signs as clients do. It is there for tests: of this package's other half, and of servers that use it.
// Whatever a request has already, it leaves as it is, so that a test can send a nonce twice or a time of yesterday.
type Signer struct {
	KeyID  string
	Secret string
	Token  string // Of a session; empty for a key of its own.
	// Clock gives the time of requests that have none. If it is nil, they get none and are refused.
	Clock func() time.Time
}

// RPC gives the parameters of a call, which have Action and Version, with those of the signature added. They may then be
// sent in the query, in a form, or some here and some there, by the method that was signed.
func (s *Signer) RPC(method string, values url.Values) url.Values {
	signed := maps.Clone(values)
	if signed == nil {
		signed = url.Values{}
	}
	for name, value := range map[string]string{
		paramKeyID: s.KeyID, paramMethod: methodHMACSHA1, paramSigning: signingVersion, paramNonce: newNonce(),
		paramTimestamp: s.now(), paramToken: s.Token,
	} {
		if value != "" && !signed.Has(name) {
			signed.Set(name, value)
		}
	}
	if !signed.Has(paramSignature) {
		signed.Set(paramSignature, signRPC(s.Secret, textRPC(method, merge(signed))))
	}
	return signed
}

// ACS3 signs a request, which has x-acs-action and x-acs-version, and whose body is the one given. It signs the host,
// the content type if there is one, and all headers x-acs-*; parameters are to be in the query or in the body before.
func (s *Signer) ACS3(r *http.Request, body []byte) {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	wanted := map[string]string{headerDate: s.now(), headerNonce: newNonce(), headerContentHash: hash}
	if s.Token != "" {
		wanted[headerToken], wanted[headerKeyID] = s.Token, s.KeyID
	}
	for name, value := range wanted {
		if value != "" && r.Header.Get(name) == "" {
			r.Header.Set(name, value)
		}
	}
	signed := namesToSign(r.Header)
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	text := textACS3(
		&Request{Method: r.Method, Path: r.URL.Path, Host: host, Header: r.Header},
		canonicalQuery(r.URL.Query()), signed, hash,
	)
	r.Header.Set(headerAuthorization, algorithm+" Credential="+s.KeyID+
		",SignedHeaders="+strings.Join(signed, ";")+",Signature="+signACS3(s.Secret, text))
}

func (s *Signer) now() string {
	if s.Clock == nil {
		return ""
	}
	return s.Clock().UTC().Format(timestampLayout)
}

// newNonce gives 32 digits, as many clients do.
func newNonce() string {
	var bits [16]byte
	_, _ = rand.Read(bits[:]) // It never fails, says its document.
	return hex.EncodeToString(bits[:])
}
