package db

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
)

// migrate runs the steps that the file does not have yet. Their number is kept
// in the file as its user_version.
func (f *File) migrate(ctx context.Context, steps []string) error {
	have, err := version(ctx, f.writer)
	if err != nil {
		return err
	}
	if have == len(steps) {
		return nil
	}
	return f.Write(ctx, func(tx *sql.Tx) error {
		have, err := version(ctx, tx) // another process may have been faster
		if err != nil {
			return err
		}
		if have > len(steps) {
			return fmt.Errorf("it was written by a later version (schema %d, this program has %d)", have, len(steps))
		}
		for _, step := range steps[have:] {
			if _, err := tx.ExecContext(ctx, step); err != nil {
				return fmt.Errorf("bring schema %d up to %d: %w", have, len(steps), err)
			}
		}
		_, err = tx.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(len(steps)))
		return err
	})
}

func version(ctx context.Context, q Querier) (int, error) {
	v, _, err := One(ctx, q, Value[int], "PRAGMA user_version")
	return v, err
}
