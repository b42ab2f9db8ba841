package db

import (
	"context"
	"fmt"
)

// Compact writes the file anew without what was deleted, and empties its WAL: then neither
// holds deleted text any more. It needs room for a second copy, and nobody else may have
// the file open.
func (f *File) Compact(ctx context.Context) error {
	for _, q := range []string{"PRAGMA secure_delete = ON", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := f.writer.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("remove deleted text from %s: %w", f.path, err)
		}
	}
	return nil
}
