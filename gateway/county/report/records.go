package report

import (
	"context"
	"fmt"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/wire"
)

// records returns the records of a machine's journal behind a seq, as far as the
// index has them, at most limit.
func (x *index) records(ctx context.Context, machine string, after uint64, limit int) ([]wire.Record, error) {
	scan := func(r db.Row) (rec wire.Record, err error) {
		var at int64
		var body []byte
		if err := r.Scan(&rec.Seq, &at, &rec.Kind, &body); err != nil {
			return rec, err
		}
		rec.At, rec.Body = wire.At(time.Unix(0, at)), body
		return rec, nil
	}
	out, err := db.All(ctx, x.file.Reader(), scan, `
		SELECT seq, recorded, 'track', track FROM reports WHERE machine = ?1 AND seq > ?2
		UNION ALL SELECT seq, recorded, 'run', body FROM run_records WHERE machine = ?1 AND seq > ?2
		ORDER BY 1 LIMIT ?3`, machine, int64(after), limit)
	if err != nil {
		return nil, fmt.Errorf("read the records of %s: %w", machine, err)
	}
	return out, nil
}

// prune forgets reports of which a later one can't be a neighbour.
func (x *index) prune(ctx context.Context, before time.Time) error {
	for _, statement := range []string{
		"DELETE FROM reports WHERE at < ? AND import = ''",
		"DELETE FROM run_records WHERE recorded < ?",
	} {
		if _, err := x.file.Exec(ctx, statement, before.UnixNano()); err != nil {
			return fmt.Errorf("forget old reports: %w", err)
		}
	}
	return nil
}
