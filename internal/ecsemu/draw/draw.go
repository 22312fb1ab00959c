// Package draw gives what looks like chance and follows from a seed: draws for faults, estates and identifiers.
package draw

// Stream is the SplitMix64 generator, begun at a seed: the same on every machine and in every Go version, as estates and
// identifiers must be reproducible from their seed. It is not for secrets.
type Stream struct{ state uint64 }

// From begins a stream at a seed.
func From(seed uint64) Stream { return Stream{state: seed} }

// Next gives 64 bits.
func (s *Stream) Next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Below gives a number from 0 to n-1. Its bias is of no matter for the small n it is used with.
func (s *Stream) Below(n int) int { return int(s.Next() % uint64(n)) } //nolint:gosec // G115: n is small and positive.

// Chance gives a number from 0 up to, but without, 1.
func (s *Stream) Chance() float64 { return float64(s.Next()>>11) / (1 << 53) }

// Token gives n characters of a-z and 0-9.
func (s *Stream) Token(n int) string {
	const digits, perDraw = "abcdefghijklmnopqrstuvwxyz0123456789", 12
	text := make([]byte, n)
	var draw uint64
	for i := range text {
		if i%perDraw == 0 {
			draw = s.Next()
		}
		text[i] = digits[draw%uint64(len(digits))]
		draw /= uint64(len(digits))
	}
	return string(text)
}

// ResourceID gives an ID as the cloud makes them: the prefix, three characters for the region, 17 for the resource.
func (s *Stream) ResourceID(prefix string) string { return prefix + "-bp1" + s.Token(17) }
