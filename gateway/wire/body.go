package wire

import (
	"errors"
	"fmt"
	"slices"

	"gatehouse/gateway/fact"
)

// Reading is one completed measurement or tap: it is in the journal before a
// decision is made on it.
type Reading struct {
	Device      string           `json:"device"`                // its name in the agent's configuration
	Model       string           `json:"model"`                 // its row in the catalogue
	Type        fact.ReadingType `json:"type"`                  //
	Lane        string           `json:"lane,omitempty"`        // of the device; empty: the agent's only one
	Direction   fact.Direction   `json:"direction,omitempty"`   // of the reader
	Credential  string           `json:"credential,omitempty"`  // keyed pseudonym of card or code; never the number
	Pass        *Pass            `json:"pass,omitempty"`        // the code is a pass that the county signed
	PassFault   fact.PassFault   `json:"pass_fault,omitempty"`  // the code claims to be one and does not count here
	Temperature *Temperature     `json:"temperature,omitempty"` // when Type is temperature
	Entered     *Entered         `json:"entered,omitempty"`     // when Type is entered
	BootID      string           `json:"boot_id"`               // the boot that BootNS counts from
	BootNS      int64            `json:"boot_ns"`               // boot clock when its last byte arrived, ns
}

// Pass is what a signed pass says: it lets somebody without a card through one gate.
type Pass struct {
	ID      string `json:"id"`                // 16 hex digits, of this pass alone
	Gate    string `json:"gate"`              // agent that accepts it
	Class   string `json:"class"`             // of people, in the policy
	Purpose string `json:"purpose,omitempty"` //
	From    Time   `json:"from"`              //
	Until   Time   `json:"until"`             // it does not count at this time
	Uses    int    `json:"uses"`              // how often it lets through in each direction
}

// Temperature is a person's measurement with all that is needed to judge it.
// Raw values are kept beside the corrected one.
type Temperature struct {
	Object     fact.Temp `json:"object_c"`      // surface temperature as the device gave it, °C
	Ambient    fact.Temp `json:"ambient_c"`     // the device's own temperature, °C
	Background fact.Temp `json:"background_c"`  // what it saw before the person came, °C
	Offset     fact.Temp `json:"offset_c"`      // site offset measured at installation, °C
	Screening  fact.Temp `json:"screening_c"`   // Object + Offset, °C: what is judged
	RatedMin   fact.Temp `json:"rated_min_c"`   // ambient range in which the device's value holds, °C
	RatedMax   fact.Temp `json:"rated_max_c"`   //
	Samples    int       `json:"samples"`       // raw values that went into it
	DurationMS int64     `json:"duration_ms"`   // from the person's coming to the last of them
	Settled    bool      `json:"settled"`       // five values in a row agreed within 0.20 °C
	Hot        bool      `json:"hot,omitempty"` // the background was too warm to tell a person from it
	// the sensor's own temperature was on the move, so that its values are wrong
	Drift bool `json:"drift,omitempty"`
	// a later value of the person measured just before: higher, or settled
	Supersedes bool `json:"supersedes,omitempty"`
}

// Entered is a value that the guard read off a hand-held thermometer and entered on
// the gate's screen. What the gate's own thermometer said stays beside it.
type Entered struct {
	Value fact.Temp     `json:"value_c"` // body temperature, °C: what is judged
	With  fact.HandHeld `json:"with"`    // the kind of thermometer
	// Of are readings of the same person, in this journal; absent: it begins a visit.
	Of []uint64 `json:"of,omitempty"`
}

// Check returns an error that says what no thermometer shows.
func (e *Entered) Check() error {
	switch {
	case e.Value < fact.EnteredMin || e.Value > fact.EnteredMax:
		return fmt.Errorf("%s °C is not a body temperature: enter %s to %s", e.Value, fact.EnteredMin, fact.EnteredMax)
	case !e.With.Valid():
		return fmt.Errorf("%.20q is neither a contact thermometer (contact) nor an infrared gun (forehead)", e.With)
	}
	return nil
}

// Screening returns the temperature of a person, or nil.
func (r *Reading) Screening() *fact.Temp {
	switch {
	case r.Entered != nil:
		return &r.Entered.Value
	case r.Temperature != nil:
		return &r.Temperature.Screening
	}
	return nil
}

