package parquet

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"

	"gatehouse/gateway/county/export"
)

const (
	pageBytes = 1 << 20 // of values, about, after which a page ends
	pageRows  = 20_000
)

// The format's numbers of types, encodings, and of what else it numbers.
const (
	typeBoolean, typeInt64, typeDouble, typeByteArray = 0, 2, 5, 6

	encodingPlain, encodingRLE = 0, 3
	codecGzip                  = 2
	optional                   = 1
	convertedUTF8              = 0
)

// column gathers the values of one column for the row group that is begun.
type column struct {
	name string
	typ  export.Type

	values []byte       // of the page that is begun, in plain encoding
	levels []byte       // of the same page: which of its rows have a value, in run-length encoding
	set    bool         // whether the rows of the last run have one
	run    int          // the length of that run
	rows   int          // rows of the page
	bits   int          // values of the page, of booleans: eight are in a byte
	pages  bytes.Buffer // pages that have ended
	zip    *gzip.Writer
	chunk  chunk // what the pages hold
}

func newColumn(name string, typ export.Type) *column {
	zip, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one of gzip's
	return &column{name: name, typ: typ, zip: zip}
}

// add appends the value of a row.
func (c *column) add(cell export.Cell) error {
	if cell.Set != c.set {
		c.endRun()
		c.set = cell.Set
	}
	c.run++
	c.rows++
	c.chunk.values++
	if !cell.Set {
		c.chunk.nulls++
	} else if err := c.append(cell.Text); err != nil {
		return err
	}
	if c.rows < pageRows && len(c.values) < pageBytes {
		return nil
	}
	return c.endPage()
}

// append appends a value to the page.
func (c *column) append(text string) error {
	switch c.typ {
	case export.Integer:
		v, err := strconv.ParseInt(text, 10, 64)
		c.values = binary.LittleEndian.AppendUint64(c.values, uint64(v)) //nolint:gosec // the same bits
		return err
	case export.Number:
		v, err := strconv.ParseFloat(text, 64)
		c.values = binary.LittleEndian.AppendUint64(c.values, math.Float64bits(v))
		return err
	case export.Bool:
		if c.bits%8 == 0 {
			c.values = append(c.values, 0)
		}
		if text == "true" {
			c.values[len(c.values)-1] |= 1 << (c.bits % 8)
		}
		c.bits++
		return nil
	case export.Time:
		v, err := time.Parse(time.RFC3339Nano, text)
		c.values = binary.LittleEndian.AppendUint64(c.values, uint64(v.UnixNano())) //nolint:gosec // the same bits
		return err
	case export.Text, export.JSON:
	}
	if len(text) > math.MaxInt32 {
		return fmt.Errorf("a text of %d bytes is too long for Parquet", len(text))
	}
	c.values = binary.LittleEndian.AppendUint32(c.values, uint32(len(text))) //nolint:gosec // compared above
	c.values = append(c.values, text...)
	return nil
}

// endRun appends the run of rows that all have a value, or all have none.
func (c *column) endRun() {
	if c.run == 0 {
		return
	}
	c.levels = binary.AppendUvarint(c.levels, uint64(c.run)<<1) //nolint:gosec // at most pageRows
	level := byte(0)
	if c.set {
		level = 1
	}
	c.levels = append(c.levels, level)
	c.run = 0
}

// endPage compresses the page that is begun, and begins another; without rows, it does
// nothing.
func (c *column) endPage() error {
	if c.rows == 0 {
		return nil
	}
	c.endRun()
	var packed bytes.Buffer
	c.zip.Reset(&packed)
	var size [4]byte
	binary.LittleEndian.PutUint32(size[:], uint32(len(c.levels))) //nolint:gosec // at most 2 bytes a row
	for _, part := range [][]byte{size[:], c.levels, c.values} {
		if _, err := c.zip.Write(part); err != nil {
			return fmt.Errorf("compress a page: %w", err)
		}
	}
	if err := c.zip.Close(); err != nil {
		return fmt.Errorf("compress a page: %w", err)
	}
	plain := len(size) + len(c.levels) + len(c.values)
	var h thrift // PageHeader
	h.int32(1, 0)
	h.int32(2, plain)
	h.int32(3, packed.Len())
	h.structure(5, func() {
		h.int32(1, c.rows)
		h.int32(2, encodingPlain)
		h.int32(3, encodingRLE)
		h.int32(4, encodingRLE)
	})
	h.end()
	c.pages.Write(h.out)
	c.pages.Write(packed.Bytes())
	c.chunk.packed += int64(len(h.out) + packed.Len())
	c.chunk.plain += int64(len(h.out) + plain)
	c.values, c.levels = c.values[:0], c.levels[:0]
	c.rows, c.bits = 0, 0
	return nil
}

// stored returns the format's number of the column's type.
func (c *column) stored() int {
	switch c.typ {
	case export.Integer, export.Time:
		return typeInt64
	case export.Number:
		return typeDouble
	case export.Bool:
		return typeBoolean
	case export.Text, export.JSON:
	}
	return typeByteArray
}

// schema writes the format's SchemaElement.
func (c *column) schema(f *thrift) {
	f.int32(1, c.stored())
	f.int32(3, optional)
	f.text(4, c.name)
	switch c.typ {
	case export.Text, export.JSON:
		f.int32(6, convertedUTF8)
		f.structure(10, func() { f.structure(1, func() {}) }) // a string
	case export.Time:
		f.structure(10, func() {
			f.structure(8, func() { // a timestamp
				f.bool(1, true)                                      // in UTC
				f.structure(2, func() { f.structure(3, func() {}) }) // of nanoseconds
			})
		})
	case export.Integer, export.Number, export.Bool:
	}
}

// metadata writes the format's ColumnMetaData.
func (c *column) metadata(f *thrift, done chunk) {
	f.int32(1, c.stored())
	f.list(2, kindInt32, 2)
	f.varint(encodingPlain)
	f.varint(encodingRLE)
	f.list(3, kindBinary, 1)
	f.bytes(c.name)
	f.int32(4, codecGzip)
	f.int64(5, done.values)
	f.int64(6, done.plain)
	f.int64(7, done.packed)
	f.int64(9, done.offset)
	f.structure(12, func() { f.int64(3, done.nulls) })
}
