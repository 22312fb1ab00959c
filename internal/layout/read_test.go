package layout_test

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// Where things are, from the root of the repository.
const (
	architecture = "docs/architecture.md"
	linter       = ".golangci.yml"

	module = "github.com/egress-janitor/egress-janitor"
	sdk    = "github.com/aliyun/alibaba-cloud-sdk-go"
)

// root is the root of the repository.
func root() string { return filepath.Join("..", "..") }

// read is the text of a file, named from the root.
func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root(), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// layer is a row of the table: what a package may import.
type layer struct {
	all       bool     // every package of ours
	ours      []string // packages of ours, as directories
	libraries []string // prefixes of import paths
	pure      bool     // nothing that reaches out of the process
	inTests   []string // what its tests may import besides: packages of ours, and libraries
}

// allows tells whether the layer may import a package.
func (l layer) allows(importPath string) bool {
	switch our, isOurs := strings.CutPrefix(importPath, module+"/"); {
	case isOurs:
		return l.all || slices.Contains(l.ours, our)
	case !strings.Contains(strings.Split(importPath, "/")[0], "."): // the standard library
		return !l.pure || importPath != "net" &&
			!within(importPath, "os") && !within(importPath, "net/http") && !within(importPath, "log")
	default:
		return slices.ContainsFunc(l.libraries, func(library string) bool { return within(importPath, library) })
	}
}

// within tells whether an import path is the one given or below it.
func within(importPath, prefix string) bool {
	return importPath == prefix || strings.HasPrefix(importPath, prefix+"/")
}

// table is what the architecture says: the layers by directory, and what all tests may import besides.
type table struct {
	layers map[string]layer
	tests  layer
}

// inTests is what the tests of a package may import.
func (t table) inTests(dir string) layer {
	row := t.layers[dir]
	ours, libraries := bySource(row.inTests)
	row.ours = slices.Concat(row.ours, ours, t.tests.ours, []string{dir})
	row.libraries = slices.Concat(row.libraries, libraries, t.tests.libraries)
	row.pure = false
	return row
}

// readTable reads the table of packages, and the sentence about tests below it.
func readTable(t *testing.T) table {
	t.Helper()
	section := section(t, architecture, "Packages and what they may import")
	got := table{layers: map[string]layer{}}
	for _, cells := range rows(section) {
		if len(cells) != 7 || len(ticked(cells[0])) != 1 {
			t.Fatalf("%s: want seven columns and one package in a row, got %q", architecture, cells)
		}
		got.layers[ticked(cells[0])[0]] = layer{
			all:       cells[2] == "all",
			ours:      ticked(cells[2]),
			libraries: ticked(cells[3]),
			pure:      cells[4] == "yes",
			inTests:   ticked(cells[5]),
		}
	}
	_, sentence, found := strings.Cut(section, "Test files may also import")
	if !found || len(got.layers) == 0 {
		t.Fatalf("%s: the table of packages or the sentence about tests is gone", architecture)
	}
	sentence, _, _ = strings.Cut(sentence, "\n\n")
	got.tests.ours, got.tests.libraries = bySource(ticked(sentence))
	return got
}

// bySource parts packages of ours from libraries, whose names begin with a host.
func bySource(names []string) (ours, libraries []string) {
	for _, name := range names {
		if strings.Contains(strings.Split(name, "/")[0], ".") {
			libraries = append(libraries, name)
		} else {
			ours = append(ours, name)
		}
	}
	return ours, libraries
}

// section is the text of a document between a heading of level two and the next one.
func section(t *testing.T, name, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(read(t, name), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("%s: no section %q", name, heading)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

// rows are the cells of the tables in a text, without their headings.
func rows(text string) [][]string {
	var all [][]string
	inBody := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "|"):
			inBody = false
		case strings.HasPrefix(line, "|--"):
			inBody = true
		case inBody:
			cells := strings.Split(strings.Trim(line, "|"), "|")
			for i, cell := range cells {
				cells[i] = strings.TrimSpace(cell)
			}
			all = append(all, cells)
		}
	}
	return all
}

// ticked are the words of a text that stand in backticks.
func ticked(text string) []string {
	var words []string
	for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		words = append(words, match[1])
	}
	return words
}

// imports are what a package imports, sorted, in its code and in its tests. Files of all systems and build tags count.
type imports struct {
	code, tests []string
}

// goFiles are the Go files of this module, named from the root.
func goFiles(t *testing.T) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(root()), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.ContainsAny(entry.Name()[:1], "._") || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() && name != "." && isModule(name):
			return fs.SkipDir
		case !entry.IsDir() && strings.HasSuffix(name, ".go"):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// isModule tells whether a directory is a module of its own.
func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(root(), filepath.FromSlash(dir), "go.mod"))
	return !errors.Is(err, fs.ErrNotExist)
}

// readPackages reads the imports of every package of this module, by directory.
func readPackages(t *testing.T) map[string]imports {
	t.Helper()
	packages := map[string]imports{}
	for _, name := range goFiles(t) {
		file, err := parser.ParseFile(token.NewFileSet(), name, read(t, name), parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		pkg := packages[path.Dir(name)]
		for _, spec := range file.Imports {
			importPath, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, "_test.go") {
				pkg.tests = append(pkg.tests, importPath)
			} else {
				pkg.code = append(pkg.code, importPath)
			}
		}
		packages[path.Dir(name)] = pkg
	}
	for dir, pkg := range packages {
		slices.Sort(pkg.code)
		slices.Sort(pkg.tests)
		packages[dir] = imports{code: slices.Compact(pkg.code), tests: slices.Compact(pkg.tests)}
	}
	return packages
}

// rule is a rule of depguard. Deny maps an import path to what is said about it.
type rule struct {
	Mode  string
	Files []string
	Allow []string
	Deny  map[string]string
}

// UnmarshalYAML turns the list of denials into a map, and leaves no key of the rule unread.
func (r *rule) UnmarshalYAML(node *yaml.Node) error {
	var raw struct {
		Mode  string         `yaml:"list-mode"`
		Files []string       `yaml:"files"`
		Allow []string       `yaml:"allow"`
		Deny  []denial       `yaml:"deny"`
		Other map[string]any `yaml:",inline"`
	}
	if err := node.Decode(&raw); err != nil {
		return err
	}
	if len(raw.Other) > 0 {
		return errors.New("unexpected keys in a rule: " + strings.Join(slices.Sorted(maps.Keys(raw.Other)), ", "))
	}
	*r = rule{Mode: raw.Mode, Files: raw.Files, Allow: raw.Allow}
	for _, d := range raw.Deny {
		if r.Deny == nil {
			r.Deny = map[string]string{}
		}
		r.Deny[d.Package] = d.Description
	}
	return nil
}

// denial is one import path that a rule refuses, and what it says about it.
type denial struct {
	Package     string `yaml:"pkg"`
	Description string `yaml:"desc"`
}

// linterConfig is what is read of the linter's configuration.
type linterConfig struct {
	Linters struct {
		Settings struct {
			Depguard struct {
				Rules map[string]rule `yaml:"rules"`
			} `yaml:"depguard"`
		} `yaml:"settings"`
		Exclusions struct {
			Rules []yaml.Node `yaml:"rules"`
		} `yaml:"exclusions"`
	} `yaml:"linters"`
}

func readLinter(t *testing.T) linterConfig {
	t.Helper()
	var config linterConfig
	if err := yaml.Unmarshal([]byte(read(t, linter)), &config); err != nil {
		t.Fatalf("%s: %v", linter, err)
	}
	return config
}
