package ship

import (
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

const testJID = "0190b1c2-0000-7000-8000-000000000001"

// memory is a journal without a disk.
type memory struct {
	jid     string
	entries []wire.Entry // entries[i] has seq i+1
	state   journal.State
	renewed int
	most    int // records of a batch; 0: 3
}

func (m *memory) JID() string          { return m.jid }
func (m *memory) First() uint64        { return min(1, uint64(len(m.entries))) }
func (m *memory) Durable() uint64      { return uint64(len(m.entries)) }
func (m *memory) State() journal.State { return m.state }
func (m *memory) Acknowledge(_ clock.Moment, s journal.State) error {
	m.state = s
	return nil
}

func (m *memory) Renew(string) error {
	m.renewed++
	m.jid = fmt.Sprintf("0190b1c2-0000-7000-8000-%012d", m.renewed+1)
	m.entries = nil
	return nil
}

func (m *memory) ReadRaw(from uint64, maxRecords, maxBytes int) (journal.Chunk, error) {
	most := min(from+uint64(min(maxRecords, cmp.Or(m.most, 3)))-1, m.Durable())
	to := from
	for n := len(m.entries[from-1].Raw); to < most && n+len(m.entries[to].Raw) <= maxBytes; to++ {
		n += len(m.entries[to].Raw)
	}
	return journal.Chunk{From: from, To: to, Entries: m.entries[from-1 : to]}, nil
}

func (m *memory) add(body wire.Body) wire.Entry {
	b, err := wire.EncodeBody(body)
	if err != nil {
		panic(err)
	}
	at := wire.At(time.Unix(1e9, int64(len(m.entries))))
	rec := wire.Record{Seq: m.Durable() + 1, At: at, Kind: body.Kind(), Body: b}
	raw, err := wire.EncodeRecord(rec)
	if err != nil {
		panic(err)
	}
	e := wire.Entry{Record: rec, Raw: raw}
	m.entries = append(m.entries, e)
	return e
}

func health(n int) *wire.Health { return &wire.Health{Device: fmt.Sprint("d", n), State: "ok"} }

// county is a collector without a disk.
type county struct {
	key     ed25519.PrivateKey
	store   string
	term    uint64
	start   int
	through map[string]uint64
	rows    map[string][]byte // by jid/seq
}

func newCounty() *county {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	return &county{key: key, store: "store-1", term: 1, through: map[string]uint64{}, rows: map[string][]byte{}}
}

type message struct {
	leaf    wire.Leaf
	payload []byte
	ticket  uint64
}

func (c *county) ack(a wire.Ack) message {
	a.V, a.Store, a.Term = 1, c.store, c.term
	payload, err := wire.Encode(wire.SignAck(a, "county", "gate", c.key))
	if err != nil {
		panic(err)
	}
	return message{leaf: wire.LeafAck, payload: payload}
}

func (c *county) status() message {
	st := wire.CollectorStatus{V: 1, State: fact.Online, At: wire.At(time.Unix(1e9, int64(c.term))),
		Start: fmt.Sprint("start-", c.start), Store: c.store, Term: c.term}
	payload, err := wire.Encode(wire.SignCollectorStatus(st, "county", c.key))
	if err != nil {
		panic(err)
	}
	return message{leaf: wire.LeafStatus, payload: payload}
}

// take commits a message and returns the answer, if there is one.
func (c *county) take(m message) (message, error) {
	if m.leaf == wire.LeafHello {
		h, err := wire.Decode[wire.Hello](m.payload)
		if err != nil {
			return message{}, err
		}
		public := c.key.Public().(ed25519.PublicKey)
		if proven := h.ProvenTerm("county", "gate", c.store, public); proven > c.term {
			c.term = wire.NextTerm(proven)
		}
		return c.ack(wire.Ack{JID: h.JID, Through: c.through[h.JID], Nonce: h.Nonce}), nil
	}
	b, err := wire.DecodeBatch(m.payload)
	if err != nil {
		return message{}, err
	}
	if !b.Ahead && b.From > c.through[b.JID]+1 {
		return message{}, nil // a gap: not stored, not acknowledged
	}
	for _, e := range b.Entries {
		key := fmt.Sprint(b.JID, "/", e.Record.Seq)
		if old, ok := c.rows[key]; ok && string(old) != string(e.Raw) {
			return message{}, errors.New("two contents for " + key)
		}
		c.rows[key] = e.Raw
	}
	if b.Ahead {
		return c.ack(wire.Ack{JID: b.JID, Through: c.through[b.JID], Ahead: b.To}), nil
	}
	c.through[b.JID] = max(c.through[b.JID], b.To)
	return c.ack(wire.Ack{JID: b.JID, Through: c.through[b.JID]}), nil
}

// world is a delivery, a collector, and a network that reorders, drops and
// repeats.
type world struct {
	*delivery
	q        *memory
	c        *county
	now      clock.Moment
	toCounty []message
	toAgent  []message
	troubles map[fact.AlarmType]string
}

func newWorld() *world {
	w := &world{q: &memory{jid: testJID}, c: newCounty(), now: clock.Moment{Wall: time.Unix(1e9, 0), Boot: time.Hour},
		troubles: map[fact.AlarmType]string{}}
	keyID := func() string { return "k" }
	w.delivery = &delivery{parties: parties{"county", "gate", "", keyID, w.c.key.Public().(ed25519.PublicKey)},
		journal: w.q, log: slog.New(slog.DiscardHandler),
		send: func(leaf wire.Leaf, payload []byte, ticket uint64) error {
			if !w.standing.online {
				return errors.New("offline")
			}
			w.toCounty = append(w.toCounty, message{leaf, payload, ticket})
			return nil
		},
		report: func(t fact.AlarmType, detail string) {
			if detail == "" {
				delete(w.troubles, t)
			} else {
				w.troubles[t] = detail
			}
		}}
	return w
}

func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.tick(w.now)
}

func (w *world) deliverToCounty(i int) error {
	m := w.toCounty[i]
	w.toCounty = append(w.toCounty[:i:i], w.toCounty[i+1:]...)
	if m.ticket != 0 {
		w.taken(w.now, m.ticket) // a PUBACK
	}
	answer, err := w.c.take(m)
	if answer.leaf != "" {
		w.toAgent = append(w.toAgent, answer)
	}
	return err
}

func (w *world) deliverToAgent(i int) {
	m := w.toAgent[i]
	w.toAgent = append(w.toAgent[:i:i], w.toAgent[i+1:]...)
	if m.leaf == wire.LeafAck {
		w.acked(w.now, m.payload)
	} else {
		w.collector(w.now, m.payload)
	}
}

// settle delivers everything in order until nothing is on its way.
func (w *world) settle() error {
	for len(w.toCounty)+len(w.toAgent) > 0 {
		for len(w.toCounty) > 0 {
			if err := w.deliverToCounty(0); err != nil {
				return err
			}
		}
		for len(w.toAgent) > 0 {
			w.deliverToAgent(0)
		}
	}
	return nil
}
