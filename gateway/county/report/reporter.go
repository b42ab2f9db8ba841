package report

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// observe takes a report in its order.
func (m *reporter) observe(p placed) (out []wire.Body) {
	s := m.sample(p)
	for _, e := range m.tracker.Observe(s) {
		state := fact.RunOpen
		if e.Closed {
			state = fact.RunClosed
		}
		m.told = s.At
		out = append(out, m.cfg.Body(wire.SourceReport, e.Run, state))
	}
	if open, _ := m.tracker.Open(); open && s.At.Sub(m.told) >= tellEvery {
		m.told = s.At
		out = append(out, m.cfg.Body(wire.SourceReport, m.tracker.Run(), fact.RunOpen))
	}
	return out
}

// sample is the machine as it is with this report: messages may hold single values.
func (m *reporter) sample(p placed) runs.Sample {
	s := machine.Sample(p.Points[0], p.at, time.Duration(p.at.UnixNano()))
	m.last, m.newest = s.T, p.Track
	m.fuser.Take(s)
	s, _ = m.fuser.Sample(s.At, s.T)
	return s
}

// keep commits bodies as the next records of the machine's journal. It returns
// false when ctx ended before they were stored and noted.
func (t *Taker) keep(ctx context.Context, m *reporter, now time.Time, bodies []wire.Body) bool {
	b := store.Batch{Received: now, Place: place, Batch: wire.Batch{Agent: m.cfg.Machine, JID: m.jid}}
	stored := false
	for !stored {
		if !t.retry(ctx, func() error { return t.follow(ctx, m, &b.Batch) }) {
			return false
		}
		if err := m.fill(&b.Batch, now, bodies); err != nil {
			t.opts.Log.Error("encode a record of a report", "machine", m.cfg.Machine, "err", err)
			return false
		}
		var receipts []store.Receipt
		if !t.retry(ctx, func() (err error) { receipts, err = t.opts.Store.Commit(ctx, []store.Batch{b}); return err }) {
			return false
		}
		stored = !receipts[0].Gap // the store began again in between: what it has must be asked anew
	}
	records := make([]wire.Record, 0, len(b.Entries))
	for _, e := range b.Entries {
		records = append(records, e.Record)
	}
	if !t.retry(ctx, func() error { return t.book.take(ctx, m.jid, records) }) {
		return false
	}
	m.through = b.To
	if t.opts.Watch != nil {
		t.opts.Watch.Committed([]store.Batch{b})
	}
	return true
}

// follow makes b begin where the store is. A store that is behind what it once
// had (a wiped InfluxDB, a file out of a backup) gets a hole for what it has
// lost: a seq that was given is never given to another record, because whoever
// follows the journal has taken it in.
func (t *Taker) follow(ctx context.Context, m *reporter, b *wire.Batch) error {
	pos, err := t.opts.Store.Position(ctx, m.jid)
	if err != nil {
		return err
	}
	b.From, b.Holes = pos.Through+1, nil
	if pos.Through < m.through {
		b.Holes = []wire.Hole{{From: b.From, To: m.through, Reason: store.ReasonLost, Count: m.through - pos.Through}}
		t.opts.Log.Warn("the store has lost records of a machine's reports, and goes on behind them",
			"machine", m.cfg.Machine, "from", b.From, "to", m.through)
	}
	return nil
}

// fill makes b's records of bodies, behind what b begins with.
func (m *reporter) fill(b *wire.Batch, now time.Time, bodies []wire.Body) error {
	b.Entries = nil
	b.To = b.From - 1
	if len(b.Holes) > 0 {
		b.To = b.Holes[0].To
	}
	for _, body := range bodies {
		raw, err := wire.EncodeBody(body)
		if err != nil {
			return err
		}
		if !now.After(m.at) {
			now = m.at.Add(time.Microsecond)
		}
		m.at = now
		b.To++
		r := wire.Record{Seq: b.To, At: wire.At(now), Kind: body.Kind(), Body: raw}
		line, err := wire.EncodeRecord(r)
		if err != nil {
			return err
		}
		b.Entries = append(b.Entries, wire.Entry{Record: r, Raw: line})
	}
	return nil
}

// place is that of machines: they belong to no compound.
var place = store.Place{Community: "machines", Grid: "machines", Compound: "machines"}

// reporter finds a machine, and makes it as the store has it.
func (t *Taker) reporter(ctx context.Context, id string) (*reporter, error) {
	if m := t.machines[id]; m != nil {
		return m, nil
	}
	m := &reporter{cfg: machine.Config{Machine: id, Name: id, Type: "machine"}, jid: JID(t.opts.County, id)}
	for _, c := range t.opts.Machines {
		if c.Machine == id {
			m.cfg = c.Config
		}
	}
	var err error
	if m.through, err = t.book.catchUp(ctx, t.opts.Store, m.jid); err != nil {
		return nil, err
	}
	if err := t.rebuild(ctx, m); err != nil {
		return nil, err
	}
	t.machines[id] = m
	return m, nil
}

// JID names the journal that the collector keeps of a machine that reports by
// itself: the same in every run of the county. Nobody sends it again.
func JID(county, machine string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(wire.Topic(county, machine, wire.LeafReport))).String()
}

func (m *reporter) reset() {
	m.pace, m.last, m.newest = pace{}, 0, nil
	m.tracker = runs.New(m.cfg.RunsOf(wire.SourceReport))
	m.fuser = &runs.Fuser{Fresh: machine.Fresh(wire.SourceReport)}
}
