package acs

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNoncesOfACertainAgeAreForgotten(t *testing.T) {
	n := NewNonces(10)
	began := time.Unix(1e9, 0)
	var got []bool
	for _, age := range []time.Duration{0, time.Minute - 1, time.Minute, 2*time.Minute - 1, 2 * time.Minute} {
		got = append(got, n.UseFor(time.Minute, "key", "nonce", began.Add(age)))
	}
	if diff := cmp.Diff([]bool{true, false, true, false, true}, got); diff != "" {
		t.Errorf("uses of one nonce (-want +got):\n%s", diff)
	}
}

// TestANonceThatIsUsedAgainIsAsNewAsOthers has the place that it first had in the memory be taken by another one.
func TestANonceThatIsUsedAgainIsAsNewAsOthers(t *testing.T) {
	n := NewNonces(3)
	began := time.Unix(1e9, 0)
	later := began.Add(time.Minute)
	n.UseFor(time.Minute, "key", "again", began)
	n.UseFor(time.Minute, "key", "0", began)
	n.UseFor(time.Minute, "key", "again", later)
	n.UseFor(time.Minute, "key", "1", later)
	if n.UseFor(time.Minute, "key", "again", later) {
		t.Error("a nonce was forgotten with its first use")
	}
	for i := range 10 {
		n.UseFor(time.Minute, "key", strconv.Itoa(i+2), later)
	}
	if len(n.known) != 3 || len(n.ring) != 3 {
		t.Errorf("got %d and %d remembered nonces, want 3", len(n.known), len(n.ring))
	}
}
