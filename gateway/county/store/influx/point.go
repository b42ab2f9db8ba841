package influx

import (
	"fmt"
	"strconv"

	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// The measurements. Tags are bounded: place, agent, kind, outcome, era and the
// journal, of which an agent has one for years. With `at`, which strictly
// rises within a journal's era, they are a record's key, so that writing it
// again writes the same point. Everything else is a field; credentials are
// never tags.
const (
	measurementTemperature = "temperature_screening"
	measurementCard        = "card_reading"
	measurementPassage     = "gate_event"
	measurementAlarm       = "alarm"
	measurementHealth      = "device_health"
	measurementClock       = "clock"
	measurementAudit       = "audit"
	measurementTrack       = "machine_track"
	measurementRun         = "disinfection_run"
)

// Fields that every point has.
const (
	fieldRaw = "raw" // the record's bytes
	fieldSeq = "seq"
)

// point makes a record's point.
func point(county string, b store.Batch, e wire.Entry) (*write.Point, error) {
	body, err := e.Record.DecodeBody()
	if err != nil {
		return nil, err
	}
	name, outcome, fields := describe(body)
	if name == "" {
		return nil, fmt.Errorf("%w: %s", wire.ErrKind, e.Record.Kind)
	}
	p := write.NewPointWithMeasurement(name).SetTime(e.Record.At.Time).
		AddTag("agent", b.Agent).
		AddTag("community", b.Place.Community).
		AddTag("compound", b.Place.Compound).
		AddTag("county", county).
		AddTag("era", strconv.FormatUint(uint64(e.Record.Era), 10)).
		AddTag("grid", b.Place.Grid).
		AddTag("journal", b.JID).
		AddTag("kind", string(e.Record.Kind))
	if outcome != "" {
		p.AddTag("outcome", outcome)
	}
	p.AddField(fieldSeq, int64(e.Record.Seq)).AddField(fieldRaw, string(e.Raw))
	for _, f := range fields {
		f.add(p)
	}
	return p, nil
}

// field is one typed value of a point.
type field struct {
	name  string
	text  string
	temp  *fact.Temp
	count *int64
	value *float64
}

func (f field) add(p *write.Point) {
	switch {
	case f.temp != nil:
		p.AddField(f.name, float64(*f.temp)/100)
	case f.count != nil:
		p.AddField(f.name, *f.count)
	case f.value != nil:
		p.AddField(f.name, *f.value)
	case f.text != "":
		p.AddField(f.name, f.text)
	}
}

// describe gives measurement, outcome and fields of a body.
func describe(body wire.Body) (measurement, outcome string, fields []field) {
	switch b := body.(type) {
	case *wire.Reading:
		fields = []field{{name: "device", text: b.Device}, {name: "credential", text: b.Credential}, {name: "direction", text: string(b.Direction)}}
		if b.Temperature == nil {
			return measurementCard, string(b.Type), fields
		}
		return measurementTemperature, string(b.Type), append(fields, temperature(b.Temperature)...)
	case *wire.Passage:
		fields = []field{{name: "class", text: b.Class}, {name: "credential", text: b.Credential}, {name: "direction", text: string(b.Direction)},
			{name: "policy", text: b.Policy}, {name: "latency_us", count: &b.LatencyUS}}
		if len(b.Reasons) > 0 {
			fields = append(fields, field{name: "reason", text: string(b.Reasons[0])})
		}
		if b.Temperature != nil {
			fields = append(fields, temperature(b.Temperature)...)
		}
		return measurementPassage, string(b.Verdict), fields
	case *wire.Alarm:
		return measurementAlarm, string(b.State), []field{{name: "id", text: b.ID}, {name: "type", text: string(b.Type)},
			{name: "device", text: b.Device}, {name: "detail", text: b.Detail}, {name: "screening_c", temp: b.Screening}}
	case *wire.Health:
		return measurementHealth, string(b.State), []field{{name: "device", text: b.Device}, {name: "detail", text: b.Detail}}
	case *wire.Clock:
		return measurementClock, b.Reason, []field{{name: "boot_id", text: b.BootID}, {name: "step_ms", count: &b.StepMS}}
	case *wire.Audit:
		return measurementAudit, b.Action, []field{{name: "actor", text: b.Actor}, {name: "alarm", text: b.Alarm}}
	case *wire.Track:
		// The last point stands for the others, which are in raw.
		at := b.Points[len(b.Points)-1]
		points := int64(len(b.Points))
		fields = []field{{name: "machine", text: b.Machine}, {name: "points", count: &points}}
		for _, n := range fact.Numbers() {
			fields = append(fields, field{name: n.Name, value: *n.Of(&at.Values)})
		}
		return measurementTrack, b.Source, fields
	case *wire.Run:
		return measurementRun, b.Grade, []field{{name: "machine", text: b.Machine}, {name: "run", text: b.ID}, {name: "state", text: string(b.State)},
			{name: "meter_l", value: b.MeterL}, {name: "flow_l", value: b.FlowL}, {name: "tank_l", value: b.TankL},
			{name: "distance_m", value: &b.DistanceM}, {name: "flow_s", value: &b.FlowS}, {name: "command_s", value: &b.CommandS}}
	}
	return "", "", nil
}

func temperature(t *wire.Temperature) []field {
	samples := int64(t.Samples)
	return []field{{name: "object_c", temp: &t.Object}, {name: "ambient_c", temp: &t.Ambient}, {name: "background_c", temp: &t.Background},
		{name: "offset_c", temp: &t.Offset}, {name: "screening_c", temp: &t.Screening}, {name: "samples", count: &samples}}
}
