package ecsemu

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// throttle counts calls per account, region and action, in windows that begin at multiples of their length. Once a
// window's quota is used up, calls are refused until the next one begins.
type throttle struct {
	quota  int // Calls per window; 0 is without limit.
	window time.Duration

	mu      sync.Mutex
	windows map[throttleKey]windowCount
}

type throttleKey struct{ account, region, action string }

type windowCount struct {
	began time.Time
	calls int
}

func newThrottle(perSecond float64, window time.Duration) *throttle {
	return &throttle{
		quota: int(math.Ceil(perSecond * window.Seconds())), window: window, windows: map[throttleKey]windowCount{},
	}
}

// take counts a call. It gives how long to wait and false if the call is one too many.
func (t *throttle) take(key throttleKey, now time.Time) (wait time.Duration, ok bool) {
	if t.quota == 0 {
		return 0, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	count := t.windows[key]
	if began := now.Truncate(t.window); !began.Equal(count.began) {
		count = windowCount{began: began}
	}
	if count.calls >= t.quota {
		return count.began.Add(t.window).Sub(now), false
	}
	count.calls++
	t.windows[key] = count
	return 0, true
}

// throttled is the reply to a call that is one too many.
func (s *Server) throttled(q *request, limit int, wait time.Duration) reply {
	r := s.failure(q, wire.Refuse(wire.CodeThrottlingUser))
	left := max(1, wait.Milliseconds())
	r.header["x-ratelimit-user-api"] = fmt.Sprintf("Limit:%d,Remain:0,TimeLeft:%d,Reset:%d", limit, left, left)
	return r
}
