package acs

import (
	"crypto/hmac"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxSkew is how far the time of a request may be from the server's, either way.
const maxSkew = 15 * time.Minute

// timestampLayout is how a request says its time: in UTC, to the second.
const timestampLayout = "2006-01-02T15:04:05Z"

// maxNonce is how long a nonce may be, in bytes. Clients send 32 to 64 characters; a limit is not documented.
const maxNonce = 128

// Request is what of an HTTP request is signed.
type Request struct {
	Method string
	Path   string     // Decoded, as in url.URL. Empty is "/".
	Host   string     // As the client sent it, with its port.
	Query  url.Values // Decoded. Of a name that is there twice, the first value counts with RPC.
	Form   url.Values // The decoded body, nil if it is no form. A name here counts before the same one in Query.
	Header http.Header
	Body   []byte
}

// Scheme is a way to sign.
type Scheme int

// The schemes.
const (
	RPC  Scheme = iota // HMAC-SHA1, in parameters.
	ACS3               // ACS3-HMAC-SHA256, in headers.
)

// SchemeOf tells the scheme of a request by its Authorization header alone: clients of RPC, too, send x-acs-action and
// x-acs-version. Whatever is not ACS3 is RPC, if only to be refused for the parameters that it lacks.
func SchemeOf(h http.Header) Scheme {
	for _, value := range h.Values(headerAuthorization) {
		if strings.HasPrefix(value, "ACS3-") {
			return ACS3
		}
	}
	return RPC
}

// Claim is what a request says of itself. Nothing of it is true until Verify has said so.
type Claim struct {
	Scheme  Scheme
	Action  string // Of the parameter Action or the header x-acs-action, whichever is signed.
	Version string // Of the API; from where Action is.
	KeyID   string
	Token   string // The token of a session, empty if the key is none's.
	Nonce   string // 1 to 128 bytes.
	Time    time.Time

	// texts are the strings that may have been signed. The first one is the request as it came in.
	texts     []string
	signature string
	// wrongHash is set if the body is not the one whose hash is signed.
	wrongHash bool
}

// Read reads the claim of a request. Its errors say what is absent or malformed: MissingParameter,
// InvalidSignatureMethod, IncompleteSignature, IllegalTimestamp (if there is none) and InvalidTimeStamp.Format.
func Read(r *Request) (*Claim, error) {
	if SchemeOf(r.Header) == ACS3 {
		return readACS3(r)
	}
	return readRPC(r)
}

// Verify tells whether the bearer of the secret signed the request. The error is SignatureDoesNotMatch with the string
// to sign by the server's reckoning. An empty secret is nobody's and never right.
func (c *Claim) Verify(secret string) error {
	if secret != "" && !c.wrongHash {
		for _, text := range c.texts {
			if hmac.Equal([]byte(c.Scheme.sign(secret, text)), []byte(c.signature)) {
				return nil
			}
		}
	}
	return mismatch(c.texts[0])
}

// Fresh tells whether the request was made within 15 minutes of now. The error is InvalidTimeStamp.Expired, also for
// a request from the future.
func (c *Claim) Fresh(now time.Time) error {
	if now.Sub(c.Time).Abs() > maxSkew {
		return &Error{Code: codeExpired, Message: "Specified time stamp or date value is expired."}
	}
	return nil
}

// sign gives the signature of a text as the scheme writes it.
func (s Scheme) sign(secret, text string) string {
	if s == ACS3 {
		return signACS3(secret, text)
	}
	return signRPC(secret, text)
}

// readTime reads the time that a parameter or header of this name gives.
func readTime(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, &Error{Code: codeTimestampAbsent, Message: missingMessage(name)}
	}
	stamp, err := time.Parse(timestampLayout, text)
	// Parse also takes fractions of a second and hours of one digit.
	if err != nil || stamp.Format(timestampLayout) != text {
		return time.Time{}, &Error{
			Code: codeTimestampFormat, Message: "Specified time stamp or date value is not well formatted.",
		}
	}
	return stamp, nil
}

// checkNonce bounds what there is to remember of a nonce. That it is not empty was seen to before.
func checkNonce(name, nonce string) error {
	if len(nonce) > maxNonce {
		return incompletef("%s is longer than %d bytes.", name, maxNonce)
	}
	return nil
}
