package strictyaml_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// textOf reads the value of the key `a`.
func textOf(t *testing.T, file string) (strictyaml.Value, string) {
	t.Helper()
	var problems strictyaml.Problems
	root, ok := strictyaml.Parse(&problems, "f", []byte(file))
	if !ok {
		t.Fatal(problems.Err())
	}
	v, _ := root.Child("a")
	text, ok := v.String()
	if !ok {
		t.Fatal(problems.Err())
	}
	return v, text
}

func TestEveryCharacterOfATextHasItsPlace(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"plain":                     "a: one (two) drei-vier\n",
		"plain over lines":          "b: 1\na: one\n  two\n\n  three\n",
		"single quotes":             "a: 'it''s ''two'''\n",
		"single quotes over lines":  "a: 'one\n   ''two''\n\n   three'\n",
		"double quotes":             "a: \"one 'two' ü three\"\n",
		"in a flow mapping":         "{b: 1, a: 'x == ''y'' && z'}\n",
		"literal":                   "a: |\n  one\n    two\n\n  three\n",
		"literal with a comment":    "a: |-  # of b\n  one b\n  two\n",
		"literal of a given indent": "a: |2\n    one\n  two\n",
		"folded":                    "a: >\n  one\n  two\n\n\n  three\n    four\n",
		"windows line ends":         "a: |\r\n  one\r\n  two\r\n",
		"a byte order mark":         "\ufeffb: 1\na: one two\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, text := textOf(t, file)
			lines := strings.Split(strings.TrimPrefix(file, "\ufeff"), "\n")
			last := strictyaml.Pos{}
			for i, want := range []rune(text) {
				if unicode.IsSpace(want) {
					continue
				}
				pos := v.Inside(i)
				if got := []rune(lines[pos.Line-1])[pos.Column-1]; got != want {
					t.Errorf("character %d, %q: %s is %q", i, want, pos, got)
				}
				if pos.Line < last.Line || pos.Line == last.Line && pos.Column <= last.Column {
					t.Errorf("character %d, %q: %s is not after %s", i, want, pos, last)
				}
				last = pos
			}
			end := last
			end.Column++
			if got := v.Inside(len([]rune(strings.TrimRightFunc(text, unicode.IsSpace)))); name != "single quotes" && got != end {
				t.Errorf("the end is %s, want %s", got, end)
			}
		})
	}
}

func TestAfterAnEscapeAPlaceIsThatOfTheText(t *testing.T) {
	t.Parallel()
	v, text := textOf(t, `a: "one \"two\" three"`+"\n")
	got := []strictyaml.Pos{v.Inside(0), v.Inside(strings.Index(text, "two")), v.Inside(strings.Index(text, "three"))}
	want := []strictyaml.Pos{{File: "f", Line: 1, Column: 5}, v.Pos(), v.Pos()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPartsAreReadLikeAListOfTheFile(t *testing.T) {
	t.Parallel()
	var problems strictyaml.Problems
	root, _ := strictyaml.Parse(&problems, "f", []byte("a: x\n"))
	at := func(line int) strictyaml.Pos { return strictyaml.Pos{File: "f", Line: line, Column: 7} }
	list := root.Parts(at(3), []strictyaml.Part{{Pos: at(4), Text: "one"}, {Pos: at(5), Text: ""}})
	texts, ok := list.Strings()
	if ok || !slices.Equal(texts, []string{"one", ""}) {
		t.Errorf("got %q, %t", texts, ok)
	}
	root.Parts(at(6), nil).List()
	const want = "f:5:7: expected a text, found an empty one [empty]\n" +
		"f:6:7: the list is empty; leave the key out if nothing is meant [empty]"
	if diff := cmp.Diff(want, problems.Err().Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
