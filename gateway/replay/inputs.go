package replay

import (
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// input does what a record means that is neither a reading nor a verdict, and that the
// gate judges by: a thermometer that is doubted or checked, what is usual, and a fever
// episode that ended.
func (r *Replay) input(x item) {
	r.past.input(x, r.bootID)
	if r.gate == nil {
		return
	}
	r.tick(x.boot)
	switch b := x.body.(type) {
	case *wire.Alarm:
		if b.Type == fact.AlarmDeviceDoubtful {
			r.gate.SetDoubted(b.Device, b.State == fact.AlarmRaised)
		}
	case *wire.FieldCheck:
		r.emit(r.gate.SetChecked(b.Device, b.State == fact.CheckOpen))
	}
}

// override takes a verdict of the guard's own. It counts, whatever the rules are.
func (r *Replay) override(x item, p *wire.Passage) {
	r.past.passage(x, r.bootID, p)
	r.past.note(x.rec.Seq, p.Readings)
	r.past.event(r.bootID, event{at: x.moment(), answered: p.Readings})
	r.gate.Overruled(x.moment(), *p)
	r.gate.Remember(gate.Earlier{At: x.rec.At.Time, Synchronised: !x.rec.Unsync, Boot: x.boot, Passage: p})
	r.report(Outcome{Seq: x.rec.Seq, At: x.rec.At.Time, Was: p, Is: p})
}

// input keeps a record that a gate asks for after a restart.
func (p *past) input(x item, bootID string) {
	p.keep(passed{Earlier: gate.Earlier{At: x.rec.At.Time, Boot: x.boot}, bootID: bootID, body: x.body})
}

// holds returns what a record says that holds until another one says otherwise; empty:
// it counts for a time only.
func (e passed) holds() string {
	switch b := e.body.(type) {
	case *wire.Alarm:
		if b.Type == fact.AlarmDeviceDoubtful {
			return "doubt " + b.Device
		}
	case *wire.FieldCheck:
		return "check " + b.Device
	case *wire.Baseline:
		return fmt.Sprint("usual ", b.Ambient, b.Device)
	}
	return ""
}

// restore lets a new gate know such a record. again is set when readings follow that go
// through the gate again.
func (e passed) restore(g *gate.Gate, bootID string, now time.Duration, again *bool) {
	switch b := e.body.(type) {
	case *wire.Alarm:
		switch b.Type {
		case fact.AlarmDeviceDoubtful:
			g.SetDoubted(b.Device, b.State == fact.AlarmRaised)
		case fact.AlarmUnresolved:
			_, id, _ := strings.Cut(b.ID, ":")
			g.EpisodeEnded(id)
		}
	case *wire.Reading:
		age := now - time.Duration(b.BootNS)
		if b.BootID == bootID && age >= 0 && age < window {
			*again = true
		} else {
			g.RememberReading(b)
		}
	case *wire.Baseline:
		if !*again {
			g.RememberBaseline(b)
		}
	}
}
