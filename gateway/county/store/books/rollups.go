package books

import (
	"context"
	"iter"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/rollup"
	"gatehouse/gateway/wire"
)

// schemaRollups is what version 6 adds: counts by the hour of the records that were
// removed because they were old.
const schemaRollups = `
CREATE TABLE rollups (
	kind    TEXT NOT NULL,
	hour    INTEGER NOT NULL, -- unix hours, by the clocks of gates
	journal INTEGER NOT NULL REFERENCES journals,
	word    TEXT NOT NULL,    -- such as the verdict of passages
	records INTEGER NOT NULL,
	temps   INTEGER NOT NULL, -- records with a screening temperature
	sum     INTEGER NOT NULL, -- of these, hundredths of a degree Celsius
	least   INTEGER NOT NULL, -- likewise
	most    INTEGER NOT NULL, -- likewise
	PRIMARY KEY (kind, hour, journal, word)
) WITHOUT ROWID;`

// AddRollups adds counts of a journal's records, which this transaction removes.
func (t *Tx) AddRollups(ctx context.Context, journal int64, counts rollup.Counts) error {
	for k, c := range counts {
		_, err := t.ExecContext(ctx, `INSERT INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET records = records + excluded.records,
			least = CASE WHEN temps = 0 THEN excluded.least WHEN excluded.temps = 0 THEN least
				ELSE min(least, excluded.least) END,
			most = CASE WHEN temps = 0 THEN excluded.most WHEN excluded.temps = 0 THEN most
				ELSE max(most, excluded.most) END,
			temps = temps + excluded.temps, sum = sum + excluded.sum`,
			string(k.Kind), k.Hour, journal, k.Word, c.Records, c.Temps, c.Sum, int64(c.Least), int64(c.Most))
		if err != nil {
			return err
		}
	}
	return nil
}

// Rollups yields what is known by the hour of records that were removed because they
// were old: of a kind ("": of all), in the hours that begin at from or later and before
// to (zero: no bound). A failure is the last pair.
func (b *Books) Rollups(ctx context.Context, kind wire.Kind, from, to time.Time) iter.Seq2[rollup.Row, error] {
	where, args := "TRUE", []any{}
	add := func(condition string, arg any) { where, args = where+" AND "+condition, append(args, arg) }
	if kind != "" {
		add("kind = ?", string(kind))
	}
	if !from.IsZero() {
		add("hour >= ?", (from.Unix()+3599)/3600)
	}
	if !to.IsZero() {
		add("hour < ?", (to.Unix()+3599)/3600)
	}
	return func(yield func(rollup.Row, error) bool) {
		//nolint:gosec // where is of constants
		for row, err := range db.Rows(ctx, b.file.Reader(), scanRollup, `SELECT agent, kind, hour, word, sum(records),
			sum(temps), sum(sum), coalesce(min(CASE WHEN temps > 0 THEN least END), 0),
			coalesce(max(CASE WHEN temps > 0 THEN most END), 0) FROM rollups JOIN journals ON id = journal
			WHERE `+where+` GROUP BY kind, hour, agent, word`, args...) {
			if err != nil {
				err = b.failed("read the counts by the hour", err)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func scanRollup(r db.Row) (x rollup.Row, err error) {
	err = r.Scan(&x.Agent, &x.Kind, &x.Hour, &x.Word, &x.Records, &x.Temps, &x.Sum, &x.Least, &x.Most)
	return x, err
}
