package kiosk

import (
	"slices"
	"strconv"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
)

// View is what the page draws. It holds codes; the page has the texts.
type View struct {
	Look        Look          `json:"look"`
	ID          string        `json:"id"`                    // of what is shown; answers name it
	Since       *time.Time    `json:"since,omitempty"`       // when it began
	Screening   *fact.Temp    `json:"screening_c,omitempty"` //
	Reasons     []fact.Reason `json:"reasons,omitempty"`     //
	Instruction string        `json:"instruction,omitempty"` //
	Class       string        `json:"class,omitempty"`       //
	Shown       string        `json:"shown,omitempty"`       // building and masked name, of the roster
	Direction   string        `json:"direction,omitempty"`   //
	Device      string        `json:"device,omitempty"`      // that is at fault
	Kind        string        `json:"kind,omitempty"`        // of the device: thermometer, reader; or journal
	Gone        bool          `json:"gone,omitempty"`        // it is unplugged
	Actions     []string      `json:"actions"`               // of F1 to F3
	Lane        string        `json:"lane,omitempty"`        // that it is about, at a gate with several
	Lanes       []string      `json:"lanes,omitempty"`       // all of them, at a gate with several
	Entered     string        `json:"entered,omitempty"`     // by hand, with this kind of thermometer
	Until       *time.Time    `json:"until,omitempty"`       // when the visit times out
	Asks        string        `json:"asks,omitempty"`        // of an idle gate: what its devices can take
	Partly      []Part        `json:"partly,omitempty"`      // of an idle gate: its devices of a kind, if not all work
	// somebody stands at the thermometer and must step back before being measured
	Occupied bool `json:"occupied,omitempty"`
	// the first alarms without an answer, in the order in which they fill the screen
	Queue      []Queued     `json:"queue"`
	Unanswered int          `json:"unanswered"`         // how many there are
	Answered   *Answered    `json:"answered,omitempty"` // what was answered a moment ago
	Call       *Call        `json:"call,omitempty"`
	Notices    []Notice     `json:"notices,omitempty"`
	County     []CountyAct  `json:"county,omitempty"` // what the county has just done here, the newest first
	Waiters    []Waiter     `json:"waiters,omitempty"`
	Episode    *EpisodeView `json:"episode,omitempty"` // of whom the view is about
	Again      bool         `json:"again,omitempty"`   // somebody is measured a second time, whom the guard has sent
	Guard      string       `json:"guard,omitempty"`   // who is on duty, as the header names them

	Check *FieldCheck `json:"check,omitempty"` // of a thermometer

	Sound    string     `json:"sound,omitempty"` // pattern, while this is shown
	Muted    *time.Time `json:"muted,omitempty"` // until when
	Strips   []Strip    `json:"strips"`          // what concerns other people in the lanes
	Standing []Strip    `json:"standing"`        // faults that the guard has answered and that still hold
}

// Strip is a line beside what fills the screen: a verdict about somebody, what a lane
// waits for, or a fault that still holds.
type Strip struct {
	Look      Look          `json:"look"`
	Kind      string        `json:"kind,omitempty"`
	Lane      string        `json:"lane,omitempty"`
	Screening *fact.Temp    `json:"screening_c,omitempty"`
	Reasons   []fact.Reason `json:"reasons,omitempty"`
	Class     string        `json:"class,omitempty"`
	Direction string        `json:"direction,omitempty"`
	Since     *time.Time    `json:"since,omitempty"`
	Until     *time.Time    `json:"until,omitempty"`
}

// Person is one of the last people.
type Person struct {
	Seq       uint64     `json:"seq"`
	At        *time.Time `json:"at,omitempty"` // absent: not known
	Look      Look       `json:"look"`
	Screening *fact.Temp `json:"screening_c,omitempty"`
	Class     string     `json:"class,omitempty"`
	Direction string     `json:"direction,omitempty"`
}

// Lamps is what works.
type Lamps struct {
	Thermometer string `json:"thermometer"` // ok, fault, gone, none
	Reader      string `json:"reader"`      //
	County      bool   `json:"county"`      // it answers, and what is sent arrives
	Pending     uint64 `json:"pending"`     // records it has not acknowledged
	Kept        bool   `json:"kept"`        // records can be kept
}

// sounds are the sound patterns of the looks, by the names that the page knows.
var sounds = map[Look]string{LookPass: "pass", LookRefuse: "amber", LookInvalid: "amber", LookRetest: "amber",
	LookApart: "amber", LookUnread: "amber", LookTapped: "prompt", LookMeasured: "prompt", LookFever: "fever",
	LookSealed: "sealed", LookSealedIn: "unknown", LookUnknown: "unknown", LookFault: "fault", LookOffline: "offline",
	LookCalled: "prompt"}

