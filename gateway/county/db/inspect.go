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
	return f.count(ctx)
}

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
	return f.count(ctx)
}

func (f *File) count(ctx context.Context) (c Content, err error) {
	if c.Schema, err = version(ctx, f.reader); err != nil {
		return c, fmt.Errorf("read %s: %w", f.path, err)
	}
	tables, err := All(ctx, f.reader, Value[string],
		"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
	c.Rows = map[string]int64{}
	for _, table := range tables {
		if err == nil {
			c.Rows[table], _, err = One(ctx, f.reader, Value[int64], `SELECT count(*) FROM "`+table+`"`)
		}
	}
	if err != nil {
		return c, fmt.Errorf("count the rows of %s: %w", f.path, err)
	}
	return c, nil
}
