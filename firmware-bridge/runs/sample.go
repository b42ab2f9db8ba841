// Package runs turns what a machine says of itself into disinfection runs:
// when it worked, where, how much it dispensed, and what shows that it really
// did. It is pure: samples and time in, runs out.
package runs

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Sample is what is known of a machine at one moment. A field that the machine
// did not give is nil: never a made-up zero.
type Sample struct {
	// At is the wall clock, for people. T is a clock that never steps, for
	// durations: the bridge's boot clock, or At for what comes from a file.
	At time.Time
	T  time.Duration

	Lat     *float64 // degrees north, WGS-84
	Lon     *float64 // degrees east
	Height  *float64 // metres above the ground
	Speed   *float64 // m/s over the ground
	Armed   *bool    // may move and work
	Command *bool    // the pump is told to run
	Flow    *float64 // L/min, measured
	Volume  *float64 // litres, a counter that rises with the flow until it is reset
	Tank    *float64 // percent of the tank
	Battery *float64 // percent
	Fault   string   // the machine's own word; empty: none
}

// Limits outside of which a value can't be true.
const (
	maxHeight = 2000.0
	minHeight = -500.0
	maxSpeed  = 80.0   // m/s
	maxFlow   = 5000.0 // L/min: a large fog cannon has some 150
	maxVolume = 10e9   // litres of a counter
)

// ErrFix says that a position can't be true.
var ErrFix = errors.New("no position")

// CheckFix refuses what is no place on earth, and the point where receivers
// without a fix believe to be.
func CheckFix(lat, lon float64) error {
	switch {
	case math.IsNaN(lat) || math.IsNaN(lon) || math.Abs(lat) > 90 || math.Abs(lon) > 180:
		return fmt.Errorf("%w: latitude %g, longitude %g", ErrFix, lat, lon)
	case math.Abs(lat) < 1e-4 && math.Abs(lon) < 1e-4:
		return fmt.Errorf("%w: 0, 0", ErrFix)
	}
	return nil
}

// Clean takes away the values that can't be true and tells which they were.
func (s *Sample) Clean() []error {
	var bad []error
	if s.Lat != nil || s.Lon != nil {
		err := ErrFix
		if s.Lat != nil && s.Lon != nil {
			err = CheckFix(*s.Lat, *s.Lon)
		}
		if err != nil {
			bad = append(bad, err)
			s.Lat, s.Lon = nil, nil
		}
	}
	for _, f := range []struct {
		name     string
		v        **float64
		min, max float64
	}{{"height", &s.Height, minHeight, maxHeight}, {"speed", &s.Speed, 0, maxSpeed}, {"flow", &s.Flow, 0, maxFlow},
		{"volume", &s.Volume, 0, maxVolume}, {"tank", &s.Tank, 0, 100}, {"battery", &s.Battery, 0, 100}} {
		if p := *f.v; p != nil && !(*p >= f.min && *p <= f.max) {
			bad = append(bad, fmt.Errorf("%s %g is not in %g to %g", f.name, *p, f.min, f.max))
			*f.v = nil
		}
	}
	return bad
}

// Empty tells that the sample says nothing.
func (s *Sample) Empty() bool {
	return s.Lat == nil && s.Height == nil && s.Speed == nil && s.Armed == nil && s.Command == nil &&
		s.Flow == nil && s.Volume == nil && s.Tank == nil && s.Battery == nil && s.Fault == ""
}

// FreshFor is how long a value counts as the present one, where a Fuser is not
// told otherwise.
const FreshFor = 5 * time.Second

// Fuser makes one sample of a machine's many messages: each field as it was
// last said, as long as it is fresh, and a counter only when it was read. Several sources may speak of one machine,
// such as a pump's controller and a receiver of positions.
type Fuser struct {
	Fresh time.Duration // 0: FreshFor

	last Sample
	when [fields]time.Duration // T of each field
	new  bool
	read bool // the counter, since the last sample
}

const (
	fieldFix = iota
	fieldHeight
	fieldSpeed
	fieldArmed
	fieldCommand
	fieldFlow
	fieldVolume
	fieldTank
	fieldBattery
	fieldFault
	fields
)

// Take notes what a message says; its T must not lie before the last one's.
func (f *Fuser) Take(s Sample) {
	note := func(i int) { f.when[i], f.new = s.T, true }
	if s.Lat != nil && s.Lon != nil {
		f.last.Lat, f.last.Lon = s.Lat, s.Lon
		note(fieldFix)
	}
	take(&f.last.Height, s.Height, fieldHeight, note)
	take(&f.last.Speed, s.Speed, fieldSpeed, note)
	take(&f.last.Armed, s.Armed, fieldArmed, note)
	take(&f.last.Command, s.Command, fieldCommand, note)
	take(&f.last.Flow, s.Flow, fieldFlow, note)
	take(&f.last.Volume, s.Volume, fieldVolume, note)
	f.read = f.read || s.Volume != nil
	take(&f.last.Tank, s.Tank, fieldTank, note)
	take(&f.last.Battery, s.Battery, fieldBattery, note)
	if s.Fault != "" {
		f.last.Fault = s.Fault
		note(fieldFault)
	}
}

func take[T any](to **T, from *T, i int, note func(int)) {
	if from != nil {
		*to = from
		note(i)
	}
}

// Sample gives the machine as it is at a moment; ok is false when nothing came
// since the last call.
func (f *Fuser) Sample(at time.Time, t time.Duration) (s Sample, ok bool) {
	if !f.new {
		return Sample{}, false
	}
	f.new = false
	s = f.last
	s.At, s.T = at, t
	fresh := f.Fresh
	if fresh == 0 {
		fresh = FreshFor
	}
	old := func(i int) bool { return t-f.when[i] > fresh }
	if old(fieldFix) {
		s.Lat, s.Lon = nil, nil
	}
	drop(&s.Height, old(fieldHeight))
	drop(&s.Speed, old(fieldSpeed))
	drop(&s.Armed, old(fieldArmed))
	drop(&s.Command, old(fieldCommand))
	drop(&s.Flow, old(fieldFlow))
	// A counter is read against its last reading: one that was not read again
	// does not say that nothing has flowed.
	drop(&s.Volume, !f.read)
	f.read = false
	drop(&s.Tank, old(fieldTank))
	drop(&s.Battery, old(fieldBattery))
	if old(fieldFault) {
		s.Fault = ""
	}
	return s, !s.Empty()
}

func drop[T any](p **T, old bool) {
	if old {
		*p = nil
	}
}
