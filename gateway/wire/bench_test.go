package wire

import (
	"testing"
)

// fullBatch is a full batch of what a gate sends: for each person a card, a
// measurement and the passage.
func fullBatch(tb testing.TB) Batch {
	tb.Helper()
	bodies := []Body{sampleCard(), sampleMeasurement(), samplePassage()}
	var raws [][]byte
	for seq := range uint64(MaxBatchRecords) {
		raws = append(raws, record(tb, seq+1, bodies[seq%3]))
	}
	return batch(tb, 1, MaxBatchRecords, nil, raws...)
}

func perRecord(b *testing.B, payload []byte) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/MaxBatchRecords, "ns/record")
	b.ReportMetric(float64(len(payload))/MaxBatchRecords, "bytes/record")
}

func BenchmarkEncodeBatch(b *testing.B) {
	full := fullBatch(b)
	var payload []byte
	for b.Loop() {
		var err error
		if payload, err = EncodeBatch(full); err != nil {
			b.Fatal(err)
		}
	}
	perRecord(b, payload)
}

func BenchmarkDecodeBatch(b *testing.B) {
	payload, err := EncodeBatch(fullBatch(b))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := DecodeBatch(payload); err != nil {
			b.Fatal(err)
		}
	}
	perRecord(b, payload)
}

func BenchmarkEncodeRecord(b *testing.B) {
	for name, body := range map[string]Body{"card": sampleCard(), "measurement": sampleMeasurement(),
		"passage": samplePassage()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				record(b, 41, body)
			}
		})
	}
}
