package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/store"
)

// schemaMarks is what the third version has more: how far each journal was, an
// hour apart, for a store whose other half was restored from a backup.
const schemaMarks = `
CREATE TABLE marks (
	journal INTEGER NOT NULL REFERENCES journals,
	at      INTEGER NOT NULL, -- by the collector's clock
	through INTEGER NOT NULL,
	PRIMARY KEY (journal, at)
) WITHOUT ROWID;`

const (
	markEvery = time.Hour
	marksFor  = 31 * 24 * time.Hour // agents keep what is acknowledged for 7 days, unless told otherwise
)

// mark notes, now and then, how far a journal was before what is committed now.
func (s *Store) mark(ctx context.Context, tx *sql.Tx, journal int64, through uint64, at time.Time) error {
	if last, known := s.marked[journal]; known && at.Sub(last).Abs() < markEvery {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO marks VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET through = min(through, excluded.through)",
		journal, at.UnixNano(), int64(through))
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM marks WHERE journal = ? AND at < ?", journal, at.Add(-marksFor).UnixNano())
	}
	if err == nil {
		s.marked[journal] = at
	}
	return err
}

// Rewind takes each journal's watermark back to where it was at since, or up to
// an hour before, so that agents send again what they still hold; keep tells
// which journals stay. It is for a store whose records are elsewhere, and were
// restored from a backup made at since. It returns how many journals it took
// back. The caller raises the term after it.
func (s *Store) Rewind(ctx context.Context, since time.Time, keep func(store.Position) bool) (n int, err error) {
	positions, err := s.Positions(ctx)
	if err != nil {
		return 0, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		n = 0
		for _, p := range positions {
			if keep(p) {
				continue
			}
			back, err := rewind(ctx, tx, p, since)
			if err != nil {
				return fmt.Errorf("journal %s: %w", p.JID, err)
			}
			if back {
				n++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("rewind %s: %w", s.path, err)
	}
	clear(s.marked)
	return n, nil
}

func rewind(ctx context.Context, tx *sql.Tx, p store.Position, since time.Time) (back bool, err error) {
	var id int64
	if err := tx.QueryRowContext(ctx, "SELECT id FROM journals WHERE jid = ?", p.JID).Scan(&id); err != nil {
		return false, err
	}
	var through uint64
	err = tx.QueryRowContext(ctx, "SELECT through FROM marks WHERE journal = ? AND at <= ? ORDER BY at DESC LIMIT 1", id, since.UnixNano()).Scan(&through)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	if through, err = beforeDigest(ctx, tx, id, through); err != nil || through >= p.Through {
		return false, err
	}
	for _, x := range []struct {
		what string
		arg  int64
	}{
		{"UPDATE journals SET through = ?2 WHERE id = ?1", int64(through)},
		{"DELETE FROM digests WHERE journal = ?1 AND seq > ?2", int64(through)}, // what it was given is not there
		{"DELETE FROM marks WHERE journal = ?1 AND at > ?2", since.UnixNano()},
	} {
		if _, err := tx.ExecContext(ctx, x.what, id, x.arg); err != nil {
			return false, err
		}
	}
	return true, nil
}

// beforeDigest moves a watermark before the digests that reach over it: they
// are forgotten as a whole.
func beforeDigest(ctx context.Context, tx *sql.Tx, journal int64, through uint64) (uint64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT seq, seqs FROM digests WHERE journal = ? AND seq <= ? ORDER BY seq DESC", journal, int64(through))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var first uint64
		var seqs []byte
		if err := rows.Scan(&first, &seqs); err != nil {
			return 0, err
		}
		if n := len(seqs); n >= 4 && first+uint64(binary.BigEndian.Uint32(seqs[n-4:])) > through {
			through = first - 1
		}
	}
	return through, rows.Err()
}
