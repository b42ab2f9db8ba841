// Package parquet writes rows of package export as an Apache Parquet file.
package parquet

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"gatehouse/gateway/county/export"
)

const (
	// mostBytes is how much text the rows of one row group have, about: it is held
	// in memory until the group is written.
	mostBytes = 32 << 20
	mostRows  = 100_000
)

// Writer writes typed columns, each of which may be null: text and lists as strings,
// times as timestamps of nanoseconds in UTC. It implements export.Writer.
type Writer struct {
	//nolint:staticcheck // its successor asks for a Go type; these columns are known when it runs
	out         *parquet.Writer
	row         parquet.Row
	rows, bytes int // of the row group that is begun
}

// New returns a writer of rows of the table.
func New(w io.Writer, t *export.Table) (*Writer, error) {
	root := columns{parquet.Group{}, nil}
	for _, c := range t.Columns {
		root.Group[c.Name] = parquet.Optional(node(c.Type))
		root.names = append(root.names, c.Name)
	}
	config, err := parquet.NewWriterConfig(parquet.NewSchema(string(t.Kind), root),
		parquet.Compression(&parquet.Zstd), parquet.CreatedBy("gatehouse", "", ""))
	if err != nil {
		return nil, fmt.Errorf("prepare the columns: %w", err)
	}
	return &Writer{out: parquet.NewWriter(w, config)}, nil
}

// columns is a group that keeps the order of its fields.
type columns struct {
	parquet.Group

	names []string
}

// Fields returns the fields in the order of names.
func (c columns) Fields() []parquet.Field {
	fields := c.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int {
		return slices.Index(c.names, a.Name()) - slices.Index(c.names, b.Name())
	})
	return fields
}

func node(t export.Type) parquet.Node {
	switch t {
	case export.Integer:
		return parquet.Int(64)
	case export.Number:
		return parquet.Leaf(parquet.DoubleType)
	case export.Bool:
		return parquet.Leaf(parquet.BooleanType)
	case export.Time:
		return parquet.Timestamp(parquet.Nanosecond)
	case export.Text, export.JSON:
	}
	return parquet.String()
}

// Write implements export.Writer.
func (w *Writer) Write(t *export.Table, cells []export.Cell) error {
	w.row = w.row[:0]
	for i, c := range cells {
		if !c.Set {
			w.row = append(w.row, parquet.NullValue().Level(0, 0, i))
			continue
		}
		v, err := value(t.Columns[i].Type, c.Text)
		if err != nil {
			return fmt.Errorf("column %s: %w", t.Columns[i].Name, err)
		}
		w.row = append(w.row, v.Level(0, 1, i))
		w.bytes += len(c.Text)
	}
	if _, err := w.out.WriteRows([]parquet.Row{w.row}); err != nil {
		return err
	}
	if w.rows++; w.rows < mostRows && w.bytes < mostBytes {
		return nil
	}
	w.rows, w.bytes = 0, 0
	return w.out.Flush()
}

func value(t export.Type, text string) (parquet.Value, error) {
	switch t {
	case export.Integer:
		v, err := strconv.ParseInt(text, 10, 64)
		return parquet.Int64Value(v), err
	case export.Number:
		v, err := strconv.ParseFloat(text, 64)
		return parquet.DoubleValue(v), err
	case export.Bool:
		return parquet.BooleanValue(text == "true"), nil
	case export.Time:
		v, err := time.Parse(time.RFC3339Nano, text)
		return parquet.Int64Value(v.UnixNano()), err
	case export.Text, export.JSON:
	}
	return parquet.ByteArrayValue([]byte(text)), nil
}

// Close writes the end of the file, without which it is none.
func (w *Writer) Close() error { return w.out.Close() }
