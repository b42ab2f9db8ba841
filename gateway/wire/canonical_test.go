package wire

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestAFieldBehindTheBodyIsStillKept(t *testing.T) {
	raw := record(t, 41, sampleMeasurement())
	later := append(append([]byte{}, raw[:len(raw)-1]...), `,"later":{"x":1}}`...)
	r, err := DecodeRecord(later)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := r.DecodeBody(); err != nil || !reflect.DeepEqual(b, Body(sampleMeasurement())) {
		t.Fatalf("%+v, %v", b, err)
	}
}

// slow is what encoding/json makes of a body.
func slow(k Kind, raw []byte) (Body, error) {
	var b Body = new(Reading)
	if k == KindPassage {
		b = new(Passage)
	}
	return b, json.Unmarshal(raw, b)
}

func TestWhatTheEncoderWritesTakesTheFastPath(t *testing.T) {
	full := samplePassage()
	full.Amends, full.Temperature.Hot, full.Temperature.Supersedes = true, true, true
	full.Temperature.Ambient = -505
	for name, b := range map[string]Body{"card": sampleCard(), "measurement": sampleMeasurement(),
		"passage": samplePassage(), "everything": full} {
		raw := record(t, 41, b)
		r, ok := canonicalRecord(raw)
		if !ok {
			t.Fatalf("%s: the envelope takes the slow path: %s", name, raw)
		}
		got, ok := canonicalBody(r.Kind, r.Body)
		if !ok || !reflect.DeepEqual(got, b) {
			t.Errorf("%s: %v, %+v, want %+v", name, ok, got, b)
		}
	}
}

func FuzzTheFastPathReadsWhatEncodingJSONReads(f *testing.F) {
	for _, b := range []Body{sampleCard(), sampleMeasurement(), samplePassage()} {
		f.Add(record(f, 41, b))
	}
	f.Add([]byte(`{"seq":1,"at":"2020-02-14T06:30:00.000000000Z","boot_ns":-0,"kind":"reading","body":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, ok := canonicalRecord(raw); ok && json.Valid(r.Body) {
			var want Record
			if err := json.Unmarshal(raw, &want); err != nil || !reflect.DeepEqual(r, want) {
				t.Fatalf("envelope: %+v, encoding/json: %+v, %v", r, want, err)
			}
		}
		for _, k := range []Kind{KindReading, KindPassage} {
			body := raw
			if r, ok := canonicalRecord(raw); ok {
				body = r.Body
			}
			if got, ok := canonicalBody(k, body); ok {
				if want, err := slow(k, body); err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("%s: %+v, encoding/json: %+v, %v", k, got, want, err)
				}
			}
		}
	})
}
