package report

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// reporter is one machine that reports by itself.
type reporter struct {
	cfg      machine.Config
	jid      string
	lastSeq  uint64    // the highest that was ever used, also if the store has lost it
	lastAt   time.Time // of its last record: times strictly rise
	timing   timing
	fuser    runs.Fuser
	runs     *machine.Recorder
	observed time.Duration // T of the newest sample
	newest   *wire.Track   // the report of that sample
}

// JID returns the id of the journal that the collector keeps of a machine which
// reports by itself: the same in every run of the county. Unlike an agent's, its
// records can't be sent again.
func JID(county, machine string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(wire.Topic(county, machine, wire.LeafReport))).String()
}

// reporter returns the machine of an id. When it is asked for the first time it
// is restored from what is stored.
func (t *Taker) reporter(ctx context.Context, id string) (*reporter, error) {
	t.mu.Lock()
	m := t.machines[id]
	t.mu.Unlock()
	if m != nil {
		return m, nil
	}
	m = &reporter{cfg: machine.Config{Machine: id, Name: id, Type: "machine"}, jid: JID(t.opts.County, id)}
	for _, c := range t.opts.Machines {
		if c.Machine == id {
			m.cfg = c.Config
		}
	}
	m.reset()
	var err error
	if m.lastSeq, err = t.index.catchUp(ctx, t.opts.Now(), t.opts.Store, id, m.jid); err != nil {
		return nil, err
	}
	if err := t.restore(ctx, m); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.machines[id] = m
	return m, nil
}

// restore observes again the reports since the open run began, or since a pause
// ago.
func (t *Taker) restore(ctx context.Context, m *reporter) error {
	now := t.opts.Now()
	from := now.Add(-m.pause() - time.Hour)
	known, err := t.index.runs(ctx, m.cfg.Machine, from.Add(-24*time.Hour), now.Add(tooEarly))
	if err != nil {
		return err
	}
	for _, r := range known {
		if r.State == fact.RunOpen && r.Start.Add(-time.Minute).Before(from) {
			from = r.Start.Add(-time.Minute)
		}
	}
	tracks, err := t.index.tracks(ctx, m.cfg.Machine, from, now.Add(tooEarly))
	if err != nil {
		return err
	}
	for _, r := range m.arrange(tracks) {
		m.observe(r) // the records of it are stored
	}
	return nil
}

// reset forgets everything that was observed.
func (m *reporter) reset() {
	m.timing, m.observed, m.newest = timing{}, 0, nil
	m.runs = machine.NewRecorder(m.cfg, wire.SourceReport)
	m.fuser = runs.Fuser{Fresh: machine.Fresh(wire.SourceReport)}
}

// observe takes the next report in the order of time, and returns the records of
// runs that it makes.
func (m *reporter) observe(r timed) []wire.Body {
	// A message may hold a single value: the sample has the others that are fresh.
	s := machine.Sample(r.Points[0], r.at, time.Duration(r.at.UnixNano()))
	m.observed, m.newest = s.T, r.Track
	m.fuser.Take(s)
	s, _ = m.fuser.Sample(s.At, s.T)
	return m.runs.Observe(s)
}

// tick is called every second, and returns the records that time makes.
func (m *reporter) tick(now time.Time) (out []wire.Body) {
	for _, r := range m.timing.expire(now.Add(-patience)) {
		out = append(out, m.observe(r)...)
	}
	if m.newest == nil || now.Sub(received(m.newest)) >= quietFor {
		out = append(out, m.runs.Tick(time.Duration(now.UnixNano()))...)
	}
	return out
}

// pause returns how far apart two runs are at least.
func (m *reporter) pause() time.Duration {
	if m.cfg.Pause > 0 {
		return m.cfg.Pause
	}
	return 15 * time.Minute // the default of package runs
}

// arrange puts reports into the order of their times.
func (m *reporter) arrange(tracks []*wire.Track) (out []timed) {
	slices.SortStableFunc(tracks, func(a, b *wire.Track) int { return received(a).Compare(received(b)) })
	for _, t := range tracks {
		out = append(out, m.timing.add(t)...)
	}
	if n := len(tracks); n > 0 {
		out = append(out, m.timing.expire(received(tracks[n-1]).Add(1))...)
	}
	slices.SortStableFunc(out, func(a, b timed) int { return a.at.Compare(b.at) })
	return out
}

// received returns when a report arrived.
func received(t *wire.Track) time.Time {
	if t.Received == nil {
		return t.At.Time
	}
	return t.Received.Time
}
