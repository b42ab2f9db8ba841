package export_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	library "github.com/parquet-go/parquet-go"

	"gatehouse/gateway/county/export"
	"gatehouse/gateway/county/export/parquet"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

func ptr[T any](v T) *T { return &v }

// county returns two journals' batches with records of every kind, the later ones of
// the first journal as many as a store reads in several pages.
func county() (batches []store.Batch) {
	at := wire.At(storetest.T0)
	bodies := []wire.Body{
		storetest.Reading(3650),
		&wire.Reading{Device: "reader", Type: fact.ReadingCard, Credential: `a "b", c`, BootID: "b"},
		storetest.Passage(fact.VerdictFever, 1, 2),
		&wire.Alarm{ID: "fever:3", Type: "fever", State: fact.AlarmRaised, Detail: "two\nlines, 门"},
		&wire.Health{Device: "agent", State: fact.DeviceOK},
		&wire.Clock{Reason: "start", BootID: "b"},
		&wire.Audit{Actor: "guard", Action: "acknowledge", Passage: 3},
		&wire.Track{Machine: "m", Source: wire.SourceModbus, At: at,
			Points: []wire.TrackPoint{{Values: fact.Values{Tank: ptr(0.0)}}}},
		&wire.Run{Machine: "m", ID: "r1", State: fact.RunClosed, Start: at, End: at, Grade: "dry", FlowL: ptr(0.0)},
		&wire.Baseline{Device: "t", Ambient: 2000, Values: []fact.Temp{3340}},
		&wire.FieldCheck{Device: "t", Began: at, State: fact.CheckDone, Pairs: []wire.CheckPair{{Contact: 3660}},
			Result: &wire.CheckResult{Mean: -10, Passed: true, Due: at}},
	}
	for n := 1; n <= 2; n++ {
		b := storetest.Batch(n, 1, uint64(len(bodies)))
		for i, body := range bodies {
			b.Entries[i] = storetest.Entry(uint64(i+1), body)
		}
		batches = append(batches, b)
	}
	for from := uint64(len(bodies) + 1); from < 1200; from += 200 {
		batches = append(batches, storetest.Batch(1, from, from+199))
	}
	return batches
}

// stores returns both stores with the records of county.
func stores(t *testing.T) map[string]*archive.Archive {
	t.Helper()
	server, err := influxd.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	inSQLite, err := archive.OpenSQLite(filepath.Join(t.TempDir(), "county.db"))
	if err != nil {
		t.Fatal(err)
	}
	inInflux, err := archive.OpenInflux(filepath.Join(t.TempDir(), "books.db"),
		influx.Options{URL: server.URL, Token: influxd.Token, Bucket: influxd.Bucket, County: "c"})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*archive.Archive{"sqlite": inSQLite, "influx": inInflux}
	for name, s := range all {
		for _, b := range county() {
			if r, err := s.Commit(t.Context(), []store.Batch{b}); err != nil || r[0].New != len(b.Entries) {
				t.Fatalf("%s: %+v, %v", name, r, err)
			}
		}
		t.Cleanup(func() { _ = s.Close() })
	}
	return all
}

// stored returns how many records the store has of a query.
func stored(t *testing.T, s export.Source, q store.Query) (n int) {
	t.Helper()
	for _, err := range s.Rows(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// lines returns the rows of an export as JSON lines, by their column names.
func lines(t *testing.T, s export.Source, q store.Query) (all []map[string]json.RawMessage) {
	t.Helper()
	var out bytes.Buffer
	w := export.NewJSONL(&out)
	n, err := export.Copy(t.Context(), s, q, w)
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for scan := bufio.NewScanner(&out); scan.Scan(); {
		var row map[string]json.RawMessage
		if err := json.Unmarshal(scan.Bytes(), &row); err != nil {
			t.Fatalf("%s: %v", scan.Text(), err)
		}
		all = append(all, row)
	}
	if len(all) != n {
		t.Fatalf("%d lines of %d rows", len(all), n)
	}
	return all
}

// text returns a value of a JSON line as CSV writes it.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil && value != nil {
		return s
	}
	return string(value)
}

