package policy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/egress-janitor/egress-janitor/policy"
)

func TestTheSchemaInConfigsIsUpToDate(t *testing.T) {
	got, err := policy.Schema()
	if err != nil {
		t.Fatal(err)
	}
	const file = "../configs/policy.schema.json"
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s has drifted; write it anew with `go test ./policy -run TestTheSchemaInConfigs -update` (-file +code):\n%s", file, diff)
	}
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := policy.Schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("policy.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	if schema.DraftVersion != 7 {
		t.Errorf("got draft %d, want 7", schema.DraftVersion)
	}
	return schema
}

// jsonValue gives YAML as validators see it: keys and times are texts. It is false for what is not one YAML document that
// a parser reads.
func jsonValue(data []byte) (any, bool) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content) == 0 {
		return nil, false
	}
	plainNode(&doc, false)
	var v any
	err := doc.Decode(&v)
	return v, err == nil
}

func plainNode(n *yaml.Node, isKey bool) {
	if n.Tag == "!!timestamp" || isKey && n.Kind == yaml.ScalarNode {
		n.Tag = "!!str"
	}
	for i, child := range n.Content {
		plainNode(child, n.Kind == yaml.MappingNode && i%2 == 0)
	}
}

func TestTheSchemaTakesGoodFiles(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	for _, file := range goodFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, ok := jsonValue(data)
		if !ok {
			t.Errorf("%s: is no YAML", file)
			continue
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// goodFiles are all policy files of the repository that are right.
func goodFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"testdata/ok/*.yaml", "../configs/policies/*.yaml", "../configs/cookbook/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	files = slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, "_test.yaml") })
	if len(files) < 10 {
		t.Fatalf("found %d files", len(files))
	}
	return files
}

// TestTheSchemaTakesNoBadFiles lets those pass of which all mistakes are beyond a schema.
func TestTheSchemaTakesNoBadFiles(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	beyond := map[string]bool{}
	for _, doc := range policy.Codes() {
		if doc.Beyond != "" {
			beyond[doc.Code] = true
		}
	}
	for _, name := range policyFiles(t, "testdata/err") {
		data, err := os.ReadFile(filepath.Join("testdata/err", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		v, ok := jsonValue(data)
		if !ok || schema.Validate(v) != nil {
			continue
		}
		messages, err := os.ReadFile(filepath.Join("testdata/err", name+".out"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(messages)) {
			code := line[strings.LastIndex(line, "[")+1 : strings.LastIndex(line, "]")]
			if !beyond[code] {
				t.Errorf("the schema takes %s, which has %s", name, line)
			}
		}
	}
}
