package feeds_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/feeds"
)

// brokenCopies cannot be read, or not be written.
type brokenCopies struct {
	feeds.Memory

	read, write error
}

func (b *brokenCopies) Get(ctx context.Context, url string) (feeds.Copy, bool, error) {
	c, ok, _ := b.Memory.Get(ctx, url)
	return c, ok, b.read
}

func (b *brokenCopies) Put(ctx context.Context, c feeds.Copy) error {
	return errors.Join(b.write, b.Memory.Put(ctx, c))
}

func TestCopiesThatCannotBeReadOrKept(t *testing.T) {
	t.Parallel()
	s := newSite(t, serveText("good\n"))
	if state := s.refresh(t, &brokenCopies{read: errors.New("damaged")}); state.Problem != "" || !state.New {
		t.Errorf("what was fetched does not take the place of a damaged copy: %+v", state)
	}
	state := s.refresh(t, &brokenCopies{write: errors.New("disk full")})
	if state.Problem != "its copy cannot be kept: disk full" || state.Copy.Data == nil {
		t.Errorf("got %+v, want the copy and why it cannot be kept", state)
	}
}

// heldCopies are current, and given only when they are released.
type heldCopies struct {
	busy    atomic.Int64
	release chan struct{}
}

func (h *heldCopies) Get(_ context.Context, url string) (feeds.Copy, bool, error) {
	h.busy.Add(1)
	<-h.release
	return feeds.Copy{URL: url, Data: []byte("good"), Checked: time.Now()}, true, nil
}

func (h *heldCopies) Put(context.Context, feeds.Copy) error { return errors.New("nothing is due") }

func TestManyURLsAreLookedAfterFourAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := feeds.New(feeds.Options{Now: time.Now})
		copies := &heldCopies{release: make(chan struct{})}
		var wanted []feeds.Wanted
		for i := range 40 {
			wanted = append(wanted, feeds.Wanted{URL: fmt.Sprintf("https://h.example/%d", i), Check: good})
		}
		done := make(chan map[string]feeds.State)
		go func() { done <- f.Refresh(t.Context(), wanted, copies) }()
		synctest.Wait()
		if got := copies.busy.Load(); got != 4 {
			t.Errorf("%d are under way, want 4", got)
		}
		close(copies.release)
		states := <-done
		for url, state := range states {
			if state.Problem != "" || state.Copy.URL != url {
				t.Errorf("%s: got %+v", url, state)
			}
		}
		if len(states) != len(wanted) {
			t.Errorf("got %d states of %d URLs", len(states), len(wanted))
		}
	})
}
