package ecsapi

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// arrivals lets n callers through a bucket at once and gives when each passed, from the first on.
func arrivals(t *testing.T, b *bucket, n int) []time.Duration {
	t.Helper()
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		times []time.Duration
		begin = time.Now()
	)
	for range n {
		wg.Go(func() {
			if _, err := b.enter(t.Context()); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(begin))
		})
	}
	wg.Wait()
	return times
}

func TestBucketSpreadsCallsEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(10, time.Now)
		for i, at := range arrivals(t, b, 20) {
			if want := time.Duration(i) * 100 * time.Millisecond; at.Round(time.Millisecond) != want {
				t.Errorf("call %d passed after %v, want %v", i, at, want)
			}
		}
	})
}

func TestBucketsOfOtherRegionsAndActionsAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(func(string) float64 { return 1 }, time.Now)
		begin := time.Now()
		for _, key := range []bucketKey{{"r1", "A"}, {"r2", "A"}, {"r1", "B"}} {
			if _, err := l.bucket(key.region, key.action).enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("waited %v for buckets that nobody used", waited)
		}
		if _, err := l.bucket("r1", "A").enter(t.Context()); err != nil || time.Since(begin) != time.Second {
			t.Errorf("error %v; waited %v for a used bucket, want 1s", err, time.Since(begin))
		}
	})
}

func TestBucketHoldsAllCallersUntilTheNextMinuteAndSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(20 * time.Second) // the bubble begins on the minute
		b := newBucket(10, time.Now)
		window, err := b.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.throttled(window, 0)
		times := arrivals(t, b, 11)
		if first := times[0]; first < 40*time.Second || first > 41*time.Second {
			t.Errorf("the first call passed after %v, want the next minute, 40s away, and up to 1s of jitter", first)
		}
		if spread := (times[10] - times[0]).Round(time.Millisecond); spread != 2*time.Second {
			t.Errorf("ten more calls took %v, want 2s: half the pace", spread)
		}
	})
}

func TestBucketHoldsCallersThatWereWaitingForTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(1, time.Now)
		window, err := b.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		passed := make(chan time.Duration, 3)
		for range 3 {
			go func() {
				if _, err := b.enter(t.Context()); err != nil {
					t.Error(err)
				}
				passed <- time.Since(begin)
			}()
		}
		synctest.Wait() // all three hold a reservation of the old pace
		b.throttled(window, 30*time.Second)
		first, second, third := <-passed, <-passed, <-passed
		if first < 30*time.Second || first > 31*time.Second {
			t.Errorf("the first passed after %v, want 30s and up to 1s of jitter", first)
		}
		if gap := (second - first).Round(time.Millisecond); gap != 2*time.Second {
			t.Errorf("the second passed %v later, want 2s", gap)
		}
		if gap := (third - second).Round(time.Millisecond); gap != 2*time.Second {
			t.Errorf("the third passed %v later, want 2s", gap)
		}
	})
}

func TestBucketCountsOneThrottlingPerWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(10, time.Now)
		var windows []int
		for range 5 { // five calls under way at once
			window, err := b.enter(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			windows = append(windows, window)
		}
		for _, window := range windows {
			b.throttled(window, time.Second)
		}
		if _, err := b.enter(t.Context()); err != nil {
			t.Errorf("got %v, want a bucket that goes on: all five were of one window", err)
		}
		if got := float64(b.pace.Limit()); got != 5 {
			t.Errorf("pace is %v per second, want it halved once to 5", got)
		}
	})
}

func TestBucketIsGivenUpAfterThreeThrottledWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(10, time.Now)
		throttle := func() {
			t.Helper()
			window, err := b.enter(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			b.throttled(window, time.Second)
		}
		throttle()
		throttle()
		late, err := b.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.passed(late)
		throttle()
		throttle() // two in a row again, since a call passed
		failed := make(chan error, 1)
		window, err := b.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := b.enter(t.Context())
			failed <- err
		}()
		synctest.Wait()
		begin := time.Now()
		b.throttled(window, time.Second)
		if err := <-failed; !errors.Is(err, errGivenUp) || time.Since(begin) != 0 {
			t.Errorf("a waiting caller got %v after %v, want it to fail at once", err, time.Since(begin))
		}
		time.Sleep(rest - 1)
		if _, err := b.enter(t.Context()); !errors.Is(err, errGivenUp) {
			t.Errorf("got %v, want %v", err, errGivenUp)
		}
	})
}

func TestBucketThatWasGivenUpIsTriedAgainAfterARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(10, time.Now)
		giveUp := func(after int) {
			t.Helper()
			for range after {
				window, err := b.enter(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				b.throttled(window, time.Second)
			}
			if _, err := b.enter(t.Context()); !errors.Is(err, errGivenUp) {
				t.Fatalf("got %v, want %v", err, errGivenUp)
			}
			time.Sleep(rest)
		}
		giveUp(maxStrikes)
		giveUp(1) // the one call more was throttled too
		window, err := b.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.passed(window)
		giveUp(maxStrikes)
	})
}

func TestBucketIgnoresLateSuccessesOfAnEarlierWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(10, time.Now)
		first, err := b.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for window := first; window < first+maxStrikes; window++ {
			b.throttled(window, time.Second)
			b.passed(first)
		}
		if _, err := b.enter(t.Context()); !errors.Is(err, errGivenUp) {
			t.Errorf("got %v, want %v", err, errGivenUp)
		}
	})
}

func TestBucketWinsItsPaceBackSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(10, time.Now)
		b.throttled(0, time.Second)
		for range 100 {
			b.passed(1)
		}
		if got := float64(b.pace.Limit()); got < 5.9 || got > 6.1 {
			t.Errorf("after 100 calls the pace is %v, want 6", got)
		}
		for range 1000 {
			b.passed(1)
		}
		if got := float64(b.pace.Limit()); got != 10 {
			t.Errorf("after 1,100 calls the pace is %v, want the quota and no more", got)
		}
	})
}

func TestBucketEndsWaitsWithTheContext(t *testing.T) {
	tests := map[string]func(b *bucket){
		"while waiting for its turn": func(b *bucket) { _, _ = b.enter(context.Background()) },
		"while the bucket is held":   func(b *bucket) { b.throttled(0, time.Minute) },
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBucket(0.01, time.Now)
				prepare(b)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				begin := time.Now()
				_, err := b.enter(ctx)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
					t.Errorf("got %v after %v, want the deadline after 1s", err, time.Since(begin))
				}
			})
		})
	}
}

func TestBucketRefusesAnEndedContextEvenIfItsTurnHasCome(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newBucket(10, time.Now).enter(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestBucketNeverHoldsForLongerThanTwoMinutes(t *testing.T) {
	b := newBucket(10, time.Now)
	if got := b.hold(time.Hour); got > maxHold+holdJitter {
		t.Errorf("got %v, want at most %v", got, maxHold+holdJitter)
	}
}
