package policy_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/policy"
)

func TestEveryCodeIsDocumentedOnce(t *testing.T) {
	t.Parallel()
	var documented []string
	for _, doc := range policy.Codes() {
		documented = append(documented, doc.Code)
		if doc.Meaning == "" || doc.Advice == "" {
			t.Errorf("code %s: its meaning or what to do is missing", doc.Code)
		}
	}
	var declared []string
	for _, dir := range []string{".", "../internal/strictyaml"} {
		for code := range codes(t, dir) {
			declared = append(declared, code)
		}
	}
	slices.Sort(declared)
	if diff := cmp.Diff(slices.Compact(declared), documented); diff != "" {
		t.Errorf("codes (-constants +documented):\n%s", diff)
	}
}

func TestTheCorpusOfMistakesIsLarge(t *testing.T) {
	t.Parallel()
	if files := policyFiles(t, "testdata/err"); len(files) < 80 {
		t.Errorf("testdata/err has %d files, want 80 or more", len(files))
	}
}
