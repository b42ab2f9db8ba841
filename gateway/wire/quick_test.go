package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzQuickRecord holds quickRecord against DecodeRecord: what both can read is
// the same.
func FuzzQuickRecord(f *testing.F) {
	for _, c := range envelopes {
		f.Add([]byte(c.raw))
	}
	for seq, body := range []Body{sampleCard(), sampleMeasurement(), samplePassage(), sampleAlarm(), sampleHealth(),
		sampleClock()} {
		f.Add(record(f, uint64(seq+1), body))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		quick, ok := quickRecord(raw)
		if !ok {
			return
		}
		if _, err := quick.DecodeBody(); err != nil {
			return // DecodeRecord decides
		}
		if slow, err := DecodeRecord(raw); err != nil || !reflect.DeepEqual(slow, quick) {
			t.Errorf("%q is %+v in a quick look and %+v, %v", raw, quick, slow, err)
		}
	})
}

// FuzzCutLast holds cutLast against cut and items.
func FuzzCutLast(f *testing.F) {
	for _, s := range noBatches {
		f.Add([]byte(s))
	}
	f.Add([]byte(`{"a":{"records":[1]},"records":[1,{"records":[]}]}`))
	f.Add([]byte(`{"records":[1],"records":[2]}`))
	f.Add([]byte(`{"a":"\\\"records\":[","records":[2]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		value, elements, rest := cutLast(b, "records")
		if value == nil || !json.Valid(rest) {
			return
		}
		same, sameRest, err := cut(b, "records")
		if err != nil || !bytes.Equal(same, value) || !bytes.Equal(sameRest, rest) {
			t.Fatalf("%q: %q, %q; cut: %q, %q, %v", b, value, rest, same, sameRest, err)
		}
		if all, err := items(value); err != nil || !reflect.DeepEqual(all, elements) {
			t.Errorf("%q: %q; items: %q, %v", value, elements, all, err)
		}
	})
}

// What the encoder writes takes the quick way; else it would be slow unnoticed.
func TestWhatIsEncodedIsReadQuickly(t *testing.T) {
	for _, r := range []Record{
		{Seq: 1, At: At(testTime), Kind: KindPassage, Body: []byte(`{}`)},
		{Seq: MaxSeq, At: At(testTime), BootNS: 1 << 62, Era: 1<<32 - 1, Unsync: true, Kind: KindRun,
			Body: []byte(`{"a":1}`)},
	} {
		raw, err := EncodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := quickRecord(raw); !ok || !reflect.DeepEqual(got, r) {
			t.Errorf("%s: %+v, %v", raw, got, ok)
		}
	}
	payload, err := EncodeBatch(fullBatch(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, raws, _ := cutLast(payload, "records"); len(raws) != MaxBatchRecords {
		t.Errorf("%d of %d records are found", len(raws), MaxBatchRecords)
	}
}
