// Package sense turns the continuous output of sensors into single events: the
// samples of a thermometer into one measurement of a person, the frames that a
// reader repeats into one tap. It does no I/O; time comes with the samples.
package sense

import (
	"slices"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
)

// How a person is distinguished from the background, and when a value is settled.
// The numbers fit MLX90614 modules at 7 to 14 samples a second and people who stop
// for a second.
const (
	rise           fact.Temp = 200  // above the background: somebody is there
	skinMin        fact.Temp = 2800 // what skin can read, in °C/100
	skinMax        fact.Temp = 4500
	settleSpread   fact.Temp = 20 // samples this close agree
	settleCount              = 5  // samples that must agree in a row
	climb          fact.Temp = 8  // a row in which each is higher, by more than this in all, is no plateau
	higher         fact.Temp = 30 // a later plateau this much above is reported, too
	glimpse                  = 3  // fewer samples than this are something passing by
	hotBackground  fact.Temp = 3400
	backgroundSpan           = 10 * time.Second
	unsettledAfter           = 5 * time.Second
	standingAfter            = 60 * time.Second // whatever stays this long is not a person
	gapAfter                 = time.Second      // without a sample the person may have gone
	// out of sight for less, before there is a value, is a glance aside
	awayFor    = 300 * time.Millisecond
	stuckAfter = 30 * time.Second // a real sensor's last digit moves before that
)

// AmbientMin and AmbientMax bound the ambient temperature, in °C/100, at which
// the value of an infrared thermometer may judge people: metrology rates such
// thermometers for 16 to 35 °C, and no data sheet of the catalogue promises
// more for this use.
const (
	AmbientMin = 1600
	AmbientMax = 3500
)

// Measurement is one person's temperature.
type Measurement struct {
	At         time.Time     // when the last byte of its last sample came
	Object     fact.Temp     // the highest value of the settled plateau; unsettled: the highest seen
	Ambient    fact.Temp     // at that sample
	Background fact.Temp     // before the person came
	Samples    int           // since the person came
	Duration   time.Duration // since the person came
	Settled    bool          // settleCount samples in a row agreed
	// HotBackground: the background was so warm that a person barely shows.
	HotBackground bool
	// Drift: the sensor's own temperature had not settled; see steadyWithin.
	Drift bool
	// Supersedes: the same person, or one close behind, now reads higher than
	// the measurement before, or steady at last.
	Supersedes bool
}

// State says what happens in front of a thermometer, for screens.
type State int

// The states of a meter.
const (
	Idle      State = iota // nobody is there
	Measuring              // somebody is, and no value has settled yet
	Measured               // somebody is there who has been measured
)

// Meter turns samples into measurements. It is for one goroutine.
type Meter struct {
	limit  fact.Temp
	state  State
	past   []devices.Sample // of the last backgroundSpan with nobody there
	last   devices.Sample
	same   time.Time // since when the object temperature has not moved
	moved  bool      // it has, since the samples began or came again after a gap
	person person
	die    die
}

// person is what is known of the person who is there.
type person struct {
	came      time.Time
	base      fact.Temp        // the background when the person came
	seen      devices.Sample   // the newest sample
	away      time.Time        // since when the person is out of sight; zero: is in sight
	recent    []devices.Sample // the newest samples, settleCount at most
	peak      devices.Sample   // the highest sample
	count     int
	reported  fact.Temp // the value that was reported last
	unsettled bool      // an unsettled measurement was reported
}

// NewMeter returns a meter. limit is the fever limit minus the site offset, in terms
// of the object temperature: a plateau at or above it that follows a reported one
// below it is reported, however small the difference is.
func NewMeter(limit fact.Temp) *Meter { return &Meter{limit: limit} }

// SetLimit changes the limit from the next sample on.
func (m *Meter) SetLimit(limit fact.Temp) { m.limit = limit }

// State returns the state after the last sample.
func (m *Meter) State() State { return m.state }

// Stuck reports whether the object temperature has not changed for half a minute: the
// sensor repeats itself and measures nothing, though its own temperature may change.
func (m *Meter) Stuck() bool { return m.last.At.Sub(m.same) >= stuckAfter }

// Hot reports whether the background is about as warm as people are, so that they
// can't be distinguished from it.
func (m *Meter) Hot() bool {
	return m.state == Idle && m.background(m.last) >= hotBackground
}

