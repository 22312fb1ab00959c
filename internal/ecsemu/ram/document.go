package ram

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// shape is what kind of JSON value something is. Policies have no use for the others than these three.
type shape int

const (
	bare shape = iota // a number, true, false or null
	text
	list
	object
)

// value is a JSON value that keeps the order and the repetitions of an object's fields, which a map would lose.
type value struct {
	shape  shape
	text   string  // of a text; of a bare value its spelling
	items  []value // of a list
	fields []field // of an object, in the order of the document
}

type field struct {
	name  string
	value value
}

// is tells whether the value is a given text.
func (v *value) is(s string) bool {
	return v.shape == text && v.text == s
}

// describe names the shape in a message.
func (v *value) describe() string {
	switch v.shape {
	case text:
		return fmt.Sprintf("the text %q", v.text)
	case list:
		return "a list"
	case object:
		return "an object"
	case bare:
	}
	return v.text + " without quotes"
}

// decode reads a whole document. Its error says where the JSON is broken.
func decode(document []byte) (value, error) {
	if count := utf8.RuneCount(document); count > MaxLength {
		return value{}, fmt.Errorf("the document has %d characters, RAM takes %d", count, MaxLength)
	}
	if !utf8.Valid(document) {
		return value{}, errors.New("the document is not UTF-8")
	}
	// The whole is checked first, because reading token by token neither sees what follows the value nor tells lines.
	var whole json.RawMessage
	if err := json.Unmarshal(document, &whole); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			// The offset counts the offending byte too.
			before := document[:max(0, min(int(syntax.Offset), len(document))-1)]
			line := 1 + bytes.Count(before, []byte("\n"))
			column := 1 + utf8.RuneCount(before[1+bytes.LastIndexByte(before, '\n'):])
			return value{}, fmt.Errorf("line %d, column %d: %w", line, column, err)
		}
		return value{}, fmt.Errorf("reading JSON: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber() // keeps the spelling for messages
	return next(decoder)
}

// next reads one value. It recurses as deep as the document is nested, which MaxLength bounds.
func next(decoder *json.Decoder) (value, error) {
	token, err := decoder.Token()
	if err != nil {
		return value{}, fmt.Errorf("reading JSON: %w", err)
	}
	switch token := token.(type) {
	case string:
		return value{shape: text, text: token}, nil
	case json.Delim:
		if token == '[' {
			return nextList(decoder)
		}
		return nextObject(decoder)
	case nil:
		return value{text: "null"}, nil
	default:
		return value{text: fmt.Sprint(token)}, nil
	}
}

func nextList(decoder *json.Decoder) (value, error) {
	v := value{shape: list}
	for decoder.More() {
		item, err := next(decoder)
		if err != nil {
			return value{}, err
		}
		v.items = append(v.items, item)
	}
	return v, end(decoder)
}

func nextObject(decoder *json.Decoder) (value, error) {
	v := value{shape: object}
	for decoder.More() {
		name, err := next(decoder)
		if err != nil {
			return value{}, err
		}
		inner, err := next(decoder)
		if err != nil {
			return value{}, err
		}
		v.fields = append(v.fields, field{name: name.text, value: inner})
	}
	return v, end(decoder)
}

// end reads the bracket that closes a list or an object.
func end(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	return nil
}
