// Package parquet writes rows of package export as an Apache Parquet file. It writes
// the part of the format that flat tables need: optional columns in plain encoding,
// pages of version 1 compressed by gzip, and the count of nulls. The format is at
// https://github.com/apache/parquet-format. A library for all of it would be a tenth of
// the program, which gates have too; tests read the files by such a library and by DuckDB.
package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	"gatehouse/gateway/county/export"
)

const (
	// mostBytes is how much text the rows of one row group have, about: they are held
	// in memory, compressed, until the group is written.
	mostBytes = 32 << 20
	mostRows  = 100_000

	magic = "PAR1" // begins and ends a file
)

// Writer writes typed columns, each of which may be null: text and lists as strings,
// times as timestamps of nanoseconds in UTC. It implements export.Writer.
type Writer struct {
	w       io.Writer
	at      int64 // bytes that were written
	columns []*column
	groups  []group
	total   int64 // rows of the groups

	rows, bytes int // of the row group that is begun
}

// group is a row group that was written.
type group struct {
	chunks []chunk
	rows   int64
}

// chunk is the part of a column that is in one row group.
type chunk struct {
	offset        int64 // of its first page
	values, nulls int64 // values counts the nulls too
	packed, plain int64 // bytes with the pages' headers
}

// New returns a writer of rows of the table.
func New(w io.Writer, t *export.Table) (*Writer, error) {
	p := &Writer{w: w}
	for _, c := range t.Columns {
		p.columns = append(p.columns, newColumn(c.Name, c.Type))
	}
	return p, p.write([]byte(magic))
}

func (p *Writer) write(b []byte) error {
	n, err := p.w.Write(b)
	p.at += int64(n)
	return err
}

// Write implements export.Writer.
func (p *Writer) Write(t *export.Table, cells []export.Cell) error {
	for i, c := range cells {
		if err := p.columns[i].add(c); err != nil {
			return fmt.Errorf("column %s: %w", t.Columns[i].Name, err)
		}
		p.bytes += len(c.Text)
	}
	if p.rows++; p.rows < mostRows && p.bytes < mostBytes {
		return nil
	}
	return p.flush()
}

// flush writes the row group that is begun; without rows, nothing.
func (p *Writer) flush() error {
	if p.rows == 0 {
		return nil
	}
	g := group{rows: int64(p.rows)}
	for _, c := range p.columns {
		if err := c.endPage(); err != nil {
			return err
		}
		done := c.chunk
		done.offset = p.at
		if err := p.write(c.pages.Bytes()); err != nil {
			return err
		}
		g.chunks = append(g.chunks, done)
		c.chunk = chunk{}
		c.pages.Reset()
	}
	p.groups = append(p.groups, g)
	p.total += g.rows
	p.rows, p.bytes = 0, 0
	return nil
}

// Close writes the end of the file, without which it is none.
func (p *Writer) Close() error {
	if err := p.flush(); err != nil {
		return err
	}
	end := p.footer()
	end = binary.LittleEndian.AppendUint32(end, uint32(len(end))) //nolint:gosec // some kB a row group
	return p.write(append(end, magic...))
}

// footer returns the format's FileMetaData.
func (p *Writer) footer() []byte {
	var f thrift
	f.int32(1, 1) // version
	f.list(2, kindStruct, len(p.columns)+1)
	f.within(func() { // the root of the schema
		f.text(4, "gatehouse")
		f.int32(5, len(p.columns))
	})
	for _, c := range p.columns {
		f.within(func() { c.schema(&f) })
	}
	f.int64(3, p.total)
	f.list(4, kindStruct, len(p.groups))
	for _, g := range p.groups {
		f.within(func() { p.describe(&f, g) })
	}
	f.text(6, "gatehouse") // created by
	f.end()
	return f.out
}

// describe writes the format's RowGroup.
func (p *Writer) describe(f *thrift, g group) {
	f.list(1, kindStruct, len(g.chunks))
	var size int64
	for i, c := range g.chunks {
		f.within(func() { // ColumnChunk
			f.int64(2, c.offset)
			f.structure(3, func() { p.columns[i].metadata(f, c) })
		})
		size += c.plain
	}
	f.int64(2, size)
	f.int64(3, g.rows)
}
