// Package strictyaml reads YAML files that must not be misread.
//
// A security policy that loses a line, a key or a list element silently is worse than one that does not load.
// So this package refuses everything that YAML or its Go libraries forgive: a file without a final newline (a torn
// write mostly lacks it), a second document, anchors and aliases, explicit tags, unknown, duplicate or null keys,
// empty lists and mappings, files over 1 MiB and nesting over 64 levels.
//
// It never stops at the first mistake. Every problem goes into a [Problems], with its file, line and column, and the
// caller reads on with what is there; [Problems.Err] gives all of them at once, in file order.
//
//	var problems strictyaml.Problems
//	root, ok := strictyaml.Parse(&problems, "policy.yaml", data)
//	if ok {
//		m, _ := root.Map(strictyaml.Keys{Required: []string{"version"}, Optional: []string{"sets"}})
//		...
//	}
//	return problems.Err()
package strictyaml

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Limits of a file. They bound what parsing can cost, whoever wrote the file.
const (
	MaxBytes = 1 << 20
	MaxDepth = 64
)

// Codes of the problems that this package itself reports. Packages that build on it add their own.
const (
	CodeSyntax       = "syntax"
	CodeTorn         = "no-final-newline"
	CodeTooLarge     = "too-large"
	CodeTooDeep      = "too-deep"
	CodeAnchor       = "anchor"
	CodeTag          = "tag"
	CodeDocuments    = "several-documents"
	CodeDuplicateKey = "duplicate-key"
	CodeNull         = "null"
	CodeUnknownKey   = "unknown-key"
	CodeNotYet       = "not-supported-yet"
	CodeMissingKey   = "missing-key"
	CodeType         = "wrong-type"
	CodeEmpty        = "empty"
)

// Parse reads one document. The second result is false when there is nothing to read on with; the reason is then in
// problems. A true result does not mean that there were no problems.
func Parse(problems *Problems, file string, data []byte) (Value, bool) {
	return ParseUpTo(MaxBytes, problems, file, data)
}

// ParseUpTo is Parse for files that may be larger, or must be smaller, than MaxBytes.
func ParseUpTo(maxBytes int, problems *Problems, file string, data []byte) (Value, bool) {
	at := func(line int) Pos { return Pos{File: file, Line: line, Column: 1} }
	if len(data) > maxBytes {
		problems.Add(at(1), CodeTooLarge, "the file has %d bytes, more than the %d that are read", len(data), maxBytes)
		return Value{}, false
	}
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		problems.Add(at(1), CodeSyntax, "the file is UTF-16; save it as UTF-8")
		return Value{}, false
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		problems.Add(at(1+bytes.Count(data, []byte("\n"))), CodeTorn,
			"the file does not end with a newline: it may have been cut while it was written; complete it and end it with one")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			problems.Add(at(1), CodeEmpty, "the file is empty")
			return Value{}, false
		}
		problems.addSyntax(file, err)
		return Value{}, false
	}
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case err == nil:
		problems.Add(at(second.Line), CodeDocuments, "a second document begins here; put it into a file of its own")
	case !errors.Is(err, io.EOF):
		problems.addSyntax(file, err)
		return Value{}, false
	}
	root := Value{node: doc.Content[0], file: file, text: string(data), problems: problems}
	return root, root.audit(1)
}

// audit reports what is refused wherever it stands. It is false if reading on could not terminate or make sense.
func (v Value) audit(depth int) bool {
	if depth > MaxDepth {
		v.Problem(CodeTooDeep, "nested deeper than %d levels", MaxDepth)
		return false
	}
	ok := true
	if v.node.Kind == yaml.AliasNode {
		v.Problem(CodeAnchor, "aliases are refused, since what they stand for is out of sight here; write it out")
		return false
	}
	if v.node.Anchor != "" {
		v.Problem(CodeAnchor, "anchors are refused; write the value out where it is used")
		ok = false
	}
	if v.node.Style&yaml.TaggedStyle != 0 {
		v.Problem(CodeTag, "the explicit tag %s is refused; write the plain value", v.node.Tag)
		ok = false
	}
	for _, child := range v.node.Content {
		ok = v.with(child).audit(depth+1) && ok
	}
	return ok
}

// syntaxLine is how yaml.v3 begins its messages. Its parser counts lines from 0, its scanner from 1, and only the
// words tell which of the two speaks.
var (
	syntaxLine  = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	parserWords = regexp.MustCompile(`did not find expected (<document start>|node content|key|'-' indicator|',' or)`)
)

func (p *Problems) addSyntax(file string, err error) {
	text, line := err.Error(), 1
	if m := syntaxLine.FindStringSubmatch(text); m != nil {
		text = strings.TrimPrefix(text, m[0])
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		if m[1] != "" && parserWords.MatchString(text) {
			line++
		}
	}
	p.Add(Pos{File: file, Line: line, Column: 1}, CodeSyntax, "%s", text)
}
