package estates_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

func TestTheSchemaInConfigsIsUpToDate(t *testing.T) {
	got, err := estates.Schema()
	if err != nil {
		t.Fatal(err)
	}
	page(t, filepath.Join("..", "..", "..", "configs", "estate.schema.json"), string(got))
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := estates.Schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("estate.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("estate.json")
	if err != nil {
		t.Fatal(err)
	}
	if schema.DraftVersion != 7 {
		t.Errorf("got draft %d, want 7", schema.DraftVersion)
	}
	return schema
}

// value gives YAML as validators see it. To them times are texts, as YAML 1.2 has no type for those.
func value(t *testing.T, data []byte) any {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	plain(&doc)
	var v any
	if err := doc.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func plain(n *yaml.Node) {
	if n.Tag == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, child := range n.Content {
		plain(child)
	}
}

func TestTheSchemaTakesGoodFiles(t *testing.T) {
	schema := compileSchema(t)
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	exports, err := filepath.Glob("testdata/accounts.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range slices.Concat(files, exports, []string{"../../../configs/estate.yaml"}) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value(t, data)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestTheSchemaTakesNoBadFiles lets those pass of which only Load can tell that they are bad.
func TestTheSchemaTakesNoBadFiles(t *testing.T) {
	schema := compileSchema(t)
	beyond := []string{"same.yaml", "torn.yaml"}
	for _, file := range corpus(t, "bad") {
		data, err := os.ReadFile("testdata/bad/" + file)
		if err != nil {
			t.Fatal(err)
		}
		// An anchor is a mistake to Load only.
		data = []byte(strings.NewReplacer("&r ", "", "*r", "r2").Replace(string(data)))
		if refused := schema.Validate(value(t, data)) != nil; refused == slices.Contains(beyond, file) {
			t.Errorf("%s: refused: %t", file, refused)
		}
	}
}

// TestTheSchemaAndLoadAgreeOnSmallMistakes tells apart what one file with many mistakes cannot.
func TestTheSchemaAndLoadAgreeOnSmallMistakes(t *testing.T) {
	schema := compileSchema(t)
	group := func(more string) string {
		return "version: 1\nregions: [{id: r, groups: [{id: g, name: g, " + more + "}]}]\n"
	}
	rule := func(rule string) string { return group("egress: [" + rule + "]") }
	for name, text := range map[string]string{
		"no version":               "regions: [{id: r}]\n",
		"another version":          "version: 2\nregions: [{id: r}]\n",
		"no regions":               "version: 1\n",
		"no region":                "version: 1\nregions: []\n",
		"an unknown key":           "version: 1\nregions: [{id: r}]\nregion: x\n",
		"an account in letters":    "version: 1\naccount: me\nregions: [{id: r}]\n",
		"an account from 0":        "version: 1\naccount: \"042\"\nregions: [{id: r}]\n",
		"a blank ID":               "version: 1\nregions: [{id: \" \"}]\n",
		"a number for an ID":       "version: 1\nregions: [{id: 7}]\n",
		"a key without a secret":   "version: 1\nkeys: [{id: k}]\nregions: [{id: r}]\n",
		"a role without a trust":   "version: 1\nroles: [{name: x}]\nregions: [{id: r}]\n",
		"a session of no duration": "version: 1\nroles: [{name: x, trust: \"{}\", max-session: 7}]\nregions: [{id: r}]\n",
		"another type":             group("type: basic"),
		"a text for a boolean":     group("managed: \"true\""),
		"tags in a list":           group("tags: [a]"),
		"no tags":                  group("tags: {}"),
		"a tag without a value":    group("tags: {a: }"),
		"ingress with to":          group("ingress: [{protocol: all, to: \"\"}]"),
		"egress with from":         rule("{protocol: all, from: \"\"}"),
		"a rule without protocol":  rule("{to: \"\"}"),
		"priority 0":               rule("{protocol: all, to: \"\", priority: 0}"),
		"a priority in words":      rule("{protocol: all, to: \"\", priority: high}"),
		"a text for a rule":        rule("all"),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := estates.Load("f", []byte(text)); err == nil {
				t.Error("it loads")
			}
			if schema.Validate(value(t, []byte(text))) == nil {
				t.Error("the schema takes it")
			}
		})
	}
}
