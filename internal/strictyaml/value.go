package strictyaml

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
	"gopkg.in/yaml.v3"
)

// Value is a value in a file, with its place. Its readers report what is wrong and then return false; the caller
// just goes on.
type Value struct {
	node     *yaml.Node
	file     string
	text     string // of the whole file
	problems *Problems
}

func (v Value) with(node *yaml.Node) Value {
	return Value{node: node, file: v.file, text: v.text, problems: v.problems}
}

// Pos is where the value begins.
func (v Value) Pos() Pos { return Pos{File: v.file, Line: v.node.Line, Column: v.node.Column} }

// Problem reports a mistake at this value.
func (v Value) Problem(code, format string, args ...any) {
	v.problems.Add(v.Pos(), code, format, args...)
}

// IsMap tells whether the value is a mapping, for keys that take several forms.
func (v Value) IsMap() bool { return v.node.Kind == yaml.MappingNode }

// IsList tells whether the value is a list.
func (v Value) IsList() bool { return v.node.Kind == yaml.SequenceNode }

// IsScalar tells whether the value is a single value, null included.
func (v Value) IsScalar() bool { return v.node.Kind == yaml.ScalarNode }

// Quoted tells whether a single value stands in quotes, for where a plain one is mostly a slip.
func (v Value) Quoted() bool {
	return v.node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0
}

func (v Value) describe() string {
	switch v.node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if v.node.Tag == "!!null" {
			return "nothing"
		}
		return strconv.Quote(v.node.Value)
	case yaml.AliasNode, yaml.DocumentNode:
	}
	return "something else"
}

// Expected reports a value of the wrong form: what names the right one.
func (v Value) Expected(what string) {
	v.Problem(CodeType, "expected %s, found %s", what, v.describe())
}

// Text reads any single value as it is written: a string, number, date or boolean, but not null.
func (v Value) Text() (string, bool) {
	if !v.IsScalar() || v.node.Tag == "!!null" {
		v.Expected("a single value")
		return "", false
	}
	return v.node.Value, true
}

// String reads a text. Numbers and booleans must be quoted, as their text may not be what was typed (010, yes).
// Text that is empty or only blank is refused.
func (v Value) String() (string, bool) {
	if !v.IsScalar() || v.node.Tag != "!!str" {
		v.Expected("a text (quote it if it looks like a number, date or boolean)")
		return "", false
	}
	if strings.TrimSpace(v.node.Value) == "" {
		v.Problem(CodeEmpty, "expected a text, found an empty one")
		return "", false
	}
	return v.node.Value, true
}

// Bool reads true or false; the other spellings of YAML 1.1 are refused.
func (v Value) Bool() (value, ok bool) {
	if v.IsScalar() && v.node.Tag == "!!bool" && (v.node.Value == "true" || v.node.Value == "false") {
		return v.node.Value == "true", true
	}
	v.Expected("true or false")
	return false, false
}

// Int reads a decimal integer from low to high, both included. Leading zeros are refused: to YAML 1.1 they are octal.
func (v Value) Int(low, high int) (int, bool) {
	if v.IsScalar() && v.node.Tag == "!!int" {
		n, err := strconv.Atoi(v.node.Value)
		if plain := strconv.Itoa(n) == v.node.Value; err == nil && plain && n >= low && n <= high {
			return n, true
		}
	}
	v.Expected(fmt.Sprintf("a whole number from %d to %d", low, high))
	return 0, false
}

// OneOf reads a text that must be one of the given words.
func (v Value) OneOf(words ...string) (string, bool) {
	text, ok := v.Text()
	if !ok {
		return "", false
	}
	if !slices.Contains(words, text) {
		v.Problem(CodeType, "expected one of %s, found %q%s", strings.Join(words, ", "), text, Suggest(text, words))
		return "", false
	}
	return text, true
}

// List reads a list with at least one element. A single value is not taken for a list of one.
func (v Value) List() ([]Value, bool) {
	if !v.IsList() {
		v.Expected("a list")
		return nil, false
	}
	if len(v.node.Content) == 0 {
		v.Problem(CodeEmpty, "the list is empty; leave the key out if nothing is meant")
		return nil, false
	}
	list := make([]Value, len(v.node.Content))
	for i, n := range v.node.Content {
		list[i] = v.with(n)
	}
	return list, true
}

