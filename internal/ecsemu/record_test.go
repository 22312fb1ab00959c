package ecsemu

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheRecordForgetsTheOldest(t *testing.T) {
	r := &record{limit: 3}
	for _, status := range []int{1, 2, 3, 4, 5} {
		r.add(Request{Status: status})
	}
	var got []int
	for _, request := range r.all() {
		got = append(got, request.Status)
	}
	if diff := cmp.Diff([]int{3, 4, 5}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

func TestTooManyTokensForgetTheOldest(t *testing.T) {
	known := newTokens(2)
	ask := func(token string) (first bool) {
		c := &call{params: parameters{"ClientToken": token}, account: &account{}}
		_, err := known.once(c, func(*call) (any, error) {
			first = true
			return nil, nil //nolint:nilnil // The answer is of no matter.
		})
		if err != nil {
			t.Fatal(err)
		}
		return first
	}
	var got []bool
	for _, token := range []string{"a", "b", "b", "c", "c", "a"} {
		got = append(got, ask(token))
	}
	if diff := cmp.Diff([]bool{true, true, false, true, false, true}, got); diff != "" {
		t.Errorf("calls that were done (-want +got):\n%s", diff)
	}
	if len(known.done) != len(known.order) || len(known.done) > 2 {
		t.Errorf("got %d tokens in the order of %d, want at most 2", len(known.done), len(known.order))
	}
}

// TestEveryErrorCodeHasATest reads the tests of this package: a code nothing earns is a code nobody emulates.
func TestEveryErrorCodeHasATest(t *testing.T) {
	var tests strings.Builder
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(text)
	}
	var untested []string
	for code, row := range errorTable() {
		if !strings.Contains(tests.String(), `"`+string(code)+`"`) {
			untested = append(untested, string(code))
		}
		if row.status < 400 || row.message == "" {
			t.Errorf("%s: got status %d, message %q", code, row.status, row.message)
		}
	}
	slices.Sort(untested)
	if len(untested) > 0 {
		t.Errorf("no test names the codes %q", untested)
	}
}
