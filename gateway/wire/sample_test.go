package wire

import (
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

const (
	testJID  = "3f2b8a52-6c1d-4e0f-9a77-0d3c5b1e8f42"
	testBoot = "0b9cbf0a-6f4c-4d3e-9c55-2f6f0d6b1a10"
	testCard = "mzxw6ytb-aebagbafaydqqcikbmga2dqpca"
)

var testTime = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)

func sampleCard() *Reading {
	return &Reading{Device: "reader-in", Model: "rdm6300", Type: fact.ReadingCard, Direction: fact.DirectionIn,
		Credential: testCard, BootID: testBoot, BootNS: 86400123456789}
}

func sampleTemperature() *Temperature {
	return &Temperature{Object: 3340, Ambient: 2215, Background: 2190, Offset: 310, Screening: 3650,
		RatedMin: 1600, RatedMax: 3500, Samples: 9, DurationMS: 640, Settled: true}
}

func sampleMeasurement() *Reading {
	return &Reading{Device: "thermometer", Model: "gy-mcu90614", Type: fact.ReadingTemperature,
		Temperature: sampleTemperature(), BootID: testBoot, BootNS: 86401123456789}
}

func sampleEntered() *Reading {
	return &Reading{Device: "contact", Model: "hand-held", Type: fact.ReadingEntered,
		Entered: &Entered{Value: 3660, With: fact.HandHeldContact, Of: []uint64{40, 41}},
		BootID:  testBoot, BootNS: 86402123456789}
}

func samplePassage() *Passage {
	return &Passage{Verdict: fact.VerdictPass, Reasons: []fact.Reason{fact.ReasonNormal}, Instruction: fact.InstructGo,
		Direction: fact.DirectionIn,
		Class:     "resident", Credential: testCard, Temperature: sampleTemperature(),
		Readings: []uint64{40, 41}, Policy: "2020-02-14.1",
		Limits: Limits{Fever: 3730, InvalidBelow: 3500, PairingMS: 15000},
		Basis:  &Basis{Rule: "classes.resident"}, LatencyUS: 812}
}

func sampleEpisode() *Passage {
	p := samplePassage()
	p.Verdict, p.Reasons, p.Instruction = fact.VerdictRetest, []fact.Reason{fact.ReasonTooEarly}, fact.InstructWait
	p.Episode = &EpisodeStep{ID: "e21", Step: fact.EpisodeEarly, First: 3840, With: "thermometer", Since: At(testTime),
		Ready: At(testTime.Add(10 * time.Minute)), Until: At(testTime.Add(2 * time.Hour))}
	return p
}

func sampleAlarm() *Alarm {
	t := fact.Temp(3840)
	return &Alarm{ID: "fever:42", Type: "fever", State: fact.AlarmRaised, Passage: 42, Screening: &t}
}

func sampleHealth() *Health {
	return &Health{Device: "thermometer", Model: "gy-mcu90614", State: "gone", Detail: "gy-mcu90614: device is gone",
		BadFrames: 3}
}

func sampleClock() *Clock {
	return &Clock{Reason: "start", BootID: testBoot, Synchronised: true, Version: "1.0.0"}
}

// record returns the bytes of a record with this body.
func record(tb testing.TB, seq uint64, body Body) []byte {
	tb.Helper()
	raw, err := EncodeBody(body)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := EncodeRecord(Record{Seq: seq, At: At(testTime.Add(time.Duration(seq%1e6) * time.Second)),
		BootNS: int64(seq) * 1e9,
		Kind:   body.Kind(), Body: raw})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// batch returns the batch that holds these records.
func batch(tb testing.TB, from, to uint64, holes []Hole, raws ...[]byte) Batch {
	tb.Helper()
	b := Batch{Agent: "gate-017", JID: testJID, From: from, To: to, Holes: holes}
	for _, raw := range raws {
		r, err := DecodeRecord(raw)
		if err != nil {
			tb.Fatal(err)
		}
		b.Entries = append(b.Entries, Entry{Record: r, Raw: raw})
	}
	return b
}

// message returns the bytes of a batch, whatever stands in records.
func message(tb testing.TB, from, to uint64, holes []Hole, records ...string) []byte {
	tb.Helper()
	b := Batch{Agent: "gate-017", JID: testJID, From: from, To: to, Holes: holes}
	for _, r := range records {
		b.Entries = append(b.Entries, Entry{Raw: []byte(r)})
	}
	payload, err := EncodeBatch(b)
	if err != nil {
		tb.Fatal(err)
	}
	return payload
}
