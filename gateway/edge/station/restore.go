package station

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
)

// Begin restores the gate as it was before the restart, from what was
// remembered: readings still inside the pairing window and what the guard
// answered go through the gate again, and what was not decided then is decided
// now. The screen gets the last verdicts. It is called before Run.
func (s *Station) Begin(now clock.Moment) {
	p := s.past
	s.past = past{}
	p.answered = p.answered[max(0, len(p.answered)-answersKept):]
	s.gate.SetSynchronised(now, s.opts.Clock.Synchronised())
	s.publish()
	if s.opts.Screen != nil {
		for _, e := range p.verdicts {
			s.opts.Screen.Earlier(e.when(now), e.seq, *e.passage, slices.Contains(p.answered, e.seq))
		}
	}
	s.resumeChecks(now)
	s.restorePost(now, p)
	s.doubt()
	s.restoreLeaving(now, p)
	s.replay(now, p)
	s.raiseFevers(now, p)
	s.prompt()
	s.publish()
	s.tell(now)
	s.opts.Board.SetTurned(part, now)
}

// restorePost restores what of the verdicts the guard has not answered, and when
// somebody came last.
func (s *Station) restorePost(now clock.Moment, p past) {
	for _, e := range p.verdicts {
		s.post.Earlier(now, e.when(now), e.seq, *e.passage, slices.Contains(p.answered, e.seq))
	}
	if !p.came.at.Wall.IsZero() {
		s.post.CameEarlier(now, p.came.when(now))
	}
}

// replay lets what happened before the restart go through the gate again, and
// applies what was not decided then.
func (s *Station) replay(now clock.Moment, p past) {
	used := map[uint64]bool{} // readings
	for _, e := range p.verdicts {
		for _, seq := range e.passage.Readings {
			used[seq] = true
		}
	}
	for _, x := range p.events {
		switch {
		case x.device != "":
			s.applyLate(now, now, undecided(s.gate.SetWorks(x.device, x.works), used))
		case x.again != nil:
			if err := s.gate.Retest(x.at, x.again.Lane, x.again.Episode); err != nil {
				s.log.Info("who was sent to be measured again before the restart was not", "why", err)
			}
		case x.reading == nil:
			s.gate.Answered(x.answered)
		default:
			s.decided = max(s.decided, x.at.Boot)
			if in := s.input(x.reading.Device); in != nil {
				s.learn(in, x.reading.Temperature)
			}
			s.applyLate(now, x.at, undecided(s.gate.Observe(x.at, x.seq, *x.reading), used))
		}
	}
	// What the journal says has passed, counts, although a new policy would decide
	// otherwise.
	for _, e := range p.verdicts {
		if e.thisBoot && now.Boot-e.at.Boot < restoreWindow {
			s.gate.Remember(gate.Earlier{At: e.at.Wall, Boot: e.at.Boot, Passage: e.passage})
		}
	}
	s.apply(now, time.Time{}, undecided(s.gate.Tick(now), used))
	for _, in := range s.inputs {
		s.gate.SetWorks(in.cfg.Name, true) // until it says otherwise
	}
}

// input returns a sensor by its name, or nil.
func (s *Station) input(name string) *input {
	if i := slices.IndexFunc(s.inputs, func(in *input) bool { return in.cfg.Name == name }); i >= 0 {
		return s.inputs[i]
	}
	return nil
}

// applyLate applies events of before the restart. A pass of longer ago than a
// pass is shown is recorded and nothing else: whoever was to pass has left or
// tries anew, and the barrier stays down.
func (s *Station) applyLate(now, at clock.Moment, events []gate.Event) {
	for _, e := range events {
		if e.Passage.Verdict == fact.VerdictPass && now.Boot-at.Boot > passShown {
			s.record(now, e.Passage)
			continue
		}
		s.apply(now, time.Time{}, []gate.Event{e})
	}
}

// raiseFevers raises the alarms of fevers whose passages the journal holds and
// their alarms it does not: the agent ended in between.
func (s *Station) raiseFevers(now clock.Moment, p past) {
	alarmed, told := map[uint64]bool{}, map[string]bool{} // readings; episodes
	for _, e := range p.verdicts {
		if e.passage.Verdict != fact.VerdictFever || e.passage.Screening() == nil {
			continue
		}
		if x := e.passage.Episode; x != nil && x.Step != fact.EpisodeOpened {
			if confirmed(*e.passage) && !p.told[fact.AlarmFeverConfirmed.ID(x.ID)] && !told[x.ID] {
				s.raiseFever(now, e.seq, *e.passage)
				told[x.ID] = true
			}
			continue
		}
		readings := e.passage.Readings
		known := p.alarmed[e.seq] || slices.ContainsFunc(readings, func(seq uint64) bool { return alarmed[seq] })
		if !known {
			s.log.Warn("a fever of before the restart has no alarm: it is raised now", "passage", e.seq)
			s.raiseFever(now, e.seq, *e.passage)
		}
		for _, seq := range readings {
			alarmed[seq] = true
		}
	}
}

// undecided returns the events that use a reading which no passage used.
func undecided(events []gate.Event, used map[uint64]bool) []gate.Event {
	return slices.DeleteFunc(events, func(e gate.Event) bool {
		return !slices.ContainsFunc(e.Passage.Readings, func(seq uint64) bool { return !used[seq] })
	})
}
