package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
)

func TestABatchComesBackAsItWasSent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := drawBatch(t, rt)
		payload, err := EncodeBatch(want)
		if err != nil {
			rt.Fatal(err)
		}
		if !json.Valid(payload) {
			rt.Fatalf("%s is no JSON", payload)
		}
		got, err := DecodeBatch(payload)
		if err != nil {
			rt.Fatal(err)
		}
		if !sameBatch(got, want) {
			rt.Errorf("%+v came back as %+v", want, got)
		}
	})
}

// drawBatch makes any batch that an agent may send.
func drawBatch(t *testing.T, rt *rapid.T) Batch {
	from := rapid.Uint64Range(1, 1<<50).Draw(rt, "from")
	next := from
	var holes []Hole
	var raws [][]byte
	for range rapid.IntRange(1, 20).Draw(rt, "parts") {
		if rapid.Bool().Draw(rt, "hole") {
			n := rapid.Uint64Range(1, 1000).Draw(rt, "count")
			holes = append(holes, Hole{From: next, To: next + n - 1, Reason: rapid.String().Draw(rt, "reason"),
				Count: n})
			next += n
			continue
		}
		raws = append(raws, record(t, next, drawBody(rt)))
		next++
	}
	b := batch(t, from, next-1, holes, raws...)
	if b.Entries == nil {
		b.Entries = []Entry{}
	}
	b.Ahead = len(raws) == 1 && len(holes) == 0 && rapid.Bool().Draw(rt, "ahead")
	return b
}

func drawBody(rt *rapid.T) Body {
	text, temp := rapid.String(), rapid.Map(rapid.Int32Range(-50000, 50000),
		func(v int32) fact.Temp { return fact.Temp(v) })
	switch rapid.IntRange(0, 3).Draw(rt, "kind") {
	case 0:
		object, offset := temp.Draw(rt, "object"), temp.Draw(rt, "offset")
		return &Reading{Device: "d" + text.Draw(rt, "device"), Type: fact.ReadingTemperature,
			BootNS: rapid.Int64().Draw(rt, "boot_ns"),
			Temperature: &Temperature{Object: object, Offset: offset, Screening: object + offset,
				Ambient: temp.Draw(rt, "ambient")}}
	case 1:
		return &Reading{Device: "d" + text.Draw(rt, "device"), Type: fact.ReadingCard,
			Credential: "c" + text.Draw(rt, "credential")}
	case 2:
		return &Passage{Verdict: fact.VerdictPass, Reasons: []fact.Reason{fact.Reason("r" + text.Draw(rt, "reason"))},
			Amends:   rapid.Bool().Draw(rt, "amends"),
			Readings: rapid.SliceOfN(rapid.Uint64(), 1, 5).Draw(rt, "readings")}
	default:
		return &Clock{Reason: "r" + text.Draw(rt, "reason"), StepMS: rapid.Int64().Draw(rt, "step")}
	}
}

// reseal returns a message with the checksum that its jid and records ask for, so
// that the fuzzer gets past it.
func reseal(payload []byte) []byte {
	h, err := decodeHeader(payload)
	if err != nil {
		return payload
	}
	return bytes.Replace(payload, []byte(h.CRC), []byte(sum(h.JID, h.Records)), 1)
}

func FuzzDecodeBatch(f *testing.F) {
	for _, c := range covers {
		f.Add(message(f, c.from, c.to, c.holes, c.records...))
	}
	for _, payload := range noBatches {
		f.Add([]byte(payload))
	}
	for _, c := range envelopes {
		f.Add(message(f, 1, 1, nil, c.raw))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := DecodeBatch(reseal(payload))
		if err != nil {
			return
		}
		seqs := uint64(len(got.Entries) + len(got.Bad))
		for _, h := range got.Holes {
			seqs += h.Count
		}
		if seqs != got.To-got.From+1 {
			t.Fatalf("%d seqs for %d to %d", seqs, got.From, got.To)
		}
		if len(got.Bad) > 0 {
			return
		}
		again, err := EncodeBatch(got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := DecodeBatch(again); err != nil && len(again) <= MaxMessageBytes || err == nil &&
			!sameBatch(got, back) {
			t.Errorf("%+v came back as %+v, %v", got, back, err)
		}
	})
}

func sameBatch(a, b Batch) bool {
	if len(a.Holes) == 0 { // an empty list is not written
		a.Holes, b.Holes = nil, nil
	}
	for _, x := range []Batch{a, b} {
		for i := range x.Entries {
			x.Entries[i].body = nil // it follows from the record
		}
	}
	return reflect.DeepEqual(a, b)
}
