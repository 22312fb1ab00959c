package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdJSON compares one value of a JSON document. The path is of keys and indexes with dots between, and "length"
// is that of a list: findings.0.rule.id, errors.length. WANT is the text itself, or JSON for what is no text; with a tilde before it
// is a pattern. The file must hold one document, or with -doc N more than N.
func cmdJSON(ts *testscript.TestScript, args []string) {
	only, at := true, 0
	if len(args) > 2 && args[0] == "-doc" {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		only, at, args = false, n, args[2:]
	}
	if len(args) != 3 {
		ts.Fatalf("usage: json [-doc N] FILE PATH WANT")
	}
	docs, err := documents(ts.ReadFile(args[0]))
	ts.Check(err)
	if at >= len(docs) || only && len(docs) != 1 {
		ts.Fatalf("%s holds %d documents", args[0], len(docs))
	}
	got, err := lookUp(docs[at], args[1])
	ts.Check(err)
	if pattern, is := strings.CutPrefix(args[2], "~"); is {
		if matched, err := regexp.MatchString(pattern, got); err != nil || !matched {
			ts.Fatalf("%s is %s, which does not match %s", args[1], got, pattern)
		}
		return
	}
	if got != args[2] {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

// documents reads JSON documents that follow one another.
func documents(text string) (docs []any, err error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	for {
		var doc any
		err := decoder.Decode(&doc)
		switch {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			return nil, fmt.Errorf("reading JSON: %w", err)
		}
		docs = append(docs, doc)
	}
}

func lookUp(value any, path string) (string, error) {
	for step := range strings.SplitSeq(path, ".") {
		switch holder := value.(type) {
		case map[string]any:
			member, there := holder[step]
			if !there {
				return "", fmt.Errorf("%s: there is no key %s", path, step)
			}
			value = member
		case []any:
			if step == "length" {
				return strconv.Itoa(len(holder)), nil
			}
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(holder) {
				return "", fmt.Errorf("%s: there is no element %s of %d", path, step, len(holder))
			}
			value = holder[i]
		default:
			return "", fmt.Errorf("%s: nothing is below %s", path, step)
		}
	}
	if text, is := value.(string); is {
		return text, nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("writing JSON: %w", err)
	}
	return string(text), nil
}
