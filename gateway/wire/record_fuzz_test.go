package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func FuzzDecodeRecord(f *testing.F) {
	for _, c := range envelopes {
		f.Add([]byte(c.raw))
	}
	for _, c := range bodies {
		f.Add([]byte(`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"` + string(c.kind) + `","body":` + c.body + `}`))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := DecodeRecord(raw)
		if err != nil {
			return
		}
		if !json.Valid(raw) {
			t.Fatalf("%q is no JSON and was read", raw)
		}
		again, err := EncodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		r2, err := DecodeRecord(again)
		if err != nil {
			t.Fatalf("%q is read, %q is not: %v", raw, again, err)
		}
		if !sameRecord(r, r2) {
			t.Errorf("%+v came back as %+v", r, r2)
		}
		body, err := r.DecodeBody()
		if err != nil {
			return
		}
		enc, err := EncodeBody(body)
		if err != nil {
			t.Fatal(err)
		}
		if b2, err := (Record{Kind: r.Kind, Body: enc}).DecodeBody(); err != nil || !reflect.DeepEqual(body, b2) {
			t.Errorf("%+v came back as %+v, %v", body, b2, err)
		}
	})
}

// sameRecord compares bodies without their white space.
func sameRecord(a, b Record) bool {
	var ca, cb bytes.Buffer
	if json.Compact(&ca, a.Body) != nil || json.Compact(&cb, b.Body) != nil || !bytes.Equal(ca.Bytes(), cb.Bytes()) {
		return false
	}
	a.Body, b.Body = nil, nil
	return a.At.Equal(b.At.Time) && a.Seq == b.Seq && a.Era == b.Era && a.BootNS == b.BootNS && a.Unsync == b.Unsync &&
		a.Kind == b.Kind
}

func TestARecordIsEncodedAsEncodingJSONDoesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body, err := EncodeBody(&Clock{Reason: rapid.String().Draw(t, "reason"),
			BootID: rapid.String().Draw(t, "boot")})
		if err != nil {
			t.Fatal(err)
		}
		r := Record{Seq: rapid.Uint64().Draw(t, "seq"), At: At(time.Unix(0, rapid.Int64Min(0).Draw(t, "at"))),
			Era:    rapid.Uint32().Draw(t, "era"),
			BootNS: rapid.Int64().Draw(t, "boot"), Unsync: rapid.Bool().Draw(t, "unsync"),
			Kind: rapid.OneOf(rapid.Just(KindClock),
				rapid.Map(rapid.String(), func(s string) Kind { return Kind(s) })).Draw(t, "kind"), Body: body}
		got, err := EncodeRecord(r)
		want, wrong := marshal(r)
		if string(got) != string(want) || err != nil || wrong != nil {
			t.Fatalf("got  %s %v\nwant %s %v", got, err, want, wrong)
		}
		if plain(string(r.Kind)) && PeekKind(got) != r.Kind {
			t.Fatalf("kind %q of %s", PeekKind(got), got)
		}
	})
}
