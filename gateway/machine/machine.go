// Package machine turns the samples of a machine and the runs found in them
// (firmware-bridge/runs) into records (wire). Bridges use it, and the collector for
// machines that report by themselves.
package machine

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Config is the configuration of a machine.
type Config struct {
	Machine  string        `yaml:"machine"`            // id, unique in the county
	Name     string        `yaml:"name"`               // for people: 1号无人机
	Type     string        `yaml:"type"`               // drone, fogger
	Operator string        `yaml:"operator,omitempty"` // the crew; no person's name
	TankL    float64       `yaml:"tank_l,omitempty"`   // litres that its tank holds; absent: not known
	Idle     time.Duration `yaml:"idle,omitempty"`     // a sortie ends after so long without work; default 15s
	Pause    time.Duration `yaml:"pause,omitempty"`    // sorties further apart are two runs; default 15m
	MinFlow  float64       `yaml:"min_flow,omitempty"` // L/min below which nothing flows; default 0.05
	MaxFlow  float64       `yaml:"max_flow,omitempty"` // L/min that its pump can give; default 300
	// Holds is for how long a command holds that is not repeated. Absent: 30m for
	// machines that report by themselves and have a topic for the command alone, as
	// relays have, which speak only at their changes; otherwise commands are repeated.
	Holds time.Duration `yaml:"holds,omitempty"`
	// Of its counter, in litres: where it begins again at 0 (absent: not known), and
	// its last digit (default 0.001).
	RolloverL   float64 `yaml:"rollover_l,omitempty"`
	ResolutionL float64 `yaml:"resolution_l,omitempty"`
}

// Check returns an error that says what is wrong, each fault with the key to mend.
func (c Config) Check() error {
	var errs []error
	if err := wire.CheckID(c.Machine); err != nil {
		errs = append(errs, fmt.Errorf("machine: %w", err))
	}
	if c.Name == "" || c.Type == "" {
		errs = append(errs, errors.New("name or type is missing"))
	}
	return errors.Join(append(errs, c.Runs().Check())...)
}

// Runs returns the configuration of run detection.
func (c Config) Runs() runs.Config {
	return runs.Config{Machine: c.Machine, TankLitres: c.TankL, Idle: c.Idle, Pause: c.Pause, MinFlow: c.MinFlow,
		MaxFlow: c.MaxFlow, Rollover: c.RolloverL, Resolution: c.ResolutionL, Holds: c.Holds}
}

// RunsOf returns the configuration of run detection in samples from a source: how far
// apart they lie differs.
func (c Config) RunsOf(source string) runs.Config {
	out := c.Runs()
	switch source {
	case wire.SourceReport:
		out.Gap = 15 * time.Second
	case wire.SourceImport: // a file is one run, and its points may lie far apart
		out.Declared, out.Pause, out.Gap = true, 24*time.Hour, 24*time.Hour
	}
	return out
}

// Fresh returns how long a value from a source counts as the present one: reports are
// seldom, and a value is not in each of them.
func Fresh(source string) time.Duration {
	if source == wire.SourceReport {
		return 30 * time.Second
	}
	return runs.FreshFor
}

// Point returns a sample as a point of a track that begins at T base, rounded to
// the precision of the devices.
func Point(s runs.Sample, base time.Duration) wire.TrackPoint {
	p := wire.TrackPoint{TMS: (s.T - base).Milliseconds(), Values: s.Values}
	for _, n := range fact.Numbers() {
		v := n.Of(&p.Values)
		*v = round(*v, n.Steps)
	}
	return p
}

// round rounds v to 1/scale.
func round(v *float64, scale float64) *float64 {
	if v == nil {
		return nil
	}
	return new(math.Round(*v*scale) / scale)
}

// Sample returns a point of a track as a sample; at and t are of the track's begin.
func Sample(p wire.TrackPoint, at time.Time, t time.Duration) runs.Sample {
	past := time.Duration(p.TMS) * time.Millisecond
	return runs.Sample{At: at.Add(past), T: t + past, Values: p.Values}
}

// Body returns a run as the body of a record.
func (c Config) Body(source string, r runs.Run, state fact.RunState) *wire.Run {
	w := &wire.Run{Machine: c.Machine, ID: r.ID, Name: c.Name, Type: c.Type, Operator: c.Operator, Source: source,
		State: state,
		Start: wire.At(r.Start), End: wire.At(r.End), Since: new(wire.At(r.Since)), Until: new(wire.At(r.Until)),
		Working: state == fact.RunOpen && r.Working, Sorties: r.Sorties, Samples: r.Samples,
		CommandS: seconds(r.Commanded), FlowS: seconds(r.Flowing), GapS: seconds(r.Gaps), OnS: new(seconds(r.On)),
		DistanceM: math.Round(r.Distance*10) / 10,
		BadFixes:  r.BadFixes, MeterL: round(r.Meter, 1000), FlowL: round(r.Integrated, 1000),
		UnaskedL: math.Round(r.Unasked*1000) / 1000,
		TankL:    round(r.TankFell, 1000), TankFirst: round(r.TankFirst, 100), TankLast: round(r.TankLast, 100),
		Refills: r.Refills, Refilled: math.Round(r.Refilled*100) / 100,
		Commanded: r.Evidence.Commanded, Moved: r.Evidence.Moved, Flowed: r.Evidence.Flowed,
		TankFell: r.Evidence.TankFell,
		Grade:    string(r.Grade), Reasons: some(r.Reasons), Faults: some(r.Faults), TankSizeL: c.TankL}
	for _, s := range r.Work {
		w.Work = append(w.Work, [2]int64{s.From.Milliseconds(), s.To.Milliseconds()})
	}
	return w
}

func some(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// Source joins the protocols of a machine: "modbus+nmea".
func Source(languages ...string) string { return strings.Join(languages, "+") }
