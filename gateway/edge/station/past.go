package station

import (
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

const (
	// restoreWindow is how far back a restarted agent looks for readings that
	// nothing was decided on yet: the longest pairing window a rule set may have.
	restoreWindow = time.Minute
	// passagesKept is how many passages are remembered with their readings: more
	// than a pairing window has.
	passagesKept = 64
	// answersKept is how many answers are remembered: more than a guard gives
	// while the screen would still show what they answer.
	answersKept = 512
)

// past is what the journal holds of before the restart.
type past struct {
	answered []uint64        // passages that the guard dealt with, oldest first
	alarmed  map[uint64]bool // passages with a fever that have an alarm
	told     map[string]bool // ids of the other alarms that a passage raises
	events   []event         // what the gate must go through again, oldest first
	verdicts []earlier       // the last passages, oldest first
	bootID   string          // of the newest record that names one
	came     earlier         // when somebody came last
	passedIn string          // the same, of the records that RememberPassed took
	again    bool            // RememberRead has come to the readings that go through the gate again
}

// event is what happened inside the pairing window: a reading, an answer of the
// guard, or a device that broke or was mended.
type event struct {
	seq      uint64
	at       clock.Moment
	reading  *wire.Reading
	answered []uint64    // readings of the passage that the guard dealt with
	again    *wire.Audit // somebody whom the guard sent to be measured again
	device   string      // whose state changed
	works    bool        // it does since then
}

// earlier is a passage of before the restart.
type earlier struct {
	seq      uint64
	at       clock.Moment // when it was given
	passage  *wire.Passage
	thisBoot bool // at.Boot counts from the same boot as the clock of now
}

// when returns when the passage was given, or zero where the clocks can't say.
func (e earlier) when(now clock.Moment) clock.Moment {
	age := now.Wall.Sub(e.at.Wall)
	if e.thisBoot {
		age = now.Boot - e.at.Boot
	}
	if age < 0 {
		return clock.Moment{} // the wall clock is behind
	}
	return now.Add(-age)
}

// RememberAlarm takes over an alarm of an earlier run of the agent. Like
// RememberAnswer it is called before Remember, with all that the journal holds.
func (s *Station) RememberAlarm(al *wire.Alarm) {
	if al.Type == fact.AlarmDeviceDoubtful {
		s.rememberDoubt(al)
		return
	}
	if s.past.alarmed == nil {
		s.past.alarmed, s.past.told = map[uint64]bool{}, map[string]bool{}
	}
	switch al.Type {
	case fact.AlarmFever:
		s.past.alarmed[al.Passage] = true
	case fact.AlarmFeverConfirmed, fact.AlarmSealedLeaving:
		s.past.told[al.ID] = true
	case fact.AlarmUnresolved:
		_, id, _ := strings.Cut(al.ID, ":")
		s.gate.EpisodeEnded(id)
	}
}

// RememberAnswer takes over what the guard did in an earlier run of the agent.
func (s *Station) RememberAnswer(rec wire.Record, a *wire.Audit) {
	now := s.opts.Clock.Now()
	e := earlier{at: clock.Moment{Wall: rec.At.Time, Boot: time.Duration(rec.BootNS)},
		thisBoot: s.past.passedIn == s.opts.BootID}
	s.post.Did(now, e.when(now), *a)
	if a.Passage == 0 {
		return
	}
	s.past.answered = append(s.past.answered, a.Passage)
	if len(s.past.answered) > 2*answersKept {
		s.past.answered = slices.Clone(s.past.answered[answersKept:])
	}
}

// NeedsPassed reports whether the rules ask what has passed before: then the agent
// calls RememberPassed.
func (s *Station) NeedsPassed() bool { return s.opts.Rules.Reach() > 0 }

// RememberPassed takes over a passage, or a start of the agent, of earlier runs. It is
// called with all that the journal holds, in their order, before Remember.
func (s *Station) RememberPassed(rec wire.Record, body wire.Body) {
	e := gate.Earlier{At: rec.At.Time, Synchronised: !rec.Unsync}
	switch b := body.(type) {
	case *wire.Clock:
		s.past.passedIn = b.BootID
	case *wire.Passage:
		e.Passage = b
	}
	if s.past.passedIn == s.opts.BootID {
		e.Boot = time.Duration(rec.BootNS)
	}
	s.gate.Remember(e)
}

// RememberCheck takes over a field check of earlier runs of the agent. It is called with
// all that the journal holds, in their order, before Remember.
func (s *Station) RememberCheck(c *wire.FieldCheck) {
	if in := s.input(c.Device); in != nil && in.meter != nil {
		in.rememberCheck(c)
	}
}

// NeedsReadings reports whether the rules ask what thermometers have read: then the agent
// calls RememberRead.
func (s *Station) NeedsReadings() bool { return s.opts.Rules.Baseline != nil }

// RememberRead takes over a reading, or what is usual, of earlier runs of the agent. It is
// called with all that the journal holds, in their order, before Remember. What Begin lets
// go through the gate again is left to it, and so is what was recorded since then.
func (s *Station) RememberRead(now clock.Moment, body wire.Body) {
	switch b := body.(type) {
	case *wire.Reading:
		if s.again(now, b) {
			s.past.again = true
		} else {
			s.gate.RememberReading(b)
		}
	case *wire.Baseline:
		if !s.past.again {
			s.gate.RememberBaseline(b)
		}
	}
}

// again reports whether a reading of before the restart goes through the gate again.
func (s *Station) again(now clock.Moment, r *wire.Reading) bool {
	age := now.Boot - time.Duration(r.BootNS)
	return r.BootID == s.opts.BootID && age >= 0 && age < restoreWindow
}

// Remember takes over one of the last records of earlier runs of the agent. It
// is called before Begin, in the order of the records.
func (s *Station) Remember(now clock.Moment, rec wire.Record, body wire.Body) {
	p := &s.past
	switch b := body.(type) {
	case *wire.Clock:
		p.bootID = b.BootID
	case *wire.Reading:
		p.bootID = b.BootID
		at := clock.Moment{Wall: rec.At.Time, Boot: time.Duration(b.BootNS)}
		p.came = earlier{at: at, thisBoot: b.BootID == s.opts.BootID}
		if s.again(now, b) {
			p.events = append(p.events, event{seq: rec.Seq, at: at, reading: b})
		} else {
			s.rememberReading(b)
		}
	case *wire.Passage:
		at := clock.Moment{Wall: rec.At.Time, Boot: time.Duration(rec.BootNS)}
		e := earlier{rec.Seq, at, b, p.bootID == s.opts.BootID}
		given := now.Boot - overrideFor // nobody decides against what is too old, or not known how old
		if when := e.when(now); !when.Wall.IsZero() {
			given = when.Boot
		}
		s.recent.add(rec.Seq, given, *b)
		p.verdicts = append(p.verdicts, e)
		if b.Override != nil { // the agent may have ended before the guard's answer was kept
			p.answered = append(p.answered, rec.Seq)
			p.events = append(p.events, event{answered: b.Readings})
		}
	case *wire.FieldCheck:
		if in := s.input(b.Device); in != nil && in.meter != nil {
			s.trustCheck(in, b)
		}
	case *wire.Health:
		p.events = append(p.events, event{device: b.Device, works: b.State == fact.DeviceOK})
	case *wire.Audit:
		at := clock.Moment{Wall: rec.At.Time, Boot: time.Duration(rec.BootNS)}
		if age := now.Boot - at.Boot; b.Episode != "" && p.bootID == s.opts.BootID && age >= 0 && age < restoreWindow {
			p.events = append(p.events, event{at: at, again: b})
		}
		if readings := s.recent.readings(b.Passage); readings != nil {
			p.events = append(p.events, event{answered: readings})
		}
	}
}

// passages are the newest passages, oldest first.
type passages []given

// given is a passage with when it was given, on the boot clock.
type given struct {
	seq     uint64
	at      time.Duration
	passage wire.Passage
}

func (p *passages) add(seq uint64, at time.Duration, x wire.Passage) {
	*p = append(*p, given{seq, at, x})
	if len(*p) > 2*passagesKept {
		*p = slices.Clone((*p)[len(*p)-passagesKept:])
	}
}

// readings returns those of a passage, or nil when it is too long ago.
func (p passages) readings(seq uint64) []uint64 {
	for _, x := range p {
		if x.seq == seq {
			return x.passage.Readings
		}
	}
	return nil
}

// passage returns one that no later one has amended, and when it was given; ok is false
// for others.
func (p passages) passage(seq uint64) (x wire.Passage, at time.Duration, ok bool) {
	for _, g := range p {
		later := slices.ContainsFunc(g.passage.Readings, func(r uint64) bool { return slices.Contains(x.Readings, r) })
		switch {
		case g.seq == seq:
			x, at, ok = g.passage, g.at, true
		case ok && later:
			ok = false
		}
	}
	return x, at, ok
}
