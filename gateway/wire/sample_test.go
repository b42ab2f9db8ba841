package wire

import (
	"testing"
	"time"
)

const testJID = "3f2b8a52-6c1d-4e0f-9a77-0d3c5b1e8f42"

func sampleCard() *Reading {
	return &Reading{Device: "reader-in", Model: "rdm6300", Type: TypeCard, Direction: DirectionIn,
		Credential: "k1:Zm9vYmFyYmF6cXV4MDEyMw", BootID: "0b9cbf0a-6f4c-4d3e-9c55-2f6f0d6b1a10", BootNS: 86400123456789}
}

func sampleTemperature() *Temperature {
	return &Temperature{Object: 3340, Ambient: 2215, Background: 2190, Offset: 310, Screening: 3650,
		RatedMin: 1600, RatedMax: 3500, Samples: 9, DurationMS: 900, Settled: true}
}

func sampleMeasurement() *Reading {
	return &Reading{Device: "thermometer", Model: "gy-mcu90614", Type: TypeTemperature,
		Temperature: sampleTemperature(), BootID: "0b9cbf0a-6f4c-4d3e-9c55-2f6f0d6b1a10", BootNS: 86401123456789}
}

func samplePassage() *Passage {
	return &Passage{Verdict: VerdictPass, Reasons: []string{"resident"}, Instruction: InstructGo, Direction: DirectionIn,
		Class: "resident", Credential: "k1:Zm9vYmFyYmF6cXV4MDEyMw", Temperature: sampleTemperature(),
		Readings: []uint64{40, 41}, Policy: "2020-02-14.1",
		Limits: Limits{Fever: 3730, InvalidBelow: 3500, PairingMS: 15000}, LatencyUS: 812}
}

func mustRecord(tb testing.TB, seq uint64, at time.Time, body Body) []byte {
	tb.Helper()
	raw, err := EncodeBody(body)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := EncodeRecord(Record{Seq: seq, At: At(at), BootNS: int64(seq) * 1e9, Kind: body.Kind(), Body: raw})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
