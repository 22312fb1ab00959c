package strictyaml_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// read reads a file of the form that these tests use and gives what is wrong with it.
func read(text string) error {
	var problems strictyaml.Problems
	root, ok := strictyaml.Parse(&problems, "f", []byte(text))
	if !ok {
		return problems.Err()
	}
	m, _ := root.Map(strictyaml.Keys{
		Required: []string{"name"},
		Optional: []string{"on", "count", "kind", "list", "free", "any-text"},
		NotYet:   []string{"later"},
	})
	readers := map[string]func(strictyaml.Value){
		"name":     func(v strictyaml.Value) { v.String() },
		"on":       func(v strictyaml.Value) { v.Bool() },
		"count":    func(v strictyaml.Value) { v.Int(1, 10) },
		"kind":     func(v strictyaml.Value) { v.OneOf("red", "green") },
		"list":     func(v strictyaml.Value) { v.Strings() },
		"free":     func(v strictyaml.Value) { v.Map(strictyaml.Keys{}) },
		"any-text": func(v strictyaml.Value) { v.Text() },
	}
	for key, value := range m.All() {
		readers[key](value)
	}
	return problems.Err()
}

func TestEveryProblemHasItsPlaceAndCode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"a good file", "name: x\non: true\ncount: 10\nkind: red\nlist: [a, \"1\"]\nfree: {1: x, y: 2}\nany-text: 010\n", ""},
		{"empty file", "", "f:1:1: the file is empty [empty]"},
		{"only comments", "# x\n", "f:1:1: the file is empty [empty]"},
		{"no final newline", "name: x", "f:1:1: the file does not end with a newline: it may have been cut while it was written; " +
			"complete it and end it with one [no-final-newline]"},
		{"a carriage return is no newline", "name: x\n#\r", "f:2:1: the file does not end with a newline: it may have been cut " +
			"while it was written; complete it and end it with one [no-final-newline]"},
		{"syntax", "name: 'x\n", "f:2:1: found unexpected end of stream [syntax]"},
		{"anchor", "name: &a x\n", "f:1:7: anchors are refused; write the value out where it is used [anchor]"},
		{"anchor of a key", "&a name: x\n", "f:1:1: anchors are refused; write the value out where it is used [anchor]"},
		{"alias", "name: &a x\nany-text: *a\n", "f:1:7: anchors are refused; write the value out where it is used [anchor]\n" +
			"f:2:11: aliases are refused, since what they stand for is out of sight here; write it out [anchor]"},
		{"tag", "name: !!str 1\n", "f:1:7: the explicit tag !!str is refused; write the plain value [tag]"},
		{"tag of a mapping", "name: x\nfree: !t {a: b}\n", "f:2:7: the explicit tag !t is refused; write the plain value [tag]"},
		{
			"second document", "name: x\n---\nname: y\n",
			"f:2:1: a second document begins here; put it into a file of its own [several-documents]",
		},
		{
			"an empty second document", "name: x\n---\n",
			"f:2:1: a second document begins here; put it into a file of its own [several-documents]",
		},
		{
			"text after the end of the document", "name: x\n...\nlist: [a]\n",
			"f:3:1: did not find expected <document start> [syntax]",
		},
		{
			"duplicate key", "name: x\nname: y\n",
			`f:2:1: the key "name" stands here a second time; the first is at line 1 [duplicate-key]`,
		},
		{
			"duplicate key by another spelling", "name: x\n\"name\": y\n",
			`f:2:1: the key "name" stands here a second time; the first is at line 1 [duplicate-key]`,
		},
		{
			"duplicate unknown key is told once", "name: x\nno: 1\nno: 2\n",
			"f:2:1: unknown key \"no\"; known here: any-text, count, free, kind, list, name, on [unknown-key]\n" +
				"f:3:1: the key \"no\" stands here a second time; the first is at line 2 [duplicate-key]",
		},
		{"null", "name:\n", `f:1:6: the key "name" has no value; give it one or leave it out [null]`},
		{"null word", "name: null\n", `f:1:7: the key "name" has no value; give it one or leave it out [null]`},
		{"null key", "name: x\n~: y\n", "f:2:1: expected a single value, found nothing [wrong-type]"},
		{"a mapping as key", "name: x\n? {a: b}\n: y\n", "f:2:3: expected a single value, found a mapping [wrong-type]"},
		{"unknown key", "name: x\ncuont: 1\n", `f:2:1: unknown key "cuont"; did you mean "count"? ` +
			"known here: any-text, count, free, kind, list, name, on [unknown-key]"},
		{"unknown key like none", "name: x\nsomething-else: 1\n", `f:2:1: unknown key "something-else"; ` +
			"known here: any-text, count, free, kind, list, name, on [unknown-key]"},
		{"not yet", "name: x\nlater: 1\n", `f:2:1: the key "later" is not supported yet; remove it [not-supported-yet]`},
		{"missing key", "on: true\n", `f:1:1: the key "name" is missing [missing-key]`},
		{"a list for a mapping", "- name\n", "f:1:1: expected a mapping, found a list [wrong-type]"},
		{"empty mapping", "name: x\nfree: {}\n", "f:2:7: the mapping is empty [empty]"},
		{
			"a number for a text", "name: 12\n",
			`f:1:7: expected a text (quote it if it looks like a number, date or boolean), found "12" [wrong-type]`,
		},
		{
			"a date for a text", "name: 2027-01-31\n",
			`f:1:7: expected a text (quote it if it looks like a number, date or boolean), found "2027-01-31" [wrong-type]`,
		},
		{"blank text", "name: '  '\n", "f:1:7: expected a text, found an empty one [empty]"},
		{"yes for true", "name: x\non: yes\n", `f:2:5: expected true or false, found "yes" [wrong-type]`},
		{"True for true", "name: x\non: True\n", `f:2:5: expected true or false, found "True" [wrong-type]`},
		{"a quoted boolean", "name: x\non: \"true\"\n", `f:2:5: expected true or false, found "true" [wrong-type]`},
		{"too great a number", "name: x\ncount: 11\n", `f:2:8: expected a whole number from 1 to 10, found "11" [wrong-type]`},
		{"a hexadecimal number", "name: x\ncount: 0x1\n", `f:2:8: expected a whole number from 1 to 10, found "0x1" [wrong-type]`},
		{"a fraction", "name: x\ncount: 1.0\n", `f:2:8: expected a whole number from 1 to 10, found "1.0" [wrong-type]`},
		{
			"another word", "name: x\nkind: gren\n",
			`f:2:7: expected one of red, green, found "gren"; did you mean "green"? [wrong-type]`,
		},
		{"a list for a word", "name: x\nkind: [red]\n", "f:2:7: expected a single value, found a list [wrong-type]"},
		{"empty list", "name: x\nlist: []\n", "f:2:7: the list is empty; leave the key out if nothing is meant [empty]"},
		{"a word for a list", "name: x\nlist: a\n", `f:2:7: expected a list, found "a" [wrong-type]`},
		{
			"each bad element", "name: x\nlist: [1, ~, a, '']\n",
			"f:2:8: expected a text (quote it if it looks like a number, date or boolean), found \"1\" [wrong-type]\n" +
				"f:2:11: expected a text (quote it if it looks like a number, date or boolean), found nothing [wrong-type]\n" +
				"f:2:17: expected a text, found an empty one [empty]",
		},
		{
			"a merge key is a key like others", "name: x\n<<: {on: true}\n",
			`f:2:1: unknown key "<<"; known here: any-text, count, free, kind, list, name, on [unknown-key]`,
		},
		{
			"too deep", "name: x\nfree: {a: " + strings.Repeat("[", 63) + "x" + strings.Repeat("]", 63) + "}\n",
			"f:2:73: nested deeper than 64 levels [too-deep]",
		},
		{
			"much too deep", strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n",
			"f:1:65: nested deeper than 64 levels [too-deep]",
		},
		{"too deep for the parser", strings.Repeat("[", 20000) + "\n", "f:1:1: exceeded max depth of 10000 [syntax]"},
		{"too deep in block style", strings.Repeat("- ", 5000) + "\n", "f:1:129: nested deeper than 64 levels [too-deep]"},
		{
			"too large", strings.Repeat("#", strictyaml.MaxBytes) + "\n",
			"f:1:1: the file has 1048577 bytes, more than the 1048576 that are read [too-large]",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := read(test.text); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheDeepestFileThatIsRead(t *testing.T) {
	t.Parallel()
	text := "name: x\nfree: {a: " + strings.Repeat("[", 61) + "x" + strings.Repeat("]", 61) + "}\n"
	if err := read(text); err != nil {
		t.Error(err)
	}
}

func TestALongFileIsNotTakenForADeepOne(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("name: x\nfree:\n")
	for i := range 2000 {
		fmt.Fprintf(&text, "  k%d: {a: [1, {b: c}], d: '[a-z](x)[]'}\n  l%d:\n    - a\n    - - b\n      - c\n", i, i)
	}
	if err := read(text.String()); err != nil {
		t.Error(err)
	}
}

func TestProblemsAreSortedAndToldOnce(t *testing.T) {
	t.Parallel()
	var problems strictyaml.Problems
	if err := problems.Err(); err != nil {
		t.Errorf("no problem is %v", err)
	}
	add := func(file string, line, column int, code, message string) {
		problems.Add(strictyaml.Pos{File: file, Line: line, Column: column}, code, "%s", message)
	}
	add("b", 1, 1, "x", "last")
	add("a", 10, 1, "x", "fifth")
	add("a", 2, 9, "x", "third")
	add("a", 2, 9, "x", "third")
	add("a", 2, 9, "w", "second")
	add("a", 2, 9, "y", "fourth")
	add("a", 2, 1, "x", "first")
	if problems.Len() != 7 {
		t.Errorf("got %d problems, want 7", problems.Len())
	}
	err := problems.Err()
	want := "a:2:1: first [x]\na:2:9: second [w]\na:2:9: third [x]\na:2:9: fourth [y]\na:10:1: fifth [x]\nb:1:1: last [x]"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if typed, ok := errors.AsType[*strictyaml.Error](err); !ok || len(typed.Problems) != 6 {
		t.Errorf("got %T, want an *Error with 6 problems", err)
	}
}

func TestSuggestionsAreNear(t *testing.T) {
	t.Parallel()
	known := []string{"destination", "ports", "any", "all"}
	for word, want := range map[string]string{
		"destinatoin": `; did you mean "destination"?`,
		"Ports":       `; did you mean "ports"?`,
		"port":        `; did you mean "ports"?`,
		"expression":  "",
	} {
		if got := strictyaml.Suggest(word, known); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}

func TestAFileCutWithinALineIsRefused(t *testing.T) {
	t.Parallel()
	whole := "# A file.\nname: x\nlist:\n  - a\n  - b\nfree: {a: [b, {c: d}],\n  e: \"f\"}\n"
	if err := read(whole); err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		if err := read(whole[:cut]); err == nil && whole[cut-1] != '\n' {
			t.Errorf("cut after %q it is read", whole[:cut])
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "\n", "---\n", "...\n", "# x\n", "a: b\n", "- a\n", "\ufeffa: b\n", "? a\n", "a: &x b\nc: *x\n", "a: |\n b\n", "%YAML 1.1\n---\na\n",
		"\xff\xfea\x00\n\x00", "\xfe\xff\x00a\x00\n", "a: !!binary x\n", "*a\n", "&a\n", "{a: [b,]}\n", "a: b\n---\n---\n", "]]]]\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var problems strictyaml.Problems
		root, ok := strictyaml.Parse(&problems, "f", data)
		err := problems.Err()
		if !ok {
			if err == nil {
				t.Error("nothing is read and nothing is wrong")
			}
			return
		}
		if (len(data) == 0 || data[len(data)-1] != '\n') && err == nil {
			t.Error("a file without a final newline is right")
		}
		walk(t, root)
	})
}

// walk reads a value by every reader.
func walk(t *testing.T, v strictyaml.Value) {
	t.Helper()
	if p := v.Pos(); p.Line < 1 || p.Column < 1 {
		t.Errorf("impossible place %s", p)
	}
	v.Text()
	v.String()
	v.Bool()
	v.Int(0, 10)
	v.OneOf("a", "b")
	v.Strings()
	for _, child := range v.Children() {
		walk(t, child)
	}
	m, _ := v.Map(strictyaml.Keys{})
	for key, value := range m.All() {
		if !m.Has(key) || !v.HasKey(key) || m.Key(key).Pos() == value.Pos() {
			t.Errorf("the key %q is lost", key)
		}
		walk(t, value)
	}
}
