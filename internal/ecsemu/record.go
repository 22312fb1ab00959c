package ecsemu

import (
	"maps"
	"sync"
	"time"
)

// rememberedRequests is how many requests are kept; older ones are forgotten.
const rememberedRequests = 100_000

// Request is one request the server was sent, and how it was answered.
type Request struct {
	Time        time.Time         `json:"time"` // When it was decided on, by the server's clock, in UTC.
	Action      string            `json:"action"`
	Parameters  map[string]string `json:"parameters"` // Decoded, the common ones included, without Signature.
	AccessKeyID string            `json:"accessKeyId"`
	Status      int               `json:"status"` // 0 if the connection was closed instead of an answer.
	Code        string            `json:"code"`   // Empty if the call succeeded.
	Effect      bool              `json:"effect"` // The call changed something, whether or not an answer said so.
}

// record keeps the last requests.
type record struct {
	mu    sync.Mutex
	limit int
	ring  []Request
	next  int // The oldest, once the ring is full.
}

func (r *record) add(request Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) < r.limit {
		r.ring = append(r.ring, request)
		return
	}
	r.ring[r.next] = request
	r.next = (r.next + 1) % r.limit
}

func (r *record) all() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Request, 0, len(r.ring))
	list = append(append(list, r.ring[r.next:]...), r.ring[:r.next]...)
	for i := range list {
		list[i].Parameters = maps.Clone(list[i].Parameters)
	}
	return list
}

// Requests gives what the server was asked, in the order it was decided on: the last 100,000 requests, refused ones
// included. A request is there before its answer arrives.
func (s *Server) Requests() []Request { return s.record.all() }
