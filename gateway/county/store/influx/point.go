package influx

import (
	"fmt"
	"strconv"

	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// The measurements. Tags are bounded: place, agent, kind, outcome, era and the
// journal, which an agent keeps for years. Together with the time, which
// strictly rises within an era of a journal, they are a record's key: writing a
// record again writes the same point. Everything else is a field; credentials
// are never tags.
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

// The fields of every point.
const (
	fieldRaw = "raw" // the record's bytes
	fieldSeq = "seq"
)

// point returns a record's point.
func point(county string, b store.Batch, e wire.Entry) (*write.Point, error) {
	body, err := e.Record.DecodeBody()
	if err != nil {
		return nil, err
	}
	measurement, outcome := measurementOf(body)
	if measurement == "" {
		return nil, fmt.Errorf("%w: %s", wire.ErrKind, e.Record.Kind)
	}
	p := write.NewPointWithMeasurement(measurement).SetTime(e.Record.At.Time).
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
	fields{p}.add(body)
	return p, nil
}

// measurementOf returns the measurement of a body and its outcome, which may be
// empty. The measurement is empty when the kind has none.
func measurementOf(body wire.Body) (measurement, outcome string) {
	switch b := body.(type) {
	case *wire.Reading:
		if b.Temperature == nil {
			return measurementCard, string(b.Type)
		}
		return measurementTemperature, string(b.Type)
	case *wire.Passage:
		return measurementPassage, string(b.Verdict)
	case *wire.Alarm:
		return measurementAlarm, string(b.State)
	case *wire.Health:
		return measurementHealth, string(b.State)
	case *wire.Clock:
		return measurementClock, b.Reason
	case *wire.Audit:
		return measurementAudit, b.Action
	case *wire.Track:
		return measurementTrack, b.Source
	case *wire.Run:
		return measurementRun, b.Grade
	}
	return "", ""
}
