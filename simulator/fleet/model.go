// Package fleet simulates the county's drones and fogging machines: it moves
// them through their missions, records what they really did, and sends each
// one's data in its firmware's protocol.
package fleet

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Times are the lengths of a machine's phases: rest before the first run, work,
// pause, more work, rest.
type Times struct{ First, Work, Pause, More, Rest time.Duration }

// Truth is what a machine really did in one run.
type Truth struct {
	Machine    string
	Start, End time.Time
	Litres     float64
	Metres     float64 // that it moved while it worked
	Unheard    float64 // metres of these while its positions were lost
	Cells      int     // squares of 5 m that were wetted
	Grade      string  // the grade that the run must get
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

	homeSpeed = 8.0              // m/s, of FaultHome
	homeFor   = 12 * time.Second // it flies on for so long
	wakes     = 5 * time.Second  // before its next run, one that died reports again
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
		m.run.Metres += m.Speed * dt.Seconds()
		if m.silent() || m.drifts() {
			m.run.Unheard += m.Speed * dt.Seconds()
		}
		if q > 0 {
			lat, lon := along(m.Mission, m.walked)
			m.cells[cell(lat, lon)] = true
		}
	} else if m.stuck() {
		m.metered += m.FlowLPM * dt.Minutes()
	} else if m.fliesOn() {
		m.walked += homeSpeed * dt.Seconds()
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

// fliesOn reports whether the machine moves without working.
func (m *model) fliesOn() bool {
	return m.Fault == FaultHome && m.phase == resting && len(m.truths) > 0 && m.into() < homeFor
}

// silent reports whether the machine sends nothing.
func (m *model) silent() bool {
	if m.Fault == FaultDies {
		return m.phase == resting && len(m.truths) > 0 && m.left > wakes
	}
	into := m.into()
	return (m.Fault == FaultGap || m.Fault == FaultCut) && m.phase == working &&
		into >= silentFrom && into < silentFrom+silentFor
}

// drifts reports whether the positions are lost or wrong.
func (m *model) drifts() bool {
	into := m.into()
	return m.Fault == FaultDrift && m.phase == working && into >= silentFrom && into < silentFrom+driftFor
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
	switch m.Fault {
	case FaultFlicker:
		s.volume += 0.04*rand.Float64() - 0.02
	case FaultBack:
		if int(m.left/time.Second)%5 == 0 {
			s.volume -= 0.15
		}
	}
	if m.TankL > 0 {
		s.tank = 100 * m.tank / m.TankL
	}
	s.silent = m.silent()
	if m.fliesOn() {
		s.speed, s.height = homeSpeed, 20
	}
	if m.drifts() {
		if m.into() < silentFrom+driftFor/2 {
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
	return slices.Clone(m.truths)
}

func cell(lat, lon float64) [2]int {
	return [2]int{int(math.Floor(lat * metresPerDegree / cellMetres)),
		int(math.Floor(lon * metresPerDegree * math.Cos(lat*math.Pi/180) / cellMetres))}
}
