// Package commits measures how the county's store takes what agents send: how long
// a commit lasts, what it stores, and how old a record is by then. The collector
// counts, and the desk's probe shows it.
package commits

import (
	"sync"
	"time"

	"gatehouse/gateway/probe"
)

// Upper bounds of the classes that are counted, in seconds.
var (
	tookBounds = []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	ageBounds  = []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400}
)

// Commits counts since the program's start. The zero value is ready; nil counts
// nothing. Its methods may be called from any goroutine.
type Commits struct {
	mu                sync.Mutex
	took, age         histogram
	records, failures uint64
}

// Done notes a commit that the store has taken: how long it took, and how many
// records it brought that were not stored before.
func (c *Commits) Done(took time.Duration, records int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took.add(tookBounds, took)
	c.records += uint64(max(0, records)) //nolint:gosec // not negative
}

// Failed notes a commit that the store has refused; it is tried again.
func (c *Commits) Failed() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures++
}

// Arrived notes how old the oldest record of a batch was when it was committed. By
// clocks that differ it may seem to be of the future: that counts as no age.
func (c *Commits) Arrived(age time.Duration) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.age.add(ageBounds, max(0, age))
}

// Metrics returns what was counted; nil has no metrics.
func (c *Commits) Metrics() []probe.Metric {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	total := func(name, help string, n uint64) probe.Metric {
		return probe.Metric{Name: name, Help: help, Counter: true, Value: map[string]float64{"": float64(n)}}
	}
	return []probe.Metric{
		{Name: "gatehouse_commit_duration_seconds", Help: "How long the store took for a commit.",
			Histogram: c.took.cumulative(tookBounds)},
		{Name: "gatehouse_record_age_seconds",
			Help:      "How old the oldest record of a batch was, by the gate's clock, when it was committed.",
			Histogram: c.age.cumulative(ageBounds)},
		total("gatehouse_committed_records_total", "Records that were stored.", c.records),
		total("gatehouse_commit_failures_total", "Commits that the store refused; they are tried again.", c.failures),
	}
}

// histogram counts durations by class. The last class has no bound.
type histogram struct {
	classes []uint64
	count   uint64
	sum     float64 // seconds
}

func (h *histogram) add(bounds []float64, d time.Duration) {
	if h.classes == nil {
		h.classes = make([]uint64, len(bounds)+1)
	}
	s, i := d.Seconds(), 0
	for i < len(bounds) && s > bounds[i] {
		i++
	}
	h.classes[i]++
	h.count++
	h.sum += s
}

// cumulative returns the histogram as Prometheus counts: up to each bound.
func (h *histogram) cumulative(bounds []float64) *probe.Histogram {
	out := &probe.Histogram{Count: h.count, Sum: h.sum, UpTo: map[float64]uint64{}}
	n := uint64(0)
	for i, bound := range bounds {
		if h.classes != nil {
			n += h.classes[i]
		}
		out.UpTo[bound] = n
	}
	return out
}
