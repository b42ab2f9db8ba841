package ship

import (
	"crypto/ed25519"
	"log/slog"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Timing of the delivery, on the boot clock.
const (
	helloEvery  = 5 * time.Second  // a hello without an answer is repeated after this, then ever more slowly
	helloLast   = 60 * time.Second // but not more slowly than this
	unsureAfter = 3 * time.Second  // a batch behind one that did not arrive is asked for after this,
	resendAfter = 10 * time.Second // a batch without an acknowledgement for so long may not have arrived
	askAfter    = 60 * time.Second // without an acknowledgement for so long the collector is asked whether it is there
)

// maxPayload is a batch's limit less its header and commas.
const maxPayload = wire.MaxBatchBytes - 4<<10

// queue is what the delivery needs of the journal.
type queue interface {
	records
	progress
	identity
}

// records are the records of the journal.
type records interface {
	First() uint64   // the oldest seq; 0: there is none
	Durable() uint64 // the newest seq that a power cut leaves
	ReadRaw(from uint64, maxRecords, maxBytes int) (journal.Chunk, error)
}

// progress is how far the records are acknowledged, and by which store.
type progress interface {
	State() journal.State
	Acknowledge(now clock.Moment, s journal.State) error
}

// identity is the id under which the records are delivered.
type identity interface {
	JID() string
	Renew(reason string) error // replaces the id
}

// parties are the two ends of a delivery.
type parties struct {
	county, agent, version string

	keyID        func() string     // of the agent's key for pseudonyms; empty: none
	collectorKey ed25519.PublicKey // signs what the collector sends
}

// delivery is the sending half of the delivery protocol: what to send next, and
// what an acknowledgement frees. It does not wait and has no clock: the loop,
// whose goroutine owns it, calls it with what happened and when.
type delivery struct {
	parties

	journal queue
	// send hands a message to the connection; when the broker has taken a message
	// with a ticket, taken is to be called.
	send func(leaf wire.Leaf, payload []byte, ticket uint64) error
	// report posts what somebody must know of; an empty detail ends it.
	report func(t fact.AlarmType, detail string)
	log    *slog.Logger

	distrusted bool // the last one that answered is not trusted
	greeting   greeting
	window     window
	ahead      overtaking
	pace       pace
	sizing     sizing
	standing   standing
	witness    witness
	signing    signing
}

// window is the state of the batches that are sent in order.
type window struct {
	next uint64 // first seq not sent
	sent []span // in flight, oldest first
}

// span is a batch in flight.
type span struct {
	from, to uint64
	bytes    int           // of the message
	at       time.Duration // boot clock: when it was sent
}

// restart makes next the first seq to send; nothing is in flight.
func (w *window) restart(next uint64) { w.next, w.sent = next, nil }

// confirm takes the batches out of flight that end at or before seq, and notes
// that they came.
func (d *delivery) confirm(now clock.Moment, seq uint64) {
	w := &d.window
	for len(w.sent) > 0 && w.sent[0].to <= seq {
		d.sizing.came(now.Boot, w.sent[0])
		w.sent = w.sent[1:]
	}
	if d.sizing.held.to == 0 {
		d.report(fact.AlarmRecordHeld, "")
	}
}

// missed notes that the oldest batch in flight did not arrive.
func (d *delivery) missed(now clock.Moment) {
	if len(d.window.sent) == 0 {
		return
	}
	b := d.window.sent[0]
	if !d.sizing.missed(now.Boot, b) {
		d.log.Info("a batch did not arrive, sending again", "from", b.from, "to", b.to, "bytes", b.bytes)
		return
	}
	if d.sizing.held.to == 0 {
		d.log.Warn("a batch does not arrive; sending smaller ones", "from", b.from, "to", b.to, "bytes", b.bytes,
			"next", d.limitText())
		return
	}
	d.log.Error("a record does not arrive, and those behind it wait", "seq", b.from, "bytes", b.bytes,
		"next", d.heldText())
	d.report(fact.AlarmRecordHeld, d.heldText())
}

// up is called when the connection has been made.
func (d *delivery) up(now clock.Moment) {
	d.standing.up(now)
	d.witness.anew = true
	d.window.sent = nil
	d.ahead.sent = 0
	d.pace.begin()
	d.hello(now, helloEvery)
	d.pumpAhead(now)
}

// down is called when the connection has ended, or none could be made, and why.
func (d *delivery) down(now clock.Moment, why error) {
	if d.standing.online {
		d.missed(now) // a broker that hangs up at a large message does not say so
	}
	d.standing.down(now, why)
	d.window.sent = nil
	d.greeting.answered, d.greeting.nonce = false, ""
}

// taken is called when the broker has answered the message with this ticket.
func (d *delivery) taken(now clock.Moment, ticket uint64) {
	d.pace.taken(now.Boot, ticket)
	d.pump(now)
}

// tick is called every second. It repeats a hello without an answer. When a batch
// is not acknowledged, or nothing was for a while, it asks what the store has: the
// answer tells a collector that is not there from a batch that did not arrive.
func (d *delivery) tick(now clock.Moment) {
	d.standing.look(now, d.waits())
	d.witness.look(now)
	d.look(now)
	if !d.standing.online {
		return
	}
	g, w := &d.greeting, &d.window
	switch {
	case g.nonce != "":
		if now.Boot-g.at >= g.again {
			d.hello(now, min(2*g.again, helloLast))
		}
	case len(w.sent) > 0 && now.Boot-w.sent[0].at >= d.patience(),
		now.Boot-d.standing.heard >= askAfter:
		d.ask(now, helloEvery)
	}
	if d.ahead.sent != 0 && now.Boot-d.ahead.at >= resendAfter {
		d.ahead.sent = 0
	}
	d.pace.expire(now.Boot)
	d.pumpAhead(now)
	d.pump(now)
}

// pump fills the window: at most MaxWindow batches are in flight, as much as the
// line carries, and a batch leaves as soon as there is room, however small it is.
func (d *delivery) pump(now clock.Moment) {
	w := &d.window
	for d.standing.online && d.greeting.answered && len(w.sent) < d.room() && w.next <= d.journal.Durable() {
		most := d.pace.next()
		if most == 0 {
			return // taken goes on
		}
		chunk, err := d.journal.ReadRaw(w.next, wire.MaxBatchRecords, d.sizing.limit(min(most, maxPayload)))
		if err != nil {
			d.log.Error("read the journal", "from", w.next, "err", err)
			return
		}
		if chunk.To < chunk.From {
			return
		}
		payload, err := d.batch(wire.Batch{From: chunk.From, To: chunk.To, Holes: chunk.Holes,
			Entries: chunk.Entries})
		if err == nil {
			err = d.send(wire.LeafRecords, payload, d.pace.put(now.Boot, len(payload)))
		}
		if err != nil {
			d.log.Debug("batch not sent", "from", chunk.From, "err", err)
			return // the connection is going down; up starts again
		}
		w.sent = append(w.sent, span{from: chunk.From, to: chunk.To, bytes: len(payload), at: now.Boot})
		w.next = chunk.To + 1
	}
}

// room is how many batches may be in flight. Behind one that did not arrive none
// is sent: the collector would drop it.
func (d *delivery) room() int {
	if d.sizing.unsure {
		return 1
	}
	return wire.MaxWindow
}

// patience is how long a batch may be in flight before it is asked for.
func (d *delivery) patience() time.Duration {
	if d.sizing.unsure {
		return unsureAfter
	}
	return resendAfter
}

// waits reports whether the journal holds records that are not acknowledged.
func (d *delivery) waits() bool { return d.journal.State().Through < d.journal.Durable() }
