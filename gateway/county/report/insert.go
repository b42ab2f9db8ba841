package report

import (
	"bytes"
	"context"
	"slices"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// insert takes a report that is older than the newest one. It finds the runs
// around it again, and returns the records of those that differ.
func (t *Taker) insert(ctx context.Context, m *reporter, track *wire.Track) ([]wire.Body, error) {
	old, from, to, err := t.around(ctx, m, track.At.Time)
	if err != nil {
		return nil, err
	}
	apart := m.timing.received.Sub(m.timing.at).Abs() // reports without a time are indexed by their arrival
	tracks, err := t.index.tracks(ctx, m.cfg.Machine, from.Add(-m.pause()-apart), to.Add(2*m.pause()+apart))
	if err != nil {
		return nil, err
	}
	upToNewest := m.newest == nil || slices.ContainsFunc(tracks, func(x *wire.Track) bool {
		return x.At.Equal(m.newest.At.Time) && bytes.Equal(hashOf(x), hashOf(m.newest))
	})
	again := &reporter{cfg: m.cfg}
	again.reset()
	var found []*wire.Run
	addClosed := func(bodies []wire.Body) {
		for _, body := range bodies {
			if r, ok := body.(*wire.Run); ok && r.State == fact.RunClosed {
				found = append(found, r)
			}
		}
	}
	for _, r := range again.arrange(append(tracks, track)) {
		addClosed(again.observe(r))
	}
	if upToNewest {
		m.resume(again)
		if open, _ := m.runs.Open(); open {
			found = append(found, m.runs.Run())
		}
	} else {
		addClosed(again.runs.Finish())
	}
	return changes(old, found)
}

// around returns the runs that a report of a moment may belong to or join, and
// the span of time that they cover with it.
func (t *Taker) around(
	ctx context.Context, m *reporter, at time.Time,
) (old []*wire.Run, from, to time.Time, err error) {
	from, to = at, at
	for wider := true; wider; { // a run that is joined brings its neighbours into reach
		old, err = t.index.runs(ctx, m.cfg.Machine, from.Add(-m.pause()), to.Add(m.pause()))
		if err != nil {
			return nil, from, to, err
		}
		old = slices.DeleteFunc(old, func(r *wire.Run) bool { return r.Source == wire.SourceImport })
		wider = false
		for _, r := range old {
			if r.Start.Before(from) {
				from, wider = r.Start.Time, true
			}
			if r.End.After(to) {
				to, wider = r.End.Time, true
			}
		}
	}
	return old, from, to, nil
}

// resume continues from what another reporter of the same machine has observed.
func (m *reporter) resume(from *reporter) {
	m.timing, m.fuser, m.runs = from.timing, from.fuser, from.runs
	m.observed, m.newest = from.observed, from.newest
}

// changes returns the records that turn the runs old into the runs found.
func changes(old, found []*wire.Run) (out []wire.Body, err error) {
	for _, o := range old {
		if !slices.ContainsFunc(found, func(r *wire.Run) bool { return r.ID == o.ID }) {
			withdrawn := *o
			withdrawn.State = fact.RunWithdrawn
			out = append(out, &withdrawn)
		}
	}
	for _, r := range found {
		i := slices.IndexFunc(old, func(o *wire.Run) bool { return o.ID == r.ID })
		if i < 0 {
			out = append(out, r)
			continue
		}
		was, err := wire.EncodeBody(old[i])
		if err != nil {
			return nil, err
		}
		is, err := wire.EncodeBody(r)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(was, is) {
			out = append(out, r)
		}
	}
	return out, nil
}
