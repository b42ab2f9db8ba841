package kiosk

import (
	"strconv"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// View is what the page draws. Texts are codes; the page has the words.
type View struct {
	Look        Look       `json:"look"`
	ID          string     `json:"id"`                    // of what is shown; answers name it
	Since       *time.Time `json:"since,omitempty"`       // when it began
	Screening   *wire.Temp `json:"screening_c,omitempty"` //
	Reasons     []string   `json:"reasons,omitempty"`     //
	Instruction string     `json:"instruction,omitempty"` //
	Class       string     `json:"class,omitempty"`       //
	Direction   string     `json:"direction,omitempty"`   //
	Device      string     `json:"device,omitempty"`      // that is at fault
	Kind        string     `json:"kind,omitempty"`        // of the device: thermometer, reader; or journal
	Gone        bool       `json:"gone,omitempty"`        // it is unplugged
	Actions     []string   `json:"actions"`               // of F1 to F3
	Waiting     int        `json:"waiting"`               // more that must be answered
	Sound       string     `json:"sound,omitempty"`       // pattern, while this is shown
	Muted       *time.Time `json:"muted,omitempty"`       // until when
	Strips      []Strip    `json:"strips"`                //
}

// Strip is a condition that the guard knows of and that still holds.
type Strip struct {
	Look  Look      `json:"look"`
	Kind  string    `json:"kind,omitempty"`
	Since time.Time `json:"since"`
}

// Person is one of the last people.
type Person struct {
	Seq       uint64     `json:"seq"`
	At        time.Time  `json:"at"`
	Look      Look       `json:"look"`
	Screening *wire.Temp `json:"screening_c,omitempty"`
	Class     string     `json:"class,omitempty"`
	Direction string     `json:"direction,omitempty"`
}

// Lamps say what works.
type Lamps struct {
	Thermometer string `json:"thermometer"` // ok, fault, gone, none
	Reader      string `json:"reader"`      //
	County      bool   `json:"county"`      // it answers
	Pending     uint64 `json:"pending"`     // records it has not acknowledged
	Kept        bool   `json:"kept"`        // records can be kept
}

// sounds of the looks, the page has their notes. A muted screen has none.
var sounds = map[Look]string{LookPass: "pass", LookRefuse: "amber", LookInvalid: "amber", LookRetest: "amber",
	LookFever: "fever", LookSealed: "sealed", LookUnknown: "unknown", LookFault: "fault", LookOffline: "offline"}

// View gives what the page draws now.
func (s *Screen) View(now clock.Moment) View {
	v := View{Look: LookIdle, Strips: []Strip{}}
	if s.status.Measuring {
		v.Look, v.ID = LookMeasuring, "m"
	}
	t := s.top(now)
	if t != nil {
		v.Look, v.ID, v.Sound = t.look, t.id, sounds[t.look]
		at := t.at.Wall.UTC()
		v.Since, v.Device, v.Kind, v.Gone = &at, t.device, t.kind, t.gone
		if t.seq != 0 {
			p := t.passage
			v.Reasons, v.Instruction, v.Class, v.Direction, v.Screening = p.Reasons, string(p.Instruction), p.Class, string(p.Direction), screening(p)
		}
	}
	v.Actions = answers[v.Look]
	if v.Actions == nil {
		v.Actions = []string{}
	}
	for i := range s.reds {
		if t == nil || s.reds[i].id != t.id {
			v.Waiting++
		}
	}
	if s.muted > now.Boot {
		until := now.Wall.Add(s.muted - now.Boot).UTC()
		v.Muted, v.Sound = &until, ""
	}
	for _, x := range s.strips {
		v.Strips = append(v.Strips, Strip{Look: x.look, Kind: x.kind, Since: x.at.Wall.UTC()})
	}
	return v
}

// Recent gives the last people, the newest first.
func (s *Screen) Recent() []Person {
	out := []Person{}
	for _, x := range s.recent {
		out = append(out, Person{Seq: x.seq, At: x.at.Wall.UTC(), Look: x.look, Screening: screening(x.passage),
			Class: x.passage.Class, Direction: string(x.passage.Direction)})
	}
	return out
}

func screening(p wire.Passage) *wire.Temp {
	if p.Temperature == nil {
		return nil
	}
	return &p.Temperature.Screening
}

// Lamps gives what works: of several devices of a kind the worst.
func (s *Screen) Lamps() Lamps {
	l := Lamps{Thermometer: "none", Reader: "none", County: s.status.Linked, Pending: s.status.Pending, Kept: s.status.Unkept == ""}
	for _, d := range s.status.Devices {
		switch kindOf(d.Kind) {
		case "thermometer":
			l.Thermometer = worse(l.Thermometer, d.State)
		case "reader":
			l.Reader = worse(l.Reader, d.State)
		}
	}
	return l
}

func worse(a, b string) string {
	order := map[string]int{"none": 0, "ok": 1, "fault": 2, "gone": 3}
	if order[b] > order[a] {
		return b
	}
	return a
}

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }
