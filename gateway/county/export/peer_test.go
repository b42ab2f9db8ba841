package export_test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/county/export"
	"gatehouse/gateway/county/export/parquet"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/testkit/duckdb"
	"gatehouse/gateway/wire"
)

const root = "../../.." // of the clone

// writers are those of the formats, by the extensions of their files.
func writers() map[string]func(io.Writer, *export.Table) (export.Writer, error) {
	return map[string]func(io.Writer, *export.Table) (export.Writer, error){
		"csv":     export.NewCSV,
		"jsonl":   func(w io.Writer, _ *export.Table) (export.Writer, error) { return export.NewJSONL(w), nil },
		"parquet": func(w io.Writer, t *export.Table) (export.Writer, error) { return parquet.New(w, t) },
	}
}

// write exports a kind to a file.
func write(t *testing.T, s export.Source, kind wire.Kind, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := writers()[strings.TrimPrefix(filepath.Ext(path), ".")](f, export.NewTable(kind))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := export.Copy(t.Context(), s, store.Query{Kind: kind}, w); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
}

// What DuckDB reads in each format is what the store has: as many records of each kind,
// and the same temperatures.
func TestDuckDBLoadsWhatIsExported(t *testing.T) {
	s, err := archive.OpenSQLite(filepath.Join(t.TempDir(), "county.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Commit(t.Context(), county()); err != nil {
		t.Fatal(err)
	}
	want, dir := map[string]int{}, t.TempDir()
	var queries []string
	for _, kind := range export.Kinds() {
		for format := range writers() {
			path := filepath.Join(dir, string(kind)+"."+format)
			write(t, s, kind, path)
			want[string(kind)+"."+format] = stored(t, s, store.Query{Kind: kind})
			queries = append(queries, fmt.Sprintf("SELECT '%s.%s', count(*) FROM %s", kind, format,
				duckdb.Table(path)))
		}
	}
	got, err := duckdb.Counts(t.Context(), root, strings.Join(queries, " UNION ALL "))
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want) || want["passage.csv"] < 500 {
		t.Errorf("DuckDB counts %v, the store has %v", got, want)
	}
	for format := range writers() {
		sameTemperatures(t, s, filepath.Join(dir, "reading."+format))
	}
}

func sameTemperatures(t *testing.T, s export.Source, path string) {
	t.Helper()
	sum := 0
	for row, err := range s.Rows(t.Context(), store.Query{Kind: wire.KindReading}) {
		if err != nil {
			t.Fatal(err)
		}
		r, err := wire.DecodeRecord(row.Raw)
		if err != nil {
			t.Fatal(err)
		}
		body, err := r.DecodeBody()
		if reading, is := body.(*wire.Reading); is && err == nil && reading.Temperature != nil {
			sum += int(reading.Temperature.Screening)
		}
	}
	got, err := duckdb.Counts(t.Context(), root,
		"SELECT 'sum', round(sum(temperature_screening_c) * 100)::BIGINT FROM "+duckdb.Table(path))
	if err != nil || got["sum"] != sum {
		t.Errorf("%s: the temperatures sum up to %d, want %d, %v", filepath.Base(path), got["sum"], sum, err)
	}
}
