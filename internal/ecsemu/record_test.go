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

func statuses(r *record) []int {
	var got []int
	for _, request := range r.picked(0, "", 0) {
		got = append(got, request.Status)
	}
	return got
}

func TestTheRecordForgetsTheOldest(t *testing.T) {
	r := &record{limit: 3, bytes: 1 << 20}
	for _, status := range []int{1, 2, 3, 4, 5} {
		r.add(Request{Status: status})
	}
	if diff := cmp.Diff([]int{3, 4, 5}, statuses(r)); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if got := r.picked(0, "", 1); got[0].Index != 2 {
		t.Errorf("got index %d of the oldest, want 2", got[0].Index)
	}
}

func TestTheRecordIsBoundedByBytes(t *testing.T) {
	r := &record{limit: 1000, bytes: 10_000}
	for status := range 5 {
		r.add(Request{Status: status, Parameters: map[string]string{"Long": strings.Repeat("x", 4000)}})
	}
	if diff := cmp.Diff([]int{3, 4}, statuses(r)); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	r.add(Request{Status: 9, Parameters: map[string]string{"Long": strings.Repeat("x", 40_000)}})
	if diff := cmp.Diff([]int{9}, statuses(r)); diff != "" {
		t.Errorf("statuses once one was larger than all may be (-want +got):\n%s", diff)
	}
	for status := range 100_000 {
		r.add(Request{Status: status})
	}
	if got := cap(r.ring); got > 200 {
		t.Errorf("got room for %d requests, want what 10,000 bytes take", got)
	}
}

func TestTheRecordHasNoSecrets(t *testing.T) {
	r := &record{limit: 1, bytes: 1 << 20}
	r.add(Request{Parameters: map[string]string{
		"Signature": "s", "SecurityToken": "t", "securitytoken": "u", "AccessKeySecret": "v", "Kept": "w", "SignatureNonce": "n",
	}})
	want := map[string]string{"Kept": "w", "SignatureNonce": "n"}
	if diff := cmp.Diff(want, r.picked(0, "", 0)[0].Parameters); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
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
