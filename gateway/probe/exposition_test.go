package probe

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// fixed is a prober with what a test gives it.
type fixed []Metric

func (fixed) Ready() Ready        { return Ready{} }
func (f fixed) Metrics() []Metric { return f }

func TestMetricsAreInTheTextFormat(t *testing.T) {
	got := string(exposition("v1", []Metric{
		One("gatehouse_z", "The last.", 0.5),
		{Name: "gatehouse_c_total", Help: "Counts, \\ and\nlines.", Counter: true, Label: "kind",
			Value: map[string]float64{"b": 2, `a"\` + "\n": 1}},
		{Name: "gatehouse_h_seconds", Help: "Lasts.", Histogram: &Histogram{Count: 3, Sum: 1.25,
			UpTo: map[float64]uint64{0.1: 1, 1e6: 2}}},
		{Name: "gatehouse_none", Help: "Is not known."},
		One("gatehouse_inf", "Never.", math.Inf(1)),
		{Name: "gatehouse_c_total", Help: "Counts, \\ and\nlines.", Counter: true, Label: "kind",
			Value: map[string]float64{"c": 3}},
	}))
	want := `# HELP gatehouse_build_info The running version.
# TYPE gatehouse_build_info gauge
gatehouse_build_info{version="v1"} 1
# HELP gatehouse_c_total Counts, \\ and\nlines.
# TYPE gatehouse_c_total counter
gatehouse_c_total{kind="a\"\\\n"} 1
gatehouse_c_total{kind="b"} 2
gatehouse_c_total{kind="c"} 3
# HELP gatehouse_h_seconds Lasts.
# TYPE gatehouse_h_seconds histogram
gatehouse_h_seconds_bucket{le="0.1"} 1
gatehouse_h_seconds_bucket{le="1e+06"} 2
gatehouse_h_seconds_bucket{le="+Inf"} 3
gatehouse_h_seconds_sum 1.25
gatehouse_h_seconds_count 3
# HELP gatehouse_inf Never.
# TYPE gatehouse_inf gauge
gatehouse_inf +Inf
# HELP gatehouse_none Is not known.
# TYPE gatehouse_none gauge
# HELP gatehouse_z The last.
# TYPE gatehouse_z gauge
gatehouse_z 0.5
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The dashboards ask for the figures of the process by these names.
func TestTheProcessIsMeasuredToo(t *testing.T) {
	mux := http.NewServeMux()
	Mount(mux, "v1", fixed{One("gatehouse_a", "A.", 1)})
	server := httptest.NewServer(mux)
	defer server.Close()
	answer, err := http.Get(server.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if kind := answer.Header.Get("Content-Type"); kind != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("content type %s", kind)
	}
	for _, name := range []string{"gatehouse_build_info{version=\"v1\"}", "gatehouse_a",
		"process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total", "process_start_time_seconds",
		"go_goroutines"} {
		if !strings.Contains("\n"+string(text), "\n"+name+" ") {
			t.Errorf("no %s in\n%s", name, text)
		}
	}
}
