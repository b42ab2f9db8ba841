// Package gate decides who may pass. It is pure: readings that the journal
// holds, rules and time go in, verdicts come out, so that every decision can
// be made again from its record.
//
// A gate has lanes, and a lane serves one person at a time. The first card or
// measurement at a free lane opens a visit; the visit takes its counterpart,
// and is over when both are there, when a measurement without a card can't be
// judged, when the pairing window has run out, when the guard has answered, or when the
// next card is shown after one that was refused and nobody has come to the thermometer.
// Nothing of a visit that is over joins another.
// While more than one card or more than one person's measurement is open in a
// lane, nobody can say what belongs to whom: the visit is mixed, nobody passes,
// and no fever is put on a card. A mixed visit is over when nothing has come
// for a pairing window; what comes before that joins it.
// A first fever is settled by a second measurement, where the policy says so: package
// episode.
package gate

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/episode"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// passAgain is how long after a pass the same card, tapped once more, is taken
// for the same person: it belongs to no visit.
const passAgain = 1500 * time.Millisecond

// measuredWithin is how long a measurement that has begun may take: a meter
// reports an unsettled value after 5 s.
const measuredWithin = 6 * time.Second

// Lane is one way through a gate, for one person at a time.
type Lane struct {
	Name     string // as passages name it; may be empty at a gate with one lane
	Measures bool   // false: a permitted card alone passes
	// Thermometers and Readers are the names of its devices. A lane that
	// measures and has no thermometer that works passes nobody.
	Thermometers, Readers []string
}

// Config is the configuration of a gate.
type Config struct {
	Rules *policy.Rules
	Zone  *time.Location // the county's, for the days that cards are valid
	Lanes []Lane         // at least one; readings of devices of no lane are ignored
}

// Event is one decision. The agent fills in Passage.LatencyUS, journals it and
// shows it; when Alarm is set it raises a fever alarm that names it.
type Event struct {
	Passage wire.Passage
	Alarm   bool
}

// Gate pairs cards and temperatures. It is for one goroutine.
type Gate struct {
	cfg    Config
	window time.Duration
	limits wire.Limits
	lanes  []*lane
	by     map[string]*lane  // by device
	newest map[string]newest // by thermometer
	meters meters
	now    time.Duration // boot clock of what happened last

	past         Memory
	synchronised bool // the wall clock is known to be right
	fevers       episodes
}

// lane is a Lane with who is in it.
type lane struct {
	Lane
	visit    *visit   // nil: the lane is free
	last     *visit   // the one that was over last
	held     []*visit // those over before that a value can still be entered for, oldest first
	passed   string   // credential that passed last, and when on the boot clock
	passedAt time.Duration
	came     time.Duration   // boot clock: when who is not measured yet came to a thermometer; 0: nobody
	broken   map[string]bool // devices that do not work
	checked  []string        // thermometers that are being checked
}

// newest is the newest measurement of a thermometer, and the visit it is of.
type newest struct {
	visit *visit
	temp  *temp
}

// New returns a gate with empty lanes, whose devices all work and whose clock is right.
func New(cfg Config) *Gate {
	l := cfg.Rules.Limits
	g := &Gate{cfg: cfg, window: l.Pairing, by: map[string]*lane{}, newest: map[string]newest{}, synchronised: true,
		meters: meters{by: map[string]*meter{}, recorded: -recordAfter},
		limits: wire.Limits{Fever: l.Fever, InvalidBelow: l.InvalidBelow, PairingMS: l.Pairing.Milliseconds()}}
	if r := cfg.Rules.Episode; r != nil {
		g.fevers = episodes{book: episode.New(*r), passes: map[string]*wire.Pass{}}
	}
	for _, c := range cfg.Lanes {
		x := &lane{Lane: c, broken: map[string]bool{}}
		g.lanes = append(g.lanes, x)
		for _, d := range slices.Concat(c.Thermometers, c.Readers) {
			g.by[d] = x
		}
	}
	return g
}

// Observe takes a reading that the journal holds under seq. Readings come in
// the order of at; the boot clock drives the pairing window.
func (g *Gate) Observe(at clock.Moment, seq uint64, r wire.Reading) []Event {
	events := g.Tick(at)
	l := g.by[r.Device]
	r.Credential = g.cfg.Rules.Same(r.Credential)
	switch {
	case r.Type == fact.ReadingEntered && r.Entered != nil:
		events = append(events, g.entered(at, seq, r)...)
	case l == nil:
	case r.Type == fact.ReadingTemperature && r.Temperature != nil:
		events = append(events, g.temperature(l, at, seq, r)...)
	case r.Type == fact.ReadingCard || r.Type == fact.ReadingCode:
		events = append(events, g.tap(l, at, seq, r)...)
	}
	return events
}

// Tick ends the visits whose window has run out and returns an event for each
// person who waited in them. The agent calls it when Next is due.
func (g *Gate) Tick(at clock.Moment) []Event {
	var events []Event
	g.now = max(g.now, at.Boot)
	g.lapse(at)
	for _, l := range g.lanes {
		if l.visit != nil && l.visit.until <= at.Boot {
			events = append(events, g.timeOut(l)...)
		}
	}
	return events
}

// Next returns when Tick is due on the boot clock; ok is false while all lanes
// are free and nobody has a fever episode.
func (g *Gate) Next() (boot time.Duration, ok bool) {
	if g.fevers.book != nil {
		boot, ok = g.fevers.book.Next()
	}
	for _, l := range g.lanes {
		if l.visit != nil && (!ok || l.visit.until < boot) {
			boot, ok = l.visit.until, true
		}
	}
	return boot, ok
}

// Begun notes that somebody stands at a thermometer since at and is not measured yet. It
// extends the window: who came in time must not be refused because a measurement
// takes a moment. Who came when the window had run out is somebody else. The next card
// does not end the visit then: the measurement may be of whoever was there before.
func (g *Gate) Begun(at clock.Moment, device string) {
	l := g.by[device]
	if l == nil {
		return
	}
	if l.came = at.Boot; l.visit != nil && len(l.visit.temps) == 0 && l.visit.until > at.Boot {
		l.visit.until = max(l.visit.until, at.Boot+measuredWithin)
	}
}

// Answered notes that the guard has dealt with a passage that used these readings,
// and ends their visit. A mixed visit goes on: its cards and temperatures still
// can't be assigned to people.
func (g *Gate) Answered(readings []uint64) {
	for _, l := range g.lanes {
		if v := l.visit; v != nil && !v.mixed && v.uses(readings) {
			v.answered = true
			l.over()
		}
		if v := l.last; v != nil && v.uses(readings) {
			v.answered = true
		}
	}
}

// SetWorks notes whether a device works. It ends a visit that waits for a device
// that does not.
func (g *Gate) SetWorks(device string, works bool) []Event {
	l := g.by[device]
	if l == nil || l.broken[device] == !works {
		return nil
	}
	if l.broken[device] = !works; works {
		return nil
	}
	return g.giveUp(l)
}

// works reports whether one of devices does.
func (l *lane) works(devices []string) bool {
	return slices.ContainsFunc(devices, func(d string) bool {
		return !l.broken[d] && !slices.Contains(l.checked, d)
	})
}

// over ends the lane's visit, if there is one.
func (l *lane) over() {
	if l.visit != nil {
		l.last, l.visit = l.visit, nil
		l.held = append(l.held, l.last)
		l.held = l.held[max(0, len(l.held)-heldMost):]
	}
}
