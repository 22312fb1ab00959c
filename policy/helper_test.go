package policy_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/egress-janitor/egress-janitor/policy"
)

// memory makes a file system of texts by path.
func memory(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// load loads one file that must be right.
func load(tb testing.TB, text string) *policy.Set {
	tb.Helper()
	return loadFiles(tb, map[string]string{"policy.yaml": text}, "policy.yaml")
}

func loadFiles(tb testing.TB, files map[string]string, paths ...string) *policy.Set {
	tb.Helper()
	set, err := policy.Load(memory(files), paths)
	if err != nil {
		tb.Fatalf("loading:\n%v\nfrom:\n%s", err, files[paths[0]])
	}
	return set
}

// loadError is what a file is refused for; it must be.
func loadError(tb testing.TB, files map[string]string, paths ...string) string {
	tb.Helper()
	set, err := policy.Load(memory(files), paths)
	if err == nil {
		tb.Fatalf("loaded %d policies, want an error", len(set.Policies))
	}
	return err.Error()
}

// policyWith is a reporting policy of every group with the given `match`, which is written in one line.
func policyWith(match string) string {
	return strings.ReplaceAll(`version: 1
policies:
  - name: p
    description: A policy.
    severity: low
    owner: owner@example.com
    groups: all
    match: MATCH
    action: report
`, "MATCH", match)
}

// present is noon of a day in the tests.
func present() time.Time { return time.Date(2027, time.January, 15, 12, 0, 0, 0, time.UTC) }
