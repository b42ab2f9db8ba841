package db

import (
	"context"
	"errors"
	"fmt"
)

// Content is what is in a file.
type Content struct {
	Schema int              // its version
	Rows   map[string]int64 // by table
}

// Count returns what is in a file, also while another process writes to it.
func Count(ctx context.Context, path string) (c Content, err error) {
	f, err := OpenReadOnly(path)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return count(ctx, f.reader, path)
}

// Count returns what is in the i-th file.
func (s *Snapshot) Count(ctx context.Context, i int) (Content, error) {
	return count(ctx, s.conns[i], s.paths[i])
}

// Querier is for queries of the i-th file, as it was.
func (s *Snapshot) Querier(i int) Querier { return s.conns[i] }

// Inspect is Count of a file of which it reads all before. The error names the damage.
func Inspect(ctx context.Context, path string) (c Content, err error) {
	f, err := OpenReadOnly(path)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	damage, err := All(ctx, f.reader, Value[string], "PRAGMA integrity_check(3)")
	if err != nil {
		return c, fmt.Errorf("check %s: %w", path, err)
	}
	if len(damage) != 1 || damage[0] != "ok" {
		return c, fmt.Errorf("%s is damaged: %q", path, damage)
	}
	return count(ctx, f.reader, path)
}

func count(ctx context.Context, q Querier, path string) (c Content, err error) {
	if c.Schema, err = version(ctx, q); err != nil {
		return c, fmt.Errorf("read %s: %w", path, err)
	}
	tables, err := All(ctx, q, Value[string],
		"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
	c.Rows = map[string]int64{}
	for _, table := range tables {
		if err == nil {
			c.Rows[table], _, err = One(ctx, q, Value[int64], `SELECT count(*) FROM "`+table+`"`)
		}
	}
	if err != nil {
		return c, fmt.Errorf("count the rows of %s: %w", path, err)
	}
	return c, nil
}
