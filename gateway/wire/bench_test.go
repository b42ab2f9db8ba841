package wire

import (
	"fmt"
	"testing"
	"time"
)

// benchBatch is a full batch of what a gate sends: for each person a card, a
// measurement and the passage.
func benchBatch(tb testing.TB) Batch {
	tb.Helper()
	b := Batch{Agent: "gate-017", JID: testJID, From: 1}
	at := time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)
	for seq := uint64(1); seq <= MaxBatchRecords && len(b.Entries) < MaxBatchRecords; seq++ {
		bodies := []Body{sampleCard(), sampleMeasurement(), samplePassage()}
		raw := mustRecord(tb, seq, at.Add(time.Duration(seq)*time.Second), bodies[seq%3])
		r, err := DecodeRecord(raw)
		if err != nil {
			tb.Fatal(err)
		}
		b.Entries = append(b.Entries, Entry{Record: r, Raw: raw})
		b.To = seq
	}
	return b
}

func perRecord(b *testing.B, batch Batch, bytes int) {
	b.Helper()
	n := float64(len(batch.Entries))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
	b.ReportMetric(float64(bytes)/n, "bytes/record")
}

func BenchmarkEncodeBatch(b *testing.B) {
	batch := benchBatch(b)
	var payload []byte
	for b.Loop() {
		var err error
		if payload, err = EncodeBatch(batch); err != nil {
			b.Fatal(err)
		}
	}
	perRecord(b, batch, len(payload))
}

func BenchmarkDecodeBatch(b *testing.B) {
	batch := benchBatch(b)
	payload, err := EncodeBatch(batch)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := DecodeBatch(payload); err != nil {
			b.Fatal(err)
		}
	}
	perRecord(b, batch, len(payload))
}

func BenchmarkEncodeRecord(b *testing.B) {
	at := time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)
	for _, body := range []Body{sampleCard(), sampleMeasurement(), samplePassage()} {
		b.Run(fmt.Sprintf("%T", body), func(b *testing.B) {
			for b.Loop() {
				mustRecord(b, 41, at, body)
			}
		})
	}
}
