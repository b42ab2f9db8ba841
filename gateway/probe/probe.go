// Package probe serves monitoring: whether the program is alive (/healthz),
// whether it does its work (/readyz, with reasons), and metrics for Prometheus
// (/metrics).
package probe

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"gatehouse/gateway/wire"
)

// Ready is the answer of /readyz.
type Ready struct {
	Ready    bool     `json:"ready"`    // the program does its work
	Problems []string `json:"problems"` // why not
	Warnings []string `json:"warnings"` // other things that need attention
	// Troubles are both, with their codes.
	Troubles []wire.Trouble `json:"troubles"`
	// Info is what is neither: names and values.
	Info map[string]string `json:"info,omitempty"`
}

// Add adds a problem or a warning.
func (r *Ready) Add(t wire.Trouble) {
	text := t.Text
	if t.Since != nil {
		text += " (since " + t.Since.UTC().Format(time.RFC3339) + ")"
	}
	if t.Problem {
		r.Problems = append(r.Problems, text)
	} else {
		r.Warnings = append(r.Warnings, text)
	}
	r.Troubles = append(r.Troubles, t)
}

// complete returns r with lists instead of nil, and with Ready.
func (r Ready) complete() Ready {
	r.Ready = len(r.Problems) == 0
	for _, list := range []*[]string{&r.Problems, &r.Warnings} {
		if *list == nil {
			*list = []string{}
		}
	}
	if r.Troubles == nil {
		r.Troubles = []wire.Trouble{}
	}
	return r
}

// Metric is one name's samples. What is not known has none: absence is not zero.
type Metric struct {
	Name    string // with base units; _total for counters
	Help    string
	Counter bool               // otherwise a gauge
	Label   string             // name of its one label, or ""
	Value   map[string]float64 // by value of the label
	// Histogram is what the metric has instead of values; nil: it has values.
	Histogram *Histogram
}

// Histogram counts observations by size.
type Histogram struct {
	Count uint64
	Sum   float64
	UpTo  map[float64]uint64 // by upper bound, that of smaller ones included
}

// One returns a gauge without a label.
func One(name, help string, v float64) Metric {
	return Metric{Name: name, Help: help, Value: map[string]float64{"": v}}
}

// Prober answers the probes. Its methods are called from any goroutine.
type Prober interface {
	Ready() Ready
	Metrics() []Metric
}

// Mount adds the three addresses to mux.
func Mount(mux *http.ServeMux, version string, p Prober) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n")) // the client may have gone
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		r := p.Ready().complete()
		w.Header().Set("Content-Type", "application/json")
		if !r.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(r) // the client may have gone
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(exposition(version, p.Metrics())) // the client may have gone
		metrics.WriteProcessMetrics(w)
		metrics.WriteFDMetrics(w)
	})
}
