package ecsapi

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deep values may be nested. Answers of the cloud are at most 6 deep.
const maxDepth = 64

var (
	errSyntax   = errors.New("not json")
	errTooDeep  = errors.New("nested too deep")
	errTrailing = errors.New("more after the end")
	errShape    = errors.New("another kind of value than expected")
	errNoCode   = errors.New("an error without a code")
	errNoList   = errors.New("a list that should be here was left out")
	errNotSaid  = errors.New("an empty list that does not say what it is of")
)

// scanner reads JSON in one pass. Texts without escapes are parts of the input, not copies. It accepts what
// encoding/json accepts, and gives the same texts, but that keys match exactly and that nesting is bounded.
//
// Reading methods take the value that comes next. Their errors say where, and never what: the input may hold
// anything.
type scanner struct {
	text  string
	at    int
	depth int
}

// decodeObject reads a document that is one object. each is called for each key and must read its value.
func decodeObject(text string, each func(s *scanner, key string) error) error {
	s := &scanner{text: text}
	if err := s.object(each); err != nil {
		return err
	}
	if s.space(); s.at < len(s.text) {
		return s.fail(errTrailing)
	}
	return nil
}

func (s *scanner) fail(err error) error { return fmt.Errorf("byte %d: %w", s.at, err) }

// space passes white space.
func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\n', '\r', '\t':
			s.at++
		default:
			return
		}
	}
}

// next passes white space and gives the byte that follows, or 0 at the end.
func (s *scanner) next() byte {
	if s.at < len(s.text) && s.text[s.at] > ' ' {
		return s.text[s.at] // by far the most: answers have no white space between values
	}
	s.space()
	if s.at == len(s.text) {
		return 0
	}
	return s.text[s.at]
}

// open passes the beginning of an object or array. It says whether there is anything inside; if not, it has passed
// the end too.
func (s *scanner) open(begin, end byte) (bool, error) {
	if c := s.next(); c != begin {
		if c == 0 || !strings.ContainsRune(`{["tfn-0123456789`, rune(c)) {
			return false, s.fail(errSyntax)
		}
		return false, s.fail(errShape)
	}
	if s.depth++; s.depth > maxDepth {
		return false, s.fail(errTooDeep)
	}
	s.at++
	if s.next() == end {
		s.at++
		s.depth--
		return false, nil
	}
	return true, nil
}

// more passes what is between two members, or the end of the object or array.
func (s *scanner) more(end byte) (bool, error) {
	switch s.next() {
	case ',':
		s.at++
		return true, nil
	case end:
		s.at++
		s.depth--
		return false, nil
	default:
		return false, s.fail(errSyntax)
	}
}

// object reads an object.
func (s *scanner) object(each func(s *scanner, key string) error) error {
	more, err := s.open('{', '}')
	for more && err == nil {
		if s.next() != '"' {
			return s.fail(errSyntax)
		}
		var key string
		if key, err = s.str(); err != nil {
			return err
		}
		if s.next() != ':' {
			return s.fail(errSyntax)
		}
		s.at++
		if err = each(s, key); err == nil {
			more, err = s.more('}')
		}
	}
	return err
}

// array reads an array.
func (s *scanner) array(each func(s *scanner) error) error {
	more, err := s.open('[', ']')
	for more && err == nil {
		if err = each(s); err == nil {
			more, err = s.more(']')
		}
	}
	return err
}

// list reads an array, or null in its place, which is an empty one.
func (s *scanner) list(each func(s *scanner) error) error {
	if s.next() == 'n' {
		return s.literal("null")
	}
	return s.array(each)
}

// skip reads any value and forgets it.
func (s *scanner) skip() error {
	switch s.next() {
	case '{':
		return s.object(func(s *scanner, _ string) error { return s.skip() })
	case '[':
		return s.array((*scanner).skip)
	default:
		var text string
		return s.scalar(&text)
	}
}

func (s *scanner) literal(text string) error {
	if !strings.HasPrefix(s.text[s.at:], text) {
		return s.fail(errSyntax)
	}
	s.at += len(text)
	return nil
}