// inParquet returns how many rows a file of Parquet has of a query.
func inParquet(t *testing.T, s export.Source, q store.Query) int {
	t.Helper()
	var out bytes.Buffer
	w, err := parquet.New(&out, export.NewTable(q.Kind))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := export.Copy(t.Context(), s, q, w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := library.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return int(f.NumRows())
}

func TestEveryFormatHoldsTheStoresRows(t *testing.T) {
	for name, s := range stores(t) {
		all := 0
		for _, kind := range export.Kinds() {
			q := store.Query{Kind: kind}
			want := lines(t, s, q)
			var out bytes.Buffer
			w, err := export.NewCSV(&out, export.NewTable(kind))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := export.Copy(t.Context(), s, q, w); err != nil || w.Close() != nil {
				t.Fatal(err)
			}
			got, err := csv.NewReader(&out).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			n, p := stored(t, s, q), inParquet(t, s, q)
			if len(want) != n || len(got) != n+1 || p != n || n < 2 {
				t.Fatalf("%s, %s: the store has %d rows, jsonl %d, csv %d, parquet %d",
					name, kind, n, len(want), len(got)-1, p)
			}
			for i, row := range got[1:] {
				for j, column := range got[0] {
					if row[j] != text(want[i][column]) {
						t.Fatalf("%s, %s: row %d, %s: csv %q, jsonl %s", name, kind, i, column, row[j], want[i][column])
					}
				}
			}
			all += len(want)
		}
		if n := stored(t, s, store.Query{}); n != all || len(lines(t, s, store.Query{})) != n {
			t.Errorf("%s: the store has %d rows, its kinds %d", name, n, all)
		}
		checkRange(t, name, s)
	}
}

// checkRange asks for a range of times, which is half open.
func checkRange(t *testing.T, name string, s export.Source) {
	t.Helper()
	at := func(ms int) time.Time { return storetest.T0.Add(time.Duration(ms) * time.Millisecond) }
	for _, c := range []struct {
		q    store.Query
		want []string
	}{
		{store.Query{From: at(3), To: at(5)}, []string{"3", "4", "3", "4"}},
		{store.Query{From: at(3), To: at(5), Kind: wire.KindAlarm}, []string{"4", "4"}},
		{store.Query{From: at(5), To: at(5)}, nil},
		{store.Query{To: at(2)}, []string{"1", "1"}},
	} {
		var seqs []string
		for _, row := range lines(t, s, c.q) {
			seqs = append(seqs, string(row["seq"]))
		}
		if !slices.Equal(seqs, c.want) {
			t.Errorf("%s: %+v: seqs %q, want %q", name, c.q, seqs, c.want)
		}
	}
}

func TestWhatARecordDoesNotHaveIsAbsentAndWhatIsUnknownIsKept(t *testing.T) {
	row := func(body string) map[string]string {
		t.Helper()
		raw := `{"seq":7,"at":"2020-02-14T06:00:00.000000000Z","boot_ns":1,"kind":"alarm","body":` + body + `}`
		table := export.NewTable(wire.KindAlarm)
		cells, err := table.Cells(store.Row{Agent: "gate-1", JID: "j", Seq: 7, At: storetest.T0, Kind: wire.KindAlarm,
			Raw: []byte(raw)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for i, c := range cells {
			if c.Set {
				found[table.Columns[i].Name] = c.Text
			}
		}
		return found
	}
	got := row(`{"id":"x","passage":0,"screening_c":36.50,"device":null,"updates":1.5,"new":{"a":[1]},"state":""}`)
	for name, want := range map[string]string{"agent": "gate-1", "at": "2020-02-14T06:00:00.000000000Z", "id": "x",
		"passage": "0", "screening_c": "36.50", "unsync": "false", "state": "",
		"other": `{"new":{"a":[1]},"updates":1.5}`} {
		if v, is := got[name]; !is || v != want {
			t.Errorf("%s: %q (set %v), want %q", name, v, is, want)
		}
	}
	if len(got) != 10 {
		t.Errorf("cells %v", got)
	}
}

func TestEveryColumnHasOneName(t *testing.T) {
	for _, kind := range export.Kinds() {
		seen := map[string]bool{}
		for _, c := range export.NewTable(kind).Columns {
			if seen[c.Name] || strings.ContainsAny(c.Name, ". ") || c.Name == "" {
				t.Errorf("%s: column %q", kind, c.Name)
			}
			seen[c.Name] = true
		}
	}
}

// A text that somebody has chosen is no formula for who opens the export in a spreadsheet;
// numbers stay numbers.
func TestATextIsNoFormula(t *testing.T) {
	table := export.NewTable(wire.KindAudit)
	for given, want := range map[string]string{"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\t=1": "'\t=1",
		"＝1": "'＝1", "王芳": "王芳", "": "", "a=b": "a=b"} {
		cells := make([]export.Cell, len(table.Columns))
		text, number := -1, -1
		for i, c := range table.Columns {
			if c.Name == "reason" {
				text = i
			}
			if c.Name == "after_ms" {
				number = i
			}
		}
		cells[text], cells[number] = export.Cell{Text: given, Set: true}, export.Cell{Text: "-5", Set: true}
		var out bytes.Buffer
		w, err := export.NewCSV(&out, table)
		if err == nil {
			err = errors.Join(w.Write(table, cells), w.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || rows[1][text] != want || rows[1][number] != "-5" {
			t.Errorf("%q is written as %q, want %q; a number as %q; %v", given, rows[1][text], want, rows[1][number],
				err)
		}
	}
}
