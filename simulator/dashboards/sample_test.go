package dashboards

import (
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// sample is a small county whose figures the tests know.
type sample struct {
	from, to time.Time // the time range that dashboards show
	base     time.Time // of the first record; all are in the same hour
}

// newSample returns one of the hour before now.
func newSample() sample {
	base := time.Now().UTC().Truncate(time.Hour).Add(-50 * time.Minute)
	return sample{from: base.Truncate(time.Hour), to: base.Truncate(time.Hour).Add(time.Hour), base: base}
}

func passed(v fact.Verdict, screening fact.Temp, latency int64) *wire.Passage {
	p := storetest.Passage(v, 1)
	p.Temperature, p.LatencyUS = storetest.Reading(screening).Temperature, latency
	if v == fact.VerdictFever {
		p.Reasons = []fact.Reason{fact.ReasonFever}
	}
	return p
}

// eastGate is what gate-001 of 东城社区 records.
func eastGate(at time.Time) []wire.Body {
	hot := fact.Temp(3840)
	return []wire.Body{
		storetest.Reading(3640), passed(fact.VerdictPass, 3640, 900),
		storetest.Reading(3660), passed(fact.VerdictPass, 3660, 1200),
		storetest.Reading(hot), passed(fact.VerdictFever, hot, 800),
		&wire.Alarm{ID: "fever:6", Type: fact.AlarmFever, State: fact.AlarmRaised, Passage: 6, Screening: &hot},
		&wire.Audit{Actor: "guard", Action: "retest", Passage: 6, Alarm: "fever:6"},
		&wire.Health{Device: "reader", State: fact.DeviceGone, Detail: "unplugged"},
		&wire.Alarm{ID: "device:reader", Type: fact.AlarmDeviceGone, State: fact.AlarmRaised, Device: "reader"},
		&wire.Alarm{ID: "device:reader", Type: fact.AlarmDeviceGone, State: fact.AlarmCleared, Device: "reader"},
		&wire.FieldCheck{Device: "thermometer", Began: wire.At(at), State: fact.CheckDone, Offset: 320,
			Pairs:  make([]wire.CheckPair, 10),
			Result: &wire.CheckResult{Mean: 20, Spread: 15, Proposed: 300, Passed: true, Due: wire.At(at)}},
	}
}

// westGate is what gate-002 of 西关社区 records.
func westGate() []wire.Body {
	return []wire.Body{storetest.Reading(3620), passed(fact.VerdictPass, 3620, 700),
		storetest.Reading(3700), passed(fact.VerdictRetest, 3700, 650)}
}

// depot is what the bridge of two machines records: a run of the fogger, twice, because
// it changed, and one of the drone that is still open.
func depot(at time.Time) []wire.Body {
	v := func(x float64) *float64 { return &x }
	track := func(machine, source string, values fact.Values) *wire.Track {
		return &wire.Track{Machine: machine, Source: source, At: wire.At(at),
			Points: []wire.TrackPoint{{Values: values}}}
	}
	run := func(machine, id, grade string, state fact.RunState, litres float64) *wire.Run {
		return &wire.Run{Machine: machine, ID: id, Name: machine, Type: "fogger", Source: wire.SourceModbus,
			State: state, Start: wire.At(at), End: wire.At(at), Grade: grade, MeterL: &litres, DistanceM: 120,
			FlowS: 60}
	}
	return []wire.Body{
		track("fogger-1", wire.SourceModbus, fact.Values{Tank: v(80), Flow: v(6.5)}),
		track("drone-2", wire.SourceMAVLink, fact.Values{Tank: v(50), Flow: v(1.5), Battery: v(70)}),
		run("fogger-1", "r1", "measured", fact.RunOpen, 5), run("fogger-1", "r1", "measured", fact.RunClosed, 12.5),
		run("drone-2", "r2", "proven", fact.RunClosed, 8), run("drone-2", "r3", "unproven", fact.RunOpen, 1),
	}
}

// store stores the county in an InfluxDB, as the collector does.
func (s sample) store(t *testing.T, o influx.Options) {
	t.Helper()
	o.County = "qinghe"
	a, err := archive.OpenInflux(filepath.Join(t.TempDir(), "books.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var batches []store.Batch
	add := func(jid, agent, community, compound string, bodies []wire.Body) {
		var entries []wire.Entry
		for i, b := range bodies {
			entries = append(entries, committed.Entry(t, uint64(i+1), s.base.Add(time.Duration(i)*time.Second), b))
		}
		b := committed.Batch(entries...)
		b.Agent, b.JID = agent, jid
		b.Place = store.Place{Community: community, Grid: "第一网格", Compound: compound}
		batches = append(batches, b)
	}
	add("0190b1c2-0000-7000-8000-000000000001", "gate-001", "东城社区", "丽景苑", eastGate(s.base))
	add("0190b1c2-0000-7000-8000-000000000002", "gate-002", "西关社区", "金和新村", westGate())
	add("0190b1c2-0000-7000-8000-000000000003", "depot-1", "", "", depot(s.base))
	receipts, err := a.Commit(t.Context(), batches)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range receipts {
		if r.New != len(batches[i].Entries) || len(r.Rejected) > 0 {
			t.Fatalf("%s: %+v", batches[i].Agent, r)
		}
	}
}
