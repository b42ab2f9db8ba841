package station

import (
	"fmt"
	"strconv"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/sense"
	"gatehouse/gateway/wire"
)

// arrived takes one reading or error of a sensor.
func (s *Station) arrived(now clock.Moment, x arrival) {
	if x.err != nil {
		s.failed(now, x.in, x.err)
		return
	}
	x.in.heard, x.in.strange = now.Boot, strange{}
	if x.r == nil && x.in.meter != nil {
		return // its port is open again; only a sample shows that it measures
	}
	if m := x.in.meter; m == nil || !m.Stuck() && !m.Hot() {
		s.setState(now, x.in, fact.DeviceOK, "")
	}
	if x.r == nil {
		return
	}
	reading, last := s.reading(now, x.in, x.r)
	if reading != nil && !s.carded(now, reading) {
		s.post.Came()
		seq := s.keep(now, reading)
		s.learn(x.in, reading.Temperature)
		s.checkReading(now, x.in, seq, reading.Temperature)
		s.apply(now, last, s.gate.Observe(s.cameAt(now, reading), seq, *reading))
	}
	if sample, is := x.r.(devices.Sample); is {
		s.notePresence(now, x.in, onBootClock(now, sample.At))
	}
	s.prompt()
}

// notePresence notes whether somebody stands at a thermometer, as a sample of the boot
// clock's time at says. The loop may take it long after that.
func (s *Station) notePresence(now clock.Moment, in *input, at time.Duration) {
	if in.meter.State() == in.presence {
		return
	}
	if in.presence = in.meter.State(); in.presence == sense.Measuring {
		s.gate.Begun(now.Add(at-now.Boot), in.cfg.Name)
	}
	s.publish()
}

// cameAt returns when a reading came, which may be long before the loop takes
// it. The gate's time never runs back.
func (s *Station) cameAt(now clock.Moment, reading *wire.Reading) clock.Moment {
	s.decided = max(s.decided, time.Duration(reading.BootNS))
	return now.Add(s.decided - now.Boot)
}

// keep records a completed reading before anything is decided on it. When the
// journal can't take it the gate still decides: the loss is recorded as a hole,
// which has the seq that the passage names.
func (s *Station) keep(now clock.Moment, reading *wire.Reading) (seq uint64) {
	if s.opts.Ledger != nil {
		b, err := wire.EncodeBody(reading)
		if err == nil {
			err = s.opts.Ledger.Add(b)
		}
		if err != nil {
			s.log.Error("count a reading in the ledger", "err", err)
		}
	}
	return s.opts.Journal.Append(now, reading)
}

// apply shows and records what the gate decided. last is when the last byte of
// the reading that caused it arrived; zero when time alone did.
func (s *Station) apply(now clock.Moment, last time.Time, events []gate.Event) {
	for _, e := range events {
		p := e.Passage
		if !last.IsZero() {
			p.LatencyUS = time.Since(last).Microseconds()
		}
		seq := s.record(now, p) // before the barrier opens: who has passed is counted, whatever ends the agent
		s.outputs.show(p.Lane, cueOf(p.Verdict))
		if s.opts.Screen != nil {
			s.opts.Screen.Passage(now, seq, p)
		}
		s.post.Passage(now, seq, p)
		if e.Alarm {
			s.raiseFever(now, seq, p)
		}
		s.raiseLeaving(now, seq, p)
		if s.opts.OnPassage != nil {
			s.opts.OnPassage(seq, p)
		}
	}
	s.raiseUnresolved(now)
}

// record journals a passage and remembers its readings.
func (s *Station) record(now clock.Moment, p wire.Passage) (seq uint64) {
	seq = s.opts.Journal.Append(now, &p)
	s.recent.add(seq, now.Boot, p)
	return seq
}

// raiseFever records the alarm of a passage.
func (s *Station) raiseFever(now clock.Moment, seq uint64, p wire.Passage) {
	alarm := &wire.Alarm{ID: fact.AlarmFever.ID(strconv.FormatUint(seq, 10)), Type: fact.AlarmFever,
		State: fact.AlarmRaised, Passage: seq, Screening: p.Screening()}
	if confirmed(p) {
		alarm.ID, alarm.Type = fact.AlarmFeverConfirmed.ID(p.Episode.ID), fact.AlarmFeverConfirmed
		alarm.Detail = fmt.Sprintf("%s first, %s the second time: %s", p.Episode.First, p.Screening(), p.Instruction)
	}
	s.raise(now, alarm)
}

// confirmed reports whether a passage is the one of a fever that was measured twice.
func confirmed(p wire.Passage) bool {
	return p.Episode != nil && p.Episode.Step == fact.EpisodeConfirmed
}

// raiseUnresolved records the alarms of fever episodes that nothing has settled.
func (s *Station) raiseUnresolved(now clock.Moment) {
	for _, e := range s.gate.Unresolved() {
		s.log.Warn("a fever episode ended without a second measurement", "episode", e.ID, "first", e.First)
		s.raise(now, &wire.Alarm{ID: fact.AlarmUnresolved.ID(e.ID), Type: fact.AlarmUnresolved,
			State: fact.AlarmRaised, Screening: &e.First,
			Detail: fmt.Sprintf("%s at %s, and not measured again: look where they are", e.First,
				e.Since.In(s.opts.Zone).Format("15:04"))})
	}
}

// raise records an alarm.
func (s *Station) raise(now clock.Moment, alarm *wire.Alarm) {
	if _, err := s.opts.Journal.TryAppend(now, alarm); err != nil {
		s.opts.Journal.Append(now, alarm) // once more; what fails again is a recorded loss
	}
}
