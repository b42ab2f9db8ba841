// Package fleet plays the county's drones and fogging machines: it moves them
// through their missions, knows what they truly did, and lets each speak its
// firmware's language in bytes.
package fleet

import (
	"math"
	"sync"
	"time"
)

// Fault is what is wrong with a machine.
type Fault string

// The faults. Each is a machine's for good.
const (
	FaultNone  Fault = ""
	FaultDry   Fault = "dry nozzle"    // the pump is told to run and nothing comes out
	FaultLeak  Fault = "leaking valve" // it drips and nobody told it to
	FaultStuck Fault = "stuck flow sensor"
	FaultDrift Fault = "GPS drift and loss"
	FaultGap   Fault = "link gap"
	FaultCut   Fault = "power cut in mid-run"
	FaultClock Fault = "wrong clock"
)

// Spec is one machine.
type Spec struct {
	ID, Name, Type string
	Operator       string
	Fault          Fault
	Language       Language
	TankL          float64 // litres; 0: it has no level sensor
	FlowLPM        float64 // litres a minute when it works
	NoFlowSensor   bool
	Speed          float64 // m/s
	Mission        []Point
	Grade          string // that its runs must get
}

// Language is how a machine is heard.
type Language string

// The languages.
const (
	MAVLinkUDP    Language = "MAVLink over UDP"
	MAVLinkSerial Language = "MAVLink over a serial radio"
	PLC           Language = "Modbus RTU (PLC), NMEA"
	VFD           Language = "Modbus RTU (VFD and TUF-2000F), NMEA"
	JSON          Language = "MQTT, the documented report"
	Tasmota       Language = "MQTT, Tasmota's form"
)

// Times are those of a machine's cycle.
type Times struct{ First, Work, Pause, More, Rest time.Duration }

// Truth is one run as it really was.
type Truth struct {
	Machine    string
	Start, End time.Time
	Litres     float64
	Cells      int // squares of 5 m that were wetted
	Grade      string
}

// phase is a part of the cycle.
type phase int

const (
	resting phase = iota
	working
	pausing
	workingMore
)

const (
	leakLPM    = 1.5
	silentFrom = 6 * time.Second // into the work, where a fault makes a machine silent
	silentFor  = 8 * time.Second
	driftFor   = 6 * time.Second
	refillFrom = 30 * time.Second // into the rest
	cellMetres = 5.0
)

// model is one machine as it truly is.
type model struct {
	Spec
	Times

	mu      sync.Mutex
	phase   phase
	left    time.Duration // of the phase
	ending  bool          // no new run begins
	walked  float64       // metres along the mission
	litres  float64       // dispensed, ever
	metered float64       // litres by the flow meter's counter
	tank    float64       // litres in it
	battery float64       // percent
	now     *Truth
	cells   map[[2]int]bool
	truths  []Truth
}

func newModel(s Spec, t Times) *model {
	return &model{
		Spec:    s,
		Times:   t,
		left:    t.First,
		tank:    max(s.TankL, 1),
		battery: 96,
		metered: 1000 * float64(len(s.ID)),
	}
}

// state is what a machine's instruments show.
type state struct {
	lat, lon float64
	fix      bool
	height   float64
	speed    float64
	armed    bool
	command  bool
	flow     float64 // L/min
	volume   float64 // litres
	tank     float64 // percent
	battery  float64 // percent
	silent   bool    // nothing can be heard of it
}

func (m *model) length(p phase) time.Duration {
	return [...]time.Duration{m.Rest, m.Work, m.Pause, m.More}[p]
}

// into is how long the phase has lasted.
func (m *model) into() time.Duration { return m.length(m.phase) - m.left }

// off tells that a power cut has the machine.
func (m *model) off() bool {
	return m.Fault == FaultCut && m.phase == working && m.into() >= silentFrom && m.into() < silentFrom+silentFor
}

func (m *model) works() bool { return (m.phase == working || m.phase == workingMore) && !m.off() }

// truly is how much comes out, L/min.
func (m *model) truly() float64 {
	switch {
	case !m.works() || m.Fault == FaultDry:
		return 0
	case m.Fault == FaultLeak:
		return leakLPM
	}
	return m.FlowLPM
}

// step lets time pass.
func (m *model) step(now time.Time, dt time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.works()
	if before {
		q := m.truly() * dt.Minutes()
		m.litres += q
		m.metered += q
		m.tank = max(0, m.tank-q)
		m.walked += m.Speed * dt.Seconds()
		m.battery = max(20, m.battery-0.05*dt.Seconds())
		m.now.Litres += q
		if q > 0 {
			lat, lon := along(m.Mission, m.walked)
			m.cells[cell(lat, lon)] = true
		}
	} else if m.stuck() {
		m.metered += m.FlowLPM * dt.Minutes()
	}
	if m.phase == resting && m.into() > refillFrom {
		m.tank, m.battery = max(m.TankL, 1), 96
	}
	if m.left -= dt; m.left > 0 || m.phase == resting && m.ending {
		return
	}
	switch m.phase {
	case resting:
		m.phase = working
		m.now, m.cells = &Truth{Machine: m.ID, Start: now, Grade: m.Grade}, map[[2]int]bool{}
	case working:
		m.phase = pausing
	case pausing:
		m.phase = workingMore
	case workingMore:
		m.phase = resting
		m.now.End, m.now.Cells = now, len(m.cells)
		m.truths = append(m.truths, *m.now)
		m.now = nil
	}
	m.left = m.length(m.phase)
}

// stuck tells that the flow sensor shows what it showed last; before the next
// run it has come loose.
func (m *model) stuck() bool {
	return m.Fault == FaultStuck &&
		(m.phase == pausing || m.phase == resting && len(m.truths) > 0 && m.left > 5*time.Second)
}

func (m *model) look() state {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := state{
		fix:     true,
		volume:  m.metered,
		battery: m.battery,
		armed:   m.phase != resting,
		command: m.works() && m.Fault != FaultLeak,
	}
	s.lat, s.lon = along(m.Mission, m.walked)
	if m.works() {
		s.speed, s.height = m.Speed, 3
		s.flow = m.truly()
	}
	if m.stuck() {
		s.flow = m.FlowLPM
	}
	if m.TankL > 0 {
		s.tank = 100 * m.tank / m.TankL
	}
	into := m.into()
	if m.phase == working && into >= silentFrom && into < silentFrom+silentFor {
		s.silent = m.Fault == FaultGap || m.Fault == FaultCut
	}
	if m.Fault == FaultDrift && m.phase == working && into >= silentFrom && into < silentFrom+driftFor {
		if into < silentFrom+driftFor/2 {
			s.lat, s.lon, s.fix = 0, 0, false
		} else {
			s.lat += 0.03 // 3 km
		}
	}
	return s
}

// finish lets the run that is under way be the last.
func (m *model) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ending = true
}

// resting tells that nothing is under way.
func (m *model) rests() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.phase == resting && !m.stuck()
}

func (m *model) truth() []Truth {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Truth(nil), m.truths...)
}

func cell(lat, lon float64) [2]int {
	return [2]int{int(math.Floor(lat * metresPerDegree / cellMetres)),
		int(math.Floor(lon * metresPerDegree * math.Cos(lat*math.Pi/180) / cellMetres))}
}