// Kind is KindReading.
func (*Reading) Kind() Kind { return KindReading }

// Check returns an error that says what is missing.
func (r *Reading) Check() error {
	switch {
	case r.Device == "":
		return errors.New("device is missing")
	case !r.Direction.Valid():
		return fmt.Errorf("direction %.20q is neither in nor out", r.Direction)
	}
	switch r.Type {
	case fact.ReadingTemperature:
		if r.Temperature == nil {
			return errors.New("temperature is missing")
		}
		if t := r.Temperature; t.Screening != t.Object+t.Offset {
			return fmt.Errorf("screening %s is not object %s plus offset %s", t.Screening, t.Object, t.Offset)
		}
	case fact.ReadingEntered:
		if r.Entered == nil {
			return errors.New("entered is missing")
		}
		return r.Entered.Check()
	case fact.ReadingCard, fact.ReadingCode:
		if r.Credential == "" {
			return errors.New("credential is missing")
		}
		if p := r.Pass; p != nil && (p.ID == "" || p.Uses < 1) {
			return errors.New("pass has no id or no uses")
		}
	default:
		return fmt.Errorf("type %.20q is unknown", r.Type)
	}
	return nil
}

// Passage is one verdict with everything it was decided on.
type Passage struct {
	Verdict     fact.Verdict     `json:"verdict"`
	Reasons     []fact.Reason    `json:"reasons"`               // codes, the weightiest first; see WIRE.md
	Instruction fact.Instruction `json:"instruction"`           //
	Lane        string           `json:"lane,omitempty"`        // that the person is in; empty: the agent's only one
	Direction   fact.Direction   `json:"direction,omitempty"`   // of the reader used
	Class       string           `json:"class,omitempty"`       // class of person in the roster, empty when unknown
	Credential  string           `json:"credential,omitempty"`  // keyed pseudonym
	Temperature *Temperature     `json:"temperature,omitempty"` // as in the reading
	Entered     *Entered         `json:"entered,omitempty"`     // as in the reading: judged in place of Temperature
	Readings    []uint64         `json:"readings"`              // seqs of the readings used, this journal
	// an earlier passage shares a reading with this one, which replaces it
	Amends bool   `json:"amends,omitempty"`
	Policy string `json:"policy"` // version of the rule set
	Limits Limits `json:"limits"` // of the rule set, as applied
	Basis  *Basis `json:"basis,omitempty"`
	// the guard decided against the gate's verdict; the passage of that shares its readings
	Override  *Override    `json:"override,omitempty"`
	Episode   *EpisodeStep `json:"episode,omitempty"` // that the person has
	LatencyUS int64        `json:"latency_us"`        // last byte of the last reading to verdict, µs
}

// Override is what a guard decided against the verdict of the gate.
type Override struct {
	Guard   string       `json:"guard"`   // id of the guard; guard where nobody signs in
	Reason  string       `json:"reason"`  // one of the policy's
	Against fact.Verdict `json:"against"` // the verdict of the gate
}

// Limits are the numbers of the rule set that a verdict was measured against.
type Limits struct {
	Fever        fact.Temp `json:"fever_c"`         // fever at or above, °C
	InvalidBelow fact.Temp `json:"invalid_below_c"` // can't be judged below, °C
	PairingMS    int64     `json:"pairing_ms"`      // card and temperature belong together within this
	// Usual is what is usual at this gate; absent: the policy does not ask, or too little was read.
	Usual *Usual `json:"usual,omitempty"`
}

// Basis is the rule that decided about a card, and what it was applied to. With it the
// decision can be explained, and made again.
type Basis struct {
	// Rule is a path in the policy (classes.resident.quota), a column of the roster
	// (roster.until), default (the card is not listed) or classes.<class> (it may pass).
	Rule string `json:"rule"`
	// At is when it was, as days, hours and quotas count; absent: no rule asked for it.
	At        *Time  `json:"at,omitempty"`
	Household string `json:"household,omitempty"` // pseudonym of the household that a quota counts for
	Pass      string `json:"pass,omitempty"`      // id of the signed pass that was shown in place of a card
	Used      int    `json:"used,omitempty"`      // of Times, before this passage
	Times     int    `json:"times,omitempty"`     // how often a quota or a card's uses allow; absent: not asked
	Last      *Time  `json:"last,omitempty"`      // the earlier passage that the rule looked at
	Next      *Time  `json:"next,omitempty"`      // from when the rule lets the card pass; absent: never by itself
	Until     *Time  `json:"until,omitempty"`     // of a card or pass that is over: from when it did not count any more
}

