package wire

import (
	"testing"
	"time"
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

// BenchmarkSignature compares what a signature costs with the rest of a full batch: at
// the agent its encoding, at the collector its decoding.
func BenchmarkSignature(b *testing.B) {
	key, full := agentKey(b).PrivateKey, fullBatch(b)
	var sign, encode, verify, decode time.Duration
	step := func(total *time.Duration, f func() error) {
		began := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		*total += time.Since(began)
	}
	for b.Loop() {
		var payload []byte
		var e Envelope
		step(&sign, func() (err error) { full, err = SignBatch(full, docCounty, key); return err })
		step(&encode, func() (err error) { payload, err = EncodeBatch(full); return err })
		step(&decode, func() (err error) { e, err = OpenBatch(payload); return err })
		step(&verify, func() error { return e.Verify(docCounty, &key.PublicKey) })
		step(&decode, func() error { _, err := e.Batch(); return err })
	}
	b.ReportMetric(float64(sign)/float64(encode), "sign/encode")
	b.ReportMetric(float64(verify)/float64(decode), "verify/decode")
	b.ReportMetric(float64(sign.Microseconds())/float64(b.N), "µs/signature")
	b.ReportMetric(float64(verify.Microseconds())/float64(b.N), "µs/verification")
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