// Observe takes the next sample and returns a measurement when one is complete.
func (m *Meter) Observe(s devices.Sample) (Measurement, bool) {
	gap := !m.last.At.IsZero() && s.At.Sub(m.last.At) > gapAfter
	if m.last.At.IsZero() || gap {
		m.same, m.moved = s.At, false
	} else if s.Object != m.last.Object {
		m.same, m.moved = s.At, true
	}
	m.last = s
	m.die.observe(s)
	if gap && m.state != Idle {
		done, ok := m.leave()
		m.begin(s)
		return done, ok
	}
	if m.state == Idle {
		m.begin(s)
		return Measurement{}, false
	}
	if !m.present(s) {
		if m.person.away.IsZero() {
			m.person.away = s.At
		}
		if m.state == Measuring && s.At.Sub(m.person.away) < awayFor {
			return Measurement{}, false
		}
		done, ok := m.leave()
		m.learn(s)
		return done, ok
	}
	if !m.person.away.IsZero() {
		m.person.away, m.person.recent = time.Time{}, m.person.recent[:0]
	}
	return m.follow(s)
}

// begin takes a sample while nobody is there.
func (m *Meter) begin(s devices.Sample) {
	if s.Object >= skinMin { // below it nobody is there, whatever the background
		m.person.base = m.background(s)
	}
	if s.Object < skinMin || !m.present(s) {
		m.learn(s)
		return
	}
	m.state = Measuring
	m.person = person{
		came:   s.At,
		base:   m.person.base,
		seen:   s,
		recent: append(m.person.recent[:0], s),
		peak:   s,
		count:  1,
	}
}

func (m *Meter) present(s devices.Sample) bool {
	return s.Object >= m.person.base+rise && s.Object >= skinMin && s.Object <= skinMax
}

// background returns the median of the samples with nobody there. Before the first it
// assumes that things are as warm as the air.
func (m *Meter) background(s devices.Sample) fact.Temp {
	if len(m.past) == 0 {
		return s.Ambient
	}
	values := make([]fact.Temp, len(m.past))
	for i, p := range m.past {
		values[i] = p.Object
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func (m *Meter) learn(s devices.Sample) {
	m.past = append(m.past, s)
	old := 0
	for s.At.Sub(m.past[old].At) > backgroundSpan { // s itself is not old
		old++
	}
	m.past = slices.Delete(m.past, 0, old)
}

// follow takes a sample of somebody who is there.
func (m *Meter) follow(s devices.Sample) (Measurement, bool) {
	p := &m.person
	p.add(s)
	if s.At.Sub(p.came) > standingAfter {
		// Sunlight, an engine, a hot cup: it becomes the background, or the
		// meter would be blind for as long as it stands there.
		m.past = append(m.past[:0], p.recent...)
		m.state = Idle
		return Measurement{}, false
	}
	top, settled := p.plateau()
	switch {
	case !m.moved:
		// A sensor that repeats one value since it was switched on has measured nobody.
	case settled && (m.state == Measuring || top.Object >= p.reported+higher ||
		p.reported < m.limit && top.Object >= m.limit):
		out := m.result(s, top, true)
		out.Supersedes = m.state == Measured || p.unsettled
		m.state, p.reported = Measured, top.Object
		return out, true
	case m.state == Measuring && !p.unsettled && s.At.Sub(p.came) > unsettledAfter:
		p.unsettled = true
		return m.result(s, p.peak, false), true
	}
	return Measurement{}, false
}

// add takes the next sample of the person.
func (p *person) add(s devices.Sample) {
	p.count++
	p.seen = s
	if s.Object > p.peak.Object {
		p.peak = s
	}
	if len(p.recent) == settleCount {
		p.recent = slices.Delete(p.recent, 0, 1)
	}
	p.recent = append(p.recent, s)
}

// plateau returns the highest of the newest samples when they agree. Samples of which
// each is higher than the one before do not: they are on the way to a value.
func (p *person) plateau() (top devices.Sample, settled bool) {
	if len(p.recent) < settleCount {
		return top, false
	}
	low, climbs := p.recent[0].Object, true
	for i, r := range p.recent {
		climbs = climbs && (i == 0 || r.Object > p.recent[i-1].Object)
		low = min(low, r.Object)
		if r.Object >= top.Object {
			top = r
		}
	}
	if climbs && top.Object-low > climb {
		return top, false
	}
	return top, top.Object-low <= settleSpread
}

// leave notes that the person has left. Who was not measured by then, and was not only
// passing by, is reported with an unsettled measurement.
func (m *Meter) leave() (Measurement, bool) {
	unmeasured := m.state == Measuring && !m.person.unsettled && m.person.count >= glimpse
	m.state = Idle
	if !unmeasured {
		return Measurement{}, false
	}
	return m.result(m.person.seen, m.person.peak, false), true
}

func (m *Meter) result(last, value devices.Sample, settled bool) Measurement {
	return Measurement{
		At:            last.At,
		Object:        value.Object,
		Ambient:       value.Ambient,
		Background:    m.person.base,
		Samples:       m.person.count,
		Duration:      last.At.Sub(m.person.came),
		Settled:       settled,
		HotBackground: m.person.base >= hotBackground,
		Drift:         m.die.drifts(last),
	}
}