// Screening returns the temperature that was judged, or nil.
func (p *Passage) Screening() *fact.Temp {
	switch {
	case p.Entered != nil:
		return &p.Entered.Value
	case p.Temperature != nil:
		return &p.Temperature.Screening
	}
	return nil
}

// Kind is KindPassage.
func (*Passage) Kind() Kind { return KindPassage }

// Check returns an error that says what is missing.
func (p *Passage) Check() error {
	if !p.Verdict.Valid() {
		return fmt.Errorf("verdict %.20q is unknown", p.Verdict)
	}
	switch {
	case len(p.Readings) == 0:
		return errors.New("readings are missing")
	case len(p.Reasons) == 0:
		return errors.New("reasons are missing")
	case slices.Contains(p.Reasons, ""):
		return errors.New("a reason is empty")
	case !p.Direction.Valid():
		return fmt.Errorf("direction %.20q is neither in nor out", p.Direction)
	}
	return p.Episode.check()
}

// Alarm is a condition that needs somebody. Raised and cleared records of one
// alarm carry the same ID; the one with the higher seq holds.
type Alarm struct {
	ID      string          `json:"id"`                // unique within the journal: "fever:41", "device:thermometer"
	Type    fact.AlarmType  `json:"type"`              // code: fever, device-fault, journal-damaged, ...; see WIRE.md
	State   fact.AlarmState `json:"state"`             //
	Passage uint64          `json:"passage,omitempty"` // seq of the passage it is about
	Device  string          `json:"device,omitempty"`  // the device it is about
	Detail  string          `json:"detail,omitempty"`  // for engineers, English, no personal data
	// Screening is the temperature that raised a fever alarm, so that the copy
	// that overtakes the backlog explains itself.
	Screening *fact.Temp `json:"screening_c,omitempty"`
	// Updates is the seq of the record that raised the alarm, in a record that
	// changes only its detail; 0 in the record that raised it.
	Updates uint64 `json:"updates,omitempty"`
}

// Kind is KindAlarm.
func (*Alarm) Kind() Kind { return KindAlarm }

// Check returns an error that says what is missing.
func (a *Alarm) Check() error {
	switch {
	case a.ID == "":
		return errors.New("id is missing")
	case a.Type == "":
		return errors.New("type is missing")
	case a.State != fact.AlarmRaised && a.State != fact.AlarmCleared:
		return fmt.Errorf("state %.20q is neither raised nor cleared", a.State)
	}
	return nil
}

// Health is a change of a device's state.
type Health struct {
	Device string           `json:"device"` // name in the configuration; "agent" for the agent itself
	Model  string           `json:"model,omitempty"`
	State  fact.DeviceState `json:"state"`            // ok, fault, gone
	Detail string           `json:"detail,omitempty"` // for engineers, English
	// BadFrames counts what arrived and was no frame since the agent started.
	BadFrames uint64 `json:"bad_frames,omitempty"`
}

// Kind is KindHealth.
func (*Health) Kind() Kind { return KindHealth }

// Check returns an error that says what is missing.
func (h *Health) Check() error {
	if h.Device == "" || h.State == "" {
		return errors.New("device or state is missing")
	}
	return nil
}

// Clock is a start of the agent or a step of its wall clock.
type Clock struct {
	Reason       string `json:"reason"`            // start, step, synchronised
	BootID       string `json:"boot_id"`           // changes with every boot of the host
	StepMS       int64  `json:"step_ms,omitempty"` // how far the wall clock jumped; negative: back
	Synchronised bool   `json:"synchronised"`      // the kernel disciplines the wall clock
	Version      string `json:"version,omitempty"` // of the agent, at start
}

// Kind is KindClock.
func (*Clock) Kind() Kind { return KindClock }

// Check returns an error that says what is missing.
func (c *Clock) Check() error {
	if c.Reason == "" {
		return errors.New("reason is missing")
	}
	return nil
}
