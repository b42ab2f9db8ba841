package wire

import (
	"reflect"
	"strings"
	"testing"

	"gatehouse/gateway/fact"
)

// FuzzQuickRecord holds quickRecord against DecodeRecord: what both can read is
// the same.
func FuzzQuickRecord(f *testing.F) {
	for _, c := range envelopes {
		f.Add([]byte(c.raw))
	}
	for seq, body := range []Body{sampleCard(), sampleMeasurement(), sampleEntered(), samplePassage(),
		sampleEpisode(), sampleAlarm(), sampleHealth(), sampleClock()} {
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

// quickBatch is DecodeBatch for a message that takes the quick way all through.
func quickBatch(payload []byte) (b Batch, ok bool) {
	h, ok := quickHeader(payload)
	if !ok {
		return b, false
	}
	return h.quickRecords()
}

// decodeBatch is DecodeBatch without the quick way.
func decodeBatch(payload []byte) (Batch, error) {
	h, err := decodeHeader(payload)
	if err != nil {
		return Batch{}, err
	}
	return h.records()
}

// FuzzQuickBatch holds the quick way of DecodeBatch against the other one.
func FuzzQuickBatch(f *testing.F) {
	for _, c := range covers {
		f.Add(message(f, c.from, c.to, c.holes, c.records...))
	}
	for _, payload := range noBatches {
		f.Add([]byte(payload))
	}
	clock := `{"seq":1,"at":"2020-02-14T06:30:00Z","boot_ns":1,"kind":"clock","body":{"reason":"start","more":%s}}`
	for _, more := range []string{`[{"a":1},{"seq":2}]`, `"},{\"seq\":"`, `1}},{"seq":2,"a":{"b":{"c":2`,
		`0],"records":[0`} {
		f.Add(message(f, 1, 1, nil, strings.Replace(clock, "%s", more, 1)))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		payload = reseal(payload)
		slow, err := decodeBatch(payload)
		if quick, ok := quickBatch(payload); ok && (err != nil || !reflect.DeepEqual(slow, quick)) {
			t.Errorf("%q is %+v in a quick look and %+v, %v", payload, quick, slow, err)
		}
		if mixed, failed := DecodeBatch(payload); failed == nil && (err != nil || !reflect.DeepEqual(slow, mixed)) {
			t.Errorf("%q is %+v, and without the quick way %+v, %v", payload, mixed, slow, err)
		}
	})
}

// FuzzQuickBody holds quickBody against parseBody.
func FuzzQuickBody(f *testing.F) {
	for _, c := range bodies {
		f.Add(string(c.kind), []byte(c.body))
	}
	for _, b := range []Body{sampleCard(), sampleMeasurement(), sampleEntered(), samplePassage(), sampleEpisode()} {
		text, err := EncodeBody(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b.Kind()), []byte(text))
	}
	f.Add("passage", []byte(`{"verdict":"pass","reasons":["x"],"instruction":"go","readings":[1],"policy":"1",`+
		`"limits":{"fever_c":37.30,"invalid_below_c":35.00,"pairing_ms":8000},"basis":{"rule":"r",`+
		`"at":"2020-02-14T06:00:00.000000000Z","household":"h","used":1,"times":2,`+
		`"next":"2020-02-15T06:00:00Z"},"override":{"guard":"g","reason":"r","against":"refuse"},"latency_us":1}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		quick := quickBody(Kind(kind), body)
		if quick == nil {
			return
		}
		slow, err := Record{Kind: Kind(kind), Body: body}.parseBody()
		if err != nil || !reflect.DeepEqual(slow, quick) {
			t.Errorf("%q is %+v in a quick look and %+v, %v", body, quick, slow, err)
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
	if b, ok := quickBatch(payload); !ok || len(b.Entries) != MaxBatchRecords {
		t.Errorf("%d of %d records are read", len(b.Entries), MaxBatchRecords)
	}
	card, measurement, passage := sampleCard(), sampleMeasurement(), samplePassage()
	card.Lane, measurement.Lane, passage.Lane = "东门", "东门", "东门"
	measurement.Temperature.Hot, measurement.Temperature.Supersedes = true, true
	measurement.Temperature.Drift = true
	measurement.Temperature.Settled, measurement.Temperature.Ambient = false, -5
	passage.Amends, passage.Reasons = true, []fact.Reason{fact.ReasonNormal, "other"}
	at := At(testTime)
	passage.Basis = &Basis{Rule: "classes.resident.quota", At: &at, Household: "mzxw6ytb-b", Pass: "01",
		Used: 1, Times: 2,
		Last: &at, Next: &at}
	passage.Override = &Override{Guard: "east-1", Reason: "medical", Against: fact.VerdictRefuse}
	passage.Limits.Usual = &Usual{Ambient: 2000, Readings: 120, Median: 3610, Spread: 25, High: 3685}
	entered := *passage
	entered.Entered = sampleEntered().Entered
	for _, body := range []Body{card, measurement, passage, sampleEntered(), &entered, sampleEpisode()} {
		text, err := EncodeBody(body)
		if err != nil {
			t.Fatal(err)
		}
		if got := quickBody(body.Kind(), text); !reflect.DeepEqual(got, body) {
			t.Errorf("%s: %+v", text, got)
		}
	}
}
