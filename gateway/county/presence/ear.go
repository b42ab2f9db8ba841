package presence

import "time"

// stalled is for how long the process may stand still without having missed a
// heartbeat.
const stalled = 5 * time.Second

// ear knows since when heartbeats could be received without a break: silence
// before that proves nothing.
type ear struct {
	since    time.Time // of the last break
	deaf     time.Time // since when the broker can't be heard; zero: it can
	wasDeaf  bool      // at the last look
	attended time.Time // when the process last ran; zero: not yet
	woke     time.Time // when it ran again after it had stood still
}

// hearing is what an ear knows at a look.
type hearing struct {
	since time.Time // since when there was no break
	deaf  time.Time // since when the broker can't be heard; zero: it can
}

func (e *ear) linked(now time.Time, up bool) {
	switch {
	case up:
		e.deaf = time.Time{}
	case e.deaf.IsZero():
		e.deaf = now
	}
}

// attend notes that the process runs.
func (e *ear) attend(now time.Time) {
	if !e.attended.IsZero() && now.Sub(e.attended) > stalled {
		e.woke = now
	}
	e.attended = now
}

// look notes whether there was a break before now.
func (e *ear) look(now time.Time) {
	asleep := !e.attended.IsZero() && now.Sub(e.attended) > stalled // and attend was not called yet
	if e.wasDeaf && e.deaf.IsZero() || asleep || e.woke.After(e.since) {
		e.since = now
	}
	e.wasDeaf = !e.deaf.IsZero()
}

func (e *ear) hearing() hearing { return hearing{e.since, e.deaf} }
