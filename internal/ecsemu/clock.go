package ecsemu

import (
	"sync/atomic"
	"time"
)

// ahead gives a clock that is another one moved by an offset.
func ahead(clock func() time.Time, offset *atomic.Int64) func() time.Time {
	return func() time.Time { return clock().Add(time.Duration(offset.Load())) }
}

// SetClockOffset moves the server's clock: it is that of [Options] plus the offset, which may be negative. Windows of
// quotas, sessions, tokens and what lags behind go by it, so that nobody has to wait for them to end.
func (s *Server) SetClockOffset(offset time.Duration) { s.offset.Store(int64(offset)) }
