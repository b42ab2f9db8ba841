package desk

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// catchUp reads from the store what the desk has not taken in.
func (d *Desk) catchUp(ctx context.Context) error {
	positions, err := d.opts.Records.Positions(ctx)
	if err != nil {
		return fmt.Errorf("read how far the store is: %w", err)
	}
	for _, p := range positions {
		if d.progress[p.JID] >= p.Through {
			continue
		}
		if p.Through-d.progress[p.JID] > chunk && !d.catching {
			d.catching = true
			d.log.Info("the desk is catching up with the store")
			d.totals()
		}
		if err := d.replay(ctx, p); err != nil {
			return err
		}
		if err := d.meanwhile(ctx); err != nil {
			return err
		}
	}
	if d.catching {
		d.catching = false
		d.log.Info("the desk has caught up with the store")
		if err := d.prune(ctx, time.Now()); err != nil {
			return err
		}
	}
	d.totals()
	return nil
}

// meanwhile does between journals what must not wait for all of them: new
// alarms, and who is there.
func (d *Desk) meanwhile(ctx context.Context) error {
	select {
	case x := <-d.in:
		if err := d.take(ctx, d.more(x)); err != nil {
			return err
		}
	default:
	}
	if now := time.Now(); now.Sub(d.looked) > lookEvery {
		return d.look(ctx, now)
	}
	return nil
}

// replay takes in one journal's rows up to the store's watermark.
func (d *Desk) replay(ctx context.Context, p store.Position) error {
	rebuild := d.progress[p.JID] == 0
	var rows []store.Row
	flush := func(through uint64) error {
		latest := d.snapshot()
		in := d.intake(ctx)
		in.rebuild = rebuild
		err := d.write(ctx, func(tx *sql.Tx) error {
			in.tx = tx
			for _, row := range rows {
				r, err := wire.DecodeRecord(row.Raw)
				if err != nil {
					continue // the store holds what a later version understands
				}
				if err := in.record(p.Agent, p.JID, r); err != nil {
					return err
				}
			}
			in.reached(p.JID, p.Agent, through)
			return in.finish()
		})
		if err != nil {
			d.latest = latest
			return err
		}
		rows = rows[:0]
		return d.publish(ctx, in)
	}
	for row, err := range d.opts.Records.Rows(ctx, store.Query{JID: p.JID, After: d.progress[p.JID]}) {
		if err != nil {
			return err
		}
		if row.Seq > p.Through {
			break // it waits for what comes before it
		}
		if rows = append(rows, row); len(rows) == chunk {
			if err := flush(row.Seq); err != nil {
				return err
			}
		}
	}
	return flush(p.Through)
}

// prune takes away passages that no page lists.
func (d *Desk) prune(ctx context.Context, now time.Time) error {
	return d.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM passages WHERE at < ? OR (jid, seq) IN (SELECT jid, seq FROM
			(SELECT jid, seq, row_number() OVER (PARTITION BY agent ORDER BY at DESC) n FROM passages) WHERE n > ?)`,
			now.Add(-recentFor).UnixNano(), recentCount)
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM tracks WHERE file = '' AND at < ?", now.Add(-tracksFor).UnixNano())
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM sessions WHERE expires < ?", now.UnixNano())
		}
		return err
	})
}
