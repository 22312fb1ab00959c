package estates

import (
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

type nodeKind int

const (
	absent nodeKind = iota
	scalar
	mapping
	sequence
)

// node is a value as it is written in YAML.
type node struct {
	kind  nodeKind
	text  string // Of a scalar, as it is written.
	lines string // Of a scalar in several lines: what they hold, if it can be written so.
	flow  bool   // On one line.
	pairs []pair
	items []node
}

type pair struct {
	key   string
	value node
}

// Lists of single values are written on one line if they are not longer than this.
const (
	maxFlowItems = 8
	maxFlowWidth = 90
)

// isShort tells whether a list fits on a line.
func (n *node) isShort() bool {
	width := 0
	for i := range n.items {
		if n.items[i].kind != scalar || n.items[i].lines != "" {
			return false
		}
		width += len(n.items[i].text) + 2
	}
	return len(n.items) <= maxFlowItems && width <= maxFlowWidth
}

// scalarOf gives a text as YAML reads it back, in quotes only if it needs some.
func scalarOf(text string) node { return node{kind: scalar, text: quoted(text)} }

// stringOf is scalarOf for what must not look like anything but a text: times need quotes then.
func stringOf(text string) node {
	if plainTime.MatchString(text) {
		return node{kind: scalar, text: strconv.Quote(text)}
	}
	return scalarOf(text)
}

// What can stand without quotes, in a flow as well. The words after it, and what looks like a number, cannot; nothing with
// a colon can but a time.
var (
	plainText  = regexp.MustCompile(`^[\pL0-9_/.()]([\pL\pM0-9_/.()@+=;~^$ -]*[\pL\pM0-9_/.()@+=;~^$-])?$`)
	plainTime  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$`)
	plainPorts = regexp.MustCompile(`^-1/-1$`)
	notText    = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null|[-+.0-9][-+.0-9_a-z]*)$`)
	plainIPv4  = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+$`)
)

func quoted(text string) string {
	switch {
	case plainTime.MatchString(text), plainPorts.MatchString(text), plainIPv4.MatchString(text):
		return text
	case plainText.MatchString(text) && !notText.MatchString(text):
		return text
	case strings.ContainsAny(text, `"\`) && isPrintable(text):
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return strconv.Quote(text)
}

func isPrintable(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) < 0
}

// blockOf gives a text of several lines as a block of them, if it can be one.
func blockOf(text string) node {
	n := scalarOf(text)
	body, ended := strings.CutSuffix(text, "\n")
	if !ended || body == "" || strings.HasSuffix(body, "\n") {
		return n
	}
	if first := body[0]; first == ' ' || first == '\n' {
		return n
	}
	if !isPrintable(strings.ReplaceAll(body, "\n", "")) {
		return n
	}
	n.lines = body
	return n
}

// writer writes nodes, indented, and remembers the first error.
type writer struct {
	to  io.Writer
	err error
}

func (w *writer) put(parts ...string) {
	for _, part := range parts {
		if w.err == nil {
			_, w.err = io.WriteString(w.to, part)
		}
	}
}

// value writes what stands after a key.
func (w *writer) value(n *node, indent string) {
	switch {
	case n.kind == scalar && n.lines != "":
		w.put(" |\n")
		for line := range strings.SplitSeq(n.lines, "\n") {
			if line != "" {
				w.put(indent, line)
			}
			w.put("\n")
		}
	case n.kind == scalar || n.flow:
		w.put(" ")
		w.inline(n)
		w.put("\n")
	case n.kind == mapping:
		w.put("\n")
		w.mapping(n, indent, indent)
	default:
		w.put("\n")
		for i := range n.items {
			w.item(&n.items[i], indent)
		}
	}
}

// mapping writes the pairs of a mapping, the first after what stands there already.
func (w *writer) mapping(n *node, first, indent string) {
	for i := range n.pairs {
		w.put(first, quoted(n.pairs[i].key), ":")
		w.value(&n.pairs[i].value, indent+"  ")
		first = indent
	}
}

func (w *writer) item(n *node, indent string) {
	if n.kind == mapping && !n.flow {
		w.mapping(n, indent+"- ", indent+"  ")
		return
	}
	w.put(indent, "-")
	w.value(n, indent+"  ")
}

func (w *writer) inline(n *node) {
	switch n.kind {
	case scalar:
		w.put(n.text)
	case mapping:
		w.put("{")
		for i := range n.pairs {
			if i > 0 {
				w.put(", ")
			}
			w.put(quoted(n.pairs[i].key), ": ")
			w.inline(&n.pairs[i].value)
		}
		w.put("}")
	case sequence:
		w.put("[")
		for i := range n.items {
			if i > 0 {
				w.put(", ")
			}
			w.inline(&n.items[i])
		}
		w.put("]")
	case absent:
	}
}
