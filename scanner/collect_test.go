package scanner

import (
	"context"
	"testing"
)

// Who gets the turn and the end of the scan at once must not go on: the choice between the two is by chance, hence the
// many tries.
func TestNobodyIsVisitedAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := newCollector(&Options{}, func(*Group) error {
		t.Error("a group is visited")
		return nil
	}, cancel)
	for range 100 {
		c.hand(ctx, &Group{})
	}
}

func TestAnEmptyResultIsNotComplete(t *testing.T) {
	if new(Result).Complete() {
		t.Error("a result without regions claims to be complete")
	}
}
