package report

import (
	"context"
	"database/sql"
	"fmt"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// chunk is how many stored records are indexed in one transaction.
const chunk = 1000

// follow indexes records of a journal that the store has committed, in order,
// and notes how far the journal is indexed.
func (x *index) follow(ctx context.Context, jid string, records []wire.Record) error {
	if len(records) == 0 {
		return nil
	}
	err := x.file.Write(ctx, func(tx *sql.Tx) error {
		for _, r := range records {
			if err := x.apply(ctx, tx, r); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO progress VALUES (?, ?)
			ON CONFLICT DO UPDATE SET through = excluded.through`, jid, records[len(records)-1].Seq)
		return err
	})
	if err != nil {
		return fmt.Errorf("index reports: %w", err)
	}
	return nil
}

// catchUp indexes the records of a journal that the store has and the index does
// not: after a kill between the two. It returns the highest seq of the journal
// that was ever used, also if the store has lost it.
func (x *index) catchUp(ctx context.Context, s Store, jid string) (last uint64, err error) {
	last, _, err = db.One(ctx, x.file.Reader(), db.Value[uint64], "SELECT through FROM progress WHERE jid = ?", jid)
	if err != nil {
		return 0, fmt.Errorf("read how far the reports are indexed: %w", err)
	}
	var records []wire.Record
	for row, err := range s.Rows(ctx, store.Query{JID: jid, After: last}) {
		if err != nil {
			return 0, err
		}
		r, err := wire.DecodeRecord(row.Raw)
		if err != nil {
			return 0, fmt.Errorf("a stored report: %w", err)
		}
		last = r.Seq
		if records = append(records, r); len(records) == chunk {
			if err := x.follow(ctx, jid, records); err != nil {
				return 0, err
			}
			records = nil
		}
	}
	return last, x.follow(ctx, jid, records)
}
