package storetest

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// group is how many batches the collector commits at once.
const group = 32

// BenchmarkCommit measures, in turn, how many records a second the store commits
// from messages (decoded in parallel with committing, as the collector does), how
// many it commits from batches, and how many bulk, its own plainest write of the
// same rows, reaches. The ratios count: the speed of a machine changes.
func BenchmarkCommit(b *testing.B, s store.Store, bulk func(batches []store.Batch) error) {
	const groups = 12
	var ours, stored, theirs time.Duration
	records, n := 0, 1
	for b.Loop() {
		for range groups / 4 {
			messages, batches := payloads(b, n, 4*group)
			n += 4 * group
			began := time.Now()
			if err := commitMessages(s, messages); err != nil {
				b.Fatal(err)
			}
			ours += time.Since(began)
			_, decoded := payloads(b, n, 4*group)
			n += 4 * group
			began = time.Now()
			for i := 0; i < len(decoded); i += group {
				if _, err := s.Commit(context.Background(), decoded[i:i+group]); err != nil {
					b.Fatal(err)
				}
			}
			stored += time.Since(began)
			began = time.Now()
			for i := 0; i < len(batches); i += group {
				if err := bulk(batches[i : i+group]); err != nil {
					b.Fatal(err)
				}
			}
			theirs += time.Since(began)
			records += len(batches) * wire.MaxBatchRecords / 2
		}
	}
	b.ReportMetric(float64(records)/ours.Seconds(), "records/s")
	b.ReportMetric(float64(records)/theirs.Seconds(), "bulk-records/s")
	b.ReportMetric(theirs.Seconds()/stored.Seconds(), "commit-of-bulk")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "decode+commit-of-bulk")
	b.ReportMetric(0, "ns/op")
}

// payloads returns messages and the batches in them, each of its own journal.
func payloads(b *testing.B, first, count int) (messages [][]byte, batches []store.Batch) {
	b.Helper()
	for n := first; n < first+count; n++ {
		x := Batch(n, 1, wire.MaxBatchRecords/2)
		m, err := wire.EncodeBatch(x.Batch)
		if err != nil {
			b.Fatal(err)
		}
		messages = append(messages, m)
		batches = append(batches, x)
	}
	return messages, batches
}

// commitMessages decodes and commits as the collector does: decoders beside the
// one committer, groups in one commit.
func commitMessages(s store.Store, messages [][]byte) error {
	in, out := make(chan []byte), make(chan store.Batch, group)
	var wg sync.WaitGroup
	var failed error
	var once sync.Once
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for m := range in {
				d, err := wire.DecodeBatch(m)
				if err != nil {
					once.Do(func() { failed = err })
				}
				place := store.Place{Community: "c1", Grid: "g1", Compound: "k1"}
				out <- store.Batch{Batch: d, Received: T0, Place: place}
			}
		})
	}
	go func() {
		for _, m := range messages {
			in <- m
		}
		close(in)
		wg.Wait()
		close(out)
	}()
	var pending []store.Batch
	for x := range out {
		pending = append(pending, x)
		if len(out) == 0 || len(pending) == group {
			if _, err := s.Commit(context.Background(), pending); err != nil {
				return err
			}
			pending = pending[:0]
		}
	}
	return failed
}
