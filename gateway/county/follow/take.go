package follow

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"gatehouse/gateway/county/store"
)

// Event is what the collector passes on: one of its fields is set.
type Event struct {
	Committed []store.Batch // durable in the store
	Arrived   *store.Batch  // an alarm that overtook its journal, not stored yet
}

// work is what one transaction takes in.
type work struct {
	entries   []Entry
	positions map[string]position // as they are after it
	began     []string            // jids of journals that have begun again
	behind    bool
}

// Take takes in events in one transaction. It reports whether something before
// them is missing, which CatchUp reads from the store. After an error nothing of
// them was taken in, or all was and a screen was not told.
func (c *Cursor) Take(ctx context.Context, now time.Time, events []Event) (behind bool, err error) {
	w := work{positions: map[string]position{}}
	for _, e := range events {
		if e.Arrived != nil {
			for _, x := range e.Arrived.Entries {
				ahead := Entry{Agent: e.Arrived.Agent, JID: e.Arrived.JID, Record: x.Record, Ahead: true}
				w.entries = append(w.entries, ahead)
			}
		}
		for _, b := range e.Committed {
			c.batch(&w, b)
		}
	}
	for _, jid := range w.began {
		if err := c.reset(ctx, now, jid); err != nil {
			return true, err
		}
	}
	return w.behind, c.apply(ctx, now, w)
}

// at is how far a journal is followed with w.
func (c *Cursor) at(w *work, jid string) position {
	if p, ok := w.positions[jid]; ok {
		return p
	}
	return c.positions[jid]
}

// batch adds to w what is new in b.
func (c *Cursor) batch(w *work, b store.Batch) {
	if b.Ahead || slices.Contains(w.began, b.JID) {
		return // it was taken in when it arrived, or is read from the store later
	}
	p := c.at(w, b.JID)
	if b.From > p.through+1 {
		w.behind = true
		return
	}
	newest := p.newest
	for _, e := range b.Entries {
		at := e.Record.At.UnixNano()
		switch {
		case e.Record.Seq > p.through:
			newest = later(newest, at)
			if c.kinds[e.Record.Kind] {
				w.entries = append(w.entries, Entry{Agent: b.Agent, JID: b.JID, Record: e.Record})
			}
		case at > p.newest && !b.Retry && c.beginsAgain(b.Agent, b.JID):
			w.begin(b.JID)
			return
		}
	}
	if b.To > p.through {
		w.positions[b.JID] = position{b.Agent, b.To, newest}
	}
}

// later returns the later of the newest time known and at. Of journals that were
// followed before times were kept, none is known.
func later(newest, at int64) int64 {
	if newest == math.MaxInt64 {
		return at
	}
	return max(newest, at)
}

// begin notes that a journal has begun again: it is read from the store, from
// its beginning.
func (w *work) begin(jid string) {
	w.entries = slices.DeleteFunc(w.entries, func(e Entry) bool { return e.JID == jid && !e.Ahead })
	delete(w.positions, jid)
	w.began, w.behind = append(w.began, jid), true
}

func (c *Cursor) beginsAgain(agent, jid string) bool {
	return c.opts.BeginsAgain != nil && c.opts.BeginsAgain(agent, jid)
}

// apply gives w's entries to all followers and keeps its positions, in one
// transaction.
func (c *Cursor) apply(ctx context.Context, now time.Time, w work) error {
	if len(w.entries) == 0 && len(w.positions) == 0 {
		return nil // a repeat: a transaction would cost a write to the disk
	}
	var done []Committed
	err := c.opts.File.Write(ctx, func(tx *sql.Tx) error {
		for _, f := range c.opts.Followers {
			committed, err := f.Apply(ctx, tx, now, w.entries)
			if err != nil {
				return err
			}
			done = append(done, committed)
		}
		for jid, p := range w.positions {
			_, err := tx.ExecContext(ctx, `INSERT INTO progress (jid, agent, through, newest) VALUES (?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET agent = excluded.agent, through = excluded.through, newest = excluded.newest`,
				jid, p.agent, int64(p.through), p.newest)
			if err != nil {
				return fmt.Errorf("keep how far journal %s was followed: %w", jid, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for jid, p := range w.positions {
		c.set(jid, p)
	}
	return finish(ctx, done)
}

// reset lets a journal begin again.
func (c *Cursor) reset(ctx context.Context, now time.Time, jid string) error {
	former := jid + "~" + strconv.FormatInt(now.UnixNano(), 36)
	var done []Committed
	err := c.opts.File.Write(ctx, func(tx *sql.Tx) error {
		for _, f := range c.opts.Followers {
			committed, err := f.Reset(ctx, tx, jid, former)
			if err != nil {
				return fmt.Errorf("let journal %s begin again: %w", jid, err)
			}
			done = append(done, committed)
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM progress WHERE jid = ?", jid)
		return err
	})
	if err != nil {
		return err
	}
	delete(c.positions, jid)
	return finish(ctx, done)
}
