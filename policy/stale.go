package policy

import (
	"fmt"
	"math/bits"
	"time"
)

// Size is how large a set was when its contents were last used.
type Size struct {
	Elements  int
	Addresses [2]float64 // by family, IPv4 first
}

// Size is how large the set is.
func (s *Source) Size() Size { return Size{Elements: s.Elements, Addresses: s.Addresses} }

// Change says how a set has grown or shrunk by more than half since it was last used, in its elements or in the addresses
// of either family; empty if it has not. A feed that was cut, or that somebody has taken over, mostly shows so.
func (s Size) Change(now Size) string {
	for _, c := range []struct {
		what     string
		was, now float64
	}{
		{"elements", float64(s.Elements), float64(now.Elements)},
		{"IPv4 addresses", s.Addresses[ipv4], now.Addresses[ipv4]},
		{"IPv6 addresses", s.Addresses[ipv6], now.Addresses[ipv6]},
	} {
		verb := "grown"
		if c.now < c.was {
			verb = "shrunk"
		}
		if c.now > 1.5*c.was || c.now < 0.5*c.was {
			return fmt.Sprintf("it has %s from %.6g to %.6g %s since it was last used", verb, c.was, c.now, c.what)
		}
	}
	return ""
}

// countAddresses counts the addresses that are in at least one element, by family.
func countAddresses(elements []element) (counts [2]float64) {
	var spans [families][]span
	for _, e := range elements {
		spans[e.family] = append(spans[e.family], e.span)
	}
	for f := range families {
		for _, span := range merge(spans[f]) {
			counts[f] += span.count()
		}
	}
	return counts
}

// count is how many addresses a span has, as exactly as a float64 can say.
func (s span) count() float64 {
	const word = 1 << 64
	low, borrow := bits.Sub64(s.high.lo, s.low.lo, 0)
	high, _ := bits.Sub64(s.high.hi, s.low.hi, borrow)
	return float64(high)*word + float64(low) + 1
}

// staleSources gives why each source is not trusted at a moment. Nil if all are, which is the common case.
func (s *Set) staleSources(now time.Time) map[*Source]string {
	var stale map[*Source]string
	for _, source := range s.sources {
		if why := s.Stale(source, now); why != "" {
			if stale == nil {
				stale = map[*Source]string{}
			}
			stale[source] = why
		}
	}
	return stale
}

// noteStale notes the first by name of the sources that are not trusted.
func (e *Evaluator) noteStale(v *Violation, sources []*Source) {
	if e.stale == nil {
		return
	}
	for _, source := range sources {
		why := e.stale[source]
		if why == "" {
			continue
		}
		if text := source.String() + ": " + why; v.Stale == "" || text < v.Stale {
			v.Stale = text
		}
	}
}
