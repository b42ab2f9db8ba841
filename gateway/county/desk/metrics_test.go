package desk

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/commits"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/probe"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

// metrics returns the values of a desk's metrics by name, and by the value of the label.
func metrics(d *Desk) map[string]map[string]float64 {
	out := map[string]map[string]float64{}
	for _, m := range d.Metrics() {
		out[m.Name] = m.Value
	}
	return out
}

// beat lets the desk hear that an agent lives, as a heartbeat says it.
func (d *Desk) beat(t *testing.T, agent string, b wire.Beat) {
	t.Helper()
	b.V, b.JID = 1, "0190b1c2-0000-7000-8000-0000000000aa"
	if b.At.IsZero() {
		b.At = wire.At(d.opts.Now())
	}
	if b.Devices == nil {
		b.Devices = []wire.BeatDevice{}
	}
	status, err := wire.Encode(wire.Status{V: 1, State: fact.Online, At: b.At})
	if err != nil {
		t.Fatal(err)
	}
	heartbeat, err := wire.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	d.Hear(wire.Topic("qinghe", agent, wire.LeafStatus), status)
	d.Hear(wire.Topic("qinghe", agent, wire.LeafBeat), heartbeat)
}

func TestMetricsBeforeTheFirstLookClaimNothing(t *testing.T) {
	d, _ := newDesk(t)
	got := metrics(d)
	for _, name := range []string{"gatehouse_gates", "gatehouse_gate_up", "gatehouse_backlog_records",
		"gatehouse_last_commit_timestamp_seconds", "gatehouse_passages_this_hour"} {
		if v, there := got[name]; there {
			t.Errorf("%s is %v", name, v)
		}
	}
	if v := got["gatehouse_alerts_open"]; len(v) != len(fact.Alarms()) || v["fever"] != 0 {
		t.Errorf("open alerts %v", v)
	}
}

func TestMetricsSayHowEachGateStands(t *testing.T) {
	d, held := newDesk(t)
	oldest, full := wire.At(t0.Add(-time.Minute)), int64(3)
	d.beat(t, "gate-001", wire.Beat{At: wire.At(t0.Add(5 * time.Second)), Last: 9, Through: 4, Oldest: &oldest,
		FullInH: &full, Devices: []wire.BeatDevice{
			{Name: "reader", State: fact.DeviceOK}, {Name: "thermometer", State: fact.DeviceGone}},
		Troubles: []wire.Trouble{{Kind: fact.TroubleNoAnswer, Text: "x"}}})
	held.Keep(committed.Batch(committed.Entry(t, 1, t0, passage(3650, 1))))
	run(t, d)
	within(t, d, "totals", `"pass":1`)
	within(t, d, "g:gate-001", `"online"`)
	got := metrics(d)
	for name, want := range map[string]map[string]float64{
		"gatehouse_gates": {"online": 1, "never": 1, "silent": 0, "offline": 0}, "gatehouse_backlog_records": {"": 5},
		"gatehouse_gate_up": {"gate-001": 1}, "gatehouse_gate_delivers": {"gate-001": 0},
		"gatehouse_gate_heartbeat_timestamp_seconds":     {"gate-001": float64(t0.Unix())},
		"gatehouse_gate_backlog_records":                 {"gate-001": 5},
		"gatehouse_gate_oldest_record_timestamp_seconds": {"gate-001": float64(t0.Unix() - 60)},
		"gatehouse_gate_disk_full_seconds":               {"gate-001": 10800},
		"gatehouse_gate_clock_offset_seconds":            {"gate-001": 5},
		"gatehouse_gate_devices_broken":                  {"gate-001": 1},
	} {
		if fmt.Sprint(got[name]) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

// Whoever publishes under invented names must not fill the monitoring.
func TestAgentsThatTheSiteFileDoesNotListHaveFewMetrics(t *testing.T) {
	d, _ := newDesk(t)
	for i := range 3 * mostStrangers {
		d.beat(t, fmt.Sprintf("a-%03d", i), wire.Beat{})
	}
	d.beat(t, "gate-002", wire.Beat{})
	run(t, d)
	within(t, d, "g:gate-002", `"online"`)
	up := metrics(d)["gatehouse_gate_up"]
	if len(up) != mostStrangers+1 || up["gate-002"] != 1 {
		t.Errorf("%d agents have metrics: %v", len(up), up)
	}
}

func TestMetricsSayWhatIsWrong(t *testing.T) {
	d, _ := newDesk(t)
	if v := metrics(d); v["gatehouse_ready"][""] != 1 || len(v["gatehouse_problem"]) != 0 {
		t.Errorf("at the start %v", v)
	}
	d.Fenced("another collector")
	d.opts.Health.Set(part, wire.Trouble{Kind: fact.TroubleQuarantine, Text: "x"})
	v := metrics(d)
	if v["gatehouse_ready"][""] != 0 || v["gatehouse_problem"]["fenced"] != 1 ||
		v["gatehouse_warning"]["quarantine"] != 1 || len(v["gatehouse_problem"]) != 1 {
		t.Errorf("%v", v)
	}
}

func TestMetricsCountWhatIsCommitted(t *testing.T) {
	d, _ := newDesk(t)
	d.opts.Commits = &commits.Commits{}
	d.opts.Commits.Done(time.Second, 7)
	var found bool
	for _, m := range d.Metrics() {
		if m.Name == "gatehouse_commit_duration_seconds" {
			found = m.Histogram != nil && m.Histogram.Count == 1
		}
	}
	if v := metrics(d)["gatehouse_committed_records_total"]; !found || v[""] != 7 {
		t.Errorf("%v, a histogram: %v", v, found)
	}
}

var _ probe.Prober = (*Desk)(nil)

func TestThePageListsEveryMetric(t *testing.T) {
	page, err := os.ReadFile("../../../deploy/MONITORING.md")
	if err != nil {
		t.Fatal(err)
	}
	county, _, _ := strings.Cut(string(page), "## A gate's metrics")
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(gatehouse_[a-z_]+)`").FindAllStringSubmatch(county, -1) {
		listed[m[1]] = true
	}
	d, held := newDesk(t)
	d.opts.Commits = &commits.Commits{}
	d.beat(t, "gate-001", wire.Beat{})
	run(t, d)
	stored := committed.Batch(committed.Entry(t, 1, t0, passage(3650, 1)))
	held.Keep(stored)
	d.Committed([]store.Batch{stored})
	within(t, d, "centre", `"stored"`)
	within(t, d, "g:gate-001", `"online"`)
	has := map[string]bool{"gatehouse_build_info": true}
	for _, m := range d.Metrics() {
		has[m.Name] = true
	}
	if !maps.Equal(has, listed) {
		t.Errorf("the program has %v\nthe page lists %v", slices.Sorted(maps.Keys(has)),
			slices.Sorted(maps.Keys(listed)))
	}
}
