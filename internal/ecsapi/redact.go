package ecsapi

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The longest texts of a server that an [Error] repeats, in bytes.
const (
	maxMessage = 300
	maxName    = 100
)

// redactor takes secrets out of texts that come from elsewhere.
type redactor struct{ secrets *strings.Replacer }

func newRedactor(c Credentials) redactor {
	var pairs []string
	for _, secret := range []string{c.KeyID, string(c.Secret), string(c.SecurityToken)} {
		if secret == "" {
			continue
		}
		// As it is, as in a URL, and as in the string to sign, which is escaped twice.
		once := url.QueryEscape(secret)
		for _, spelling := range []string{secret, once, url.QueryEscape(once), url.PathEscape(secret)} {
			pairs = append(pairs, spelling, hidden)
		}
	}
	return redactor{secrets: strings.NewReplacer(pairs...)}
}

// Format prints nothing of what the redactor knows.
func (redactor) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// message makes one harmless line of a server's words.
func (r redactor) message(text string) string { return r.clean(text, maxMessage) }

// name does the same for a code or an ID.
func (r redactor) name(text string) string { return r.clean(text, maxName) }

func (r redactor) clean(text string, most int) string {
	// Control characters go first, lest they hide a secret by splitting it.
	text = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) && !unicode.IsSpace(c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	text = r.secrets.Replace(cutSignatures(text))
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}

// cutSignatures takes out signatures, and the string to sign together with all that follows it.
func cutSignatures(text string) string {
	lower := strings.ToLower(text)
	if len(lower) != len(text) { // lower case of other length: positions would not fit
		text = lower
	}
	for _, begin := range []string{"server string to sign", "string to sign"} {
		if at := strings.Index(lower, begin); at >= 0 {
			text, lower = text[:at]+hidden, lower[:at]+hidden
		}
	}
	const marker = "signature="
	for from := 0; ; {
		at := strings.Index(lower[from:], marker)
		if at < 0 {
			return text
		}
		at += from + len(marker)
		end := at
		for end < len(lower) && !strings.ContainsRune("& \"'<>", rune(lower[end])) {
			end++
		}
		text, lower = text[:at]+hidden+text[end:], lower[:at]+hidden+lower[end:]
		from = at + len(hidden)
	}
}
