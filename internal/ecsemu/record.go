package ecsemu

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
)

// rememberedRequests is how many requests are kept, and rememberedBytes how much memory those may take, roughly; older
// ones are forgotten.
const (
	rememberedRequests = 100_000
	rememberedBytes    = 256 << 20
)

// Request is one request the server was sent, and how it was answered.
type Request struct {
	Index       int               `json:"index"` // Counted from 0, since the server began.
	Time        time.Time         `json:"time"`  // When it was decided on, by the server's clock, in UTC.
	Action      string            `json:"action"`
	Parameters  map[string]string `json:"parameters"` // Decoded, the common ones included, without what is secret.
	AccessKeyID string            `json:"accessKeyId"`
	Status      int               `json:"status"` // 0 if the connection was closed instead of an answer.
	Code        string            `json:"code"`   // Empty if the call succeeded.
	Effect      bool              `json:"effect"` // The call changed something, whether or not an answer said so.
	Scheme      string            `json:"scheme"` // How it was signed: rpc or acs3.
	Format      string            `json:"format"` // Of the answer: JSON or XML.
	TLS         bool              `json:"tls"`
	Source      string            `json:"source"` // The address it came from.
}

// size is roughly what a request takes in memory.
func (r *Request) size() int {
	const overhead, perParameter = 300, 50
	n := overhead + len(r.Action) + len(r.AccessKeyID) + len(r.Code)
	for name, value := range r.Parameters {
		n += perParameter + len(name) + len(value)
	}
	return n
}

// record keeps the last requests.
type record struct {
	mu    sync.Mutex
	limit int
	bytes int
	ring  []Request // The oldest first, from the one at begin.
	begin int
	held  int // Bytes.
	count int // How many there ever were.
}

func (r *record) add(request Request) {
	for name := range request.Parameters {
		if isSecret(name) {
			delete(request.Parameters, name)
		}
	}
	size := request.size()
	r.mu.Lock()
	defer r.mu.Unlock()
	request.Index = r.count
	r.count++
	r.ring = append(r.ring, request)
	r.held += size
	for len(r.ring)-r.begin > r.limit || r.held > r.bytes && len(r.ring)-r.begin > 1 {
		r.held -= r.ring[r.begin].size()
		r.ring[r.begin] = Request{}
		r.begin++
	}
	if r.begin > len(r.ring)/2 {
		// What was forgotten is given up, in one go for many.
		r.ring = append([]Request(nil), r.ring[r.begin:]...)
		r.begin = 0
	}
}

// isSecret tells whether a parameter must not be on record: what proves who a client is.
func isSecret(name string) bool {
	for _, secret := range []string{"Signature", "SecurityToken", "Authorization", "AccessKeySecret"} {
		if strings.EqualFold(name, secret) {
			return true
		}
	}
	return false
}

// picked gives requests from an index on, of one action unless that is empty, and not more than the limit unless that
// is 0.
func (r *record) picked(since int, action string, limit int) []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := []Request{}
	for _, request := range r.ring[r.begin:] {
		if request.Index < since || action != "" && request.Action != action {
			continue
		}
		if limit > 0 && len(list) == limit {
			break
		}
		request.Parameters = maps.Clone(request.Parameters)
		list = append(list, request)
	}
	return list
}

// clear forgets all requests. Indexes go on.
func (r *record) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring, r.begin, r.held = nil, 0, 0
}

// Requests gives what the server was asked, in the order it was decided on: the last 100,000 requests, or fewer if they
// are large, refused ones included. A request is there before its answer arrives.
func (s *Server) Requests() []Request { return s.record.picked(0, "", 0) }

func schemeName(h http.Header) string {
	if acs.SchemeOf(h) == acs.ACS3 {
		return "acs3"
	}
	return "rpc"
}
