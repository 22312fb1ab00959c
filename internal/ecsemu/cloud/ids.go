package cloud

import (
	"fmt"
	"sync"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/draw"
)

// identifiers hands out IDs, to any number of goroutines.
type identifiers struct {
	mu        sync.Mutex
	resources draw.Stream
	requests  draw.Stream
}

func newIdentifiers(seed uint64) *identifiers {
	// Two streams, so that how often a client asks does not change the IDs of what it creates.
	return &identifiers{resources: draw.From(seed), requests: draw.From(^seed)}
}

func (i *identifiers) resource(prefix string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.resources.ResourceID(prefix)
}

func (i *identifiers) rule() string { return i.resource("sgr") }

// request gives a request ID: a version 4 UUID in upper case.
func (i *identifiers) request() string {
	i.mu.Lock()
	high, low := i.requests.Next(), i.requests.Next()
	i.mu.Unlock()
	return fmt.Sprintf("%08X-%04X-4%03X-%04X-%012X",
		high>>32, high>>16&0xffff, high&0xfff, 0x8000|low>>48&0x3fff, low&0xffffffffffff)
}
