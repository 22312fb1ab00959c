package acs

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // G505: the API's first signature version is HMAC-SHA1.
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
)

// The parameters of an RPC signature.
const (
	paramAction    = "Action"
	paramVersion   = "Version"
	paramKeyID     = "AccessKeyId"
	paramSignature = "Signature"
	paramMethod    = "SignatureMethod"
	paramSigning   = "SignatureVersion"
	paramType      = "SignatureType"
	paramNonce     = "SignatureNonce"
	paramTimestamp = "Timestamp"
	paramToken     = "SecurityToken"
)

// The only documented method and version. Of RPC with HMAC-SHA256, which a few clients of other products send, no
// document says that the cloud takes it.
const (
	methodHMACSHA1 = "HMAC-SHA1"
	signingVersion = "1.0"
)

func readRPC(r *Request) (*Claim, error) {
	params := merge(r.Query, r.Form)
	for _, name := range []string{
		paramAction, paramVersion, paramKeyID, paramSignature, paramMethod, paramSigning, paramNonce,
	} {
		if params[name] == "" {
			return nil, missing(name)
		}
	}
	if params[paramMethod] != methodHMACSHA1 {
		return nil, unknownMethod()
	}
	if params[paramSigning] != signingVersion {
		return nil, incompletef("%s must be %s.", paramSigning, signingVersion)
	}
	// Some clients send it empty. The other types, of bearer tokens and private keys, are not supported.
	if params[paramType] != "" {
		return nil, incompletef("%s must be empty.", paramType)
	}
	stamp, err := readTime(paramTimestamp, params[paramTimestamp])
	if err != nil {
		return nil, err
	}
	if err := checkNonce(paramNonce, params[paramNonce]); err != nil {
		return nil, err
	}
	return &Claim{
		Scheme: RPC, Action: params[paramAction], Version: params[paramVersion], KeyID: params[paramKeyID],
		Token: params[paramToken], Nonce: params[paramNonce], Time: stamp,
		texts: []string{textRPC(r.Method, params)}, signature: params[paramSignature],
	}, nil
}

// merge gives each name the value that counts: the first of the last place that has one.
func merge(places ...url.Values) map[string]string {
	params := map[string]string{}
	for _, place := range places {
		for name, values := range place {
			if len(values) > 0 {
				params[name] = values[0]
			}
		}
	}
	return params
}

// textRPC is the string to sign: the method, and every parameter but the signature, the empty ones included. Path,
// host and headers are not signed.
func textRPC(method string, params map[string]string) string {
	var joined []byte
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name == paramSignature {
			continue
		}
		joined = appendPair(joined, name, params[name])
	}
	return string(appendEncoded([]byte(method+"&%2F&"), string(joined)))
}

func signRPC(secret, text string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
