// Package bench is a gate's hardware as bytes: thermometers, card readers and
// scanners on ptys, an MLX90614 on an I²C bus, GPIO lines. The production
// drivers read it, and can't tell.
package bench

import (
	"sync"
	"time"

	"gatehouse/gateway/fact"
)

// Scene is what stands in front of a gate's thermometer, and how it is.
type Scene struct {
	mu         sync.Mutex
	ambient    fact.Temp
	background fact.Temp
	person     fact.Temp // plateau of the surface temperature
	came, goes time.Time
	fault      Fault
	ticks      int
}

// Fault is what is wrong with a thermometer.
type Fault string

// The faults an emulator can have.
const (
	FaultNone    Fault = ""
	FaultBroken  Fault = "broken"  // it reports values that can't be; an MLX90614 sets its error flag
	FaultFrozen  Fault = "frozen"  // it repeats itself
	FaultGarbage Fault = "garbage" // bytes that are no frames; an MLX90614's PEC is wrong
	FaultAllFF   Fault = "allff"   // a line stuck high
	FaultSilent  Fault = "silent"  // nothing comes; an MLX90614 does not acknowledge
)

// ramp is how long a face takes to fill the thermometer's view.
const ramp = 200 * time.Millisecond

// wobble is the noise of a real sensor: downwards from the plateau, so that the
// highest of a few samples is the temperature that was wanted.
var wobble = [4]fact.Temp{0, -2, -4, -2}

// Stand puts a person with the given surface temperature there until d is over.
func (s *Scene) Stand(surface fact.Temp, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person, s.came = surface, time.Now()
	s.goes = s.came.Add(d)
}

// SetAmbient sets the air and, with it, what is seen when nobody is there.
func (s *Scene) SetAmbient(t fact.Temp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ambient, s.background = t, t-100
}

// SetFault breaks or mends the thermometer.
func (s *Scene) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// look gives what the sensor measures now.
func (s *Scene) look(now time.Time) (object, ambient fact.Temp, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	object = s.background
	if now.Before(s.goes) {
		object = s.person
		if since := now.Sub(s.came); since < ramp {
			object = s.background + fact.Temp(float64(s.person-s.background)*float64(since)/float64(ramp))
		}
	}
	if s.fault != FaultFrozen {
		s.ticks++
	}
	return object + wobble[s.ticks%len(wobble)], s.ambient, s.fault
}

// Surface works back from the screening temperature that is wanted to the
// surface temperature that the sensor must see.
func Surface(screening, offset fact.Temp) fact.Temp { return screening - offset }
