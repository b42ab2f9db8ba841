package passages

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/rollup"
	"gatehouse/gateway/fact"
)

// Seed gives a new desk's file the hours of passages that were removed from the store
// because they were old, as the store has counted them. A file that knows any hour
// already counted them itself, and stays as it is. It is called before New.
func Seed(ctx context.Context, file *db.File, removed iter.Seq2[rollup.Row, error]) error {
	err := file.Write(ctx, func(tx *sql.Tx) error {
		var known bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM hours)").Scan(&known); err != nil || known {
			return err
		}
		c := &change{ctx: ctx, tx: tx, hours: map[hourKey]*gain{}}
		for row, err := range removed {
			if err != nil {
				return err
			}
			c.seed(row)
		}
		return c.writeHours()
	})
	if err != nil {
		return fmt.Errorf("take over the hours of removed passages: %w", err)
	}
	return nil
}

// seed adds the passages of one verdict in one hour.
func (c *change) seed(row rollup.Row) {
	v := fact.Verdict(row.Word)
	if !v.Valid() { // such as one that was amended
		return
	}
	g := c.gain(hourKey{row.Agent, row.Hour})
	g.verdicts[v] += row.Records
	if believed(v) {
		g.temps += row.Temps
		g.sum += int(row.Sum)
	}
}
