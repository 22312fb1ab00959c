package main

import (
	"slices"
	"unicode"
)

// maskURLs puts dots in the place of what may be a secret in the URLs of a line: user and password, query and fragment. A
// line of a policy file that is shown beside a message mostly ends up in the log of some build.
func maskURLs(line []rune) {
	const scheme = "://"
	for i := 0; i+len(scheme) <= len(line); i++ {
		if string(line[i:i+len(scheme)]) != scheme {
			continue
		}
		url := line[i+len(scheme):]
		if end := slices.IndexFunc(url, func(r rune) bool { return r == '"' || r == '\'' || unicode.IsSpace(r) }); end >= 0 {
			url = url[:end]
		}
		host := url
		if end := slices.IndexFunc(url, func(r rune) bool { return r == '/' || r == '?' || r == '#' }); end >= 0 {
			host = url[:end]
		}
		for at, r := range slices.Backward(host) {
			if r == '@' {
				mask(host[:at])
				break
			}
		}
		if query := slices.IndexFunc(url, func(r rune) bool { return r == '?' || r == '#' }); query >= 0 {
			mask(url[query+1:])
		}
	}
}

func mask(runes []rune) {
	for i := range runes {
		runes[i] = '…'
	}
}
