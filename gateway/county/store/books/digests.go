package books

import (
	"context"
	"encoding/binary"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/wire"
)

// Digest is the first 8 bytes of a record's hash.
type Digest [8]byte

// DigestOf returns the digest of a record's bytes.
func DigestOf(raw []byte) Digest {
	h := wire.Hash(raw)
	return Digest(h[:8])
}

// digestsFor is for how many seqs behind the newest record digests are kept: far
// more than an agent sends twice.
const digestsFor = 8192

// addDigests adds the digests of the records that were written, and deletes those
// that are more than digestsFor behind; not for an alarm sent ahead, which may be far
// before the batches that may come again.
func addDigests(ctx context.Context, tx *Tx, journal int64, o Outcome) error {
	if len(o.Written) == 0 {
		return nil
	}
	first := o.Written[0].Record.Seq
	var seqs, sums []byte
	for _, e := range o.Written {
		seqs = binary.BigEndian.AppendUint32(seqs, uint32(e.Record.Seq-first))
		d, known := o.Digests[e.Record.Seq]
		if !known {
			d = DigestOf(e.Raw)
		}
		sums = append(sums, d[:]...)
	}
	_, err := tx.ExecContext(ctx, insertDigests, journal, int64(first), seqs, sums)
	if err != nil || o.Batch.Ahead || first <= digestsFor {
		return err
	}
	_, err = tx.ExecContext(ctx, deleteDigests, journal, int64(first-digestsFor))
	return err
}

const (
	insertDigests = `INSERT INTO digests VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET seqs = excluded.seqs, sums = excluded.sums`
	deleteDigests = "DELETE FROM digests WHERE journal = ? AND seq < ?"
	selectDigests = `SELECT seq, seqs, sums FROM digests JOIN journals ON id = journal
		WHERE jid = ? AND seq BETWEEN ? AND ?`
)

// Digests returns the known digests of a journal's seqs from to to, by seq.
func (b *Books) Digests(ctx context.Context, jid string, from, to uint64) (map[uint64]Digest, error) {
	out, err := digests(ctx, b.queries, jid, from, to)
	if err != nil {
		return nil, b.failed("read digests", err)
	}
	return out, nil
}

func digests(ctx context.Context, q db.Querier, jid string, from, to uint64) (map[uint64]Digest, error) {
	out := map[uint64]Digest{}
	rows := db.Rows(ctx, q, scanDigests, selectDigests, jid, int64(from)-wire.MaxBatchRecords, int64(to))
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		for i := 0; 4*i+4 <= len(row.seqs) && 8*i+8 <= len(row.sums); i++ {
			seq := row.first + uint64(binary.BigEndian.Uint32(row.seqs[4*i:]))
			if seq >= from && seq <= to {
				out[seq] = Digest(row.sums[8*i : 8*i+8])
			}
		}
	}
	return out, nil
}

type digestRow struct {
	first      uint64
	seqs, sums []byte
}

func scanDigests(r db.Row) (d digestRow, err error) {
	err = r.Scan(&d.first, &d.seqs, &d.sums)
	return d, err
}