// Strings reads a list of texts.
func (v Value) Strings() ([]string, bool) {
	list, ok := v.List()
	if !ok {
		return nil, false
	}
	texts := make([]string, 0, len(list))
	for _, element := range list {
		text, good := element.String()
		ok = ok && good
		texts = append(texts, text)
	}
	return texts, ok
}

// Keys says which keys a mapping may have. NotYet are keys of the design that this version does not act on: they are
// refused by name, so that nobody relies on them. Nil Required and Optional mean that any key is allowed.
type Keys struct {
	Required []string
	Optional []string
	NotYet   []string
}

// Map is a mapping whose keys were checked.
type Map struct {
	Value

	entries []entry
}

type entry struct {
	key   string
	name  Value
	value Value
}

// Map reads a mapping and reports unknown, duplicate, null and missing keys. An empty mapping is reported and false.
func (v Value) Map(keys Keys) (Map, bool) {
	if !v.IsMap() {
		v.Expected("a mapping")
		return Map{Value: v}, false
	}
	m := Map{Value: v}
	if len(v.node.Content) == 0 {
		v.Problem(CodeEmpty, "the mapping is empty")
		return m, false
	}
	lines := map[string]Pos{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		name, value := v.with(v.node.Content[i]), v.with(v.node.Content[i+1])
		key, ok := name.Text()
		if !ok {
			continue
		}
		if first, twice := lines[key]; twice {
			name.Problem(CodeDuplicateKey, "the key %q stands here a second time; the first is at line %d", key, first.Line)
			continue
		}
		lines[key] = name.Pos()
		if !keys.check(name, key) {
			continue
		}
		if value.IsScalar() && value.node.Tag == "!!null" {
			value.Problem(CodeNull, "the key %q has no value; give it one or leave it out", key)
			continue
		}
		m.entries = append(m.entries, entry{key: key, name: name, value: value})
	}
	for _, key := range keys.Required {
		if _, there := lines[key]; !there {
			v.Problem(CodeMissingKey, "the key %q is missing", key)
		}
	}
	return m, true
}

func (k Keys) check(name Value, key string) bool {
	if k.Required == nil && k.Optional == nil {
		return true
	}
	known := slices.Concat(k.Required, k.Optional)
	switch {
	case slices.Contains(known, key):
		return true
	case slices.Contains(k.NotYet, key):
		name.Problem(CodeNotYet, "the key %q is not supported yet; remove it", key)
	default:
		slices.Sort(known)
		hint := Suggest(key, known)
		if hint == "" {
			hint = ";"
		}
		name.Problem(CodeUnknownKey, "unknown key %q%s known here: %s", key, hint, strings.Join(known, ", "))
	}
	return false
}

// Get gives the value of a key, and false if the key is absent or was refused.
func (m Map) Get(key string) (Value, bool) {
	for _, e := range m.entries {
		if e.key == key {
			return e.value, true
		}
	}
	return Value{}, false
}

// Key gives the key itself as a value, to report problems at it. The key must be there.
func (m Map) Key(key string) Value {
	for _, e := range m.entries {
		if e.key == key {
			return e.name
		}
	}
	return m.Value
}

// Has tells whether a key is there and was not refused.
func (m Map) Has(key string) bool {
	_, ok := m.Get(key)
	return ok
}

// All goes through the keys in the order of the file.
func (m Map) All() func(yield func(key string, value Value) bool) {
	return func(yield func(string, Value) bool) {
		for _, e := range m.entries {
			if !yield(e.key, e.value) {
				return
			}
		}
	}
}

// Suggest gives `; did you mean "x"?` for the known word nearest to a misspelt one, and nothing if none is near.
func Suggest(word string, known []string) string {
	best, least := "", len(word)/3+2
	for _, candidate := range known {
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(candidate), nil); d < least {
			best, least = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// Child gives the value of a key without checking anything, for a second look at what [Value.Map] has checked.
func (v Value) Child(key string) (Value, bool) {
	if !v.IsMap() {
		return Value{}, false
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if v.node.Content[i].Value == key {
			return v.with(v.node.Content[i+1]), true
		}
	}
	return Value{}, false
}

// HasKey tells whether a mapping has a key, without checking anything.
func (v Value) HasKey(key string) bool {
	_, ok := v.Child(key)
	return ok
}

// Children gives the elements of a list without checking anything.
func (v Value) Children() []Value {
	if !v.IsList() {
		return nil
	}
	list := make([]Value, len(v.node.Content))
	for i, n := range v.node.Content {
		list[i] = v.with(n)
	}
	return list
}
