package wire_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// leaf is a value and the names that lead to it.
type leaf struct{ path, text string }

// xmlLeaves reads a document strictly.
func xmlLeaves(document []byte) (root string, leaves []leaf, err error) {
	decoder := xml.NewDecoder(strings.NewReader(string(document)))
	type open struct {
		name     string
		text     strings.Builder
		children bool
	}
	var stack []*open
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			if len(stack) > 0 || root == "" {
				return root, leaves, errors.New("the document ends early")
			}
			return root, leaves, nil
		}
		if err != nil {
			return root, leaves, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if len(stack) == 0 && root != "" {
				return root, leaves, errors.New("there are two roots")
			}
			if len(stack) == 0 {
				root = token.Name.Local
			} else {
				stack[len(stack)-1].children = true
			}
			stack = append(stack, &open{name: token.Name.Local})
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text.Write(token)
			}
		case xml.EndElement:
			top := stack[len(stack)-1]
			names := make([]string, 0, len(stack))
			for _, o := range stack[1:] {
				names = append(names, o.name)
			}
			stack = stack[:len(stack)-1]
			if !top.children {
				leaves = append(leaves, leaf{strings.Join(names, "/"), top.text.String()})
			}
		}
	}
}

// jsonLeaves gives the leaves that XML is to have: those of JSON, and for an empty object an empty leaf.
func jsonLeaves(path string, value any) []leaf {
	at := func(name string) string { return strings.TrimPrefix(path+"/"+name, "/") }
	var leaves []leaf
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			leaves = append(leaves, jsonLeaves(at(name), value[name])...)
		}
		if len(leaves) == 0 {
			return []leaf{{path, ""}}
		}
	case []any:
		for _, member := range value {
			leaves = append(leaves, jsonLeaves(path, member)...)
		}
	case nil:
		return []leaf{{path, ""}}
	default:
		return []leaf{{path, asXMLHasIt(fmt.Sprint(value))}}
	}
	return leaves
}

// asXMLHasIt replaces the characters that no XML document can hold.
func asXMLHasIt(text string) string {
	return strings.Map(func(r rune) rune {
		legal := r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000
		if !legal {
			return utf8.RuneError
		}
		return r
	}, text)
}

func sortLeaves(leaves []leaf) []leaf {
	slices.SortStableFunc(leaves, func(a, b leaf) int { return strings.Compare(a.path, b.path) })
	return leaves
}

// compareFormats asserts that the two formats of a value say the same.
func compareFormats(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, value any,
) {
	t.Helper()
	asJSON, err := wire.FormatJSON.Encode("Root", value, 0)
	if err != nil {
		t.Fatalf("encoding JSON: %v", err)
	}
	asXML, err := wire.FormatXML.Encode("Root", value, 0)
	if err != nil {
		t.Fatalf("encoding XML: %v", err)
	}
	root, got, err := xmlLeaves(asXML)
	if err != nil || root != "Root" {
		t.Fatalf("root %q, error %v in %s", root, err, asXML)
	}
	decoder := json.NewDecoder(strings.NewReader(string(asJSON)))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		t.Fatalf("decoding: %v", err)
	}
	if diff := cmp.Diff(sortLeaves(jsonLeaves("", decoded)), sortLeaves(got), cmp.AllowUnexported(leaf{})); diff != "" {
		t.Fatalf("leaves (-JSON +XML):\n%s\n%s", diff, asXML)
	}
}

// values are answers of any shape: objects with members in them, and lists that are members of objects.
func values(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		kinds := 4
		if depth > 0 {
			kinds = 6
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return rapid.String().Draw(t, "text")
		case 1:
			return rapid.Int64().Draw(t, "number")
		case 2:
			return rapid.Bool().Draw(t, "truth")
		case 3:
			return nil
		case 4:
			return objects(depth-1).Draw(t, "object")
		}
		members := rapid.SliceOfN(objects(depth-1), 0, 3).Draw(t, "members")
		return map[string]any{"Member": members}
	})
}

func objects(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.StringMatching(`[A-Z][A-Za-z0-9]{0,5}`), values(depth), 0, 4)
}

func TestBothFormatsSayTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { compareFormats(t, objects(3).Draw(t, "answer")) })
}

func TestXML(t *testing.T) {
	for _, test := range []struct {
		name  string
		value any
		want  string
	}{
		{"nothing", map[string]any{}, ""},
		{"text is escaped", map[string]any{"T": `<a b="c">&'`}, "<T>&lt;a b=&#34;c&#34;&gt;&amp;&#39;</T>"},
		{"white space stays", map[string]any{"T": " a\tb\r\nc "}, "<T> a&#x9;b&#xD;&#xA;c </T>"},
		{"other scripts are not escaped", map[string]any{"T": "你好 é 😀"}, "<T>你好 é 😀</T>"},
		{"what XML cannot hold is replaced", map[string]any{"T": "a\x00b\x1fc\uffffd\xffe"}, "<T>a\ufffdb\ufffdc\ufffdd\ufffde</T>"},
		{"the end of a section of text is harmless", map[string]any{"T": "]]>"}, "<T>]]&gt;</T>"},
		{"numbers and truth", map[string]any{"A": 12345678901234567, "B": true, "C": 0.5}, "<A>12345678901234567</A><B>true</B><C>0.5</C>"},
		{"a missing value", map[string]any{"N": nil}, "<N></N>"},
		{"a list is its members", map[string]any{"L": map[string]any{"M": []string{"a", "b"}}}, "<L><M>a</M><M>b</M></L>"},
		{"an empty list has none", map[string]any{"L": map[string]any{"M": []string{}}}, "<L></L>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := wire.FormatXML.Encode("DescribeThingsResponse", test.value, 0)
			want := "<?xml version='1.0' encoding='UTF-8'?><DescribeThingsResponse>" + test.want + "</DescribeThingsResponse>"
			if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
				t.Errorf("error %v; document (-want +got):\n%s", err, diff)
			}
			compareFormats(t, test.value)
		})
	}
}

func TestFormatOf(t *testing.T) {
	for _, test := range []struct {
		name, parameter, accept string
		newer                   bool
		want                    wire.Format
		code                    wire.Code
	}{
		{"JSON", "JSON", "", false, wire.FormatJSON, ""},
		{"JSON in any case", "jSoN", "", false, wire.FormatJSON, ""},
		{"XML before an Accept header", "xml", "application/json", true, wire.FormatXML, ""},
		{"neither", "", "", false, wire.FormatXML, ""},
		{"neither, in the newer scheme", "", "", true, wire.FormatJSON, ""},
		{"anything, in the newer scheme", "", "*/*", true, wire.FormatJSON, ""},
		{"an Accept header for JSON", "", "application/JSON; charset=utf-8", false, wire.FormatJSON, ""},
		{"an Accept header for XML, in the newer scheme", "", "application/xml", true, wire.FormatXML, ""},
		{"another format", "YAML", "application/json", false, wire.FormatXML, wire.CodeFormat},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := wire.FormatOf(wire.Params{"Format": test.parameter}, http.Header{"Accept": {test.accept}}, test.newer)
			refused, _ := errors.AsType[*wire.Refusal](err)
			var code wire.Code
			if refused != nil {
				code = refused.Code
			}
			if got != test.want || code != test.code {
				t.Errorf("got format %d and code %q, want %d and %q", got, code, test.want, test.code)
			}
		})
	}
}
