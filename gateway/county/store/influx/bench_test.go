package influx

import (
	"context"
	"path/filepath"
	"testing"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/storetest"
)

// The bulk write makes the same points and writes them with the client's
// blocking API, as many a request as a commit has.
func BenchmarkCommit(b *testing.B) {
	server, err := influxd.Start(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	s, bulk := openBench(b, server.URL, "committed"), openBench(b, server.URL, "bulk")
	storetest.BenchmarkCommit(b, s, func(batches []store.Batch) error {
		var points lines
		for _, x := range batches {
			for _, e := range x.Entries {
				if err := points.addRecord(x, e); err != nil {
					return err
				}
			}
		}
		return bulk.poster.post(context.Background(), points.bytes(0, points.len()))
	})
}

func openBench(b *testing.B, url, county string) *Store {
	b.Helper()
	own, err := books.Open(filepath.Join(b.TempDir(), "books.db"))
	if err != nil {
		b.Fatal(err)
	}
	s := New(Options{URL: url, Token: influxd.Token, Bucket: influxd.Bucket, County: county}, own)
	b.Cleanup(func() {
		s.Close()
		own.Close()
	})
	return s
}
