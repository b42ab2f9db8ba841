package agent

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Timing of the delivery protocol, on the boot clock.
const (
	helloEvery  = 5 * time.Second  // an unanswered hello is said again, then ever more slowly
	resendFirst = 10 * time.Second // a batch without an acknowledgement is sent again, likewise
	resendLast  = 60 * time.Second
)

// queue is what the shipper needs of the journal.
type queue interface {
	JID() string
	First() uint64
	Durable() uint64
	State() journal.State
	ReadRaw(from uint64, maxRecords, maxBytes int) (journal.Chunk, error)
	Acknowledge(now clock.Moment, s journal.State) error
	Renew(reason string) error
}

// shipper is the sending half of the delivery protocol: what to send next,
// and what an acknowledgement frees. It does not wait and has no clock: the
// agent's ship loop tells it what happened and when.
type shipper struct {
	county, agent, version, keyID string

	key ed25519.PublicKey
	q   queue
	// send hands a message to the connection; with a ticket the pace is told when
	// the broker has taken it.
	send func(leaf wire.Leaf, payload []byte, ticket uint64) error
	// trouble reports what somebody must know; detail "" clears it.
	trouble func(typ fact.AlarmType, detail string)
	log     *slog.Logger

	online    bool
	announced string        // the collector's last announcement
	nonce     string        // of the hello that waits for its answer, or ""
	helloAt   time.Duration // when it was said
	helloIn   time.Duration // when it is said again, after helloAt
	ready     bool          // the hello of this connection has been answered

	next   uint64 // first seq not sent in order
	sent   []span // in flight, oldest first
	pace   pace
	resend time.Duration

	ahead     []overtaker   // alarms whose copy is not acknowledged, oldest first
	aheadSent uint64        // the seq in flight, or 0
	aheadAt   time.Duration // since then
}

// span is a batch in flight.
type span struct {
	to uint64
	at time.Duration
}

// up is called when the connection stands.
func (s *shipper) up(now clock.Moment) {
	s.online, s.ready, s.sent, s.aheadSent = true, false, nil, 0
	s.resend = resendFirst
	s.pace.begin()
	s.hello(now, helloEvery)
	s.pumpAhead(now)
}

// taken is called when the broker has answered a message of this ticket.
func (s *shipper) taken(now clock.Moment, ticket uint64) {
	s.pace.taken(now.Boot, ticket)
	s.pump(now)
}

// down is called when it has gone.
func (s *shipper) down() {
	s.online, s.ready, s.nonce = false, false, ""
}

func (s *shipper) hello(now clock.Moment, again time.Duration) {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	s.nonce, s.helloAt, s.helloIn, s.ready = hex.EncodeToString(b[:]), now.Boot, again, false
	state := s.q.State()
	payload, err := wire.Encode(wire.Hello{V: 1, JID: s.q.JID(), First: s.q.First(), Last: s.q.Durable(),
		Term: state.Term, Nonce: s.nonce, KeyID: s.keyID, Version: s.version, Proof: s.proof(state)})
	if err == nil {
		err = s.send(wire.LeafHello, payload, 0)
	}
	if err != nil {
		s.log.Debug("hello not sent", "err", err)
	}
}

// proof returns what gave the journal its term; nil where nothing was kept.
func (s *shipper) proof(state journal.State) *wire.Ack {
	if state.Proof == "" {
		return nil
	}
	a, err := wire.Decode[wire.Ack]([]byte(state.Proof))
	if err != nil {
		s.log.Warn("the acknowledgement that the journal keeps can't be read; the next one takes its place", "err", err)
		return nil
	}
	return &a
}

// collector is called with the collector's retained status.
func (s *shipper) collector(now clock.Moment, payload []byte) {
	st, err := wire.Decode[wire.CollectorStatus](payload)
	if err != nil || st.State != fact.Online {
		return // the last will is unsigned and moves nothing
	}
	if err := wire.VerifyCollectorStatus(st, s.county, s.key); err != nil {
		s.trouble(fact.AlarmCollectorForeign, "a status on the collector's topic is not signed by the key in collector_key")
		return
	}
	// A collector announces itself when it starts, when it is back at the
	// broker, and when its store was reset: what was said to it before may not
	// have reached it.
	if word := st.Start + st.At.String(); word != s.announced {
		s.announced = word
		if s.online {
			s.hello(now, helloEvery)
		}
	}
}

