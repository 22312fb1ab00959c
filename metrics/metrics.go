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
// There are two kinds. What the process does is counted as it happens ([Metrics.Call], [Metrics.Sweep]) and starts at 0
// with it. What is in the store is taken from the latest [Snapshot]: such counters go on where they were when the
// process starts anew, and include what commands beside the daemon did. Until the first snapshot they are absent, since
// a 0 that is not true would later look as if everything ever done had been done at once.
//
// Labels take values from closed lists ([Actions], [Classes], [Outcomes] and so on); anything else is counted as
// [Other], so that no fault of the cloud can grow the number of series. Names of policies, accounts and regions come
// from the configuration and the cloud. They are bounded too, and what is over the bound is counted as [Rest]. No label
// ever has an ID, an address or a text of an error. Series of closed lists are there from the start with 0, since a
// rate over a counter that appears with its first event does not see that event.
package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

const namespace = "egress_janitor"

// Other is the label value for everything outside of the closed lists.
const Other = "other"

// Rest is the label value for policies, accounts and regions beyond the bounds. No policy can have this name.
const Rest = "_other"

// Build is what the running binary was made from.
type Build struct {
	Version   string
	Revision  string
	GoVersion string
}

// Metrics counts what the daemon does. Its methods are safe for concurrent use.
type Metrics struct {
	api    api
	daemon daemon
	state  *state
}

// New registers all metrics with a registry. As with the library's MustRegister, it panics if that already has metrics
// of these names: wiring two of them together is a mistake in the program.
func New(reg prometheus.Registerer, build Build) *Metrics {
	m := &Metrics{api: newAPI(), daemon: newDaemon(), state: newState()}
	reg.MustRegister(newBuildInfo(build), m.api.calls, m.api.duration, m.api.wait, m.state)
	reg.MustRegister(m.daemon.collectors()...)
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

func known(list []string, value string) string {
	if slices.Contains(list, value) {
		return value
	}
	return Other
}
