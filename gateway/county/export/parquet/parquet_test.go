package parquet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"testing"
	"time"

	library "github.com/parquet-go/parquet-go"

	"gatehouse/gateway/county/export"
	"gatehouse/gateway/county/export/parquet"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// rows yields stored records.
type rows []store.Row

func (r rows) Rows(_ context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for _, row := range r {
			if row.Kind == q.Kind && !yield(row, nil) {
				return
			}
		}
	}
}

// everyKind returns records of every kind, some with nothing that can be absent.
func everyKind() (all rows) {
	at, litres := wire.At(storetest.T0), 0.0
	for i, body := range []wire.Body{
		storetest.Reading(3650),
		&wire.Reading{Device: "reader", Type: fact.ReadingCard, Credential: "pseudonym", BootID: "b"},
		storetest.Passage(fact.VerdictFever, 1, 2),
		&wire.Alarm{ID: "fever:3", Type: "fever", State: fact.AlarmRaised, Detail: "two\nlines, 门"},
		&wire.Health{Device: "agent", State: fact.DeviceOK},
		&wire.Clock{Reason: "start", BootID: "b", StepMS: -5},
		&wire.Audit{Actor: "guard", Action: "acknowledge", Passage: 3},
		&wire.Track{Machine: "m", Source: wire.SourceModbus, At: at, Points: []wire.TrackPoint{{TMS: 7}}},
		&wire.Run{Machine: "m", ID: "r1", State: fact.RunClosed, Start: at, End: at, Grade: "dry", FlowL: &litres},
		&wire.Baseline{Device: "t", Ambient: 2000, Values: []fact.Temp{3340}},
		&wire.FieldCheck{Device: "t", Began: at, State: fact.CheckDone, Pairs: []wire.CheckPair{{Contact: 3660}},
			Result: &wire.CheckResult{Mean: -10, Passed: true, Due: at}},
	} {
		e := storetest.Entry(uint64(i+1), body)
		all = append(all, store.Row{Agent: "gate-1", JID: storetest.JID(1), Seq: e.Record.Seq, At: e.Record.At.Time,
			Kind: e.Record.Kind, Raw: e.Raw})
	}
	return all
}

// collected keeps the rows that are exported.
type collected [][]export.Cell

func (c *collected) Write(_ *export.Table, cells []export.Cell) error {
	*c = append(*c, append([]export.Cell(nil), cells...))
	return nil
}

func (c *collected) Close() error { return nil }

