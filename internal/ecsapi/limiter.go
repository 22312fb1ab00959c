package ecsapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxStrikes is how many windows in a row a bucket may be throttled in before it is given up.
	maxStrikes = 3
	// rest is how long a bucket stays given up. Then one call more is tried, since a client can live for months.
	rest = 10 * time.Minute
	// slowest is the part of its quota that a bucket never goes below.
	slowest = 1.0 / 16
	// recovery is the part of its quota that a bucket wins back with each call that passed.
	recovery = 1.0 / 1000
	// maxHold bounds a hold that the cloud asks for: its windows are minutes.
	maxHold = 2 * time.Minute
	// holdJitter spreads the first calls of a window over processes that share a quota.
	holdJitter = time.Second
)

// errGivenUp says that waiting did not help.
var errGivenUp = errors.New("throttled in 3 windows in a row, without one call that passed between them")

// limiter paces the calls of one account: one bucket per region and action, as the cloud counts them.
type limiter struct {
	quota func(action string) float64
	now   func() time.Time

	mu      sync.Mutex
	buckets map[bucketKey]*bucket
}

type bucketKey struct{ region, action string }

func newLimiter(quota func(action string) float64, now func() time.Time) *limiter {
	return &limiter{quota: quota, now: now, buckets: map[bucketKey]*bucket{}}
}

// bucket gives the bucket of an action in a region, a new one if need be.
func (l *limiter) bucket(region, action string) *bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := bucketKey{region, action}
	b := l.buckets[key]
	if b == nil {
		b = newBucket(l.quota(action), l.now)
		l.buckets[key] = b
	}
	return b
}

// bucket paces the calls of one action in one region. A throttled answer holds all of its callers together until the
// next window of the cloud and slows the pace after it.
type bucket struct {
	quota rate.Limit
	now   func() time.Time

	mu      sync.Mutex
	pace    *rate.Limiter // burst 1: callers are spread evenly, since windows do not forgive a burst
	window  int           // counts holds: answers to calls of an earlier window say nothing about this one
	changed chan struct{} // closed when the window or givenUp changes
	held    chan struct{} // closed when the hold ends; nil if there is none
	strikes int
	givenUp time.Time // when; zero if it is not
}

func newBucket(quota float64, now func() time.Time) *bucket {
	return &bucket{
		quota: rate.Limit(quota), now: now,
		pace: rate.NewLimiter(rate.Limit(quota), 1), changed: make(chan struct{}),
	}
}

// enter waits for the turn of a call and gives the window that it belongs to. It fails with errGivenUp, or with the
// error of the context.
func (b *bucket) enter(ctx context.Context) (window int, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		b.mu.Lock()
		pace, window, changed, held, givenUp := b.pace, b.window, b.changed, b.held, b.isGivenUp()
		b.mu.Unlock()
		switch {
		case givenUp:
			return 0, errGivenUp
		case held != nil:
			select {
			case <-held:
			case <-ctx.Done():
			}
			continue
		}
		if ok, err := waitTurn(ctx, pace, changed); ok || err != nil {
			return window, err
		}
	}
}

// isGivenUp tells whether the bucket was given up and has not rested since.
func (b *bucket) isGivenUp() bool { return !b.givenUp.IsZero() && b.now().Sub(b.givenUp) < rest }

// waitTurn waits for a token. It says no if the window changed before: the token is void then.
func waitTurn(ctx context.Context, pace *rate.Limiter, changed <-chan struct{}) (bool, error) {
	turn := pace.Reserve()
	timer := time.NewTimer(turn.Delay())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		turn.Cancel()
		return false, ctx.Err()
	case <-changed:
		return false, nil
	case <-timer.C:
	}
	select {
	case <-changed:
		return false, nil
	default:
		return true, nil
	}
}

// passed says that a call of a window was not throttled. The pace recovers slowly.
func (b *bucket) passed(window int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if window != b.window {
		return
	}
	b.strikes = 0
	if pace := b.pace.Limit(); pace < b.quota {
		b.pace.SetLimit(min(b.quota, pace+b.quota*recovery))
	}
}

// throttled says that a call of a window was throttled, and for how long the cloud asks to wait: zero if it did not
// say. Of all calls of a window only the first to be throttled counts.
func (b *bucket) throttled(window int, ask time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if window != b.window {
		return
	}
	b.strikes++
	b.window++
	close(b.changed)
	b.changed = make(chan struct{})
	b.pace = rate.NewLimiter(max(b.pace.Limit()/2, b.quota*slowest), 1)
	if b.strikes >= maxStrikes {
		b.strikes, b.givenUp = maxStrikes-1, b.now()
		return
	}
	held := make(chan struct{})
	b.held = held
	time.AfterFunc(b.hold(ask), func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.held = nil
		close(held)
	})
}

// hold is the time until the next window: what the cloud asks for, or else the next minute of the wall clock.
func (b *bucket) hold(ask time.Duration) time.Duration {
	if ask <= 0 {
		now := b.now()
		ask = now.Truncate(time.Minute).Add(time.Minute).Sub(now)
	}
	return min(ask, maxHold) + rand.N(holdJitter) //nolint:gosec // jitter
}
