package estates

import "github.com/egress-janitor/egress-janitor/internal/ecsemu/draw"

// spread says how many rules each group has.
type spread struct {
	even bool
	left []int // Percents that are still to be dealt out.
}

// percents are how many rules twenty groups have, in percent of the average: the quantiles of a log-normal distribution
// with a sigma of 1. They are numbers, and not computed, as the last bits of logarithms differ between machines.
func percents() []int {
	return []int{9, 14, 19, 24, 29, 33, 39, 44, 50, 57, 65, 73, 83, 96, 110, 129, 155, 192, 256, 523}
}

// roomForRules is how many egress rules a group gets at most by the spread: the thousand of the API, less some for what
// lists count for more, and for inbound rules.
const roomForRules = 900

// rules gives the number of rules of the next group. Of any twenty groups in a row, from the first, the average is as asked
// for, but for rounding.
func (s *spread) rules(stream *draw.Stream, average int) int {
	if s.even {
		return average
	}
	if len(s.left) == 0 {
		s.left = percents()
		for i := len(s.left) - 1; i > 0; i-- {
			j := stream.Below(i + 1)
			s.left[i], s.left[j] = s.left[j], s.left[i]
		}
	}
	percent := s.left[0]
	s.left = s.left[1:]
	// The greatest is 423 above the average: where the room is less, all come nearer to the average alike.
	const most = 423
	away := (percent - 100) * average
	if room := (roomForRules - average) * 100; room < most*average {
		away = away * max(0, room) / (most * average)
	}
	return (average*100 + away + 50) / 100
}
