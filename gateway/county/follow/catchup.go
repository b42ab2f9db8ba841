package follow

import (
	"context"
	"errors"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// chunk is how many rows of the store are taken in in one transaction.
const chunk = 5000

// finish calls what is to be done after a commit, all of it.
func finish(ctx context.Context, done []Committed) error {
	var errs []error
	for _, f := range done {
		if f != nil {
			errs = append(errs, f(ctx))
		}
	}
	return errors.Join(errs...)
}

// Missing takes how far the store has each journal. It returns the journals of
// which it has more than was followed, and how many seqs that are. Journals that
// have begun again in the store begin again here first.
func (c *Cursor) Missing(
	ctx context.Context, now time.Time, stored []store.Position,
) (missing []store.Position, seqs uint64, err error) {
	for _, p := range stored {
		if err := c.look(ctx, now, p); err != nil {
			return nil, 0, err
		}
		if have := c.Through(p.JID); p.Through > have {
			missing = append(missing, p)
			seqs += p.Through - have
		}
	}
	return missing, seqs, nil
}

// look finds out whether a journal of which the store has less than was
// followed has begun again.
func (c *Cursor) look(ctx context.Context, now time.Time, p store.Position) error {
	have := c.positions[p.JID]
	if p.Through == 0 || p.Through >= have.through || !c.beginsAgain(p.Agent, p.JID) {
		return nil
	}
	for row, err := range c.opts.Records.Rows(ctx, store.Query{JID: p.JID, After: p.Through - 1}) {
		if err != nil {
			return err
		}
		if row.At.UnixNano() > have.newest {
			return c.reset(ctx, now, p.JID)
		}
	}
	return nil
}

// CatchUp takes in what the store has of a journal and was not followed, up to
// through: what is stored beyond that waits for records before it.
func (c *Cursor) CatchUp(ctx context.Context, now time.Time, agent, jid string, through uint64) error {
	from := c.positions[jid]
	var entries []Entry
	newest := from.newest
	take := func(through uint64) error {
		p := position{agent, max(c.Through(jid), through), newest}
		w := work{entries: entries, positions: map[string]position{jid: p}}
		entries = nil
		return c.apply(ctx, now, w)
	}
	rows := 0
	for row, err := range c.opts.Records.Rows(ctx, store.Query{JID: jid, After: from.through}) {
		if err != nil {
			return err
		}
		if row.Seq > through {
			break
		}
		newest = later(newest, row.At.UnixNano())
		if c.kinds[row.Kind] {
			if r, err := wire.DecodeRecord(row.Raw); err == nil { // a later version understands the others
				entries = append(entries, Entry{Agent: agent, JID: jid, Record: r, Rebuilt: from.through == 0})
			}
		}
		if rows++; rows%chunk == 0 {
			if err := take(row.Seq); err != nil {
				return err
			}
		}
	}
	return take(through)
}
