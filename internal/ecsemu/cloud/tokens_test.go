package cloud

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

func TestTooManyTokensForgetTheOldest(t *testing.T) {
	known := newTokens(2)
	ask := func(token string) (first bool) {
		c := &call{action: &Action{Name: "A"}, params: wire.Params{"ClientToken": token}, account: &account{}}
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
