package influx

import (
	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// fields adds the fields of a body to a point. What is empty or not known is no
// field.
type fields struct{ p *write.Point }

func (f fields) text(name, v string) {
	if v != "" {
		f.p.AddField(name, v)
	}
}

func (f fields) count(name string, v int64)   { f.p.AddField(name, v) }
func (f fields) value(name string, v float64) { f.p.AddField(name, v) }

func (f fields) known(name string, v *float64) {
	if v != nil {
		f.p.AddField(name, *v)
	}
}

func (f fields) celsius(name string, t *fact.Temp) {
	if t != nil {
		f.p.AddField(name, float64(*t)/100)
	}
}

func (f fields) add(body wire.Body) {
	switch b := body.(type) {
	case *wire.Reading:
		f.text("device", b.Device)
		f.text("credential", b.Credential)
		f.text("direction", string(b.Direction))
		f.temperature(b.Temperature)
	case *wire.Passage:
		f.passage(b)
	case *wire.Alarm:
		f.text("id", b.ID)
		f.text("type", string(b.Type))
		f.text("device", b.Device)
		f.text("detail", b.Detail)
		f.celsius("screening_c", b.Screening)
	case *wire.Health:
		f.text("device", b.Device)
		f.text("detail", b.Detail)
	case *wire.Clock:
		f.text("boot_id", b.BootID)
		f.count("step_ms", b.StepMS)
	case *wire.Audit:
		f.text("actor", b.Actor)
		f.text("alarm", b.Alarm)
	case *wire.Track:
		f.track(b)
	case *wire.Run:
		f.run(b)
	}
}

func (f fields) passage(b *wire.Passage) {
	f.text("class", b.Class)
	f.text("credential", b.Credential)
	f.text("direction", string(b.Direction))
	f.text("policy", b.Policy)
	f.count("latency_us", b.LatencyUS)
	if len(b.Reasons) > 0 {
		f.text("reason", string(b.Reasons[0]))
	}
	f.temperature(b.Temperature)
}

func (f fields) temperature(t *wire.Temperature) {
	if t == nil {
		return
	}
	f.celsius("object_c", &t.Object)
	f.celsius("ambient_c", &t.Ambient)
	f.celsius("background_c", &t.Background)
	f.celsius("offset_c", &t.Offset)
	f.celsius("screening_c", &t.Screening)
	f.count("samples", int64(t.Samples))
}

// track adds the last point of a track only: raw has the others.
func (f fields) track(b *wire.Track) {
	last := b.Points[len(b.Points)-1]
	f.text("machine", b.Machine)
	f.count("points", int64(len(b.Points)))
	for _, n := range fact.Numbers() {
		f.known(n.Name, *n.Of(&last.Values))
	}
}

func (f fields) run(b *wire.Run) {
	f.text("machine", b.Machine)
	f.text("run", b.ID)
	f.text("state", string(b.State))
	f.known("meter_l", b.MeterL)
	f.known("flow_l", b.FlowL)
	f.known("tank_l", b.TankL)
	f.value("distance_m", b.DistanceM)
	f.value("flow_s", b.FlowS)
	f.value("command_s", b.CommandS)
}
