package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// numbers is a range of ports or priorities, both ends included.
type numbers struct{ low, high int }

func (n numbers) within(o numbers) bool { return o.low <= n.low && n.high <= o.high }

func (n numbers) String() string {
	if n.low == n.high {
		return strconv.Itoa(n.low)
	}
	return fmt.Sprintf("%d-%d", n.low, n.high)
}

// numbersText names the first ranges of a set, as policies write them.
func numbersText(set []numbers) string {
	texts := make([]string, len(set))
	for i, n := range set {
		texts[i] = n.String()
	}
	return shortList(texts)
}

// mergeNumbers sorts ranges and joins those that overlap or touch, in place.
func mergeNumbers(ranges []numbers) []numbers {
	slices.SortFunc(ranges, compareNumbers)
	merged := ranges[:0]
	for _, n := range ranges {
		if last := len(merged) - 1; last >= 0 && n.low <= merged[last].high+1 {
			merged[last].high = max(merged[last].high, n.high)
			continue
		}
		merged = append(merged, n)
	}
	return merged
}

func compareNumbers(a, b numbers) int {
	return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high))
}

// numberList is what a relation on ports or priorities compares with.
type numberList struct {
	text     string    // as written, for people; cut when long
	elements []numbers // sorted
	merged   []numbers // their union
}

func newNumberList(text string, elements []numbers) *numberList {
	slices.SortFunc(elements, compareNumbers)
	elements = slices.Compact(elements)
	return &numberList{text: text, elements: elements, merged: mergeNumbers(slices.Clone(elements))}
}

// compare judges a relation about a rule's value, which is merged and not empty.
func (l *numberList) compare(r relation, set []numbers) bool {
	switch r {
	case overlaps:
		return l.meets(set)
	case within:
		return l.holds(set)
	case outside:
		return !l.holds(set)
	case covers:
		return slices.ContainsFunc(l.elements, func(e numbers) bool {
			return slices.ContainsFunc(set, e.within)
		})
	case equals:
		return len(set) == 1 && slices.Contains(l.elements, set[0])
	}
	return false
}

func (l *numberList) meets(set []numbers) bool {
	for _, n := range set {
		for i := range l.merged {
			if l.merged[i].low <= n.high && n.low <= l.merged[i].high {
				return true
			}
		}
	}
	return false
}

// holds tells whether the whole set is in the list. Since the list is merged, no range of the set can be in two of its.
func (l *numberList) holds(set []numbers) bool {
	for _, n := range set {
		if !slices.ContainsFunc(l.merged, n.within) {
			return false
		}
	}
	return true
}

func (l *numberList) canonical() string {
	names := make([]string, len(l.elements))
	for i, e := range l.elements {
		names[i] = e.String()
	}
	return sortedList(names)
}

// numberKind says what an element of a list of numbers may be.
type numberKind struct {
	what    string
	example string
	most    int
}

// parseNumbers reads a number or a range a-b, from 1 on.
func parseNumbers(text string, form numberKind) (numbers, error) {
	low, high, isRange := strings.Cut(text, "-")
	if !isRange {
		high = low
	}
	from, errLow := strconv.ParseUint(low, 10, 16)
	to, errHigh := strconv.ParseUint(high, 10, 16)
	n := numbers{low: int(from), high: int(to)}
	switch {
	case errLow != nil || errHigh != nil || low[0] == '0' || high[0] == '0' || max(n.low, n.high) > form.most:
		// A leading zero is octal to some, and 0 itself is none.
		return numbers{}, fmt.Errorf("%q is no %s: write %s, from 1 to %d", text, form.what, form.example, form.most)
	case n.low > n.high:
		return numbers{}, fmt.Errorf("the %s range %q ends before it begins", form.what, text)
	}
	return n, nil
}
