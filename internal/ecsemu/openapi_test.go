package ecsemu

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// document is the part of the OpenAPI document that is held against the code.
type document struct {
	OpenAPI    string
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct{ Enum []string }
			Required   []string
		}
	}
}

func readDocument(t *testing.T) document {
	t.Helper()
	var d document
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheDocumentHasEveryRouteAndNoOther(t *testing.T) {
	var want, got []string
	for _, r := range new(Server).controlRoutes() {
		want = append(want, r.method+" "+controlPath+strings.TrimSuffix(r.path, "{$}"))
	}
	for path, operations := range readDocument(t).Paths {
		for method := range operations {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-code +document):\n%s", diff)
	}
}

func TestTheDocumentHasEveryFieldAndNoOther(t *testing.T) {
	schemas := readDocument(t).Components.Schemas
	for name, value := range map[string]any{
		"Fault": faultJSON{}, "Request": Request{}, "Clock": clockJSON{}, "Index": indexJSON{}, "Problem": problem{},
	} {
		var want []string
		for _, field := range reflect.VisibleFields(reflect.TypeOf(value)) {
			tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			want = append(want, tag)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(schemas[name].Properties))); diff != "" {
			t.Errorf("fields of %s (-code +document):\n%s", name, diff)
		}
		for _, required := range schemas[name].Required {
			if !slices.Contains(want, required) {
				t.Errorf("%s: the required field %q is not there", name, required)
			}
		}
	}
	if got := len(schemas); got != 5 {
		t.Errorf("got %d schemas, want the 5 that are held against the code", got)
	}
}

func TestTheDocumentHasEveryWordAndNoOther(t *testing.T) {
	fault := readDocument(t).Components.Schemas["Fault"].Properties
	for field, want := range map[string][]string{
		"kind": texts(kindTable().names()), "edit": texts(cloud.Edits()), "how": texts([]Ending{EndClose, EndReset, EndHang}),
	} {
		if diff := cmp.Diff(want, fault[field].Enum); diff != "" {
			t.Errorf("words of %s (-code +document):\n%s", field, diff)
		}
	}
}

func texts[T ~string](words []T) []string {
	list := make([]string, 0, len(words))
	for _, word := range words {
		list = append(list, string(word))
	}
	return list
}

// TestEveryFieldBelongsToAKindOrToAll sees to it that a field that is added is refused where it has no effect.
func TestEveryFieldBelongsToAKindOrToAll(t *testing.T) {
	var full Fault
	v := reflect.ValueOf(&full).Elem()
	for _, f := range v.Fields() {
		switch f.Kind() { //nolint:exhaustive // A fault has no others.
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int, reflect.Int64:
			f.SetInt(1)
		case reflect.Map:
			m := reflect.MakeMap(f.Type())
			m.SetMapIndex(reflect.ValueOf("x"), reflect.Zero(f.Type().Elem()))
			f.Set(m)
		}
	}
	given := full.given()
	common := []string{
		"kind", "action", "region", "group", "after", "afterCalls", "from", "until", "skip", "times", "probability", "seed", "latency",
	}
	var known []string
	for _, row := range kindTable() {
		known = append(known, row.takes...)
		if row.needs != "" && !slices.Contains(row.takes, row.needs) {
			t.Errorf("%s needs %s, and does not take it", row.kind, row.needs)
		}
		if (row.play == nil) != row.handshake {
			t.Errorf("%s is neither of requests nor of handshakes", row.kind)
		}
	}
	slices.Sort(known)
	slices.Sort(given)
	if diff := cmp.Diff(slices.Compact(known), given); diff != "" {
		t.Errorf("fields (-of some kind +given):\n%s", diff)
	}
	if got, want := len(given)+len(common), v.NumField(); got != want {
		t.Errorf("a fault has %d fields, of which %d are known", want, got)
	}
}
