// Package fleet simulates the county's drones and fogging machines: it moves
// them through their missions, records what they really did, and sends each
// one's data in its firmware's protocol.
package fleet

import (
	"math"
	"sync"
	"time"
)

// Fault is a fault of a machine.
type Fault string

// The faults. A machine has the same one all the time.
const (
	FaultNone  Fault = ""
	FaultDry   Fault = "dry nozzle"    // the pump is commanded and nothing flows
	FaultLeak  Fault = "leaking valve" // it flows without a command
	FaultStuck Fault = "stuck flow sensor"
	FaultDrift Fault = "GPS drift and loss"
	FaultGap   Fault = "link gap"
	FaultCut   Fault = "power cut in mid-run"
	FaultClock Fault = "wrong clock"
)

// Spec describes one machine.
type Spec struct {
	ID, Name, Type string
	Operator       string
	Fault          Fault
	Language       Language
	TankL          float64 // litres; 0: it has no level sensor
	FlowLPM        float64 // litres a minute while it works
	NoFlowSensor   bool
	Speed          float64 // m/s
	Mission        []LatLon
	Grade          string // the grade that its runs must get
}

// Language is the protocol that a machine sends.
type Language string

// The protocols.
const (
	MAVLinkUDP    Language = "MAVLink over UDP"
	MAVLinkSerial Language = "MAVLink over a serial radio"
	PLC           Language = "Modbus RTU (PLC), NMEA"
	VFD           Language = "Modbus RTU (VFD and TUF-2000F), NMEA"
	JSON          Language = "MQTT, the report of WIRE.md"
	Tasmota       Language = "MQTT, Tasmota's format"
)

// Times are the lengths of a machine's phases: rest before the first run, work,
// pause, more work, rest.
type Times struct{ First, Work, Pause, More, Rest time.Duration }

// Truth is what a machine really did in one run.
type Truth struct {
	Machine    string
	Start, End time.Time
	Litres     float64
	Cells      int    // squares of 5 m that were wetted
	Grade      string // the grade that the run must get
}

// phase is a phase of a machine's cycle.
type phase int

const (
	resting phase = iota
	working
	pausing
	workingMore
)

const (
	leakLPM    = 1.5
	silentFrom = 6 * time.Second // after the start of work, for faults that silence a machine
	silentFor  = 8 * time.Second
	driftFor   = 6 * time.Second
	refillFrom = 30 * time.Second // after the start of rest
	cellMetres = 5.0
)

// model simulates one machine. Its methods may be called from several
// goroutines.
type model struct {
	Spec
	Times

	mu      sync.Mutex
	phase   phase
	left    time.Duration // of the phase
	ending  bool          // start no new run
	walked  float64       // metres along the mission
	metered float64       // the flow meter's counter, litres
	tank    float64       // litres
	battery float64       // percent
	run     *Truth        // in progress; nil: none
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

// instruments are the readings of a machine's instruments.
type instruments struct {
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
	silent   bool    // it sends nothing
}

func (m *model) length(p phase) time.Duration {
	return [...]time.Duration{m.Rest, m.Work, m.Pause, m.More}[p]
}

// into returns how long the phase has lasted.
func (m *model) into() time.Duration { return m.length(m.phase) - m.left }

// off reports whether the machine's power is cut.
func (m *model) off() bool {
	return m.Fault == FaultCut && m.phase == working && m.into() >= silentFrom && m.into() < silentFrom+silentFor
}

func (m *model) works() bool { return (m.phase == working || m.phase == workingMore) && !m.off() }

// flow returns how much really flows, L/min.
func (m *model) flow() float64 {
	switch {
	case !m.works() || m.Fault == FaultDry:
		return 0
	case m.Fault == FaultLeak:
		return leakLPM
	}
	return m.FlowLPM
}

// step advances the simulation by dt, to now.
func (m *model) step(now time.Time, dt time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.works() {
		q := m.flow() * dt.Minutes()
		m.metered += q
		m.tank = max(0, m.tank-q)
		m.walked += m.Speed * dt.Seconds()
		m.battery = max(20, m.battery-0.05*dt.Seconds())
		m.run.Litres += q
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
		m.run, m.cells = &Truth{Machine: m.ID, Start: now, Grade: m.Grade}, map[[2]int]bool{}
	case working:
		m.phase = pausing
	case pausing:
		m.phase = workingMore
	case workingMore:
		m.phase = resting
		m.run.End, m.run.Cells = now, len(m.cells)
		m.truths = append(m.truths, *m.run)
		m.run = nil
	}
	m.left = m.length(m.phase)
}

// stuck reports whether the flow sensor repeats its last value after work. It
// recovers before the next run.
func (m *model) stuck() bool {
	return m.Fault == FaultStuck &&
		(m.phase == pausing || m.phase == resting && len(m.truths) > 0 && m.left > 5*time.Second)
}

// read returns what the machine's instruments show now.
func (m *model) read() instruments {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := instruments{
		fix:     true,
		volume:  m.metered,
		battery: m.battery,
		armed:   m.phase != resting,
		command: m.works() && m.Fault != FaultLeak,
	}
	s.lat, s.lon = along(m.Mission, m.walked)
	if m.works() {
		s.speed, s.height = m.Speed, 3
		s.flow = m.flow()
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

// finish starts no new run after the one in progress.
func (m *model) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ending = true
}

// finished reports whether no run is in progress and the flow sensor shows 0.
func (m *model) finished() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.phase == resting && !m.stuck()
}

// truth returns the runs that have ended.
func (m *model) truth() []Truth {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Truth(nil), m.truths...)
}

func cell(lat, lon float64) [2]int {
	return [2]int{int(math.Floor(lat * metresPerDegree / cellMetres)),
		int(math.Floor(lon * metresPerDegree * math.Cos(lat*math.Pi/180) / cellMetres))}
}
