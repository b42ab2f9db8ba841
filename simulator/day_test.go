package main

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/export"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/testkit/duckdb"
)

// dayPeople is how many people pass each of the county's 184 gates a day.
const dayPeople = 280

// One day of a county is exported in each format and loaded by DuckDB: it has as many
// records of each kind as the store.
func BenchmarkCountyDay(b *testing.B) {
	dir := b.TempDir()
	if _, err := history(b.Context(), dir, 2, dayPeople, 1); err != nil {
		b.Fatal(err)
	}
	to := time.Now().Truncate(time.Hour)
	from := to.Add(-24 * time.Hour)
	want := storedBetween(b, dir, from, to)
	for b.Loop() {
		for _, format := range []string{"csv", "jsonl", "parquet"} {
			begin := time.Now()
			var queries []string
			for kind := range want {
				path := filepath.Join(dir, kind+"."+format)
				var said bytes.Buffer
				if code := cli.Run(b.Context(), []string{"export", "--dir", dir, "--kind", kind, "--format", format,
					"--from", from.Format(time.RFC3339), "--to", to.Format(time.RFC3339), "--file", path}, nil, &said,
					&said); code != 0 {
					b.Fatalf("exit code %d: %s", code, &said)
				}
				queries = append(queries, fmt.Sprintf("SELECT '%s', count(*) FROM %s", kind, duckdb.Table(path)))
			}
			b.ReportMetric(time.Since(begin).Seconds(), "s/"+format)
			begin = time.Now()
			got, err := duckdb.Counts(b.Context(), "..", strings.Join(queries, " UNION ALL "))
			if err != nil {
				b.Fatal(err)
			}
			if !maps.Equal(got, want) {
				b.Fatalf("%s: DuckDB counts %v, the store has %v", format, got, want)
			}
			b.ReportMetric(time.Since(begin).Seconds(), "s/"+format+"-loaded")
		}
	}
	b.Logf("records of the day: %v", want)
}

// storedBetween counts the store's records of each kind that were made between two times.
func storedBetween(b *testing.B, dir string, from, to time.Time) map[string]int {
	b.Helper()
	s, err := archive.OpenReadOnly(filepath.Join(dir, centre.StoreFile))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	counts := map[string]int{}
	for row, err := range s.Rows(b.Context(), store.Query{}) {
		if err != nil {
			b.Fatal(err)
		}
		if !row.At.Before(from) && row.At.Before(to) {
			counts[string(row.Kind)]++
		}
	}
	if len(counts) == 0 || len(counts) > len(export.Kinds()) {
		b.Fatalf("the store has %v", counts)
	}
	return counts
}
