package layout_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPackagesOfTheCodeAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	want := slices.Sorted(maps.Keys(readTable(t).layers))
	got := slices.Sorted(maps.Keys(readPackages(t)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packages differ (-%s +code):\n%s", architecture, diff)
	}
}

func TestPackagesImportOnlyWhatTheTableAllows(t *testing.T) {
	t.Parallel()
	table := readTable(t)
	for dir, pkg := range readPackages(t) {
		row := table.layers[dir]
		for _, path := range pkg.code {
			if !row.allows(path) {
				t.Errorf("%s imports %s, which its row in %s does not allow", dir, path, architecture)
			}
		}
		inTests := table.inTests(dir)
		for _, path := range pkg.tests {
			if !inTests.allows(path) {
				t.Errorf("tests of %s import %s, which %s does not allow", dir, path, architecture)
			}
		}
	}
}

func TestTheTableNamesNoLibraryThatIsNotUsed(t *testing.T) {
	t.Parallel()
	packages := readPackages(t)
	for dir, row := range readTable(t).layers {
		_, inTests := bySource(row.inTests)
		for _, library := range slices.Concat(row.libraries, inTests) {
			used := packages[dir].code
			if slices.Contains(inTests, library) {
				used = packages[dir].tests
			}
			if !slices.ContainsFunc(used, func(path string) bool { return within(path, library) }) {
				t.Errorf("%s does not import %s, which its row in %s allows", dir, library, architecture)
			}
		}
	}
}

func TestTheListsOfTheLinterEqualTheTable(t *testing.T) {
	t.Parallel()
	got := readLinter(t).Linters.Settings.Depguard.Rules
	if diff := cmp.Diff(wantRules(readTable(t)), got); diff != "" {
		t.Errorf("depguard's rules differ (-%s +%s):\n%s", architecture, linter, diff)
	}
}

// wantRules are the rules of depguard that the table asks for.
func wantRules(table table) map[string]rule {
	const outOfPure = "a pure package takes values"
	rules := map[string]rule{
		"sdk": {
			Mode:  "lax",
			Files: []string{"$all", "!${config-path}/internal/ecsapi/*.go"},
			Deny:  map[string]string{sdk: "only internal/ecsapi may know the cloud SDK"},
		},
	}
	tests := rule{Mode: "strict", Files: []string{"$test"}, Allow: []string{"$gostd", "go/", module + "/"}}
	tests.Allow = append(tests.Allow, table.tests.libraries...)
	for dir, row := range table.layers {
		allowed := rule{
			Mode:  "strict",
			Files: []string{"${config-path}/" + dir + "/*.go", "!$test"},
			Allow: []string{"$gostd"},
		}
		if row.all {
			allowed.Allow = append(allowed.Allow, module+"/")
		}
		for _, our := range row.ours {
			allowed.Allow = append(allowed.Allow, module+"/"+our+"$")
		}
		allowed.Allow = append(allowed.Allow, row.libraries...)
		slices.Sort(allowed.Allow)
		if row.pure {
			allowed.Deny = map[string]string{
				"os":              outOfPure + " or an fs.FS",
				"net$":            outOfPure + "; net/netip is fine",
				"net/http":        outOfPure,
				"log":             "a pure package returns values; its caller logs them",
				"go.uber.org/zap": "a pure package returns values; its caller logs them",
			}
		}
		rules[dir] = allowed
		_, inTests := bySource(row.inTests)
		tests.Allow = append(tests.Allow, slices.Concat(row.libraries, inTests)...)
	}
	slices.Sort(tests.Allow)
	tests.Allow = slices.Compact(tests.Allow)
	rules["tests"] = tests
	return rules
}

func TestEveryExceptionOfTheLinterSaysWhy(t *testing.T) {
	t.Parallel()
	exceptions := readLinter(t).Linters.Exclusions.Rules
	if len(exceptions) == 0 {
		t.Fatalf("%s: found no exclusion rules", linter)
	}
	for _, exception := range exceptions {
		if strings.TrimSpace(exception.HeadComment) == "" {
			t.Errorf("%s:%d: an exception without a comment above it that says why", linter, exception.Line)
		}
	}
}