// written returns the rows of a kind as a file of Parquet.
func written(t *testing.T, from export.Source, kind wire.Kind) *library.File {
	t.Helper()
	var out bytes.Buffer
	w, err := parquet.New(&out, export.NewTable(kind))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := export.Copy(t.Context(), from, store.Query{Kind: kind}, w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := library.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// read returns the rows of a file.
func read(t *testing.T, f *library.File) (all []library.Row) {
	t.Helper()
	for _, group := range f.RowGroups() {
		r := group.Rows()
		for buf := make([]library.Row, 1); ; {
			n, err := r.ReadRows(buf)
			if n == 1 {
				all = append(all, buf[0].Clone())
			}
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// same reports whether a value of a file is the one of a cell.
func same(v library.Value, typ export.Type, c export.Cell) bool {
	if !c.Set || v.IsNull() {
		return !c.Set && v.IsNull()
	}
	switch typ {
	case export.Integer:
		return strconv.FormatInt(v.Int64(), 10) == c.Text
	case export.Number:
		n, err := strconv.ParseFloat(c.Text, 64)
		return err == nil && n == v.Double()
	case export.Bool:
		return strconv.FormatBool(v.Boolean()) == c.Text
	case export.Time:
		return wire.At(time.Unix(0, v.Int64())).String() == c.Text
	case export.Text, export.JSON:
	}
	return string(v.ByteArray()) == c.Text
}

func TestTheLibraryReadsBackWhatWasWritten(t *testing.T) {
	for _, kind := range export.Kinds() {
		table, want := export.NewTable(kind), collected{}
		if _, err := export.Copy(t.Context(), everyKind(), store.Query{Kind: kind}, &want); err != nil {
			t.Fatal(err)
		}
		f := written(t, everyKind(), kind)
		for i, path := range f.Schema().Columns() {
			if path[0] != table.Columns[i].Name {
				t.Fatalf("%s: column %d is %s, want %s", kind, i, path, table.Columns[i].Name)
			}
		}
		got := read(t, f)
		if len(got) != len(want) || len(want) == 0 {
			t.Fatalf("%s: %d rows, want %d", kind, len(got), len(want))
		}
		for i, row := range got {
			for j, c := range want[i] {
				if !same(row[j], table.Columns[j].Type, c) {
					t.Errorf("%s, row %d: %s is %v, want %+v", kind, i, table.Columns[j].Name, row[j], c)
				}
			}
		}
	}
}

// long yields so many rows, each with a text of 1 MiB.
type long int

func (m long) Rows(_ context.Context, q store.Query) iter.Seq2[store.Row, error] {
	e, text := storetest.Entry(1, &wire.Clock{Reason: "start"}), strings.Repeat("x", 1<<20)
	return func(yield func(store.Row, error) bool) {
		for i := range int(m) {
			if !yield(store.Row{Agent: text, JID: "j", Seq: uint64(i + 1), Kind: q.Kind, Raw: e.Raw}, nil) {
				return
			}
		}
	}
}

func TestRowsAreWrittenInGroupsOfBoundedSize(t *testing.T) {
	f := written(t, long(40), wire.KindClock)
	if f.NumRows() != 40 || len(f.RowGroups()) != 2 || f.RowGroups()[0].NumRows() != 32 {
		t.Errorf("%d rows in %d groups", f.NumRows(), len(f.RowGroups()))
	}
}

func TestWithoutRowsTheFileHasItsColumns(t *testing.T) {
	f := written(t, rows{}, wire.KindRun)
	if f.NumRows() != 0 || len(f.Schema().Columns()) != len(export.NewTable(wire.KindRun).Columns) {
		t.Errorf("%d rows, columns %v", f.NumRows(), f.Schema().Columns())
	}
}

// Rows fill many pages, their nulls stand in runs and alone, and every type is there.
func TestPagesHoldEveryTypeWithNulls(t *testing.T) {
	table := &export.Table{Kind: "every", Columns: []export.Column{
		{Name: "integer", Type: export.Integer}, {Name: "number", Type: export.Number},
		{Name: "bool", Type: export.Bool}, {Name: "time", Type: export.Time},
		{Name: "text", Type: export.Text}, {Name: "json", Type: export.JSON},
	}}
	cells := func(i int) (row []export.Cell) {
		for col, text := range []string{
			strconv.Itoa(-i), strconv.FormatFloat(float64(i)/8, 'g', -1, 64), strconv.FormatBool(i%3 == 0),
			wire.At(storetest.T0.Add(time.Duration(i) * time.Nanosecond)).String(),
			strings.Repeat("门", i%40), `{"i":1}`,
		} {
			set := i>>col&1 == 0 // runs of 1, 2, 4, … 32 rows
			if set {
				row = append(row, export.Cell{Text: text, Set: true})
			} else {
				row = append(row, export.Cell{})
			}
		}
		return row
	}
	const n = 45_000
	var out bytes.Buffer
	w, err := parquet.New(&out, table)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Write(table, cells(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := library.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, f)
	if len(got) != n {
		t.Fatalf("%d rows", len(got))
	}
	for i, row := range got {
		for j, c := range cells(i) {
			if !same(row[j], table.Columns[j].Type, c) {
				t.Fatalf("row %d: %s is %v, want %+v", i, table.Columns[j].Name, row[j], c)
			}
		}
	}
	if nulls := f.Metadata().RowGroups[0].Columns[0].MetaData.Statistics.NullCount; nulls != n/2 {
		t.Errorf("%d nulls of %d are said", nulls, n)
	}
}

func TestACellOfAnotherTypeIsAnError(t *testing.T) {
	for typ, text := range map[export.Type]string{export.Integer: "1.5", export.Number: "x", export.Time: "noon"} {
		table := &export.Table{Columns: []export.Column{{Name: "c", Type: typ}}}
		w, err := parquet.New(io.Discard, table)
		if err != nil {
			t.Fatal(err)
		}
		err = w.Write(table, []export.Cell{{Text: text, Set: true}})
		if err == nil || !strings.Contains(err.Error(), "column c") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
