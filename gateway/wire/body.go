package wire

import (
	"errors"
	"fmt"
	"slices"
)

// Type says what a reading is of.
type Type string

// The types of readings.
const (
	TypeTemperature Type = "temperature" // one person's measurement
	TypeCard        Type = "card"        // one tap of a card
	TypeCode        Type = "code"        // one QR code or barcode
)

// Direction is the way a reader's people go. It comes from the configuration
// of the reader.
type Direction string

// The directions; a thermometer or a reader for both has none.
const (
	DirectionNone Direction = ""
	DirectionIn   Direction = "in"
	DirectionOut  Direction = "out"
)

// Reading is one completed measurement or tap: it is in the journal before
// anything is decided on it.
type Reading struct {
	Device      string       `json:"device"`                // its name in the agent's configuration
	Model       string       `json:"model"`                 // its row in the catalogue
	Type        Type         `json:"type"`                  //
	Lane        string       `json:"lane,omitempty"`        // of the device; empty: the agent's only one
	Direction   Direction    `json:"direction,omitempty"`   // of the reader
	Credential  string       `json:"credential,omitempty"`  // keyed pseudonym of card or code; never the number
	Temperature *Temperature `json:"temperature,omitempty"` // when Type is temperature
	BootID      string       `json:"boot_id"`               // the boot that BootNS counts from
	BootNS      int64        `json:"boot_ns"`               // boot clock when its last byte arrived, ns
}

// Temperature is a person's measurement with all that is needed to judge it.
// Raw values stand unchanged beside the corrected one.
type Temperature struct {
	Object     Temp  `json:"object_c"`             // surface temperature as the device gave it, °C
	Ambient    Temp  `json:"ambient_c"`            // the device's own temperature, °C
	Background Temp  `json:"background_c"`         // what it saw before the person came, °C
	Offset     Temp  `json:"offset_c"`             // site offset measured at installation, °C
	Screening  Temp  `json:"screening_c"`          // Object + Offset, °C: what is judged
	RatedMin   Temp  `json:"rated_min_c"`          // ambient range in which the device's value holds, °C
	RatedMax   Temp  `json:"rated_max_c"`          //
	Samples    int   `json:"samples"`              // raw values that went into it
	DurationMS int64 `json:"duration_ms"`          // from the person's coming to the last of them
	Settled    bool  `json:"settled"`              // five values in a row agreed within 0.20 °C
	Hot        bool  `json:"hot,omitempty"`        // the background was too warm to tell a person from it
	Supersedes bool  `json:"supersedes,omitempty"` // a later value of the person measured just before: higher, or steady at last
}

// Kind is KindReading.
func (*Reading) Kind() Kind { return KindReading }

// Check tells what is missing.
func (r *Reading) Check() error {
	switch {
	case r.Device == "":
		return errors.New("device is missing")
	case !validDirection(r.Direction):
		return fmt.Errorf("direction %.20q is neither in nor out", r.Direction)
	}
	switch r.Type {
	case TypeTemperature:
		if r.Temperature == nil {
			return errors.New("temperature is missing")
		}
		if t := r.Temperature; t.Screening != t.Object+t.Offset {
			return fmt.Errorf("screening %s is not object %s plus offset %s", t.Screening, t.Object, t.Offset)
		}
	case TypeCard, TypeCode:
		if r.Credential == "" {
			return errors.New("credential is missing")
		}
	default:
		return fmt.Errorf("type %.20q is unknown", r.Type)
	}
	return nil
}

func validDirection(d Direction) bool {
	return d == DirectionNone || d == DirectionIn || d == DirectionOut
}

// Verdict is what was decided about a person at a gate.
type Verdict string

// The verdicts, from the one that overrides all others to the one that needs
// every condition to hold.
const (
	VerdictFever   Verdict = "fever"   // screening at or above the limit
	VerdictRefuse  Verdict = "refuse"  // the card may not pass
	VerdictInvalid Verdict = "invalid" // the value can't be judged: warm up, measure again
	VerdictRetest  Verdict = "retest"  // no settled value: measure again
	VerdictPass    Verdict = "pass"
)

// Instruction is what the person is told to do.
type Instruction string

// The instructions.
const (
	InstructGo            Instruction = "go"
	InstructGoHome        Instruction = "go-home"         // resident with fever: go home and wait
	InstructTurnAway      Instruction = "turn-away"       // visitor with fever, or one who may not pass
	InstructWarmUp        Instruction = "warm-up"         // too cold to judge
	InstructMeasureAgain  Instruction = "measure-again"   //
	InstructMeasure       Instruction = "measure"         // card without temperature
	InstructMeasureByHand Instruction = "measure-by-hand" // card, and no thermometer works
	InstructCheckID       Instruction = "check-identity"  // unknown card
)

// Passage is one verdict with everything it was decided on.
type Passage struct {
	Verdict     Verdict      `json:"verdict"`
	Reasons     []string     `json:"reasons"`               // codes, the weightiest first; see WIRE.md
	Instruction Instruction  `json:"instruction"`           //
	Lane        string       `json:"lane,omitempty"`        // that the person is in; empty: the agent's only one
	Direction   Direction    `json:"direction,omitempty"`   // of the reader used
	Class       string       `json:"class,omitempty"`       // class of person in the roster, empty when unknown
	Credential  string       `json:"credential,omitempty"`  // keyed pseudonym
	Temperature *Temperature `json:"temperature,omitempty"` // as in the reading
	Readings    []uint64     `json:"readings"`              // seqs of the readings used, this journal
	Amends      bool         `json:"amends,omitempty"`      // an earlier passage shares a reading with this one, which replaces it
	Policy      string       `json:"policy"`                // version of the rule set
	Limits      Limits       `json:"limits"`                // of the rule set, as applied
	LatencyUS   int64        `json:"latency_us"`            // last byte of the last reading to verdict, µs
}

