package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"

	"gatehouse/gateway/wire"
)

// Digest is the first 8 bytes of a record's hash.
type Digest [8]byte

// DigestOf gives the digest of a record's bytes.
func DigestOf(raw []byte) Digest {
	h := wire.Hash(raw)
	return Digest(h[:8])
}

// remembered is for how many seqs behind the newest digests are kept: far more
// than an agent sends twice.
const remembered = 8192

// digest remembers what was given, and forgets what is long behind it; an alarm
// sent ahead is far before the batches that may come again.
func digest(ctx context.Context, tx *sql.Tx, journal int64, entries []wire.Entry, ahead bool) error {
	if len(entries) == 0 {
		return nil
	}
	first := entries[0].Record.Seq
	var seqs, sums []byte
	for _, e := range entries {
		seqs = binary.BigEndian.AppendUint32(seqs, uint32(e.Record.Seq-first))
		d := DigestOf(e.Raw)
		sums = append(sums, d[:]...)
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO digests VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET seqs = excluded.seqs, sums = excluded.sums",
		journal, int64(first), seqs, sums)
	if err != nil || ahead || first <= remembered {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM digests WHERE journal = ? AND seq < ?", journal, int64(first-remembered))
	return err
}

// Digests gives what is remembered of a journal's seqs from to to.
func (s *Store) Digests(ctx context.Context, jid string, from, to uint64) (map[uint64]Digest, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT seq, seqs, sums FROM digests JOIN journals ON id = journal
		WHERE jid = ? AND seq BETWEEN ? AND ?`, jid, int64(from)-wire.MaxBatchRecords, int64(to))
	if err != nil {
		return nil, fmt.Errorf("digests in %s: %w", s.path, err)
	}
	defer rows.Close()
	out := map[uint64]Digest{}
	for rows.Next() {
		var first uint64
		var seqs, sums []byte
		if err := rows.Scan(&first, &seqs, &sums); err != nil {
			return nil, fmt.Errorf("digests in %s: %w", s.path, err)
		}
		for i := 0; 4*i+4 <= len(seqs) && 8*i+8 <= len(sums); i++ {
			seq := first + uint64(binary.BigEndian.Uint32(seqs[4*i:]))
			if seq >= from && seq <= to {
				out[seq] = Digest(sums[8*i : 8*i+8])
			}
		}
	}
	return out, rows.Err()
}