// acked is called with each message on the agent's ack topic.
func (s *shipper) acked(now clock.Moment, payload []byte) {
	a, err := wire.Decode[wire.Ack](payload)
	if err == nil {
		err = wire.VerifyAck(a, s.county, s.agent, s.key)
	}
	if err != nil {
		s.log.Warn("acknowledgement refused", "err", err)
		s.trouble(fact.AlarmCollectorForeign, "an acknowledgement is not signed by the key in collector_key")
		return
	}
	state := s.q.State()
	answer := s.nonce != "" && a.Nonce == s.nonce
	switch {
	case a.JID != s.q.JID(), a.Nonce != "" && !answer:
		return // of an earlier journal or hello
	case state.Store != "" && a.Store != state.Store:
		s.trouble(fact.AlarmStoreChanged, fmt.Sprintf(
			"the collector's store is %s, this journal trusts %s; if that is wanted run: gatehouse journal trust %s",
			a.Store, state.Store, a.Store))
		return
	case state.Store == "" && !answer:
		return // a store is pinned by the answer to a hello only
	case a.Term < state.Term:
		s.log.Warn("acknowledgement of an older term refused", "term", a.Term, "known", state.Term)
		if answer {
			s.trouble(fact.AlarmStoreChanged, fmt.Sprintf(
				"the collector answers at term %d, this journal knows term %d of store %s, and sends nothing until it answers at that; "+
					"if the store was restored from a backup run: gatehouse journal trust %s", a.Term, state.Term, a.Store, a.Store))
		}
		return
	case a.Term > state.Term && !answer:
		s.hello(now, helloEvery) // the store was reset: only an answer may say how far
		return
	}
	s.trouble(fact.AlarmStoreChanged, "")
	s.trouble(fact.AlarmCollectorForeign, "")
	if a.Ahead != 0 {
		s.confirmAhead(func(seq uint64) bool { return seq == a.Ahead })
	}
	if answer {
		s.answered(now, a)
	} else if s.ready {
		s.through(now, a)
	}
	s.pumpAhead(now)
	s.pump(now)
}

// answered takes the answer to a hello: the only thing that may send the agent
// back to earlier records.
func (s *shipper) answered(now clock.Moment, a wire.Ack) {
	if a.Through > s.q.Durable() {
		if err := s.q.Renew(fmt.Sprintf("the store has %d records, the journal only %d", a.Through, s.q.Durable())); err != nil {
			s.log.Error("start a new journal", "err", err)
			return
		}
		s.aheadSent = 0 // what waits goes ahead under the new jid: it is beyond the store's watermark
		s.hello(now, helloEvery)
		return
	}
	s.nonce, s.ready, s.sent, s.resend = "", true, nil, resendFirst
	s.next = a.Through + 1
	s.remember(now, a)
}

// through takes an acknowledgement of batches of this connection.
func (s *shipper) through(now clock.Moment, a wire.Ack) {
	if a.Through >= s.next {
		// Of a batch that an earlier connection sent: what this one sends will
		// be acknowledged again.
		s.log.Info("acknowledgement beyond what was sent refused", "through", a.Through, "sent", s.next-1)
		return
	}
	for len(s.sent) > 0 && s.sent[0].to <= a.Through {
		s.sent, s.resend = s.sent[1:], resendFirst
	}
	if a.Through > s.q.State().Through {
		s.remember(now, a)
	}
}

func (s *shipper) remember(now clock.Moment, a wire.Ack) {
	state := journal.State{Through: a.Through, Store: a.Store, Term: a.Term, Proof: s.q.State().Proof}
	if a.Term > s.q.State().Term || state.Proof == "" {
		proof, err := wire.Encode(a)
		if err != nil {
			s.log.Error("keep what proves the term", "err", err)
		}
		state.Proof = string(proof)
	}
	if err := s.q.Acknowledge(now, state); err != nil {
		s.log.Warn("remember the acknowledgement", "through", a.Through, "err", err)
	}
	s.confirmAhead(func(seq uint64) bool { return seq <= a.Through })
}

// tick lets time pass: it says an unanswered hello again and resends what was
// not acknowledged.
func (s *shipper) tick(now clock.Moment) {
	if !s.online {
		return
	}
	if s.nonce != "" && now.Boot-s.helloAt >= s.helloIn {
		s.hello(now, min(2*s.helloIn, resendLast))
	}
	if len(s.sent) > 0 && now.Boot-s.sent[0].at >= s.resend {
		s.log.Info("no acknowledgement, sending again", "from", s.back(), "after", s.resend)
		s.resend = min(2*s.resend, resendLast)
	}
	if s.aheadSent != 0 && now.Boot-s.aheadAt >= resendFirst {
		s.aheadSent = 0
	}
	s.pace.expire(now.Boot)
	s.pumpAhead(now)
	s.pump(now)
}

// back returns to the record after the last one acknowledged.
func (s *shipper) back() uint64 {
	s.next, s.sent = s.q.State().Through+1, nil
	return s.next
}

// pump fills the window: at most MaxWindow batches are in flight, as much as the
// line carries, and a batch leaves as soon as there is room, however small it is.
func (s *shipper) pump(now clock.Moment) {
	for s.online && s.ready && len(s.sent) < wire.MaxWindow && s.next <= s.q.Durable() {
		most := s.pace.next()
		if most == 0 {
			return // taken goes on
		}
		chunk, err := s.q.ReadRaw(s.next, wire.MaxBatchRecords, min(most, maxPayload))
		if err != nil {
			s.log.Error("read the journal", "from", s.next, "err", err)
			return
		}
		if chunk.To < chunk.From {
			return
		}
		payload, err := wire.EncodeBatch(wire.Batch{Agent: s.agent, JID: s.q.JID(),
			From: chunk.From, To: chunk.To, Holes: chunk.Holes, Entries: chunk.Entries})
		if err == nil {
			err = s.send(wire.LeafRecords, payload, s.pace.put(now.Boot, len(payload)))
		}
		if err != nil {
			s.log.Debug("batch not sent", "from", chunk.From, "err", err)
			return // the connection is going down; up starts again
		}
		s.sent = append(s.sent, span{to: chunk.To, at: now.Boot})
		s.next = chunk.To + 1
	}
}

// maxPayload leaves room for the batch's header and commas.
const maxPayload = wire.MaxBatchBytes - 4<<10
