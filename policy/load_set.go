package policy

import (
	"bytes"
	"io/fs"
	"path"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// namedSet is a named address set of a file.
type namedSet struct {
	value    strictyaml.Value
	elements []element
	used     bool
}

// setNameCharacters are what a set's name may be made of. It is seen nowhere but in its file.
const setNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

func (f *policyFile) readSets(v strictyaml.Value) {
	m, ok := v.Map(strictyaml.Keys{})
	if !ok {
		return
	}
	for name, body := range m.All() {
		if name == "" || strings.Trim(name, setNameCharacters) != "" {
			m.Key(name).Problem(CodeName, "the set name %q may have letters, digits, dots, hyphens and underscores only", name)
		}
		f.sets[name] = &namedSet{value: m.Key(name), elements: f.setBody(body)}
	}
}

func (f *policyFile) setBody(v strictyaml.Value) []element {
	m, ok := v.Map(strictyaml.Keys{
		Optional: []string{"cidrs", "file", "allow-wide"},
		NotYet:   []string{"max-age", "url", "sha256"},
	})
	if !ok {
		return nil
	}
	allowWide := false
	if v, ok := m.Get("allow-wide"); ok {
		allowWide, _ = v.Bool()
	}
	cidrs, hasCIDRs := m.Get("cidrs")
	file, hasFile := m.Get("file")
	switch {
	case hasCIDRs && hasFile:
		v.Problem(CodeSet, "a set has either \"cidrs\" or \"file\"")
	case hasCIDRs:
		return f.setElements(cidrs, allowWide)
	case hasFile:
		return f.setFile(file, allowWide)
	default:
		v.Problem(strictyaml.CodeMissingKey, "a set needs \"cidrs\" or \"file\"")
	}
	return nil
}

func (f *policyFile) setElements(v strictyaml.Value, allowWide bool) []element {
	list, _ := v.List()
	elements := make([]element, 0, len(list))
	for _, item := range list {
		text, ok := item.Text()
		if !ok {
			continue
		}
		e, err := parseElement(text)
		switch {
		case err != nil:
			item.Problem(CodeAddress, "%s", err)
		case e.wide() && !allowWide:
			item.Problem(CodeWide, wideMessage, text)
		default:
			elements = append(elements, e)
		}
	}
	return elements
}

const wideMessage = "%q is wider than /8 (IPv4) or /16 (IPv6), which in a set is mostly a slip; " +
	"if it is meant, write `allow-wide: true`"

// setFile reads a set's file: one element a line, comments from # on. It must end with a newline: a feed cut in the
// middle would otherwise pass for a shorter one.
func (f *policyFile) setFile(v strictyaml.Value, allowWide bool) []element {
	name, ok := v.String()
	if !ok {
		return nil
	}
	if !path.IsAbs(name) {
		name = path.Join(path.Dir(f.name), name)
	}
	data, err := fs.ReadFile(f.fsys, name)
	switch {
	case err != nil:
		v.Problem(CodeFile, "the set's file %s cannot be read: %s", name, reason(err))
		return nil
	case len(data) > maxSetBytes:
		v.Problem(strictyaml.CodeTooLarge, "the set's file %s has %d bytes, more than the %d that are read",
			name, len(data), maxSetBytes)
		return nil
	case len(data) > 0 && data[len(data)-1] != '\n':
		f.problems.Add(strictyaml.Pos{File: name, Line: 1 + bytes.Count(data, []byte("\n")), Column: 1}, strictyaml.CodeTorn,
			"the file does not end with a newline: it may have been cut while it was written; fetch it again, or end it with one")
		return nil
	}
	before := f.problems.Len()
	elements := f.setLines(name, string(data), allowWide)
	if len(elements) == 0 && f.problems.Len() == before {
		v.Problem(strictyaml.CodeEmpty, "the set's file %s has no element", name)
	}
	return elements
}

// maxLineProblems bounds what one broken feed reports.
const maxLineProblems = 20

func (f *policyFile) setLines(name, data string, allowWide bool) []element {
	elements := make([]element, 0, strings.Count(data, "\n"))
	number, wrong := 0, 0
	for line := range strings.Lines(data) {
		number++
		text, _, _ := strings.Cut(line, "#")
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		pos := strictyaml.Pos{File: name, Line: number, Column: 1 + strings.Index(line, text)}
		e, err := parseElement(text)
		switch {
		case err != nil:
			f.problems.Add(pos, CodeAddress, "%s", err)
			wrong++
		case e.wide() && !allowWide:
			f.problems.Add(pos, CodeWide, wideMessage, text)
			wrong++
		default:
			elements = append(elements, e)
		}
		if wrong == maxLineProblems {
			f.problems.Add(pos, CodeSet, "the rest of the file was not looked at, since it has %d mistakes up to here", wrong)
			break
		}
	}
	return elements
}

func (f *policyFile) checkSetsUsed() {
	for name, s := range f.sets {
		if !s.used {
			s.value.Problem(CodeUnusedSet, "no policy or exception of this file uses the set %q; remove it, or use it as $%s",
				name, name)
		}
	}
}
