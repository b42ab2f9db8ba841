package kiosk

import (
	"fmt"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC)

// at is a moment so many seconds after the start.
func at(s float64) clock.Moment {
	d := time.Duration(s * float64(time.Second))
	return clock.Moment{Wall: t0.Add(d), Boot: time.Hour + d}
}

func passage(v fact.Verdict, reason fact.Reason, readings ...uint64) wire.Passage {
	p := wire.Passage{Verdict: v, Reasons: []fact.Reason{reason}, Readings: readings,
		Instruction: fact.InstructTurnAway}
	if v != fact.VerdictRefuse {
		p.Temperature = &wire.Temperature{Screening: 3650}
	}
	return p
}

var (
	pass    = passage(fact.VerdictPass, "normal", 1)
	fever   = passage(fact.VerdictFever, "fever", 2)
	cold    = passage(fact.VerdictInvalid, "too-cold", 3)
	unknown = passage(fact.VerdictRefuse, fact.ReasonUnknownCard, 4)
	sealed  = passage(fact.VerdictRefuse, fact.ReasonSealed, 5)
	lost    = passage(fact.VerdictRefuse, fact.ReasonLostCard, 6)
	again   = passage(fact.VerdictRetest, "unsettled", 7)
)

func amends(p wire.Passage, seq uint64) wire.Passage {
	p.Amends, p.Readings = true, append([]uint64{seq}, p.Readings...)
	return p
}

// well is a delivery without troubles.
var well = status.Delivery{Linked: true}

func linked(linked bool, states ...fact.DeviceState) status.Snapshot {
	s := status.Snapshot{Delivery: status.Delivery{Linked: linked}}
	for i, name := range []string{"thermometer", "reader"} {
		state := fact.DeviceOK
		if i < len(states) {
			state = states[i]
		}
		kind := devices.KindThermometer
		if i == 1 {
			kind = devices.KindCardReader
		}
		s.Devices = append(s.Devices, status.Device{Name: name, Kind: kind, State: state})
	}
	return s
}

// scene is a script of what happens at a gate.
type scene struct {
	s   *Screen
	now float64
	seq uint64
}

func newScene() *scene { return &scene{s: NewScreen(), seq: 100} }

func (x *scene) wait(s float64) *scene { x.now += s; return x }
func (x *scene) see(p wire.Passage) *scene {
	x.seq++
	x.s.Passage(at(x.now), at(x.now), x.seq, p)
	return x
}
func (x *scene) status(s status.Snapshot) *scene { x.s.Status(at(x.now), s); return x }
func (x *scene) press(action string) *scene {
	v := x.s.View(at(x.now))
	if audit, ok := x.s.Press(at(x.now), v.ID, action); ok {
		x.s.Settle(at(x.now), v.ID, audit)
	}
	return x
}

// ask lets the gate ask for something for so many seconds; people stand at the
// thermometers of the lanes measuring.
func (x *scene) ask(wants gate.Wants, s float64, measuring ...string) *scene {
	st := linked(true)
	st.Measuring = measuring
	st.Prompts = []gate.Prompt{{Wants: wants, Since: at(x.now), Until: at(x.now + s).Boot, Reading: x.seq}}
	return x.status(st)
}

// waiting is the number of unanswered alarms besides the one that fills the screen.
func waiting(v View) int {
	if len(v.Queue) > 0 && v.Queue[0].ID == v.ID {
		return v.Unanswered - 1
	}
	return v.Unanswered
}

// brief is what the guard sees, in short.
func (x *scene) brief() string {
	v := x.s.View(at(x.now))
	left := func(until *time.Time) string {
		if until == nil {
			return ""
		}
		return " " + until.Sub(at(x.now).Wall).String()
	}
	out := string(v.Look) + left(v.Until)
	if waiting(v) > 0 {
		out += fmt.Sprintf(" +%d", waiting(v))
	}
	if v.Sound != "" {
		out += " ♪" + v.Sound
	}
	for _, s := range append(v.Standing, v.Strips...) {
		out += " =" + string(s.Look) + left(s.Until)
	}
	if v.Muted != nil {
		out += " muted"
	}
	return out
}
