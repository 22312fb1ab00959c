package cloud

import (
	"encoding/base64"
	"strings"
)

// Tokens name their listing and where to go on. They look opaque, so that no client is tempted to make them up, and
// are refused in another listing than their own.
func encodeToken(listing, position string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(listing + "\x00" + position))
}

func decodeToken(listing, token string) (position string, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(string(text), listing+"\x00")
}