// number reads a number and gives it as it is written.
func (s *scanner) number() (string, error) {
	begin := s.at
	if s.text[s.at] == '-' {
		s.at++
	}
	zero := s.at < len(s.text) && s.text[s.at] == '0'
	if n := s.digits(); n == 0 || zero && n > 1 {
		return "", s.fail(errSyntax)
	}
	if s.at < len(s.text) && s.text[s.at] == '.' {
		s.at++
		if s.digits() == 0 {
			return "", s.fail(errSyntax)
		}
	}
	if s.at < len(s.text) && s.text[s.at]|0x20 == 'e' {
		s.at++
		if s.at < len(s.text) && (s.text[s.at] == '+' || s.text[s.at] == '-') {
			s.at++
		}
		if s.digits() == 0 {
			return "", s.fail(errSyntax)
		}
	}
	return s.text[begin:s.at], nil
}

func (s *scanner) digits() (n int) {
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		s.at++
		n++
	}
	return n
}

// str reads a string.
func (s *scanner) str() (string, error) {
	s.at++
	begin := s.at
	end, high := plain(s.text, begin)
	if s.at = end; end == len(s.text) {
		return "", s.fail(errSyntax)
	}
	switch s.text[end] {
	case '"':
		s.at++
		return valid(s.text[begin:end], high), nil
	case '\\':
		return s.unescape(begin)
	default:
		return "", s.fail(errSyntax)
	}
}

// plain passes the bytes of a string up to a quote, a backslash, a control character or the end of the text. high has
// a bit of 0x80 if one of them is no ASCII.
//
// It looks at eight bytes at once (the classic test for a byte within a word, see "Determine if a word has a byte
// less than n" in Bit Twiddling Hacks): strings are nearly all of an answer.
func plain(text string, at int) (end int, high byte) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	var seen uint64
	for len(text)-at >= 8 {
		t := text[at : at+8]
		w := uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
			uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w) & tops
		if found != 0 {
			n := bits.TrailingZeros64(found) / 8
			seen |= w & (1<<(8*n) - 1)
			at += n
			break
		}
		seen |= w
		at += 8
	}
	if seen&tops != 0 {
		high = utf8.RuneSelf
	}
	for ; at < len(text); at++ {
		c := text[at]
		if c == '"' || c == '\\' || c < ' ' {
			break
		}
		high |= c
	}
	return at, high
}

// valid gives a text with each byte that is no UTF-8 replaced; high tells whether there are any above ASCII.
func valid(text string, high byte) string {
	if high < utf8.RuneSelf || utf8.ValidString(text) {
		return text
	}
	// One replacement character per bad byte, where strings.ToValidUTF8 puts one per run of them.
	return string([]rune(text))
}

// unescape reads the rest of a string that has an escape at the present place.
func (s *scanner) unescape(begin int) (string, error) {
	var b strings.Builder
	plain := begin
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '"':
			b.WriteString(s.text[plain:s.at])
			s.at++
			return valid(b.String(), utf8.RuneSelf), nil
		case c == '\\':
			b.WriteString(s.text[plain:s.at])
			if err := s.escape(&b); err != nil {
				return "", err
			}
			plain = s.at
		case c < ' ':
			return "", s.fail(errSyntax)
		default:
			s.at++
		}
	}
	return "", s.fail(errSyntax)
}

// escape reads one escape, or the two of a surrogate pair. Half a pair is the replacement character.
func (s *scanner) escape(b *strings.Builder) error {
	if s.at+1 >= len(s.text) {
		return s.fail(errSyntax)
	}
	c := s.text[s.at+1]
	if c == 'u' {
		r, ok := s.hex(s.at)
		if !ok {
			return s.fail(errSyntax)
		}
		s.at += 6
		if utf16.IsSurrogate(r) {
			second, ok := s.hex(s.at)
			if pair := utf16.DecodeRune(r, second); ok && pair != utf8.RuneError {
				r = pair
				s.at += 6
			} else {
				r = utf8.RuneError
			}
		}
		b.WriteRune(r)
		return nil
	}
	at := strings.IndexByte(`"\/bfnrt`, c)
	if at < 0 {
		return s.fail(errSyntax)
	}
	b.WriteByte("\"\\/\b\f\n\r\t"[at])
	s.at += 2
	return nil
}

// hex reads the four digits of an escape at a place, without passing it.
func (s *scanner) hex(at int) (rune, bool) {
	if at+6 > len(s.text) || s.text[at] != '\\' || s.text[at+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s.text[at+2:at+6], 16, 16)
	return rune(n), err == nil
}
