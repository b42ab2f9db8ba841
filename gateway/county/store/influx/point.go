package influx

import (
	"fmt"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// The measurements: of each kind of record the values that people look at, with
// tags by which they group them. What a record says besides is in its bytes, which
// recordsMeasurement has. deploy/INFLUXDB.md describes them all.
//
// Tags are bounded, whatever an agent sends; credentials are never tags. Writing a
// record again writes the same point.
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
	measurementBaseline    = "thermometer_baseline"
	measurementCheck       = "thermometer_check"
)

const (
	fieldSeq = "seq" // of every point
	// other is in the place of a tag's value that is not known.
	other = "other"
)

// addRecord adds a record's point.
func (l *lines) addRecord(b store.Batch, e wire.Entry) error {
	body, err := e.Body()
	if err != nil {
		return err
	}
	measurement, outcome := measurementOf(body)
	if measurement == "" {
		return fmt.Errorf("%w: %s", wire.ErrKind, e.Record.Kind)
	}
	of := series{measurement: measurement, agent: b.Agent, place: b.Place, outcome: outcome}
	if a, is := body.(*wire.Alarm); is {
		of.alarm = alarmTag(a.Type)
	}
	h, err := l.head(of)
	if err != nil {
		return err
	}
	l.add(h, e.Record.At.Time, func(p *point) {
		p.count(fieldSeq, int64(e.Record.Seq))
		p.fields(body)
	})
	return nil
}

// series are records' points with the same tags.
type series struct {
	measurement, agent string
	place              store.Place
	alarm, outcome     string
}

// head returns the head of a series; it is made once.
func (l *lines) head(of series) (head, error) {
	if h, ok := l.heads[of]; ok {
		return h, nil
	}
	h, err := headOf(of.measurement, tag{"agent", of.agent}, tag{"alarm", of.alarm},
		tag{"community", of.place.Community}, tag{"compound", of.place.Compound}, tag{"grid", of.place.Grid},
		tag{"outcome", of.outcome})
	if err != nil {
		return "", err
	}
	if l.heads == nil {
		l.heads = map[series]head{}
	}
	l.heads[of] = h
	return h, nil
}

// measurementOf returns the measurement of a body and its outcome. The measurement
// is empty when the kind has none.
func measurementOf(body wire.Body) (measurement, outcome string) {
	switch b := body.(type) {
	case *wire.Reading:
		if b.Screening() == nil {
			return measurementCard, string(b.Type)
		}
		return measurementTemperature, string(b.Type)
	case *wire.Passage:
		return measurementPassage, string(b.Verdict)
	case *wire.Alarm:
		return measurementAlarm, string(b.State)
	case *wire.Health:
		return measurementHealth, known(string(b.State))
	case *wire.Clock:
		return measurementClock, known(b.Reason)
	case *wire.Audit:
		return measurementAudit, known(b.Action)
	case *wire.Track:
		return measurementTrack, known(b.Source)
	case *wire.Run:
		return measurementRun, known(b.Grade)
	case *wire.Baseline:
		return measurementBaseline, ""
	case *wire.FieldCheck:
		return measurementCheck, known(string(b.State))
	}
	return "", ""
}

// known returns an outcome that the contract knows (WIRE.md), and other for any
// other text: an agent must not fill the database's index.
func known(outcome string) string {
	switch outcome {
	case "ok", "fault", "gone", // of a device
		"start", "step", "synchronised", // of a clock
		"open", "done", "given-up", // of a field check
		// what a guard did
		"retest", "isolate", "call-doctor", "sent-back", "call-grid", "id-checked", "turned-away", "noted", "muted",
		"let-home", "by-hand", "shift-test", "shift-test-passed", "shift-test-failed",
		wire.SourceMAVLink, wire.SourceModbus, wire.SourceNMEA, wire.SourceReport, wire.SourceImport,
		"proven", "measured", "dry", "leak", "unproven", "disputed", "declared": // grades
		return outcome
	}
	return other
}

func alarmTag(t fact.AlarmType) string {
	if t.Known() {
		return string(t)
	}
	return other
}

func (p *point) fields(body wire.Body) {
	switch b := body.(type) {
	case *wire.Reading:
		p.text("device", b.Device)
		p.text("direction", string(b.Direction))
		p.text("credential", b.Credential)
		if t := b.Temperature; t != nil {
			p.celsius("object_c", &t.Object)
			p.celsius("ambient_c", &t.Ambient)
			p.celsius("screening_c", &t.Screening)
			p.count("samples", int64(t.Samples))
		}
		if e := b.Entered; e != nil {
			p.celsius("screening_c", &e.Value)
		}
	case *wire.Passage:
		p.passage(b)
	case *wire.Alarm:
		p.text("id", b.ID)
		p.text("type", string(b.Type))
		p.text("device", b.Device)
		p.text("detail", b.Detail)
		p.celsius("screening_c", b.Screening)
	case *wire.Health:
		p.text("device", b.Device)
		p.text("detail", b.Detail)
	case *wire.Clock:
		p.text("boot_id", b.BootID)
		p.count("step_ms", b.StepMS)
	case *wire.Audit:
		p.text("actor", b.Actor)
		p.text("alarm", b.Alarm)
	case *wire.Track:
		p.track(b)
	case *wire.Run:
		p.run(b)
	case *wire.Baseline:
		p.text("device", b.Device)
		p.celsius("range_c", &b.Ambient)
		p.count("values", int64(len(b.Values)))
	case *wire.FieldCheck:
		p.check(b)
	}
}

func (p *point) check(b *wire.FieldCheck) {
	p.text("device", b.Device)
	p.count("pairs", int64(len(b.Pairs)))
	p.celsius("offset_c", &b.Offset)
	if r := b.Result; r != nil {
		p.celsius("mean_error_c", &r.Mean)
		p.celsius("spread_c", &r.Spread)
		p.celsius("proposed_offset_c", &r.Proposed)
	}
}

func (p *point) passage(b *wire.Passage) {
	p.text("class", b.Class)
	p.text("direction", string(b.Direction))
	p.text("reason", string(b.Reasons[0]))
	p.count("latency_us", b.LatencyUS)
	if t := b.Temperature; t != nil {
		p.celsius("ambient_c", &t.Ambient)
	}
	p.celsius("screening_c", b.Screening())
}

// track adds the last point of a track only.
func (p *point) track(b *wire.Track) {
	last := b.Points[len(b.Points)-1]
	p.text("machine", b.Machine)
	p.count("points", int64(len(b.Points)))
	for _, n := range fact.Numbers() {
		p.known(n.Name, *n.Of(&last.Values))
	}
}

func (p *point) run(b *wire.Run) {
	p.text("machine", b.Machine)
	p.text("run", b.ID)
	p.text("state", string(b.State))
	p.known("meter_l", b.MeterL)
	p.known("flow_l", b.FlowL)
	p.known("tank_l", b.TankL)
	p.value("distance_m", b.DistanceM)
	p.value("flow_s", b.FlowS)
	p.value("command_s", b.CommandS)
}
