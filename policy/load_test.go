package policy_test

import (
	"errors"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// update writes the files of expected messages anew; what it changed is then to be read.
var update = flag.Bool("update", false, "write testdata/err/*.out and testdata/ok/*.warn anew")

// policyFiles are the files of a directory in testdata, by their names without .yaml.
func policyFiles(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in %s (%v)", dir, err)
	}
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = strings.TrimSuffix(filepath.Base(path), ".yaml")
	}
	return names
}

// compareFile holds a text against a file of expected text; no file is no text.
func compareFile(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if got == "" {
			return
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestEveryMistakeHasItsMessage(t *testing.T) {
	t.Parallel()
	const dir = "testdata/err"
	for _, name := range policyFiles(t, dir) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := policy.Load(os.DirFS(dir), []string{name + ".yaml"})
			if err == nil {
				t.Fatal("the file loads")
			}
			if set != nil {
				t.Error("there is a set beside the error")
			}
			if _, ok := errors.AsType[*strictyaml.Error](err); !ok {
				t.Errorf("the error is a %T, want a *strictyaml.Error", err)
			}
			compareFile(t, filepath.Join(dir, name+".out"), err.Error()+"\n")
		})
	}
}

func TestLegalFilesLoadWithTheirWarnings(t *testing.T) {
	t.Parallel()
	const dir = "testdata/ok"
	for _, name := range policyFiles(t, dir) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := policy.Load(os.DirFS(dir), []string{name + ".yaml"})
			if err != nil {
				t.Fatal(err)
			}
			var warnings strings.Builder
			for _, w := range set.Warnings {
				warnings.WriteString(w.String() + "\n")
			}
			compareFile(t, filepath.Join(dir, name+".warn"), warnings.String())
		})
	}
}

// codes are the values of the constants of a package whose names begin with Code.
func codes(t *testing.T, dir string) map[string]bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, "Code") {
				return true
			}
			for _, v := range spec.Values {
				if literal, ok := v.(*ast.BasicLit); ok {
					text, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					found[text] = true
				}
			}
			return true
		})
	}
	if len(found) == 0 {
		t.Fatalf("no codes in %s", dir)
	}
	return found
}

func TestEveryCodeIsSeenInTheTestdata(t *testing.T) {
	t.Parallel()
	// What no single file of testdata can show has a test of its own in this package.
	elsewhere := map[string]string{
		strictyaml.CodeTooLarge: "TestAFileOverOneMebibyteIsRefused",
		policy.CodeNoPolicy:     "TestPathsOfTheConfig",
	}
	var texts strings.Builder
	for _, pattern := range []string{"testdata/err/*.out", "testdata/ok/*.warn"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts.Write(data)
		}
	}
	for _, dir := range []string{".", "../internal/strictyaml"} {
		for code := range codes(t, dir) {
			if !strings.Contains(texts.String(), "["+code+"]\n") && elsewhere[code] == "" {
				t.Errorf("no file in testdata shows the code %q of %s", code, dir)
			}
		}
	}
}

