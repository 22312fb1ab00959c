// Package metrics holds every metric of the daemon.
//
// [New] registers all of them with a registry of the caller's; there is no default one. Other packages declare the
// small observers that they need, and [Metrics] has the methods for them, so that nobody but this package knows names
// and labels:
//
//	registry := prometheus.NewRegistry()
//	m := metrics.New(registry, metrics.Build{Version: "1.2.3", Revision: "0a1b2c3", GoVersion: runtime.Version()})
//	m.Call("DescribeSecurityGroups", "ok", latency)
//
// Labels only take values from the closed lists [Actions] and [Classes]; anything else is counted as [Other], so that
// no fault of the cloud can grow the number of series. All series are there from the start with 0, since a rate over a
// counter that appears with its first event does not see that event.
package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const namespace = "egress_janitor"

// Other is the label value for everything outside of the closed lists.
const Other = "other"

// Actions gives the API actions that are told apart in labels, [Other] aside.
func Actions() []string {
	return []string{
		"DescribePrefixListAttributes",
		"DescribeRegions",
		"DescribeSecurityGroupAttribute",
		"DescribeSecurityGroups",
		"GetCallerIdentity",
	}
}

// Classes gives the classes of answers that are told apart in labels, [Other] aside.
func Classes() []string {
	return []string{
		"ok", "gone", "group-gone", "peer-gone", "protected", "throttled", "denied", "invalid", "idempotency",
		"in-progress", "transient", "cancelled",
	}
}

// Build is what the running binary was made from.
type Build struct {
	Version   string
	Revision  string
	GoVersion string
}

// Metrics counts what the daemon does. Its methods are safe for concurrent use.
type Metrics struct {
	calls    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	wait     *prometheus.CounterVec
	actions  []string
	classes  []string
}

// New registers all metrics with a registry. As with the library's MustRegister, it panics if that already has metrics
// of these names: wiring two of them together is a mistake in the program.
func New(reg prometheus.Registerer, build Build) *Metrics {
	m := &Metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: "api", Name: "calls_total",
			Help: "Requests sent to the cloud, by action and by how each attempt ended.",
		}, []string{"action", "class"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: "api", Name: "call_duration_seconds",
			Help: "How long the cloud took to answer one attempt, waiting for the quota not included.",
			// Classic buckets serve every server and dashboard. The native ones cost nothing until a server asks.
			Buckets:                         []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"action"}),
		wait: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: "api", Name: "limiter_wait_seconds_total",
			Help: "Time that requests waited for their turn within the configured quota.",
		}, []string{"action"}),
		actions: append(Actions(), Other),
		classes: append(Classes(), Other),
	}
	reg.MustRegister(newBuildInfo(build), m.calls, m.duration, m.wait)
	m.startAtZero()
	return m
}

func newBuildInfo(build Build) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info",
		Help: "What the running binary was made from; always 1.",
		ConstLabels: prometheus.Labels{
			"version": build.Version, "revision": build.Revision, "goversion": build.GoVersion,
		},
	})
	info.Set(1)
	return info
}

func (m *Metrics) startAtZero() {
	for _, action := range m.actions {
		for _, class := range m.classes {
			m.calls.WithLabelValues(action, class)
		}
		m.duration.WithLabelValues(action)
		m.wait.WithLabelValues(action)
	}
}

// Call counts one attempt to call the cloud: how it ended, and how long it took.
func (m *Metrics) Call(action, class string, d time.Duration) {
	action = known(m.actions, action)
	m.calls.WithLabelValues(action, known(m.classes, class)).Inc()
	m.duration.WithLabelValues(action).Observe(d.Seconds())
}

// Wait adds the time that one attempt waited for its turn. Nothing is added for a negative one.
func (m *Metrics) Wait(action string, d time.Duration) {
	m.wait.WithLabelValues(known(m.actions, action)).Add(max(0, d).Seconds())
}

func known(list []string, value string) string {
	if slices.Contains(list, value) {
		return value
	}
	return Other
}
