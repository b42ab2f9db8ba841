package report

import (
	"time"

	"gatehouse/gateway/county/mapping"
	"gatehouse/gateway/county/reckon"
	"gatehouse/gateway/mqtt"
)

// judged is when a report was made.
type judged struct {
	at       time.Time
	own      time.Time // by the machine's clock
	timeless bool      // the report does not say it
	wrong    bool      // the machine's clock is wrong
	moved    bool      // reports that came before have moved, see reckon.Judged
}

// arrive returns when a message arrived: no two of a machine at the same moment.
func (m *reporter) arrive(msg mqtt.Message, now time.Time) time.Time {
	at := msg.Arrived.Round(0)
	if msg.Arrived.IsZero() {
		at = now
	}
	if !at.After(m.arrived) {
		at = m.arrived.Add(1)
	}
	m.arrived = at
	return at
}

// judge finds when a report was made that has just arrived. Some the broker marks as
// delivered before.
func (m *reporter) judge(r mapping.Reading, arrived time.Time, marked bool) judged {
	clock := &m.state.Clock
	was, began := clock.Offset, clock.Since
	switch {
	case r.Report.At == nil:
		at := m.stream.timing.about(arrived)
		if past, ok := m.stream.counts.find(at, &r.Report.Values, marked); ok {
			at = earlier(at, past)
		}
		return judged{at: at, own: at.Add(-clock.Offset), timeless: true}
	case r.Report.Import != nil: // of a file, at any time in the past
		return judged{at: r.Report.At.Time, own: r.Report.At.Time}
	}
	j := clock.Judge(arrived, r.Report.At.Time)
	if j.Moved && clock.Since.Equal(began) {
		m.stream.timing.move(clock.Offset - was)
	}
	if j.Moved && (m.state.Moved.IsZero() || clock.Since.Before(m.state.Moved)) {
		m.state.Moved = clock.Since
	}
	return judged{at: j.At, own: j.Own, wrong: clock.Offset != 0, moved: j.Moved}
}

const quarter = 15 * time.Minute

// complain logs that a machine's clock is wrong, when that is new.
func (t *Taker) complain(m *reporter, r mapping.Reading) {
	offset := m.state.Clock.Offset
	if (offset - m.offset).Abs() < time.Minute {
		return
	}
	m.offset = offset
	if offset == 0 {
		t.opts.Log.Info("the clock of a machine is right again", "machine", m.cfg.Machine)
		return
	}
	next := "set its clock"
	hours := offset.Round(quarter)
	if r.Zoneless && hours != 0 && (offset-hours).Abs() <= 2*time.Minute && hours.Abs() <= 15*time.Hour {
		next = "its times have no zone: give the topic a zone"
	}
	t.opts.Log.Warn("the clock of a machine is wrong; its reports keep their order, and get the time that is missing",
		"machine", m.cfg.Machine, "add", offset.Round(time.Second), "next", next)
}

// repeats reports whether a report was stored before. A report that says its time is
// known by its content, whenever it arrives, except where a clock that begins in
// 1970 at each start has begun again. Of reports without a time the same content may
// be said again and again. So one is a repeat only if the broker marks it as a
// possible duplicate, or if it has an earlier value of the counter than the newest
// report: once, because a counter may have been reset.
func (m *reporter) repeats(arrived time.Time, msg mqtt.Message, j judged, volume *float64, seen time.Time) bool {
	since := arrived.Sub(seen)
	if !j.timeless {
		clock := &m.state.Clock
		if clock.Same.Coarse && clock.Same.Count > 1 && !msg.Duplicate {
			return false // the clock stands, or shows no seconds
		}
		restarts := clock.Offset.Abs() > reckon.TooLate && seen.Before(clock.Since)
		return msg.Duplicate || !restarts || j.at.Sub(arrived).Abs() >= patience
	}
	if since > repeatedFor {
		return false
	}
	if msg.Duplicate {
		return true
	}
	back := volume != nil && m.volume.newest != nil && *volume < *m.volume.newest
	if !back || m.volume.back != nil && *volume >= *m.volume.back {
		return false // the counter goes on, also from where it was reset to
	}
	m.volume.back = volume
	return true
}

// repeatedFor is for how long the same content of a report without a time may be a
// repeat.
const repeatedFor = 10 * time.Minute
