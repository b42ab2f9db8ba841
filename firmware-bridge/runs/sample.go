// Package runs turns the samples of a machine into disinfection runs: when it
// worked, where, how much it dispensed, and the evidence for it. It is pure:
// samples and time in, runs out.
package runs

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"gatehouse/firmware-bridge/geo"
	"gatehouse/gateway/fact"
)

// Sample is what is known of a machine at one moment.
type Sample struct {
	// At is the wall clock, for people. T is a clock that never steps, for
	// durations: the bridge's boot clock, or At for what comes from a file.
	At time.Time
	T  time.Duration

	fact.Values

	// Lost names the numbers that were read and could not be true: what they were
	// before is not known to hold any longer. It is for a Fuser, and is not stored.
	Lost []string
}

// point is the position of a sample that has one.
func (s *Sample) point() geo.Point { return geo.Point{Lat: *s.Lat, Lon: *s.Lon} }

// ErrFix means that a position can't be true.
var ErrFix = errors.New("no position")

// CheckFix returns an error for what is not a position on earth, and for 0, 0,
// which receivers without a fix report.
func CheckFix(lat, lon float64) error {
	switch {
	case math.IsNaN(lat) || math.IsNaN(lon) || math.Abs(lat) > 90 || math.Abs(lon) > 180:
		return fmt.Errorf("%w: latitude %g, longitude %g", ErrFix, lat, lon)
	case math.Abs(lat) < 1e-4 && math.Abs(lon) < 1e-4:
		return fmt.Errorf("%w: 0, 0", ErrFix)
	}
	return nil
}

// Clean removes the values that can't be true, notes the numbers among them as lost,
// and returns what is wrong with each.
func (s *Sample) Clean() []error {
	bad, lost := clean(&s.Values)
	s.Lost = append(s.Lost, lost...)
	return bad
}

// Clean removes from v what can't be true and returns what is wrong with each.
func Clean(v *fact.Values) []error {
	bad, _ := clean(v)
	return bad
}

func clean(v *fact.Values) (bad []error, lost []string) {
	if v.Lat != nil || v.Lon != nil {
		err := ErrFix
		if v.Lat != nil && v.Lon != nil {
			err = CheckFix(*v.Lat, *v.Lon)
		}
		if err != nil {
			bad = append(bad, err)
			v.Lat, v.Lon = nil, nil
		}
	}
	for _, n := range fact.Numbers() {
		p := n.Of(v)
		if *p != nil && !(**p >= n.Min && **p <= n.Max) {
			bad = append(bad, fmt.Errorf("%s %g is not in %g to %g", n.Name, **p, n.Min, n.Max))
			*p, lost = nil, append(lost, n.Name)
		}
	}
	return bad, lost
}

// FreshFor is how long a value counts as the present one by default.
const FreshFor = 5 * time.Second

// Fuser merges the messages of a machine into samples: each field as it was last
// reported, as long as it is fresh, and the counter only when it was read. A
// machine may have several sources, such as a pump's controller and a receiver of
// positions.
type Fuser struct {
	Fresh time.Duration // 0: FreshFor
	// Holds is for how long a command is the present one that is not repeated, of a
	// machine that speaks only at its changes; less than Fresh: Fresh. Disarming ends it.
	Holds time.Duration

	last    fact.Values
	numbers [8]time.Duration // T of each number, in the order of fact.Numbers
	flags   [2]time.Duration // T of each flag, in the order of fact.Flags
	fault   time.Duration    // T of the fault
	new     bool             // something came since the last sample
	counted bool             // the counter was read since the last sample
}

// Take notes the fields of a message; its T must not lie before the last one's.
func (f *Fuser) Take(s Sample) {
	v := s.Values
	if v.Lat == nil || v.Lon == nil {
		v.Lat, v.Lon = nil, nil
	}
	for i, n := range fact.Numbers() {
		f.note(take(n.Of(&f.last), *n.Of(&v)), &f.numbers[i], s.T)
		if *n.Of(&v) == nil && slices.Contains(s.Lost, n.Name) {
			*n.Of(&f.last), f.new = nil, true
		}
	}
	if f.Holds > 0 && v.Armed != nil && !*v.Armed {
		f.last.Command = nil
	}
	for i, b := range fact.Flags() {
		f.note(take(b.Of(&f.last), *b.Of(&v)), &f.flags[i], s.T)
	}
	f.counted = f.counted || v.Volume != nil
	if v.Fault != "" {
		f.last.Fault = v.Fault
		f.note(true, &f.fault, s.T)
	}
}

func (f *Fuser) note(came bool, when *time.Duration, t time.Duration) {
	if came {
		*when, f.new = t, true
	}
}

// take copies a value that came, and reports whether one did.
func take[T any](to **T, from *T) bool {
	if from != nil {
		*to = from
	}
	return from != nil
}

// Sample returns the machine as it is at a moment; ok is false when nothing came
// since the last call, or nothing is fresh.
func (f *Fuser) Sample(at time.Time, t time.Duration) (s Sample, ok bool) {
	if !f.new {
		return Sample{}, false
	}
	f.new = false
	s = Sample{At: at, T: t, Values: f.last}
	fresh := f.Fresh
	if fresh == 0 {
		fresh = FreshFor
	}
	for i, n := range fact.Numbers() {
		// A counter is read against its last reading: one that was not read
		// again does not show that nothing has flowed.
		if n.Name == fact.FieldVolume && f.counted {
			continue
		}
		drop(n.Of(&s.Values), n.Name == fact.FieldVolume || t-f.numbers[i] > fresh)
	}
	f.counted = false
	for i, b := range fact.Flags() {
		drop(b.Of(&s.Values), t-f.flags[i] > f.freshFlag(b.Name, fresh))
	}
	if t-f.fault > fresh {
		s.Fault = ""
	}
	return s, !s.Empty()
}

// freshFlag returns for how long a flag is the present one.
func (f *Fuser) freshFlag(name string, fresh time.Duration) time.Duration {
	if name == fact.FieldCommand {
		return max(fresh, f.Holds)
	}
	return fresh
}

func drop[T any](p **T, old bool) {
	if old {
		*p = nil
	}
}
