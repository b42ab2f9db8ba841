package desk

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

const (
	recentFor   = 72 * time.Hour // passages that a gate's page lists
	recentCount = 200            // of each gate, at most
	pairs       = 20             // passages that an amendment is looked for in
	staleAfter  = 24 * time.Hour // alarms that were over before this desk was made
	chunk       = 5000           // rows a transaction of catching up
)

// past is one passage that a later one may amend.
type past struct {
	seq       uint64
	agent     string
	hour      int64
	verdict   fact.Verdict
	screening *fact.Temp
	readings  []uint64
}

// intake is one transaction's work.
type intake struct {
	d        *Desk
	ctx      context.Context
	tx       *sql.Tx
	hours    map[hourKey]*hour
	through  map[string]position
	alerts   map[int64]bool
	fresh    []Passage       // for the feed
	rebuild  bool            // of what was there before this desk
	machines map[string]bool // that were heard of
	runs     bool            // one changed
}

type position struct {
	agent   string
	through uint64
}

type hourKey struct {
	agent string
	hour  int64
}

// hour is what an hour of a gate gains.
type hour struct {
	verdicts   map[fact.Verdict]int
	temps, sum int
}

// take takes in what came, in one transaction.
func (d *Desk) take(ctx context.Context, all []event) error {
	latest := d.snapshot()
	in := d.intake(ctx)
	err := d.write(ctx, func(tx *sql.Tx) error {
		in.tx = tx
		for _, x := range all {
			if x.arrived != nil {
				for _, e := range x.arrived.Entries {
					if err := in.alarm(x.arrived.Agent, x.arrived.JID, e.Record); err != nil {
						return err
					}
				}
			}
			for _, b := range x.committed {
				if err := in.batch(b); err != nil {
					return err
				}
			}
		}
		return in.finish()
	})
	if err != nil {
		d.latest = latest
		return err
	}
	if slices.ContainsFunc(all, func(x event) bool { return x.committed != nil }) {
		d.stored = time.Now()
	}
	return d.publish(ctx, in)
}

// snapshot lets a failed transaction be undone in memory.
func (d *Desk) snapshot() map[string][]past {
	out := map[string][]past{}
	for k, v := range d.latest {
		out[k] = slices.Clone(v)
	}
	return out
}

func (d *Desk) intake(ctx context.Context) *intake {
	return &intake{d: d, ctx: ctx, hours: map[hourKey]*hour{}, through: map[string]position{}, alerts: map[int64]bool{}, machines: map[string]bool{}}
}

// at is how far a journal is taken in, this transaction included.
func (in *intake) at(jid string) uint64 {
	if p, ok := in.through[jid]; ok {
		return p.through
	}
	return in.d.progress[jid]
}

func (in *intake) batch(b store.Batch) error {
	if b.Ahead {
		return nil // it was taken when it arrived, and comes again in its order
	}
	if b.From > in.at(b.JID)+1 {
		in.d.late() // something before it was not offered
		return nil
	}
	for _, e := range b.Entries {
		if e.Record.Seq > in.at(b.JID) {
			if err := in.record(b.Agent, b.JID, e.Record); err != nil {
				return err
			}
		}
	}
	in.reached(b.JID, b.Agent, b.To)
	return nil
}

func (in *intake) reached(jid, agent string, through uint64) {
	in.through[jid] = position{agent, max(through, in.at(jid))}
}

func (in *intake) record(agent, jid string, r wire.Record) error {
	switch r.Kind {
	case wire.KindPassage:
		return in.passage(agent, jid, r)
	case wire.KindAlarm:
		return in.alarm(agent, jid, r)
	case wire.KindAudit:
		return in.audit(jid, r)
	case wire.KindTrack:
		return in.track(agent, jid, r)
	case wire.KindRun:
		return in.run(agent, jid, r)
	}
	return nil
}

// bodyOf decodes a record's body. One that can't be decoded is no concern of
// the desk's: the store has put it into quarantine.
func bodyOf[B wire.Body](r wire.Record) (b B, ok bool) {
	body, err := r.DecodeBody()
	if err != nil {
		return b, false
	}
	b, ok = body.(B)
	return b, ok
}

