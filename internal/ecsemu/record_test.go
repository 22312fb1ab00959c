package ecsemu

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
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
	for code, row := range wire.Table() {
		if !strings.Contains(tests.String(), `"`+string(code)+`"`) {
			untested = append(untested, string(code))
		}
		if row.Status < 400 || row.Message == "" {
			t.Errorf("%s: got status %d, message %q", code, row.Status, row.Message)
		}
	}
	slices.Sort(untested)
	if len(untested) > 0 {
		t.Errorf("no test names the codes %q", untested)
	}
}
