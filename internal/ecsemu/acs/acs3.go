package acs

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The headers of an ACS3 signature, as they are named when signed.
const (
	headerAuthorization = "authorization"
	headerContentType   = "content-type"
	headerHost          = "host"
	headerAction        = "x-acs-action"
	headerVersion       = "x-acs-version"
	headerDate          = "x-acs-date"
	headerNonce         = "x-acs-signature-nonce"
	headerContentHash   = "x-acs-content-sha256"
	headerToken         = "x-acs-security-token" //nolint:gosec // G101: it is no credential.
	headerKeyID         = "x-acs-accesskey-id"

	headersOfACS = "x-acs-"
)

// algorithm is the only one that is supported. The other documented ones are ACS3-HMAC-SM3 and ACS3-RSA-SHA256.
const algorithm = "ACS3-HMAC-SHA256"

func readACS3(r *Request) (*Claim, error) {
	auth, err := parseAuthorization(r.Header.Values(headerAuthorization))
	if err != nil {
		return nil, err
	}
	if err := checkSigned(r, auth); err != nil {
		return nil, err
	}
	stamp, err := readTime(headerDate, r.header(headerDate))
	if err != nil {
		return nil, err
	}
	if err := checkNonce(headerNonce, r.header(headerNonce)); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(r.Body)
	hash := hex.EncodeToString(sum[:])
	claim := &Claim{
		Scheme: ACS3, Action: r.header(headerAction), Version: r.header(headerVersion), KeyID: auth.credential,
		Token: r.header(headerToken), Nonce: r.header(headerNonce), Time: stamp,
		signature: auth.signature, wrongHash: r.header(headerContentHash) != hash,
	}
	query := canonicalQuery(r.Query)
	for _, host := range spellings(r.Host) {
		as := *r
		as.Host = host
		claim.texts = append(claim.texts, textACS3(&as, query, auth.signed, hash))
	}
	return claim, nil
}

// checkSigned sees to it that nothing that counts could be forged: what a request must say is there and signed, and
// so is every other header of the API ("if present, must be signed", says the document of all common headers). That
// asks for the host, too, but the vendor's older SDK for Java leaves it unsigned, so it cannot be mandatory.
func checkSigned(r *Request, auth *authorization) error {
	for _, name := range []string{headerAction, headerVersion, headerDate, headerNonce, headerContentHash} {
		if r.header(name) == "" && name != headerDate { // A missing time has a code of its own: see readTime.
			return missing(name)
		}
		if r.header(name) != "" && !auth.covers(name) {
			return incompletef("The header %s must be signed.", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, headersOfACS) && !auth.covers(name) {
			return incompletef("The header %.100q must be signed.", name)
		}
	}
	if id := r.header(headerKeyID); id != "" && id != auth.credential {
		return incompletef("The header %s is not equal to the Credential.", headerKeyID)
	}
	return nil
}

// header gives the value of a header as it is signed: trimmed, several joined with commas, empty if there is none.
func (r *Request) header(name string) string {
	if name == headerHost {
		return strings.TrimSpace(r.Host)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, value := range values {
		values[i] = strings.TrimSpace(value)
	}
	return strings.Join(values, ",")
}

// textACS3 is the string to sign for a request with this canonical query, signed headers and hash of the body.
func textACS3(r *Request, query string, signed []string, hash string) string {
	sum := sha256.Sum256([]byte(canonicalRequest(r, query, signed, hash)))
	return algorithm + "\n" + hex.EncodeToString(sum[:])
}

// canonicalRequest is everything that is signed. Parameters in a form are in the hash of the body, not in the query.
func canonicalRequest(r *Request, query string, signed []string, hash string) string {
	var canonical strings.Builder
	canonical.WriteString(r.Method + "\n" + canonicalPath(r.Path) + "\n" + query + "\n")
	for _, name := range signed {
		canonical.WriteString(name + ":" + r.header(name) + "\n")
	}
	canonical.WriteString("\n" + strings.Join(signed, ";") + "\n" + hash)
	return canonical.String()
}

func canonicalPath(path string) string {
	if path == "" {
		return "/"
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = string(appendEncoded(nil, segment))
	}
	return strings.Join(segments, "/")
}

// canonicalQuery orders by name. The values of one name stay in their order, as the first one is the one that counts.
func canonicalQuery(query url.Values) string {
	var joined []byte
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, value := range query[name] {
			joined = appendPair(joined, name, value)
		}
	}
	return string(joined)
}

// spellings gives a host as it was sent, and as the client may have signed it: libraries of HTTP leave out a port that
// is the scheme's own, or add it, after the request was signed.
func spellings(host string) []string {
	_, port, err := net.SplitHostPort(host)
	switch {
	case err != nil:
		return []string{host, host + ":80", host + ":443"}
	case port == "80" || port == "443":
		return []string{host, strings.TrimSuffix(host, ":"+port)}
	}
	return []string{host}
}

func signACS3(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// namesToSign are the headers that a client signs: its host, its content type, and all of the API.
func namesToSign(h http.Header) []string {
	names := []string{headerHost}
	for name := range h {
		name = strings.ToLower(name)
		if name == headerContentType || strings.HasPrefix(name, headersOfACS) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
