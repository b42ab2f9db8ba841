package wire

import (
	"errors"
	"fmt"
	"math"
	"regexp"

	"gatehouse/gateway/fact"
)

// Sources of a track: the protocol of the machine.
const (
	SourceMAVLink = "mavlink"
	SourceModbus  = "modbus"
	SourceNMEA    = "nmea"
	SourceReport  = "report" // the machine published it by itself
	SourceImport  = "import" // a file, declared by somebody
)

// TrackPoint is what was known of a machine at one moment.
type TrackPoint struct {
	TMS int64 `json:"t_ms"` // milliseconds after the track's at
	fact.Values
}

// Track is what a machine reported while it worked: the evidence of a run, in the
// journal before a run is found in it.
type Track struct {
	Machine string       `json:"machine"`           // id, unique in the county
	Source  string       `json:"source"`            // mavlink, modbus, nmea, report, import
	At      Time         `json:"at"`                // of the first point
	BootID  string       `json:"boot_id,omitempty"` // of the bridge's computer
	BootNS  int64        `json:"boot_ns,omitempty"` // boot clock at the first point
	Points  []TrackPoint `json:"points"`
	// Of reports and imports:
	Received *Time  `json:"received,omitempty"`    // when the collector got it
	BadClock bool   `json:"clock_wrong,omitempty"` // the machine's time is not right: at is judged, see clock
	Clock    *Time  `json:"clock,omitempty"`       // the time by the machine's clock; absent: at
	NoClock  bool   `json:"no_clock,omitempty"`    // it says no time: at and clock are judged by its neighbours
	Raw      string `json:"raw,omitempty"`         // the report as it came
	Import   *Part  `json:"import,omitempty"`      // the file it is part of
}

// Part says which part of an imported file a track is.
type Part struct {
	ID    string `json:"id"`             // of the file and its run
	Part  int    `json:"part"`           // from 1
	Parts int    `json:"parts"`          //
	Name  string `json:"name,omitempty"` // of the file
}

// Kind is KindTrack.
func (*Track) Kind() Kind { return KindTrack }

// MaxPoints is how many points one track record may hold.
const MaxPoints = 200

// Check returns an error that says what is wrong.
func (t *Track) Check() error {
	if err := CheckID(t.Machine); err != nil {
		return fmt.Errorf("machine: %w", err)
	}
	switch {
	case t.Source == "":
		return errors.New("source is missing")
	case t.At.IsZero():
		return errors.New("at is missing")
	case len(t.Points) == 0:
		return errors.New("points are missing")
	case len(t.Points) > MaxPoints:
		return fmt.Errorf("%d points are more than %d", len(t.Points), MaxPoints)
	case t.Import != nil && (t.Import.ID == "" || t.Import.Part < 1 || t.Import.Part > t.Import.Parts):
		return errors.New("import is not a part of a file")
	}
	last := int64(0)
	for i, p := range t.Points {
		if p.TMS < last {
			return fmt.Errorf("points[%d]: t_ms falls", i)
		}
		last = p.TMS
		if (p.Lat == nil) != (p.Lon == nil) {
			return fmt.Errorf("points[%d]: lat or lon is missing", i)
		}
		if p.Lat != nil && (math.Abs(*p.Lat) > 90 || math.Abs(*p.Lon) > 180) {
			return fmt.Errorf("points[%d]: [%g, %g] is no place", i, *p.Lat, *p.Lon)
		}
	}
	return nil
}