// Limits are the numbers of the rule set that a verdict was measured against.
type Limits struct {
	Fever        Temp  `json:"fever_c"`         // fever at or above, °C
	InvalidBelow Temp  `json:"invalid_below_c"` // can't be judged below, °C
	PairingMS    int64 `json:"pairing_ms"`      // card and temperature belong together within this
}

// Kind is KindPassage.
func (*Passage) Kind() Kind { return KindPassage }

// Check tells what is missing.
func (p *Passage) Check() error {
	switch p.Verdict {
	case VerdictFever, VerdictRefuse, VerdictInvalid, VerdictRetest, VerdictPass:
	default:
		return fmt.Errorf("verdict %.20q is unknown", p.Verdict)
	}
	switch {
	case len(p.Readings) == 0:
		return errors.New("readings are missing")
	case len(p.Reasons) == 0:
		return errors.New("reasons are missing")
	case slices.Contains(p.Reasons, ""):
		return errors.New("a reason is empty")
	case !validDirection(p.Direction):
		return fmt.Errorf("direction %.20q is neither in nor out", p.Direction)
	}
	return nil
}

// AlarmState tells whether the condition holds.
type AlarmState string

// The states of an alarm at its source. Who has seen it is the desk's matter.
const (
	AlarmRaised  AlarmState = "raised"
	AlarmCleared AlarmState = "cleared"
)

// Alarm is a condition that needs somebody. Raised and cleared records of one
// alarm carry the same ID; the one with the higher seq holds.
type Alarm struct {
	ID      string     `json:"id"`                // unique within the journal: "fever:41", "device:thermometer"
	Type    string     `json:"type"`              // code: fever, device-fault, journal-damaged, ...; see WIRE.md
	State   AlarmState `json:"state"`             //
	Passage uint64     `json:"passage,omitempty"` // seq of the passage it is about
	Device  string     `json:"device,omitempty"`  // the device it is about
	Detail  string     `json:"detail,omitempty"`  // for engineers, English, no personal data
	// Screening is the temperature that raised a fever alarm, so that the copy
	// that overtakes the backlog explains itself.
	Screening *Temp `json:"screening_c,omitempty"`
	// Updates is the seq of the record that raised the alarm, in one that only
	// tells it in other words; 0 in the one that raised it.
	Updates uint64 `json:"updates,omitempty"`
}

// Kind is KindAlarm.
func (*Alarm) Kind() Kind { return KindAlarm }

// Check tells what is missing.
func (a *Alarm) Check() error {
	switch {
	case a.ID == "":
		return errors.New("id is missing")
	case a.Type == "":
		return errors.New("type is missing")
	case a.State != AlarmRaised && a.State != AlarmCleared:
		return fmt.Errorf("state %.20q is neither raised nor cleared", a.State)
	}
	return nil
}

// Health says that a device's state changed.
type Health struct {
	Device string `json:"device"` // name in the configuration; "agent" for the agent itself
	Model  string `json:"model,omitempty"`
	State  string `json:"state"`            // ok, fault, gone
	Detail string `json:"detail,omitempty"` // for engineers, English
	// BadFrames counts what arrived and was no frame since the agent started.
	BadFrames uint64 `json:"bad_frames,omitempty"`
}

// Kind is KindHealth.
func (*Health) Kind() Kind { return KindHealth }

// Check tells what is missing.
func (h *Health) Check() error {
	if h.Device == "" || h.State == "" {
		return errors.New("device or state is missing")
	}
	return nil
}

// Clock says how the agent's clocks stand to one another.
type Clock struct {
	Reason       string `json:"reason"`            // start, step, synchronised
	BootID       string `json:"boot_id"`           // changes with every boot of the host
	StepMS       int64  `json:"step_ms,omitempty"` // how far the wall clock jumped; negative: back
	Synchronised bool   `json:"synchronised"`      // the kernel disciplines the wall clock
	Version      string `json:"version,omitempty"` // of the agent, at start
}

// Kind is KindClock.
func (*Clock) Kind() Kind { return KindClock }

// Check tells what is missing.
func (c *Clock) Check() error {
	if c.Reason == "" {
		return errors.New("reason is missing")
	}
	return nil
}

// Audit says what somebody did at the gate's screen.
type Audit struct {
	Actor   string `json:"actor"`             // guard
	Action  string `json:"action"`            // code; see WIRE.md
	Passage uint64 `json:"passage,omitempty"` // seq of the passage it answers
	Alarm   string `json:"alarm,omitempty"`   // id of the alarm it answers
}

// Kind is KindAudit.
func (*Audit) Kind() Kind { return KindAudit }

// Check tells what is missing.
func (a *Audit) Check() error {
	if a.Actor == "" || a.Action == "" {
		return errors.New("actor or action is missing")
	}
	return nil
}
