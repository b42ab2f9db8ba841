package report

import (
	"bytes"
	"context"
	"slices"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// pause is the configured one, or the default of runs.
func (m *reporter) pause() time.Duration {
	if m.cfg.Pause > 0 {
		return m.cfg.Pause
	}
	return 15 * time.Minute
}

// rebuild makes the tracker as it was before a restart: from the reports since
// the open run began, or since a pause ago.
func (t *Taker) rebuild(ctx context.Context, m *reporter) error {
	m.reset()
	now := t.opts.Now()
	from := now.Add(-m.pause() - time.Hour)
	known, err := t.book.runs(ctx, m.cfg.Machine, from.Add(-24*time.Hour), now.Add(tooEarly))
	if err != nil {
		return err
	}
	for _, r := range known {
		if r.State == fact.RunOpen && r.Start.Add(-time.Minute).Before(from) {
			from = r.Start.Add(-time.Minute)
		}
	}
	tracks, err := t.book.tracks(ctx, m.cfg.Machine, from, now.Add(tooEarly))
	if err != nil {
		return err
	}
	for _, p := range m.arrange(tracks) {
		m.observe(p) // what it gives is in the store already
	}
	return nil
}

// arrange puts reports into the order of their time.
func (m *reporter) arrange(tracks []*wire.Track) (out []placed) {
	slices.SortStableFunc(tracks, func(a, b *wire.Track) int { return received(a).Compare(received(b)) })
	for _, t := range tracks {
		out = append(out, m.pace.take(t)...)
	}
	if n := len(tracks); n > 0 {
		out = append(out, m.pace.expire(received(tracks[n-1]).Add(1))...)
	}
	slices.SortStableFunc(out, func(a, b placed) int { return a.at.Compare(b.at) })
	return out
}

func received(t *wire.Track) time.Time {
	if t.Received == nil {
		return t.At.Time
	}
	return t.Received.Time
}

// late takes a report that is older than the newest one: the runs around it
// are found again, and those that differ are written again.
func (t *Taker) late(ctx context.Context, m *reporter, track *wire.Track) ([]wire.Body, error) {
	from, to := track.At.Time, track.At.Time
	var old []*wire.Run
	for { // a report may join runs, whose neighbours come into reach then
		var err error
		old, err = t.book.runs(ctx, m.cfg.Machine, from.Add(-m.pause()), to.Add(m.pause()))
		if err != nil {
			return nil, err
		}
		wider := false
		for _, r := range old {
			if r.Source != wire.SourceImport && r.Start.Before(from) {
				from, wider = r.Start.Time, true
			}
			if r.Source != wire.SourceImport && r.End.After(to) {
				to, wider = r.End.Time, true
			}
		}
		if !wider {
			break
		}
	}
	old = slices.DeleteFunc(old, func(r *wire.Run) bool { return r.Source == wire.SourceImport })
	apart := m.pace.received.Sub(m.pace.at).Abs() // reports without a time are found by when they came
	tracks, err := t.book.tracks(ctx, m.cfg.Machine, from.Add(-m.pause()-apart), to.Add(2*m.pause()+apart))
	if err != nil {
		return nil, err
	}
	newest := m.newest == nil || slices.ContainsFunc(tracks, func(x *wire.Track) bool {
		return x.At.Equal(m.newest.At.Time) && bytes.Equal(keyOf(x), keyOf(m.newest))
	})
	again := &reporter{cfg: m.cfg}
	again.reset()
	var found []*wire.Run
	for _, p := range again.arrange(append(tracks, track)) {
		for _, e := range again.tracker.Observe(again.sample(p)) {
			if e.Closed {
				found = append(found, m.cfg.Body(wire.SourceReport, e.Run, fact.RunClosed))
			}
		}
	}
	if newest { // it reaches to the newest report: it goes on from here
		m.tracker, m.fuser, m.pace, m.last, m.newest = again.tracker, again.fuser, again.pace, again.last, again.newest
		if open, _ := m.tracker.Open(); open {
			found = append(found, m.cfg.Body(wire.SourceReport, m.tracker.Run(), fact.RunOpen))
		}
	} else {
		for _, e := range again.tracker.Finish() {
			found = append(found, m.cfg.Body(wire.SourceReport, e.Run, fact.RunClosed))
		}
	}
	return changes(old, found)
}

// changes gives the records that make what was found of what was written.
func changes(old, found []*wire.Run) (out []wire.Body, err error) {
	for _, o := range old {
		if !slices.ContainsFunc(found, func(r *wire.Run) bool { return r.ID == o.ID }) {
			gone := *o
			gone.State = fact.RunWithdrawn
			out = append(out, &gone)
		}
	}
	for _, r := range found {
		i := slices.IndexFunc(old, func(o *wire.Run) bool { return o.ID == r.ID })
		if i >= 0 {
			was, err := wire.EncodeBody(old[i])
			if err != nil {
				return nil, err
			}
			is, err := wire.EncodeBody(r)
			if err != nil {
				return nil, err
			}
			if string(was) == string(is) {
				continue
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// imported makes the run of a file when all its parts are there; nil before.
func (t *Taker) imported(ctx context.Context, m *reporter, track *wire.Track) (*wire.Run, error) {
	parts, err := t.book.parts(ctx, m.cfg.Machine, track.Import.ID)
	if err != nil {
		return nil, err
	}
	parts = append(parts, track)
	slices.SortFunc(parts, func(a, b *wire.Track) int { return a.Import.Part - b.Import.Part })
	if len(parts) < track.Import.Parts {
		return nil, nil
	}
	var samples []runs.Sample
	for _, p := range parts {
		for _, point := range p.Points {
			s := machine.Sample(point, p.At.Time, time.Duration(p.At.UnixNano()))
			if s.Command == nil {
				s.Command = new(true) // somebody declares that it worked
			}
			samples = append(samples, s)
		}
	}
	slices.SortStableFunc(samples, func(a, b runs.Sample) int { return int(max(-1, min(1, a.T-b.T))) })
	found := runs.Segment(m.cfg.RunsOf(wire.SourceImport), samples)
	if len(found) == 0 {
		return nil, nil
	}
	body := m.cfg.Body(wire.SourceImport, found[0], fact.RunClosed)
	body.ID = "import-" + track.Import.ID
	return body, nil
}