func (in *intake) passage(agent, jid string, r wire.Record) error {
	p, ok := bodyOf[*wire.Passage](r)
	if !ok {
		return nil
	}
	now := past{seq: r.Seq, agent: agent, hour: r.At.Unix() / 3600, verdict: p.Verdict, readings: p.Readings}
	var ambient *fact.Temp
	if p.Temperature != nil {
		now.screening, ambient = &p.Temperature.Screening, &p.Temperature.Ambient
	}
	if p.Amends {
		if err := in.amend(jid, now); err != nil {
			return err
		}
	}
	in.count(now, 1)
	list := append(in.d.latest[jid], now)
	in.d.latest[jid] = list[max(0, len(list)-pairs):]
	if time.Since(r.At.Time) > recentFor {
		return nil
	}
	readings, err := json.Marshal(p.Readings)
	if err != nil {
		return err
	}
	_, err = in.tx.ExecContext(in.ctx, `INSERT OR REPLACE INTO passages (jid, seq, agent, at, verdict, reasons, screening, ambient, direction, class, readings)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, jid, r.Seq, agent, r.At.UnixNano(), string(p.Verdict), fact.JoinReasons(p.Reasons, " "),
		number(now.screening), number(ambient), string(p.Direction), p.Class, string(readings))
	in.fresh = append(in.fresh, Passage{At: r.At.Time, Agent: agent, Verdict: p.Verdict, Reasons: p.Reasons, Screening: now.screening,
		Ambient: ambient, Direction: string(p.Direction), Class: p.Class})
	return err
}

// amend takes away what a passage replaces.
func (in *intake) amend(jid string, now past) error {
	list := in.d.latest[jid]
	for i, old := range slices.Backward(list) {
		if slices.ContainsFunc(old.readings, func(seq uint64) bool { return slices.Contains(now.readings, seq) }) {
			in.count(old, -1)
			in.d.latest[jid] = slices.Delete(slices.Clone(list), i, i+1)
			_, err := in.tx.ExecContext(in.ctx, "DELETE FROM passages WHERE jid = ? AND seq = ?", jid, old.seq)
			return err
		}
	}
	return nil
}

// count adds a passage to its hour, or takes it away. Temperatures count where
// they are believed: of those who passed, and of fevers.
func (in *intake) count(p past, by int) {
	k := hourKey{p.agent, p.hour}
	h := in.hours[k]
	if h == nil {
		h = &hour{verdicts: map[fact.Verdict]int{}}
		in.hours[k] = h
	}
	h.verdicts[p.verdict] += by
	if p.screening != nil && (p.verdict == fact.VerdictPass || p.verdict == fact.VerdictFever) {
		h.temps += by
		h.sum += by * int(*p.screening)
	}
}

func (in *intake) finish() error {
	for k, h := range in.hours {
		v := h.verdicts
		_, err := in.tx.ExecContext(in.ctx, `INSERT INTO hours (agent, hour, pass, retest, invalid, refuse, fever, temps, sum)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET pass = pass + excluded.pass, retest = retest + excluded.retest,
			invalid = invalid + excluded.invalid, refuse = refuse + excluded.refuse, fever = fever + excluded.fever,
			temps = temps + excluded.temps, sum = sum + excluded.sum`, k.agent, k.hour,
			v[fact.VerdictPass], v[fact.VerdictRetest], v[fact.VerdictInvalid], v[fact.VerdictRefuse], v[fact.VerdictFever], h.temps, h.sum)
		if err != nil {
			return fmt.Errorf("count passages: %w", err)
		}
	}
	for jid, p := range in.through {
		_, err := in.tx.ExecContext(in.ctx, "INSERT INTO progress VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET through = excluded.through", jid, p.agent, p.through)
		if err != nil {
			return fmt.Errorf("note how far journal %s is taken in: %w", jid, err)
		}
	}
	return nil
}

func number(t *fact.Temp) *int64 {
	if t == nil {
		return nil
	}
	n := int64(*t)
	return &n
}