func TestAFileOverOneMebibyteIsRefused(t *testing.T) {
	t.Parallel()
	text := policyWith("{every-rule: true}")
	padded := text + strings.Repeat("#", 1<<20-len(text)-1) + "\n"
	load(t, padded)
	got := loadError(t, map[string]string{"p.yaml": "#" + padded}, "p.yaml")
	if want := "p.yaml:1:1: the file has 1048577 bytes, more than the 1048576 that are read [too-large]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPathsOfTheConfig(t *testing.T) {
	t.Parallel()
	good, other := policyWith("{every-rule: true}"), strings.Replace(policyWith("{every-rule: true}"), "name: p", "name: q", 1)
	exception := `version: 1
exceptions:
  - {name: x, policies: [q], groups: all, match: {every-rule: true}, reason: r, owner: o, expires: 2027-01-31}
`
	for _, test := range []struct {
		name  string
		files map[string]string
		paths []string
		want  string // the error, or the names of the policies
	}{
		{"two files of a directory", map[string]string{"d/a.yaml": good, "d/b.yaml": other}, []string{"d"}, "p q"},
		{"a directory and a file of it are read once", map[string]string{"d/a.yaml": good}, []string{"d", "d/a.yaml"}, "p"},
		{
			"an exception names a policy of another file",
			map[string]string{"a.yaml": exception, "b.yaml": other},
			[]string{"a.yaml", "b.yaml"},
			"q",
		},
		{
			"tests, other files and hidden ones of a directory are left alone",
			map[string]string{"d/a.yaml": good, "d/a_test.yaml": "x", "d/feed.txt": "x", "d/.b.yaml": "x", "d/sub/c.yaml": "x"},
			[]string{"d"},
			"p",
		},
		{
			"a .yml in a directory",
			map[string]string{"d/a.yaml": good, "d/b.yml": other},
			[]string{"d"},
			"d/b.yml:1:1: only *.yaml is read of a directory; rename it, or move it away [file]",
		},
		{
			"a directory without policies",
			map[string]string{"d/feed.txt": "x"},
			[]string{"d"},
			"d:1:1: the directory holds no policy file (*.yaml) [file]",
		},
		{"no path at all", nil, nil, ":1:1: there is no policy [no-policy]"},
		{"a file that is not there", nil, []string{"none.yaml"}, "none.yaml:1:1: cannot be read: file does not exist [file]"},
		{
			"a test given as a policy",
			map[string]string{"a_test.yaml": good},
			[]string{"a_test.yaml"},
			"a_test.yaml:1:1: is a test of policies, not a policy file [file]",
		},
		{
			"only exceptions",
			map[string]string{"a.yaml": strings.Replace(exception, "[q]", `["*"]`, 1)},
			[]string{"a.yaml"},
			"a.yaml:1:1: there is no policy [no-policy]",
		},
		{
			"one name in two files",
			map[string]string{"a.yaml": good, "b.yaml": good},
			[]string{"b.yaml", "a.yaml"},
			`b.yaml:3:11: there is a second policy named "p"; the first is at a.yaml:3:11 [duplicate-name]`,
		},
		{
			"one exception in two files",
			map[string]string{"a.yaml": exception, "b.yaml": exception, "c.yaml": other},
			[]string{"a.yaml", "b.yaml", "c.yaml"},
			`b.yaml:3:12: there is a second exception named "x"; the first is at a.yaml:3:12 [duplicate-name]`,
		},
		{
			"mistakes of two files are told together",
			map[string]string{"a.yaml": "", "b.yaml": "version: 2\n"},
			[]string{"b.yaml", "a.yaml"},
			"a.yaml:1:1: the file is empty [empty]\n" +
				"b.yaml:1:1: the file has neither \"policies\" nor \"exceptions\" [missing-key]\n" +
				"b.yaml:1:10: version 2 is not known; this program reads version 1 [version]",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got string
			set, err := policy.Load(memory(test.files), test.paths)
			if err != nil {
				got = err.Error()
			} else {
				var names []string
				for _, p := range set.Policies {
					names = append(names, p.Name)
				}
				got = strings.Join(names, " ")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSetsBelongToTheirFile(t *testing.T) {
	t.Parallel()
	withSet := strings.Replace(policyWith("{destination: [$s]}"), "policies:", "sets: {s: {cidrs: [192.0.2.0/24]}}\npolicies:", 1)
	other := strings.Replace(policyWith("{destination: [$s]}"), "name: p", "name: q", 1)
	got := loadError(t, map[string]string{"a.yaml": withSet, "b.yaml": other}, "a.yaml", "b.yaml")
	if want := `b.yaml:8:27: this file has no set "s" [set]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestASetsFileIsLookedForBesideItsPolicyFile(t *testing.T) {
	t.Parallel()
	text := strings.Replace(policyWith("{destination: [$s]}"), "policies:", "sets: {s: {file: ../feeds/s.txt}}\npolicies:", 1)
	loadFiles(t, map[string]string{"policies/p.yaml": text, "feeds/s.txt": "192.0.2.0/24\n"}, "policies/p.yaml")
	got := loadError(t, map[string]string{"policies/p.yaml": text, "policies/feeds/s.txt": "192.0.2.0/24\n"}, "policies/p.yaml")
	if want := "policies/p.yaml:2:18: the set's file feeds/s.txt cannot be read: file does not exist [file]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAFileCutAnywhereButAtALineEndIsRefused(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile("testdata/ok/all-keys.yaml")
	if err != nil {
		t.Fatal(err)
	}
	feed, err := os.ReadFile("testdata/ok/feeds/feed.txt")
	if err != nil {
		t.Fatal(err)
	}
	try := func(policies, feed []byte) error {
		_, err := policy.Load(memory(map[string]string{"p.yaml": string(policies), "feeds/feed.txt": string(feed)}),
			[]string{"p.yaml"})
		return err
	}
	if err := try(whole, feed); err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		if err := try(whole[:cut], feed); err == nil && whole[cut-1] != '\n' {
			t.Errorf("a policy file cut after %d of %d bytes loads", cut, len(whole))
		}
	}
	for cut := range feed {
		if err := try(whole, feed[:cut]); err == nil && feed[cut-1] != '\n' {
			t.Errorf("a set's file cut after %d of %d bytes loads", cut, len(feed))
		}
	}
}
