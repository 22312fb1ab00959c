package scanner

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// breaker gives up the reading of a region where it is no use: after [Options.MaxFailures] in a row, or after
// [Options.MaxDenials] if the cloud denied every reading so far. Later denials are no reason: grants can depend on tags,
// so they may say no more than that these groups are somebody else's.
type breaker struct {
	stop        context.CancelFunc // ends the readings under way, and those to come before their first call
	maxFailures int
	maxDenials  int

	mu      sync.Mutex
	passes  bool  // one group or more was read
	streak  int   // failures since the last success
	denials int   // before the first success
	denied  error // the last of too many denials; given up
	failed  error // the last of too many failures in a row; given up
	unread  int   // groups that were not read after that
}

// pass notes a group that was read.
func (b *breaker) pass() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.passes, b.streak = true, 0
}

// fail notes a group that was not read. It tells whether that is a fault of the group: if not, the region is given up,
// and the group is counted among those that were not read.
func (b *breaker) fail(err error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.denied != nil || b.failed != nil:
		b.unread++
		return false
	case isDenied(err) && b.passes:
		return true
	case isDenied(err):
		if b.denials++; b.denials < b.maxDenials {
			return true
		}
		b.denied = err
		b.unread++
		b.stop()
		return false
	}
	if b.streak++; b.streak == b.maxFailures {
		b.failed = err
		b.stop()
	}
	return true
}

// isDenied tells whether it was the reading of rules that was denied, and not the look for a group that seemed gone.
func isDenied(err error) bool {
	return errors.Is(err, sg.ErrDenied) && !errors.Is(err, sg.ErrGroupGone)
}

// err is why the region was given up, once all of its groups went by; nil if it was not.
func (b *breaker) err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.denied != nil:
		return fmt.Errorf("gave up, the cloud denies the reading of rules; groups not read: %d: %w", b.unread, b.denied)
	case b.failed != nil:
		return fmt.Errorf("gave up after %d groups in a row could not be read; groups not read beside these: %d; the last: %w",
			b.maxFailures, b.unread, b.failed)
	default:
		return nil
	}
}
