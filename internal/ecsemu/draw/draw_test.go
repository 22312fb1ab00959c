package draw_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/draw"
)

// The first numbers of SplitMix64 from the seed 0, as its reference implementation gives them.
func TestAStreamIsSplitMix64(t *testing.T) {
	s := draw.From(0)
	got := []uint64{s.Next(), s.Next(), s.Next()}
	if diff := cmp.Diff([]uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f}, got); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
}

func TestDrawsStayInTheirBounds(t *testing.T) {
	s := draw.From(1)
	seen := map[int]bool{}
	for range 1000 {
		n, chance := s.Below(6), s.Chance()
		if n < 0 || n > 5 || chance < 0 || chance >= 1 {
			t.Fatalf("got %d below 6 and the chance %g", n, chance)
		}
		seen[n] = true
	}
	if len(seen) != 6 {
		t.Errorf("got %d different numbers below 6, want all", len(seen))
	}
}

func TestResourceIDsLookLikeThoseOfTheCloud(t *testing.T) {
	s := draw.From(7)
	first, second := s.ResourceID("sgr"), s.ResourceID("sgr")
	if first == second || len(first) != len("sgr-bp1")+17 || !strings.HasPrefix(first, "sgr-bp1") {
		t.Errorf("got %q and %q", first, second)
	}
	if strings.Trim(first[len("sgr-"):], "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		t.Errorf("got %q, want small letters and digits", first)
	}
}
