package layout_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryDependencyIsExplained(t *testing.T) {
	t.Parallel()
	const page = "docs/dependencies.md"
	got := slices.Concat(
		firstCells(section(t, page, "In the binary")),
		firstCells(section(t, page, "In tests only")),
	)
	slices.Sort(got)
	if diff := cmp.Diff(directRequirements(t), got); diff != "" {
		t.Errorf("direct requirements differ (-go.mod +%s):\n%s", page, diff)
	}
	tools := firstCells(section(t, page, "Tools"))
	slices.Sort(tools)
	if diff := cmp.Diff(toolDirectives(t), tools); diff != "" {
		t.Errorf("tools differ (-internal/tools/go.mod +%s):\n%s", page, diff)
	}
}

// firstCells are what stands in backticks in the first column of the tables in a text.
func firstCells(text string) []string {
	var first []string
	for _, cells := range rows(text) {
		first = append(first, ticked(cells[0])...)
	}
	return first
}

// directRequirements are the modules that go.mod requires and does not mark as indirect, sorted.
func directRequirements(t *testing.T) []string {
	t.Helper()
	var modules []string
	requirement := regexp.MustCompile(`(?m)^(?:require )?\s*([^\s/]+\.[^\s]+) v\S+$`)
	for _, match := range requirement.FindAllStringSubmatch(read(t, "go.mod"), -1) {
		modules = append(modules, match[1])
	}
	slices.Sort(modules)
	return modules
}

// toolDirectives are the programs that the module of tools pins, sorted.
func toolDirectives(t *testing.T) []string {
	t.Helper()
	_, rest, _ := strings.Cut(read(t, "internal/tools/go.mod"), "\ntool (\n")
	block, _, found := strings.Cut(rest, "\n)")
	if !found {
		t.Fatal("internal/tools/go.mod: no block of tools")
	}
	tools := strings.Fields(block)
	slices.Sort(tools)
	return tools
}

func TestEveryDecisionIsInTheIndexWithItsStatus(t *testing.T) {
	t.Parallel()
	var want []string
	for _, name := range documents(t) {
		if path.Dir(name) != "docs/adr" || path.Base(name) == "README.md" {
			continue
		}
		text := read(t, name)
		title, rest, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
		_, rest, found := strings.Cut(rest, "\nStatus: ")
		status, _, _ := strings.Cut(rest, "\n")
		if !found {
			t.Errorf("%s: no status", name)
		}
		for _, part := range []string{"Context", "Decision", "Consequences"} {
			section(t, name, part)
		}
		want = append(want, "["+title+"]("+path.Base(name)+") "+status)
	}
	var got []string
	for _, cells := range rows(read(t, "docs/adr/README.md")) {
		got = append(got, strings.Join(cells, " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decisions differ (-files +docs/adr/README.md):\n%s", diff)
	}
}

func TestLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#\s]+)[^)]*\)`)
	for _, name := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(read(t, name), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			target := path.Join(path.Dir(name), match[1])
			if _, err := os.Stat(filepath.Join(root(), filepath.FromSlash(target))); err != nil {
				t.Errorf("%s: link to %s: %v", name, match[1], err)
			}
		}
	}
}

// documents are the Markdown files in the root and in docs, named from the root and sorted.
func documents(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := fs.Glob(os.DirFS(root()), pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		t.Fatal("found no documents")
	}
	return names
}

// A skipped test looks like a passed one. So there is none: what a test needs is in the repository, or its absence is a
// failure.
func TestNoTestSkipsItself(t *testing.T) {
	t.Parallel()
	for _, name := range goFiles(t) {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, read(t, name), parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.FuncLit:
				return !drawsCases(node.Type)
			case *ast.FuncDecl:
				return !drawsCases(node.Type)
			case *ast.CallExpr:
				if method, ok := node.Fun.(*ast.SelectorExpr); ok &&
					slices.Contains([]string{"Skip", "Skipf", "SkipNow", "Short"}, method.Sel.Name) {
					t.Errorf("%s: a test that skips itself", files.Position(node.Pos()))
				}
			}
			return true
		})
	}
}

// drawsCases tells whether a function is a property of rapid. To skip there means to draw another case, and rapid fails
// where it cannot draw enough.
func drawsCases(function *ast.FuncType) bool {
	return slices.ContainsFunc(function.Params.List, func(parameter *ast.Field) bool {
		pointer, isPointer := parameter.Type.(*ast.StarExpr)
		if !isPointer {
			return false
		}
		name, isSelector := pointer.X.(*ast.SelectorExpr)
		if !isSelector {
			return false
		}
		pkg, isIdent := name.X.(*ast.Ident)
		return isIdent && pkg.Name == "rapid" && name.Sel.Name == "T"
	})
}

func TestGuardsNameTestsThatExist(t *testing.T) {
	t.Parallel()
	const page = "CONTRIBUTING.md"
	guards := rows(section(t, page, "Guards and their tests"))
	if len(guards) == 0 {
		t.Fatalf("%s: no guards", page)
	}
	for _, cells := range guards {
		names := ticked(cells[len(cells)-1])
		if len(names) != 2 {
			t.Errorf("%s: want a package and a test, got %q", page, cells[len(cells)-1])
			continue
		}
		dir, test := names[0], names[1]
		if !slices.ContainsFunc(goFiles(t), func(name string) bool {
			return path.Dir(name) == dir && strings.HasSuffix(name, "_test.go") &&
				strings.Contains(read(t, name), "\nfunc "+test+"(")
		}) {
			t.Errorf("%s: there is no %s in %s", page, test, dir)
		}
	}
}
