package peers

import (
	"fmt"
	"math/rand/v2"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// gates is how many gates share the backlog.
const gates = 16

// maxPayload is how many bytes of records an agent puts into a batch
// (gateway/edge/ship): the limit less the header.
const maxPayload = wire.MaxBatchBytes - 4<<10

// backlog is the same passages for every peer.
type backlog struct {
	agent   string
	entries []wire.Entry
}

// newBacklog returns the passages of a gate that was cut off: a person every
// 5 s, each with a temperature and a pseudonym of its own.
func newBacklog(agent string, seed uint64, records int) (backlog, error) {
	rnd := rand.New(rand.NewPCG(seed, 7))
	b := backlog{agent: agent}
	begin := time.Now().Add(-time.Duration(records) * 5 * time.Second).UTC()
	for n := range records {
		seq := uint64(n + 1)
		body, err := wire.EncodeBody(passage(rnd, seq))
		if err != nil {
			return b, err
		}
		at := begin.Add(time.Duration(n)*5*time.Second + time.Duration(rnd.IntN(1e9)))
		r := wire.Record{Seq: seq, At: wire.At(at), BootNS: at.Sub(begin).Nanoseconds(), Kind: wire.KindPassage,
			Body: body}
		raw, err := wire.EncodeRecord(r)
		if err != nil {
			return b, err
		}
		b.entries = append(b.entries, wire.Entry{Record: r, Raw: raw})
	}
	return b, nil
}

func passage(rnd *rand.Rand, seq uint64) *wire.Passage {
	object := fact.Temp(3250 + rnd.IntN(120))
	return &wire.Passage{
		Verdict:     fact.VerdictPass,
		Reasons:     []fact.Reason{fact.ReasonNormal},
		Instruction: fact.InstructGo,
		Direction:   fact.DirectionIn,
		Class:       "resident",
		Credential:  fmt.Sprintf("p1:%016x%016x", rnd.Uint64(), rnd.Uint64()),
		Temperature: &wire.Temperature{
			Object:     object,
			Ambient:    2215,
			Background: 2190,
			Offset:     330,
			Screening:  object + 330,
			RatedMin:   1600,
			RatedMax:   3500,
			Samples:    5 + rnd.IntN(6),
			DurationMS: 400 + rnd.Int64N(500),
			Settled:    true,
		},
		Readings:  []uint64{seq},
		Policy:    "2020-02-14.1",
		Limits:    wire.Limits{Fever: 3730, InvalidBelow: 3500, PairingMS: 15000},
		LatencyUS: 300 + rnd.Int64N(900),
	}
}

// message is a batch as an agent sends it.
type message struct {
	to      uint64 // its last seq
	payload []byte
}

// messages returns the backlog in full batches of the journal jid.
func (b backlog) messages(jid string) (all []message, err error) {
	for rest := b.entries; len(rest) > 0; {
		n, size := 0, 0
		for n < len(rest) && n < wire.MaxBatchRecords && size+len(rest[n].Raw)+1 <= maxPayload {
			size += len(rest[n].Raw) + 1
			n++
		}
		first, last := rest[0].Record.Seq, rest[n-1].Record.Seq
		payload, err := wire.EncodeBatch(wire.Batch{Agent: b.agent, JID: jid, From: first, To: last, Entries: rest[:n]})
		if err != nil {
			return nil, err
		}
		all, rest = append(all, message{last, payload}), rest[n:]
	}
	return all, nil
}
