package acs

import "strings"

// appendEncoded appends a text in the percent encoding of RFC 3986, all but unreserved characters escaped, in upper
// case.
func appendEncoded(dst []byte, text string) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range []byte(text) {
		if isUnreserved(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', digits[c>>4], digits[c&0xF])
		}
	}
	return dst
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~", c) >= 0
}

// appendPair appends one more name=value of a canonical query.
func appendPair(dst []byte, name, value string) []byte {
	if len(dst) > 0 {
		dst = append(dst, '&')
	}
	dst = append(appendEncoded(dst, name), '=')
	return appendEncoded(dst, value)
}
