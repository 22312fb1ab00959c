package ecsapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestEveryActionHasATable fails when somebody adds an action without a table, or leaves a table behind. It reads the
// source, so that it does not depend on a test that sends the action.
func TestEveryActionHasATable(t *testing.T) {
	found, err := readActions(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range found.unknown {
		t.Error(fault)
	}
	want, got := slices.Sorted(maps.Keys(loadContract(t).actions)), slices.Sorted(maps.Values(found.constants))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions, -in the tables +in the source:\n%s", diff)
	}
	if found.requests < len(got)-2 || found.names != 1 { // the two writes share one request
		t.Errorf("%d requests and %d namings of an action found: the source is not what this test knows how to read",
			found.requests, found.names)
	}
}

// TestWritesAreTheActionsWithATokenOfTheClient makes sure that what reading the source cannot tell holds: which actions
// go through Write.
func TestWritesAreTheActionsWithATokenOfTheClient(t *testing.T) {
	for action, a := range loadContract(t).actions {
		w := Write{
			Action: action, Region: hangzhou, NotAfter: time.Unix(1, 0),
			Parameters: map[string]string{"RegionId": "cn-hangzhou", "ClientToken": "token"},
		}
		err := w.validate()
		if _, takes := a.rows()["ClientToken"]; takes != (err == nil) {
			t.Errorf("%s takes a ClientToken: %t, but writing says %v", action, takes, err)
		}
	}
}

// actions is what the source says about the actions that it can send.
type actions struct {
	constants map[string]string // by name: all constants that name an action
	requests  int               // how many literals of type request there are
	names     int               // how often the SDK is told what to call
	unknown   []string          // where the action is something else than such a constant
}

// readActions reads the Go files of a package that are not tests. Actions are constants whose names begin with action;
// a request names one of them, or the action of a Write, which is checked at run time; and the SDK is told the action of
// a request. All else is unknown.
func readActions(source fs.FS) (*actions, error) {
	names, err := fs.Glob(source, "*.go")
	if err != nil {
		return nil, err
	}
	found := &actions{constants: map[string]string{}}
	var files []*ast.File
	positions := token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := fs.ReadFile(source, name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(positions, name, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
		ast.Inspect(file, found.constant)
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if n != nil {
				found.use(n, positions)
			}
			return true
		})
	}
	return found, nil
}

// constant keeps constants that name an action.
func (a *actions) constant(n ast.Node) bool {
	spec, ok := n.(*ast.ValueSpec)
	if !ok {
		return true
	}
	for i, name := range spec.Names {
		if rest, is := strings.CutPrefix(name.Name, "action"); !is || rest == "" || i >= len(spec.Values) {
			continue
		}
		if literal, ok := spec.Values[i].(*ast.BasicLit); ok {
			if value, err := strconv.Unquote(literal.Value); err == nil {
				a.constants[name.Name] = value
			}
		}
	}
	return true
}

// use looks at one place where an action may be named.
func (a *actions) use(n ast.Node, positions *token.FileSet) {
	unknown := func(n ast.Node, what string) {
		a.unknown = append(a.unknown, positions.Position(n.Pos()).String()+": "+what)
	}
	switch n := n.(type) {
	case *ast.CompositeLit:
		if text(n.Type) != "request" {
			return
		}
		a.requests++
		given := false
		for _, element := range n.Elts {
			pair, ok := element.(*ast.KeyValueExpr)
			if !ok || text(pair.Key) != "action" {
				continue
			}
			given = true
			if _, known := a.constants[text(pair.Value)]; !known && text(pair.Value) != "w.Action" {
				unknown(pair.Value, "a request of an action that is no constant")
			}
		}
		if !given {
			unknown(n, "a request without a named action")
		}
	case *ast.AssignStmt:
		for i, left := range n.Lhs {
			selector, ok := left.(*ast.SelectorExpr)
			switch {
			case !ok:
			case selector.Sel.Name == "action":
				unknown(left, "a request is given another action")
			case selector.Sel.Name == "ApiName":
				a.names++
				if len(n.Rhs) != len(n.Lhs) || text(n.Rhs[i]) != "q.action" {
					unknown(left, "the SDK is told something else than the action of a request")
				}
			}
		}
	}
}

// text gives a name or a selection of names as it is written. It is empty for any other expression.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return text(e.X) + "." + e.Sel.Name
	default:
		return ""
	}
}

func TestActionsThatAreNoConstantsAreFound(t *testing.T) {
	const known = "package x\nconst actionOne = \"One\"\nvar q = request{action: actionOne}\n"
	tests := map[string]struct {
		source    string
		constants []string
		unknown   []string
	}{
		"a constant": {known, []string{"One"}, nil},
		"another constant": {
			known + `const ( maxTwo = 2; actionTwo = "Two" )`, []string{"One", "Two"}, nil,
		},
		"a text": {
			known + `var p = &request{action: "Two"}`,
			[]string{"One"},
			[]string{"x.go:4:26: a request of an action that is no constant"},
		},
		"a constant of another name": {
			known + `const two = "Two"; var p = &request{action: two}`,
			[]string{"One"},
			[]string{"x.go:4:45: a request of an action that is no constant"},
		},
		"a request by position": {
			known + `var p = request{"Ecs", "2014-05-26", "Two"}`,
			[]string{"One"},
			[]string{"x.go:4:9: a request without a named action"},
		},
		"an action given later": {
			known + `func f(q *request) { q.action = "Two" }`,
			[]string{"One"},
			[]string{"x.go:4:22: a request is given another action"},
		},
		"the SDK told something else": {
			known + `func f(r *sdk) { r.ApiName = "Two" }`,
			[]string{"One"},
			[]string{"x.go:4:18: the SDK is told something else than the action of a request"},
		},
		"the SDK told the action": {known + `func f(r *sdk) { r.Method, r.ApiName = 1, q.action }`, []string{"One"}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readActions(fstest.MapFS{
				"x.go":      {Data: []byte(tt.source)},
				"x_test.go": {Data: []byte(`package x; var p = request{action: "Test"}`)},
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.constants, slices.Sorted(maps.Values(got.constants))); diff != "" {
				t.Errorf("constants, -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(tt.unknown, got.unknown); diff != "" {
				t.Errorf("unknown, -want +got:\n%s", diff)
			}
		})
	}
}
