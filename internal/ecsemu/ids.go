package ecsemu

import (
	"fmt"
	"sync"
)

// splitmix is the SplitMix64 generator: a seeded stream that is the same on every machine and in every Go version,
// as estates and identifiers must be reproducible from their seed. It is not for secrets.
type splitmix struct{ state uint64 }

func (s *splitmix) next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below gives a number from 0 to n-1. Its bias is of no matter for the small n it is used with.
func (s *splitmix) below(n int) int { return int(s.next() % uint64(n)) } //nolint:gosec // G115: n is small and positive.

// chance gives a number from 0 up to, but without, 1.
func (s *splitmix) chance() float64 { return float64(s.next()>>11) / (1 << 53) }

// token gives n characters of a-z and 0-9.
func (s *splitmix) token(n int) string {
	const digits, perDraw = "abcdefghijklmnopqrstuvwxyz0123456789", 12
	text := make([]byte, n)
	var draw uint64
	for i := range text {
		if i%perDraw == 0 {
			draw = s.next()
		}
		text[i] = digits[draw%uint64(len(digits))]
		draw /= uint64(len(digits))
	}
	return string(text)
}

// resourceID gives an ID as the cloud makes them: the prefix, three characters for the region, 17 for the resource.
func (s *splitmix) resourceID(prefix string) string { return prefix + "-bp1" + s.token(17) }

// identifiers hands out IDs, to any number of goroutines.
type identifiers struct {
	mu        sync.Mutex
	resources splitmix
	requests  splitmix
}

func newIdentifiers(seed uint64) *identifiers {
	// Two streams, so that how often a client asks does not change the IDs of what it creates.
	return &identifiers{resources: splitmix{state: seed}, requests: splitmix{state: ^seed}}
}

func (i *identifiers) resource(prefix string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.resources.resourceID(prefix)
}

func (i *identifiers) rule() string { return i.resource("sgr") }

// request gives a request ID: a version 4 UUID in upper case.
func (i *identifiers) request() string {
	i.mu.Lock()
	high, low := i.requests.next(), i.requests.next()
	i.mu.Unlock()
	return fmt.Sprintf("%08X-%04X-4%03X-%04X-%012X",
		high>>32, high>>16&0xffff, high&0xfff, 0x8000|low>>48&0x3fff, low&0xffffffffffff)
}
