package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonWriter writes the fields of one object one after another.
type jsonWriter struct {
	w      *bufio.Writer
	fields int
	err    error
}

func (j *jsonWriter) raw(text string) {
	if j.err == nil {
		_, j.err = j.w.WriteString(text)
	}
}

// end flushes, and gives the first error of all that was written.
func (j *jsonWriter) end() error {
	if j.err == nil {
		j.err = j.w.Flush()
	}
	if j.err != nil {
		return fmt.Errorf("writing the JSON report: %w", j.err)
	}
	return nil
}

func (j *jsonWriter) value(v any, indent string) {
	if j.err != nil {
		return
	}
	encoder := json.NewEncoder(valueWriter{j.w})
	encoder.SetEscapeHTML(false)
	encoder.SetIndent(indent, "  ")
	j.err = encoder.Encode(v)
}

func (j *jsonWriter) key(key string) {
	if j.fields > 0 {
		j.raw(",\n")
	}
	j.fields++
	j.raw("  \"" + key + "\": ")
}

func (j *jsonWriter) field(key string, v any) {
	j.key(key)
	j.value(v, "  ")
}

func array[T any](j *jsonWriter, key string, items []T, form func(*T) any) {
	j.key(key)
	list(j, "  ", items, form)
}

// list writes items one by one, so that a long list costs no more memory than its items.
func list[T any](j *jsonWriter, indent string, items []T, form func(*T) any) {
	j.raw("[")
	for i := range items {
		if i > 0 {
			j.raw(",")
		}
		j.raw("\n  " + indent)
		j.value(form(&items[i]), indent+"  ")
	}
	if len(items) > 0 {
		j.raw("\n" + indent)
	}
	j.raw("]")
}

// valueWriter takes an encoded value from an Encoder, drops the newline that it ends with, and escapes what could steer
// a terminal. The Encoder escapes control characters of ASCII only.
type valueWriter struct{ w io.Writer }

func (v valueWriter) Write(p []byte) (int, error) {
	text := bytes.TrimSuffix(p, []byte("\n"))
	if bytes.ContainsFunc(text, steering) {
		text = escapeSteering(text)
	}
	if _, err := v.w.Write(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// steering tells which runes of encoded JSON are escaped. Line ends are the Encoder's own.
func steering(r rune) bool { return r != '\n' && hostile(r) }

func escapeSteering(text []byte) []byte {
	escaped := make([]byte, 0, len(text)+32)
	for _, r := range string(text) {
		switch {
		case !steering(r):
			escaped = utf8.AppendRune(escaped, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
	}
	return escaped
}
