package export

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Writer writes rows in one format. One goroutine uses it.
type Writer interface {
	// Write writes a row; cells has one cell a column of the table, and may be
	// used again afterwards.
	Write(t *Table, cells []Cell) error
	// Close writes what is still held. It does not close the file below.
	Close() error
}

// Source yields stored records by journal and seq, as store.Store does.
type Source interface {
	Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error]
}

// Copy writes the records that q selects and returns how many there were. It holds
// no more than a page of them at once. It does not close w.
func Copy(ctx context.Context, from Source, q store.Query, w Writer) (rows int, err error) {
	tables := map[wire.Kind]*Table{}
	var cells []Cell
	for row, err := range from.Rows(ctx, q) {
		if err != nil {
			return rows, err
		}
		t := tables[row.Kind]
		if t == nil {
			t = NewTable(row.Kind)
			tables[row.Kind] = t
		}
		if cells, err = t.Cells(row, cells[:0]); err != nil {
			return rows, err
		}
		if err := w.Write(t, cells); err != nil {
			return rows, fmt.Errorf("write row %d: %w", rows+1, err)
		}
		rows++
	}
	return rows, nil
}

// csvWriter writes a line of names, and then a line a row; what is absent is empty.
type csvWriter struct {
	out  *csv.Writer
	line []string
}

// NewCSV returns a writer of RFC 4180 in UTF-8. All rows are of the table. A text that a
// spreadsheet would run as a formula has an apostrophe before it.
func NewCSV(w io.Writer, t *Table) (Writer, error) {
	c := &csvWriter{out: csv.NewWriter(w)}
	for _, column := range t.Columns {
		c.line = append(c.line, column.Name)
	}
	if err := c.out.Write(c.line); err != nil {
		return nil, fmt.Errorf("write the names of the columns: %w", err)
	}
	return c, nil
}

func (c *csvWriter) Write(t *Table, cells []Cell) error {
	c.line = c.line[:0]
	for i, cell := range cells {
		text := cell.Text
		if t.Columns[i].Type == Text {
			text = audit.Plain(text)
		}
		c.line = append(c.line, text)
	}
	return c.out.Write(c.line)
}

func (c *csvWriter) Close() error {
	c.out.Flush()
	return c.out.Error()
}

// jsonWriter writes an object a line, with the record's kind first.
type jsonWriter struct {
	out  *bufio.Writer
	line []byte
}

// NewJSONL returns a writer of JSON lines. Rows may be of several tables. What is
// absent is left out.
func NewJSONL(w io.Writer) Writer { return &jsonWriter{out: bufio.NewWriter(w)} }

func (j *jsonWriter) Write(t *Table, cells []Cell) error {
	kind, err := json.Marshal(t.Kind)
	if err != nil {
		return err
	}
	j.line = append(append(j.line[:0], `{"kind":`...), kind...)
	for i, c := range t.Columns {
		if !cells[i].Set {
			continue
		}
		j.line = append(append(append(j.line, `,"`...), c.Name...), `":`...)
		if c.Type != Text && c.Type != Time {
			j.line = append(j.line, cells[i].Text...)
			continue
		}
		text, err := json.Marshal(cells[i].Text)
		if err != nil {
			return err
		}
		j.line = append(j.line, text...)
	}
	_, err = j.out.Write(append(j.line, "}\n"...))
	return err
}

func (j *jsonWriter) Close() error { return j.out.Flush() }
