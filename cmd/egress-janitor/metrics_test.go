package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/metrics"
)

// TestMetricsKnowEveryClassOfTheAdapter keeps the two lists together: neither package may import the other, and a class
// that metrics does not know would be counted as "other".
func TestMetricsKnowEveryClassOfTheAdapter(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "internal", "sg", "class.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var classes []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Class" {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			classes = append(classes, text)
		}
		return true
	})
	known := slices.Sorted(slices.Values(metrics.Classes()))
	if diff := cmp.Diff(slices.Sorted(slices.Values(classes)), known); diff != "" {
		t.Errorf("classes (-adapter +metrics):\n%s", diff)
	}
}
