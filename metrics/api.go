package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Actions gives the API actions that are told apart in labels, [Other] aside.
func Actions() []string {
	return []string{
		"AuthorizeSecurityGroupEgress",
		"DescribeNetworkInterfaces",
		"DescribePortRangeListEntries",
		"DescribePrefixListAttributes",
		"DescribeRegions",
		"DescribeSecurityGroupAttribute",
		"DescribeSecurityGroups",
		"GetCallerIdentity",
		"RevokeSecurityGroupEgress",
	}
}

// Classes gives the classes of answers that are told apart in labels, [Other] aside.
func Classes() []string {
	return []string{
		"ok", "gone", "group-gone", "peer-gone", "protected", "throttled", "denied", "invalid", "idempotency",
		"in-progress", "transient", "cancelled", "unsent",
	}
}

// api counts requests to the cloud.
type api struct {
	calls    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	wait     *prometheus.CounterVec
}

func newAPI() api {
	a := api{
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
	}
	for _, action := range append(Actions(), Other) {
		for _, class := range append(Classes(), Other) {
			a.calls.WithLabelValues(action, class)
		}
		a.duration.WithLabelValues(action)
		a.wait.WithLabelValues(action)
	}
	return a
}

// Call counts one attempt to call the cloud: how it ended, and how long it took.
func (m *Metrics) Call(action, class string, d time.Duration) {
	action = known(Actions(), action)
	m.api.calls.WithLabelValues(action, known(Classes(), class)).Inc()
	m.api.duration.WithLabelValues(action).Observe(d.Seconds())
}

// Wait adds the time that one attempt waited for its turn. Nothing is added for a negative one.
func (m *Metrics) Wait(action string, d time.Duration) {
	m.api.wait.WithLabelValues(known(Actions(), action)).Add(max(0, d).Seconds())
}
