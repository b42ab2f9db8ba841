package report

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// observe takes a report in its order.
func (m *reporter) observe(p placed) (out []wire.Body) {
	s := m.sample(p)
	for _, e := range m.tracker.Observe(s) {
		state := wire.RunOpen
		if e.Closed {
			state = wire.RunClosed
		}
		m.told = s.At
		out = append(out, m.cfg.Body(wire.SourceReport, e.Run, state))
	}
	if open, _ := m.tracker.Open(); open && s.At.Sub(m.told) >= tellEvery {
		m.told = s.At
		out = append(out, m.cfg.Body(wire.SourceReport, m.tracker.Run(), wire.RunOpen))
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

// keep commits bodies as the next records of the machine's journal.
func (t *Taker) keep(ctx context.Context, m *reporter, now time.Time, bodies []wire.Body) bool {
	var pos store.Position
	if !t.retry(ctx, func() (err error) { pos, err = t.opts.Store.Position(ctx, m.jid); return err }) {
		return false
	}
	b := store.Batch{Received: now, Place: place, Batch: wire.Batch{Agent: m.cfg.Machine, JID: m.jid, From: pos.Through + 1}}
	var records []wire.Record
	for i, body := range bodies {
		raw, err := wire.EncodeBody(body)
		if err != nil {
			t.opts.Log.Error("encode a record of a report", "machine", m.cfg.Machine, "err", err)
			return false
		}
		if !now.After(m.at) {
			now = m.at.Add(time.Microsecond)
		}
		m.at = now
		r := wire.Record{Seq: pos.Through + 1 + uint64(i), At: wire.At(now), BootNS: 0, Kind: body.Kind(), Body: raw}
		line, err := wire.EncodeRecord(r)
		if err != nil {
			t.opts.Log.Error("encode a record of a report", "machine", m.cfg.Machine, "err", err)
			return false
		}
		b.Entries = append(b.Entries, wire.Entry{Record: r, Raw: line})
		records = append(records, r)
		b.To = r.Seq
	}
	if !t.retry(ctx, func() error { _, err := t.opts.Store.Commit(ctx, []store.Batch{b}); return err }) {
		return false
	}
	if !t.retry(ctx, func() error { return t.book.take(ctx, m.jid, records) }) {
		return false
	}
	if t.opts.Watch != nil {
		t.opts.Watch.Committed([]store.Batch{b})
	}
	return true
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
	if err := t.book.catchUp(ctx, t.opts.Store, m.jid); err != nil {
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
	m.tracker, m.fuser = runs.New(m.cfg.RunsOf(wire.SourceReport)), &runs.Fuser{Fresh: machine.Fresh(wire.SourceReport)}
}
