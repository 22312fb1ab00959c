package policy

import "slices"

// missing names the numbers of a merged set that the list does not hold.
func (l *numberList) missing(set []numbers) []string {
	var texts []string
	for _, n := range set {
		for _, m := range l.merged {
			if m.high < n.low || m.low > n.high {
				continue
			}
			if n.low < m.low {
				texts = append(texts, numbers{low: n.low, high: m.low - 1}.String())
			}
			n.low = m.high + 1
		}
		if n.low <= n.high {
			texts = append(texts, n.String())
		}
	}
	return texts
}

// meeting names the elements of the list that count for a range of the set.
func (l *numberList) meeting(set []numbers, counts func(element, of numbers) bool) []string {
	var texts []string
	for _, e := range l.elements {
		if slices.ContainsFunc(set, func(n numbers) bool { return counts(e, n) }) {
			texts = append(texts, e.String())
		}
	}
	return texts
}

// why says what decided a relation of numbers that is true or false.
func (l *numberList) why(r relation, set []numbers, v value) string {
	return decided(r, v, evidence{
		meets: func() []string {
			return l.meeting(set, func(e, of numbers) bool { return e.low <= of.high && of.low <= e.high })
		},
		holds:   func() []string { return l.meeting(set, numbers.within) },
		missing: func() []string { return l.missing(set) },
	})
}