// Run is one disinfection task of one machine. Records with the same machine
// and run replace each other; the one with the higher seq holds. Its numbers are
// of the samples from Since to Until. Earlier versions do not send these two, nor
// Work.
type Run struct {
	Machine  string        `json:"machine"`            //
	ID       string        `json:"run"`                // unique within the machine
	Name     string        `json:"name"`               // of the machine, for people
	Type     string        `json:"type"`               // drone, fogger
	Operator string        `json:"operator,omitempty"` // crew, where configured; no person's name
	Source   string        `json:"source"`             // of its tracks
	State    fact.RunState `json:"state"`
	Start    Time          `json:"start"`
	End      Time          `json:"end"` // of the last work
	// of the first sample that counts: counter and tank are read against it
	Since    *Time   `json:"since,omitempty"`
	Until    *Time   `json:"until,omitempty"`   // of the last sample that counts
	Working  bool    `json:"working,omitempty"` // open, and a sortie is under way
	Sorties  int     `json:"sorties"`           // between refills and battery changes
	Samples  int     `json:"samples"`           //
	CommandS float64 `json:"command_s"`         // seconds for which the pump was told to run
	FlowS    float64 `json:"flow_s"`            // seconds for which something flowed
	GapS     float64 `json:"gap_s"`             // seconds of sorties without a sample
	// seconds for which it worked: flow_s and, where nobody measured the flow or nothing
	// flowed, command_s; absent from earlier versions
	OnS *float64 `json:"on_s,omitempty"`
	// when it worked: milliseconds after start, from and to, at most 200
	Work      [][2]int64 `json:"work,omitempty"`
	DistanceM float64    `json:"distance_m"`           // that it moved while it worked
	BadFixes  int        `json:"bad_fixes"`            // positions that could not be true
	MeterL    *float64   `json:"meter_l,omitempty"`    // litres by the flow meter's counter
	FlowL     *float64   `json:"flow_l,omitempty"`     // litres by flow and time; not across gaps
	UnaskedL  float64    `json:"unasked_l"`            // litres of these that flowed without command
	TankL     *float64   `json:"tank_l,omitempty"`     // litres by the fall of the tank's level
	TankFirst *float64   `json:"tank_first,omitempty"` // percent, when it began
	TankLast  *float64   `json:"tank_last,omitempty"`  // percent, the lowest since it began or was refilled last
	Refills   int        `json:"refills,omitempty"`    // of the tank, between the two
	// percent that they brought: tank_first + refilled - tank_last is what fell
	Refilled  float64  `json:"refilled,omitempty"`
	Commanded *bool    `json:"commanded,omitempty"` // evidence; absent where it could not be known
	Moved     *bool    `json:"moved,omitempty"`     //
	Flowed    *bool    `json:"flowed,omitempty"`    //
	TankFell  *bool    `json:"tank_fell,omitempty"` //
	Grade     string   `json:"grade"`               // code; see below
	Reasons   []string `json:"reasons"`             // codes, behind the grade
	Faults    []string `json:"faults"`              // in the machine's words
	TankSizeL float64  `json:"tank_size_l"`         // as configured; 0: not known
}

// Kind is KindRun.
func (*Run) Kind() Kind { return KindRun }

var runPattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9.:_-]{0,95}$`)

// Check returns an error that says what is wrong.
func (r *Run) Check() error {
	if err := CheckID(r.Machine); err != nil {
		return fmt.Errorf("machine: %w", err)
	}
	switch {
	case !runPattern.MatchString(r.ID):
		return fmt.Errorf("run %.40q is no id of a run", r.ID)
	case r.State != fact.RunOpen && r.State != fact.RunClosed && r.State != fact.RunWithdrawn:
		return fmt.Errorf("state %.20q is unknown", r.State)
	case r.Start.IsZero() || r.End.IsZero() || r.End.Before(r.Start.Time):
		return errors.New("start and end are no span")
	case r.Grade == "":
		return errors.New("grade is missing")
	case r.Since != nil && r.Since.After(r.Start.Time) || r.Until != nil && r.Until.Before(r.End.Time):
		return errors.New("start and end do not lie between since and until")
	}
	last := int64(0)
	for i, w := range r.Work {
		if w[0] < last || w[1] < w[0] {
			return fmt.Errorf("work[%d]: times fall", i)
		}
		last = w[1]
	}
	return nil
}

// BeatMachine is the state of a machine, for a screen.
type BeatMachine struct {
	Machine string            `json:"machine"`
	Name    string            `json:"name"`                  // for people
	Type    string            `json:"type"`                  // drone, fogger
	State   fact.MachineState `json:"state"`                 // idle, working, paused, fault, gone
	IdleS   int64             `json:"idle_s"`                // since its last sample
	Battery *float64          `json:"battery_pct,omitempty"` // percent
	Tank    *float64          `json:"tank_pct,omitempty"`    // percent
	Lat     *float64          `json:"lat,omitempty"`         // degrees north, WGS-84
	Lon     *float64          `json:"lon,omitempty"`         // degrees east, WGS-84
	Run     string            `json:"run,omitempty"`         // that is open
	Fault   string            `json:"fault,omitempty"`       // in the machine's words
}

// Report is what a machine that speaks MQTT by itself publishes: its values at
// one moment.
type Report struct {
	V  int   `json:"v"`            // 1
	At *Time `json:"at,omitempty"` // its clock; absent: it has none
	fact.Values
	// Import and Points are of gatehouse import: a file's track in parts.
	Import *Part        `json:"import,omitempty"`
	Points []TrackPoint `json:"points,omitempty"` // t_ms counts from at
}

// Check returns an error that says what is wrong.
func (r *Report) Check() error {
	switch {
	case r.V != 1:
		return fmt.Errorf("report: version %d: only version 1 is known", r.V)
	case r.Import != nil && (r.At == nil || len(r.Points) == 0):
		return errors.New("report: an import has no at or no points")
	case r.Import == nil && len(r.Points) > 0:
		return errors.New("report: points belong to an import")
	case r.Import == nil && r.Empty():
		return errors.New("report: it says nothing of the machine: no known field is in it")
	}
	return nil
}
