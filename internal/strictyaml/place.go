package strictyaml

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Inside is where a character of a text stands in the file; offset counts characters of the text from 0, and its length
// is the place after its end. The ways to write a text differ in quotes and in white space only, so the characters are
// found one after another. Where escapes come before the place it is that of the whole value.
func (v Value) Inside(offset int) Pos {
	rest, pos, ok := v.written()
	if !ok {
		return v.Pos()
	}
	quoted := v.node.Style&yaml.SingleQuotedStyle != 0
	skip := func(size int) {
		if rest[0] == '\n' {
			pos.Line, pos.Column = pos.Line+1, 0
		}
		pos.Column++
		rest = rest[size:]
	}
	for i, want := range []rune(v.node.Value) {
		if i == offset && unicode.IsSpace(want) {
			return pos
		}
		if unicode.IsSpace(want) {
			continue
		}
		got, size := utf8.DecodeRune(rest)
		for size > 0 && unicode.IsSpace(got) {
			skip(size)
			got, size = utf8.DecodeRune(rest)
		}
		switch {
		case size == 0 || got != want:
			return v.Pos()
		case i == offset:
			return pos
		}
		skip(size)
		if quoted && got == '\'' && len(rest) > 0 && rest[0] == '\'' {
			skip(1)
		}
	}
	return pos
}

// written is the file from the first character of a text on, and where that is.
func (v Value) written() (rest []byte, pos Pos, ok bool) {
	pos = v.Pos()
	rest = []byte(v.text)
	line := func() bool {
		_, after, found := bytes.Cut(rest, []byte("\n"))
		rest = after
		return found
	}
	for range pos.Line - 1 {
		if !line() {
			return nil, pos, false
		}
	}
	switch {
	case !v.IsScalar():
		return nil, pos, false
	case v.node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		pos.Line, pos.Column = pos.Line+1, 1
		ok = line()
		return rest, pos, ok
	case v.node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		pos.Column++
	}
	for range pos.Column - 1 {
		_, size := utf8.DecodeRune(rest)
		rest = rest[size:]
	}
	return rest, pos, true
}

// Part is a text at a place of its own, out of a longer text.
type Part struct {
	Pos  Pos
	Text string
}

// Parts makes a list of texts that a text of the file holds, so that they are read, and their mistakes reported, like
// those of a list of the file.
func (v Value) Parts(at Pos, parts []Part) Value {
	list := &yaml.Node{Kind: yaml.SequenceNode, Line: at.Line, Column: at.Column}
	for _, p := range parts {
		list.Content = append(list.Content, &yaml.Node{
			Kind: yaml.ScalarNode, Tag: "!!str", Value: p.Text, Line: p.Pos.Line, Column: p.Pos.Column,
		})
	}
	return v.with(list)
}