// View returns what the page draws now.
func (s *Screen) View(now clock.Moment) View {
	s.follow(now)
	if how := s.status.Retired; how != "" {
		return View{Look: LookRetired, ID: string(LookRetired), Kind: how, Actions: []string{}, Queue: []Queued{},
			Strips: []Strip{}, Standing: []Strip{}}
	}
	v := View{Look: LookIdle, Asks: s.asks(), Strips: []Strip{}, Standing: []Strip{}}
	t, measuring := s.shown(now), s.status.Measuring
	if v.Guard = s.status.Post.On; t == nil {
		s.seen = seen{}
	} else if s.seen.id != t.id {
		s.seen = seen{t.id, now.Boot}
	}
	switch {
	case len(measuring) > 0 && (t == nil || t.episode != nil ||
		t.look == LookTapped && slices.Contains(measuring, t.lane)):
		v.Look, v.ID, v.Asks = LookMeasuring, "m", ""
	case t != nil:
		s.fill(&v, t, now)
	}
	if v.Look == LookIdle {
		v.Partly = s.partly()
	}
	v.Waiters = s.waiters(now)
	v.Actions, v.Lanes = s.actions(v), s.status.Lanes
	if t != nil && t.check != nil && v.Look == LookCheck {
		v.fillCheck(t.check)
	}
	v.Queue, v.Unanswered, v.Answered = s.queue(), len(s.reds), s.answered(now)
	v.Notices, v.County = s.notices(now), s.countyActs(now)
	v.Standing = append(v.Standing, s.standing(callOf(v.ID))...)
	if s.muted > now.Boot {
		until := now.Wall.Add(s.muted - now.Boot).UTC()
		v.Muted, v.Sound = &until, ""
	}
	for _, x := range s.strips {
		v.Standing = append(v.Standing, Strip{Look: x.look, Kind: x.kind, Since: s.known(x.at)})
	}
	for _, x := range s.current(now) {
		if (t == nil || x.id != t.id) && x.check == nil {
			v.Strips = append(v.Strips, s.strip(x))
		}
	}
	return v
}

// fill sets the fields of a view that are about the item t.
func (s *Screen) fill(v *View, t *item, now clock.Moment) {
	v.Look, v.ID, v.Sound, v.Asks = t.look, t.id, sounds[t.look], ""
	v.Since, v.Device, v.Kind, v.Gone, v.Lane = s.known(t.at), t.device, t.kind, t.gone, s.label(t.lane)
	switch p := t.passage; {
	case t.call != nil:
		v.Call = s.callView(*t.call)
		v.Class, v.Direction, v.Screening = v.Call.Class, v.Call.Direction, v.Call.Screening
	case t.episode != nil:
		s.fillEpisode(v, t.episode, now)
	case t.prompt != nil:
		v.Again = t.prompt.Episode != ""
		v.Class, v.Direction, v.Screening = t.prompt.Class, string(t.prompt.Direction), t.prompt.Screening
		v.Shown = s.who(t.prompt.Credential)
		v.Until, v.Occupied = s.deadline(*t), t.look == LookTapped && slices.Contains(s.status.Measured, t.lane)
	case t.seq != 0:
		v.Class, v.Direction, v.Screening = p.Class, string(p.Direction), p.Screening()
		v.Reasons, v.Instruction, v.Shown = p.Reasons, string(p.Instruction), s.who(p.Credential)
		if e := p.Episode; e != nil {
			v.Episode = &EpisodeView{Step: e.Step, First: e.First, Ready: &e.Ready.Time}
		}
		if p.Entered != nil {
			v.Entered = string(p.Entered.With)
		}
	}
}

// strip returns what concerns the people of a lane as a line.
func (s *Screen) strip(x item) Strip {
	out := Strip{Look: x.look, Lane: s.label(x.lane), Until: s.deadline(x)}
	if x.prompt == nil {
		p := x.passage
		out.Screening, out.Reasons, out.Class, out.Direction = p.Screening(), p.Reasons, p.Class, string(p.Direction)
	}
	return out
}

// stepped is how far the wall clock must move against the boot clock to count as a
// step.
const stepped = 500 * time.Millisecond

// follow notes a step of the wall clock. Ages are by the boot clock, and stay.
func (s *Screen) follow(now clock.Moment) {
	if wall := now.Wall.Add(-now.Boot); wall.Sub(s.wall).Abs() > stepped {
		s.wall = wall.UTC()
	}
}

// deadline returns when the visit of t times out, or nil.
func (s *Screen) deadline(x item) *time.Time {
	at := s.wall.Add(x.until)
	return &at
}

// known returns a moment by the present wall clock, or nil when it is not known.
func (s *Screen) known(at clock.Moment) *time.Time {
	if at.Wall.IsZero() {
		return nil
	}
	wall := s.wall.Add(at.Boot)
	return &wall
}

// label returns a lane's name where there are several.
func (s *Screen) label(lane string) string {
	if len(s.status.Lanes) < 2 {
		return ""
	}
	return lane
}

// Recent returns the last people, the newest first.
func (s *Screen) Recent(now clock.Moment) []Person {
	s.follow(now)
	out := []Person{}
	if s.status.Retired != "" {
		return out
	}
	for _, x := range s.recent {
		out = append(out, Person{Seq: x.seq, At: s.known(x.at), Look: x.look, Screening: x.passage.Screening(),
			Class: x.passage.Class, Direction: string(x.passage.Direction)})
	}
	return out
}

// Lamps returns what works. Of several devices of a kind the worst counts.
func (s *Screen) Lamps() Lamps {
	l := Lamps{Thermometer: "none", Reader: "none", County: s.delivers, Pending: s.status.Pending,
		Kept: s.status.Unkept == ""}
	for _, d := range s.status.Devices {
		switch kindOf(d.Kind) {
		case "thermometer":
			l.Thermometer = worse(l.Thermometer, string(d.State))
			if s.doubtful(d.Name) {
				l.Thermometer = worse(l.Thermometer, string(fact.DeviceFault))
			}
		case "reader":
			l.Reader = worse(l.Reader, string(d.State))
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
