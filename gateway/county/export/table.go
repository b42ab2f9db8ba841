// Package export turns stored records into rows of a table, one table a kind, and
// writes them as CSV or as JSON lines; package parquet below it writes Parquet.
package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Type says what the values of a column are, and how a Cell writes them.
type Type int

// The types of columns.
const (
	Text    Type = iota
	Integer      // of 64 bits with a sign, in decimal
	Number       // as the record writes it: 36.50
	Bool         // true or false
	Time         // RFC 3339 in UTC with nine decimals
	JSON         // a list or an object
)

// Column is one column of a table.
type Column struct {
	Name string
	Type Type
}

// Cell is one value; it is absent unless Set.
type Cell struct {
	Text string
	Set  bool
}

// The first columns of every table, in their order.
const (
	colAgent = iota
	colJournal
	colSeq
	colAt
	colCommunity
	colGrid
	colCompound
	colUnsync
)

func firstColumns() []Column {
	return []Column{{"agent", Text}, {"journal", Text}, {"seq", Integer}, {"at", Time}, {"community", Text},
		{"grid", Text}, {"compound", Text}, {"unsync", Bool}}
}

// Table describes the rows of one kind of record. Its last column, other, has the
// fields that this version does not know, or whose value is not of the column's type.
type Table struct {
	Kind    wire.Kind
	Columns []Column

	columns map[string]int  // index in Columns, by the field's path in the body
	groups  map[string]bool // paths of objects whose fields are columns
}

// NewTable returns the table of a kind. That of a kind which this version does not
// know has the whole body in other.
func NewTable(kind wire.Kind) *Table {
	t := &Table{Kind: kind, Columns: firstColumns(), columns: map[string]int{}, groups: map[string]bool{}}
	for _, b := range bodies() {
		if b.Kind() == kind {
			t.add(reflect.TypeOf(b).Elem(), "")
		}
	}
	t.Columns = append(t.Columns, Column{"other", JSON})
	return t
}

func bodies() []wire.Body {
	return []wire.Body{&wire.Reading{}, &wire.Passage{}, &wire.Alarm{}, &wire.Health{}, &wire.Run{}, &wire.Track{},
		&wire.Audit{}, &wire.Clock{}, &wire.Baseline{}, &wire.FieldCheck{}}
}

// Kinds returns the kinds that this version knows.
func Kinds() (kinds []wire.Kind) {
	for _, b := range bodies() {
		kinds = append(kinds, b.Kind())
	}
	return kinds
}

// add adds the columns of a struct, whose path in the body is prefix.
func (t *Table) add(s reflect.Type, prefix string) {
	for i := range s.NumField() {
		f := s.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		path, of := prefix+name, f.Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		typ, group := typeOf(of)
		if group {
			t.groups[path] = true
			t.add(of, path+".")
			continue
		}
		t.columns[path] = len(t.Columns)
		t.Columns = append(t.Columns, Column{t.free(strings.ReplaceAll(path, ".", "_")), typ})
	}
}

// free returns a column's name: with the kind before it where a first column has it.
func (t *Table) free(name string) string {
	for _, c := range firstColumns() {
		if c.Name == name {
			return string(t.Kind) + "_" + name
		}
	}
	return name
}

func typeOf(t reflect.Type) (typ Type, group bool) {
	switch {
	case t == reflect.TypeFor[wire.Time]():
		return Time, false
	case t == reflect.TypeFor[fact.Temp]():
		return Number, false
	}
	switch t.Kind() { //nolint:exhaustive // the rest is lists
	case reflect.String:
		return Text, false
	case reflect.Bool:
		return Bool, false
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint32, reflect.Uint64:
		return Integer, false
	case reflect.Float64:
		return Number, false
	case reflect.Struct:
		return 0, true
	}
	return JSON, false
}

// Cells returns the cells of a row, one a column, and appends them to into.
func (t *Table) Cells(row store.Row, into []Cell) ([]Cell, error) {
	r, err := wire.DecodeRecord(row.Raw)
	if err != nil {
		return into, fmt.Errorf("journal %s, seq %d: %w", row.JID, row.Seq, err)
	}
	first := len(into)
	into = append(into, make([]Cell, len(t.Columns))...)
	cells := into[first:]
	cells[colAgent], cells[colJournal] = some(row.Agent), some(row.JID)
	cells[colSeq] = some(strconv.FormatUint(row.Seq, 10))
	cells[colAt] = some(wire.At(row.At).String())
	cells[colCommunity], cells[colGrid] = some(row.Place.Community), some(row.Place.Grid)
	cells[colCompound] = some(row.Place.Compound)
	cells[colUnsync] = Cell{strconv.FormatBool(r.Unsync), true}
	other := map[string]json.RawMessage{}
	if err := t.flatten(r.Body, "", cells, other); err != nil {
		return into, fmt.Errorf("journal %s, seq %d: %w", row.JID, row.Seq, err)
	}
	if len(other) > 0 {
		b, err := json.Marshal(other)
		if err != nil {
			return into, fmt.Errorf("journal %s, seq %d: %w", row.JID, row.Seq, err)
		}
		cells[len(cells)-1] = some(string(b))
	}
	return into, nil
}

// some returns the cell of a text; that of an empty one is absent.
func some(s string) Cell { return Cell{s, s != ""} }

// flatten fills cells from an object, whose path in the body is prefix. Fields
// without a column go to other.
func (t *Table) flatten(object json.RawMessage, prefix string, cells []Cell, other map[string]json.RawMessage) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	for name, value := range fields {
		path := prefix + name
		i, known := t.columns[path]
		switch {
		case string(value) == "null":
		case t.groups[path] && value[0] == '{':
			if err := t.flatten(value, path+".", cells, other); err != nil {
				return err
			}
		case !known:
			other[path] = value
		default:
			if cells[i] = cellOf(t.Columns[i].Type, value); !cells[i].Set {
				other[path] = value
			}
		}
	}
	return nil
}

// cellOf returns the cell of a JSON value, which is absent when it is not of the type.
func cellOf(typ Type, value json.RawMessage) Cell {
	text := string(value)
	switch typ {
	case Text:
		var s string
		err := json.Unmarshal(value, &s)
		return Cell{s, err == nil}
	case Integer:
		_, err := strconv.ParseInt(text, 10, 64)
		return Cell{text, err == nil}
	case Number:
		_, err := strconv.ParseFloat(text, 64)
		return Cell{text, err == nil}
	case Bool:
		return Cell{text, text == "true" || text == "false"}
	case Time:
		var at wire.Time
		err := at.UnmarshalJSON(value)
		return Cell{at.String(), err == nil}
	}
	var b bytes.Buffer
	err := json.Compact(&b, value)
	return Cell{b.String(), err == nil && (value[0] == '[' || value[0] == '{')}
}
