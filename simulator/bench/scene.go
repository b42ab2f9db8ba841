// Package bench simulates a gate's hardware down to the bytes: thermometers,
// card readers and scanners on ptys, an MLX90614 on an I²C bus, GPIO lines. The
// production drivers read it as they read real hardware.
package bench

import (
	"sync"
	"time"

	"gatehouse/gateway/fact"
)

// Scene is what a gate's thermometer sees, and its fault. Its methods may be
// called from several goroutines.
type Scene struct {
	mu            sync.Mutex
	ambient       fact.Temp
	background    fact.Temp // seen while nobody is there
	person        fact.Temp // surface temperature
	normal        fact.Temp // surface temperature of a person of 36.5 °C, for FaultNormal
	arrive, leave time.Time // of the person
	fault         Fault
	ticks         int
}

// Fault is a fault of a thermometer.
type Fault string

// The faults that the emulators have.
const (
	FaultNone    Fault = ""
	FaultBroken  Fault = "broken"  // impossible values; an MLX90614 sets its error flag
	FaultFrozen  Fault = "frozen"  // always the same value
	FaultGarbage Fault = "garbage" // bytes that are not frames; an MLX90614 sends a wrong PEC
	FaultAllFF   Fault = "allff"   // a line stuck high
	FaultSilent  Fault = "silent"  // no bytes; an MLX90614 does not acknowledge
	// FaultBrownOut: the supply fails for a moment: a GY-MCU90614 is silent until it is
	// asked again, an MLX90614 goes on.
	FaultBrownOut Fault = "brown-out"
	// FaultNormal: what it measures of people is pulled to a normal value, as devices do
	// that are sold for never raising an alarm.
	FaultNormal Fault = "normal"
)

// ramp is how long a face takes to fill the thermometer's view.
const ramp = 200 * time.Millisecond

// wobble is a sensor's noise. It only lowers the value, so that the highest of
// four samples is the wanted temperature.
var wobble = [4]fact.Temp{0, -2, -4, -2}

// Stand puts a person with the given surface temperature in front of the
// thermometer for d.
func (s *Scene) Stand(surface fact.Temp, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person, s.arrive = surface, time.Now()
	s.leave = s.arrive.Add(d)
}

// Leave lets whoever stands in front of the thermometer step away.
func (s *Scene) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave = time.Now()
}

// SetAmbient sets the air temperature and, with it, that of the background.
func (s *Scene) SetAmbient(t fact.Temp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ambient, s.background = t, t-100
}

// SetFault sets the thermometer's fault; FaultNone repairs it.
func (s *Scene) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// measure returns what the sensor measures now.
func (s *Scene) measure(now time.Time) (object, ambient fact.Temp, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	object = s.background
	if now.Before(s.leave) {
		object = s.person
		if s.fault == FaultNormal {
			object = s.normal + (s.person-s.normal)/20
		}
		if since := now.Sub(s.arrive); since < ramp {
			object = s.background + fact.Temp(float64(object-s.background)*float64(since)/float64(ramp))
		}
	}
	if s.fault != FaultFrozen {
		s.ticks++
	}
	return object + wobble[s.ticks%len(wobble)], s.ambient, s.fault
}

// brownOut reports whether the supply has failed since the last call.
func (s *Scene) brownOut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	failed := s.fault == FaultBrownOut
	if failed {
		s.fault = FaultNone
	}
	return failed
}

// Surface returns the surface temperature that makes a thermometer with the
// given site offset read the screening temperature.
func Surface(screening, offset fact.Temp) fact.Temp { return screening - offset }
