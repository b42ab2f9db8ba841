package books

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
)

const (
	markEvery = time.Hour
	// marksFor is longer than agents keep acknowledged records: 7 days, unless
	// they are configured otherwise.
	marksFor = 31 * 24 * time.Hour
)

// mark notes a journal's watermark as it was before this transaction, once every
// markEvery.
func (t *Tx) mark(ctx context.Context, j Journal, at time.Time) error {
	last, known := t.marked[j.ID]
	if !known {
		last, known = t.before[j.ID]
	}
	if known && at.Sub(last).Abs() < markEvery {
		return nil
	}
	_, err := t.ExecContext(ctx, `INSERT INTO marks VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET through = min(through, excluded.through)`, j.ID, at.UnixNano(), int64(j.Through))
	if err != nil {
		return err
	}
	t.marked[j.ID] = at
	_, err = t.ExecContext(ctx, "DELETE FROM marks WHERE journal = ? AND at < ?", j.ID, at.Add(-marksFor).UnixNano())
	return err
}

// Rewind sets each journal's watermark back to where it was at since or up to an
// hour before, so that agents send again what they still have; journals for
// which keep returns true stay as they are. It is for a store elsewhere that was
// restored from a backup made at since. It returns how many journals it set
// back. The caller raises the term after it.
func (b *Books) Rewind(ctx context.Context, since time.Time, keep func(store.Position) bool) (n int, err error) {
	positions, err := b.Positions(ctx)
	if err != nil {
		return 0, err
	}
	b.updating.Lock()
	defer b.updating.Unlock()
	err = b.file.Write(ctx, func(tx *sql.Tx) error {
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
		return 0, b.failed("rewind", err)
	}
	clear(b.marked)
	return n, nil
}

func rewind(ctx context.Context, tx *sql.Tx, p store.Position, since time.Time) (back bool, err error) {
	id, _, err := db.One(ctx, tx, db.Value[int64], "SELECT id FROM journals WHERE jid = ?", p.JID)
	if err != nil {
		return false, err
	}
	through, _, err := db.One(ctx, tx, db.Value[uint64],
		"SELECT through FROM marks WHERE journal = ? AND at <= ? ORDER BY at DESC LIMIT 1", id, since.UnixNano())
	if err != nil {
		return false, err
	}
	if through, err = beforeDigest(ctx, tx, id, through); err != nil || through >= p.Through {
		return false, err
	}
	for _, x := range []struct {
		statement string
		arg       int64
	}{
		{"UPDATE journals SET through = ?2 WHERE id = ?1", int64(through)},
		{"DELETE FROM digests WHERE journal = ?1 AND seq > ?2", int64(through)}, // these records are no longer stored
		{"DELETE FROM marks WHERE journal = ?1 AND at > ?2", since.UnixNano()},
	} {
		if _, err := tx.ExecContext(ctx, x.statement, id, x.arg); err != nil {
			return false, err
		}
	}
	return true, nil
}

// beforeDigest moves a watermark back to before the rows of digests that reach
// beyond it: a row is deleted as a whole.
func beforeDigest(ctx context.Context, tx *sql.Tx, journal int64, through uint64) (uint64, error) {
	spans := db.Rows(ctx, tx, scanSpan,
		"SELECT seq, seqs FROM digests WHERE journal = ? AND seq <= ? ORDER BY seq DESC", journal, int64(through))
	for s, err := range spans {
		if err != nil {
			return 0, err
		}
		if s.last > through {
			through = s.first - 1
		}
	}
	return through, nil
}

// span is from where to where a row of digests reaches.
type span struct{ first, last uint64 }

func scanSpan(r db.Row) (s span, err error) {
	var seqs []byte
	if err := r.Scan(&s.first, &seqs); err != nil {
		return span{}, err
	}
	s.last = s.first
	if n := len(seqs); n >= 4 {
		s.last += uint64(binary.BigEndian.Uint32(seqs[n-4:]))
	}
	return s, nil
}
