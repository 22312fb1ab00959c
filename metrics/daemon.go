package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// SweepOutcomes gives how a sweep can end, for labels: everything was read; something was not; nothing was recorded;
// the account was busy and the sweep was left out.
func SweepOutcomes() []string { return []string{"complete", "incomplete", "failed", "skipped_overlap"} }

// Modes gives the modes of the configuration.
func Modes() []string { return []string{"audit", "manual", "enforce"} }

// LimitNames gives the limits on what may be removed, as the configuration spells them.
func LimitNames() []string {
	return []string{limitPerGroup, limitPerSweep, limitPercent, limitPerWindow}
}

const (
	limitPerGroup  = "per-group"
	limitPerSweep  = "per-sweep"
	limitPercent   = "percent"
	limitPerWindow = "per-window"
)

// daemon counts what the process does beside calling the cloud.
type daemon struct {
	sweeps        *prometheus.CounterVec
	duration      prometheus.Histogram
	reloads       *prometheus.CounterVec
	reloadOK      prometheus.Gauge
	reloadTime    prometheus.Gauge
	nextSweep     prometheus.Gauge
	sweepInterval prometheus.Gauge
	mode          *prometheus.GaugeVec
}

func newDaemon() daemon {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
	}
	d := daemon{
		sweeps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "sweeps_total",
			Help: "Sweeps of one account each that ended in this process, by outcome. skipped_overlap: the account was " +
				"still being worked on, so the sweep was left out.",
		}, []string{"outcome"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "sweep_duration_seconds",
			Help:                            "How long sweeps of one account took, those left out not included.",
			Buckets:                         []float64{1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: "config", Name: "reloads_total",
			Help: "Readings of configuration and policies in this process, the one at its start included, by outcome.",
		}, []string{"outcome"}),
		reloadOK: gauge("config_last_reload_successful",
			"1 if the latest reading of configuration and policies succeeded; else 0, and what was read before is in force."),
		reloadTime: gauge("config_last_reload_success_timestamp_seconds",
			"When configuration and policies were last read with success; 0 if never."),
		nextSweep: gauge("next_sweep_timestamp_seconds",
			"When the schedule is next due; 0 if there is no schedule."),
		sweepInterval: gauge("sweep_interval_seconds",
			"The longest time between two sweeps in a row of the schedule; 0 if there is no schedule."),
		mode: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "mode_info",
			Help: "1 for the mode of the configuration in force, 0 for the others.",
		}, []string{"mode"}),
	}
	for _, outcome := range append(SweepOutcomes(), Other) {
		d.sweeps.WithLabelValues(outcome)
	}
	for _, outcome := range []string{reloadOK, reloadFailed} {
		d.reloads.WithLabelValues(outcome)
	}
	for _, mode := range Modes() {
		d.mode.WithLabelValues(mode)
	}
	return d
}

const (
	reloadOK     = "ok"
	reloadFailed = "failed"
)

func (d *daemon) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		d.sweeps, d.duration, d.reloads, d.reloadOK, d.reloadTime, d.nextSweep, d.sweepInterval, d.mode,
	}
}

// Sweep counts a sweep of one account that ended with one of [SweepOutcomes], and how long it took. The duration of one
// that was left out does not count.
func (m *Metrics) Sweep(outcome string, took time.Duration) {
	m.daemon.sweeps.WithLabelValues(known(SweepOutcomes(), outcome)).Inc()
	if outcome != "skipped_overlap" {
		m.daemon.duration.Observe(max(0, took).Seconds())
	}
}

// Reloaded counts a reading of configuration and policies; the first one, at the start, too.
func (m *Metrics) Reloaded(ok bool, at time.Time) {
	if !ok {
		m.daemon.reloads.WithLabelValues(reloadFailed).Inc()
		m.daemon.reloadOK.Set(0)
		return
	}
	m.daemon.reloads.WithLabelValues(reloadOK).Inc()
	m.daemon.reloadOK.Set(1)
	m.daemon.reloadTime.Set(seconds(at))
}

// NextSweep says when the schedule is next due; the zero time if there is no schedule.
func (m *Metrics) NextSweep(at time.Time) { m.daemon.nextSweep.Set(seconds(at)) }

// SweepInterval says how far apart the sweeps of the schedule are at most: a schedule for working days has its weekends.
// An alert on sweeps that do not come goes by it. Zero if there is no schedule.
func (m *Metrics) SweepInterval(d time.Duration) { m.daemon.sweepInterval.Set(d.Seconds()) }

// Mode says which of [Modes] is in force.
func (m *Metrics) Mode(mode string) {
	for _, known := range Modes() {
		m.daemon.mode.WithLabelValues(known).Set(truth(known == mode))
	}
}

// seconds is a time as metrics have it; 0 for none.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / float64(time.Second)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
