package metrics

import (
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Bounds on what comes from outside. A name that has its series keeps them as long as the process lives: a counter that
// moved into [Rest] and back would look like a restart each time.
const (
	maxPolicies = 200 // names of policies
	maxSeries   = 500 // series of a family with a label account, those with [Rest] not counted
)

// bound admits the first names up to a number, and remembers which.
type bound struct {
	max      int
	admitted map[string]bool
}

func newBound(limit int) *bound { return &bound{max: limit, admitted: map[string]bool{}} }

func (b *bound) admit(names ...string) bool {
	key := joined(names)
	if !b.admitted[key] && len(b.admitted) < b.max {
		b.admitted[key] = true
	}
	return b.admitted[key]
}

// room tells whether all of these would be admitted, without admitting them.
func (b *bound) room(keys map[string][]string) bool {
	missing := 0
	for key := range keys {
		if !b.admitted[key] {
			missing++
		}
	}
	return len(b.admitted)+missing <= b.max
}

func joined(labels []string) string { return strings.Join(labels, "\xff") }

// family is the series of one metric while they are collected.
type family struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	labels map[string][]string
	values map[string]float64
}

func newFamily(desc *prometheus.Desc, kind prometheus.ValueType) *family {
	return &family{desc: desc, kind: kind, labels: map[string][]string{}, values: map[string]float64{}}
}

// add adds to a series, since several may come together in [Rest].
func (f *family) add(value float64, labels ...string) {
	key := joined(labels)
	f.labels[key] = labels
	f.values[key] += value
}

// least sets a series to the least of what it is given: of times that come together, the oldest is what alerts are about.
func (f *family) least(value float64, labels ...string) {
	key := joined(labels)
	if before, ok := f.values[key]; ok {
		value = min(value, before)
	}
	f.labels[key] = labels
	f.values[key] = value
}

func (f *family) send(out chan<- prometheus.Metric) {
	for _, key := range slices.Sorted(maps.Keys(f.values)) {
		out <- prometheus.MustNewConstMetric(f.desc, f.kind, f.values[key], f.labels[key]...)
	}
}

// sorted is a sorted copy without doublets, made fit to be labels.
func sorted(names []string) []string {
	clean := make([]string, 0, len(names))
	for _, name := range names {
		clean = append(clean, label(name))
	}
	slices.Sort(clean)
	return slices.Compact(clean)
}

// label makes a text from outside fit to be the value of a label.
func label(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
