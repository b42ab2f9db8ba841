package report

import (
	"bytes"
	"context"
	"slices"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// perReport is the time for each report that was read to find runs again, in which
// they are not found again: a backlog costs time in proportion to its length.
const perReport = time.Millisecond

// due reports whether runs are to be found again.
func (m *reporter) due(now time.Time) bool {
	return (len(m.state.Late) > 0 || !m.state.Moved.IsZero()) &&
		now.Sub(m.again.at) >= time.Duration(m.again.cost)*perReport
}

// findAgain finds again the runs around the reports that came late or have moved, and
// stores those that differ. It returns false when ctx ended before.
func (t *Taker) findAgain(ctx context.Context, m *reporter, now time.Time) bool {
	m.again = again{at: now}
	if !m.state.Moved.IsZero() && !t.retry(ctx, func() error { return t.move(ctx, m) }) {
		return false
	}
	for _, late := range m.state.Late {
		var changed []wire.Body
		find := func() (err error) {
			changed, err = t.find(ctx, m, late)
			return err
		}
		if !t.retry(ctx, find) || len(changed) > 0 && !t.commit(ctx, m, now, changed) {
			return false
		}
	}
	m.state.Late = nil
	return t.keepState(ctx, m)
}

// move lets the index know the new times of reports that have moved.
func (t *Taker) move(ctx context.Context, m *reporter) error {
	for _, after := range []bool{false, true} {
		if after {
			if err := t.index.shift(ctx, m.cfg.Machine, m.state.Moved, m.state.Clock.Offset); err != nil {
				return err
			}
		}
		s, ok, err := t.index.extent(ctx, m.cfg.Machine, m.state.Moved)
		if err != nil {
			return err
		}
		if ok {
			m.state.Late = cover(m.state.Late, s)
		}
	}
	m.state.Moved = time.Time{}
	return nil
}

// keepState keeps what has changed of a machine's state. It returns false when ctx
// ended before.
func (t *Taker) keepState(ctx context.Context, m *reporter) bool {
	now := m.state.mark()
	if now == m.stored {
		return true
	}
	if !t.retry(ctx, func() error { return t.index.keep(ctx, m.cfg.Machine, m.state) }) {
		return false
	}
	m.stored = now
	return true
}

// find finds again the runs around a span of time, and returns the records of those
// that differ.
func (t *Taker) find(ctx context.Context, m *reporter, late span) ([]wire.Body, error) {
	old, from, to, err := t.around(ctx, m, late)
	if err != nil {
		return nil, err
	}
	reports, err := t.index.tracks(ctx, m.cfg.Machine, from.Add(-m.pause()), to.Add(2*m.pause()))
	if err != nil {
		return nil, err
	}
	m.again.cost += len(reports)
	newest := m.stream.newest.Track
	upToNewest := newest == nil
	anew := newStream(m.cfg)
	var found []*wire.Run
	addClosed := func(bodies []wire.Body) {
		for _, body := range bodies {
			if r, ok := body.(*wire.Run); ok && r.State == fact.RunClosed {
				found = append(found, r)
			}
		}
	}
	for _, k := range anew.arrange(reports) {
		upToNewest = upToNewest || k.arrived().Equal(kept{Track: newest}.arrived())
		addClosed(anew.observe(k))
	}
	if !upToNewest {
		addClosed(anew.runs.Finish())
		return changes(old, found)
	}
	m.stream = anew
	if open, _ := m.stream.runs.Open(); open {
		r := m.stream.runs.Run()
		found = append(found, r)
	}
	return changes(old, found)
}

// around returns the runs that reports of a span of time may belong to or join, and
// the span of time that they cover with it.
func (t *Taker) around(
	ctx context.Context, m *reporter, late span,
) (old []*wire.Run, from, to time.Time, err error) {
	from, to = late.From, late.To
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
