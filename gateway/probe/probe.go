// Package probe answers the questions of machines: is it alive (/healthz), does
// it do its work (/readyz, with reasons), and how much of it (/metrics, for
// Prometheus).
package probe

import (
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Ready is the answer of /readyz.
type Ready struct {
	Ready    bool     `json:"ready"`    // it does what it is for
	Problems []string `json:"problems"` // why not
	Warnings []string `json:"warnings"` // what else somebody should look at
}

// Metric is one sample.
type Metric struct {
	Name    string // base units, _total for counters
	Help    string
	Counter bool
	Label   string // name of its one label, or ""
	Value   map[string]float64
}

// Prober is what is asked. Its methods are called by any goroutine.
type Prober interface {
	Ready() Ready
	Metrics() []Metric
}

// Mount adds the three addresses to mux.
func Mount(mux *http.ServeMux, version string, p Prober) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n")) // the asker may have gone
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		r := p.Ready()
		r.Ready = len(r.Problems) == 0
		w.Header().Set("Content-Type", "application/json")
		if !r.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(r) // the asker may have gone
	})
	reg := prometheus.NewRegistry()
	reg.MustRegister(collector{p, version})
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
}

// collector asks the prober at each scrape. It describes nothing beforehand,
// which Prometheus calls an unchecked collector.
type collector struct {
	p       Prober
	version string
}

func (collector) Describe(chan<- *prometheus.Desc) {}

func (c collector) Collect(out chan<- prometheus.Metric) {
	out <- prometheus.MustNewConstMetric(prometheus.NewDesc("gatehouse_build_info", "The running version.",
		[]string{"version"}, nil),
		prometheus.GaugeValue, 1, c.version)
	for _, m := range c.p.Metrics() {
		kind := prometheus.GaugeValue
		if m.Counter {
			kind = prometheus.CounterValue
		}
		var labels []string
		if m.Label != "" {
			labels = []string{m.Label}
		}
		desc := prometheus.NewDesc(m.Name, m.Help, labels, nil)
		for value, v := range m.Value {
			if m.Label == "" {
				out <- prometheus.MustNewConstMetric(desc, kind, v)
			} else {
				out <- prometheus.MustNewConstMetric(desc, kind, v, value)
			}
		}
	}
}
