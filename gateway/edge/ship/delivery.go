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
	resendFirst = 10 * time.Second // a batch without an acknowledgement is sent again after this, likewise
	resendLast  = 60 * time.Second
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

	keyID        string            // of the agent's key for pseudonyms; empty: none
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

	online   bool
	greeting greeting
	window   window
	ahead    overtaking
	pace     pace
}

// window is the state of the batches that are sent in order.
type window struct {
	next   uint64        // first seq not sent
	sent   []span        // in flight, oldest first
	resend time.Duration // how long the oldest may be in flight
}

// span is a batch in flight.
type span struct {
	to uint64
	at time.Duration // boot clock: when it was sent
}

// restart makes next the first seq to send; nothing is in flight.
func (w *window) restart(next uint64) { w.next, w.sent = next, nil }

// confirm takes the batches out of flight that end at or before seq.
func (w *window) confirm(seq uint64) {
	for len(w.sent) > 0 && w.sent[0].to <= seq {
		w.sent, w.resend = w.sent[1:], resendFirst
	}
}

// up is called when the connection has been made.
func (d *delivery) up(now clock.Moment) {
	d.online = true
	d.window.sent, d.window.resend = nil, resendFirst
	d.ahead.sent = 0
	d.pace.begin()
	d.hello(now, helloEvery)
	d.pumpAhead(now)
}

// down is called when the connection has ended.
func (d *delivery) down() {
	d.online = false
	d.greeting.answered, d.greeting.nonce = false, ""
}

// taken is called when the broker has answered the message with this ticket.
func (d *delivery) taken(now clock.Moment, ticket uint64) {
	d.pace.taken(now.Boot, ticket)
	d.pump(now)
}

// tick is called every second: it repeats a hello without an answer and sends
// again what was not acknowledged.
func (d *delivery) tick(now clock.Moment) {
	if !d.online {
		return
	}
	if g := d.greeting; g.nonce != "" && now.Boot-g.at >= g.again {
		d.hello(now, min(2*g.again, resendLast))
	}
	if w := &d.window; len(w.sent) > 0 && now.Boot-w.sent[0].at >= w.resend {
		w.restart(d.journal.State().Through + 1)
		d.log.Info("no acknowledgement, sending again", "from", w.next, "after", w.resend)
		w.resend = min(2*w.resend, resendLast)
	}
	if d.ahead.sent != 0 && now.Boot-d.ahead.at >= resendFirst {
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
	for d.online && d.greeting.answered && len(w.sent) < wire.MaxWindow && w.next <= d.journal.Durable() {
		most := d.pace.next()
		if most == 0 {
			return // taken goes on
		}
		chunk, err := d.journal.ReadRaw(w.next, wire.MaxBatchRecords, min(most, maxPayload))
		if err != nil {
			d.log.Error("read the journal", "from", w.next, "err", err)
			return
		}
		if chunk.To < chunk.From {
			return
		}
		payload, err := wire.EncodeBatch(wire.Batch{Agent: d.agent, JID: d.journal.JID(),
			From: chunk.From, To: chunk.To, Holes: chunk.Holes, Entries: chunk.Entries})
		if err == nil {
			err = d.send(wire.LeafRecords, payload, d.pace.put(now.Boot, len(payload)))
		}
		if err != nil {
			d.log.Debug("batch not sent", "from", chunk.From, "err", err)
			return // the connection is going down; up starts again
		}
		w.sent = append(w.sent, span{to: chunk.To, at: now.Boot})
		w.next = chunk.To + 1
	}
}
