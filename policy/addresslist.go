package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"
)

// addressList is what a relation compares with: the elements after its sets are filled in, per family.
type addressList struct {
	index    int                 // its number in the set's table
	text     string              // as written, for people; cut when long
	elements [families][]span    // sorted by low, then high
	least    [families][]address // least high of the elements from here on, to find one inside a range
	merged   [families][]span    // their union; dropped once the table is built
	content  [sha256.Size]byte   // identity of the contents
	unread   bool                // the contents of one of its sets are not known: neither is what any relation says
}

func newAddressList(text string, elements []element) *addressList {
	l := &addressList{text: text}
	for _, e := range elements {
		l.elements[e.family] = append(l.elements[e.family], e.span)
	}
	hash := sha256.New()
	var buf []byte
	for f := range l.elements {
		spans := l.elements[f]
		slices.SortFunc(spans, func(a, b span) int {
			return cmp.Or(a.low.compare(b.low), a.high.compare(b.high))
		})
		spans = slices.Compact(spans)
		l.elements[f] = spans
		l.merged[f] = merge(spans)
		buf = binary.BigEndian.AppendUint64(buf[:0], uint64(len(spans)))
		for _, s := range spans {
			for _, word := range [...]uint64{s.low.hi, s.low.lo, s.high.hi, s.high.lo} {
				buf = binary.BigEndian.AppendUint64(buf, word)
			}
		}
		hash.Write(buf)
	}
	hash.Sum(l.content[:0])
	return l
}

// setUnread marks the list as one that is not known whole. It is another list then than that of its known elements.
func (l *addressList) setUnread() {
	l.unread = true
	l.content = sha256.Sum256(append([]byte("unread "), l.content[:]...))
}

// prepareElements gets the list ready for holdsWithin. Only the relations that look at single elements need it.
func (l *addressList) prepareElements() {
	for f, spans := range l.elements {
		if l.least[f] != nil {
			continue
		}
		least := make([]address, len(spans))
		for i := len(spans) - 1; i >= 0; i-- {
			least[i] = spans[i].high
			if i+1 < len(spans) && least[i+1].less(least[i]) {
				least[i] = least[i+1]
			}
		}
		l.least[f] = least
	}
}

// holdsWithin tells whether at least one element lies within s.
func (l *addressList) holdsWithin(f family, s span) bool {
	spans := l.elements[f]
	i := sort.Search(len(spans), func(i int) bool { return !spans[i].low.less(s.low) })
	return i < len(spans) && !s.high.less(l.least[f][i])
}

// holds tells whether one element is exactly s.
func (l *addressList) holds(f family, s span) bool {
	_, found := slices.BinarySearchFunc(l.elements[f], s, func(a, b span) int {
		return cmp.Or(a.low.compare(b.low), a.high.compare(b.high))
	})
	return found
}

// speaksOf tells whether the list has any element of the family. Of another family it says nothing.
func (l *addressList) speaksOf(f family) bool { return len(l.elements[f]) > 0 }
