package ship

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

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

func (m *memory) ReadRaw(from uint64, maxRecords, _ int) (journal.Chunk, error) {
	to := min(from+uint64(min(maxRecords, 3))-1, m.Durable())
	return journal.Chunk{From: from, To: to, Entries: m.entries[from-1 : to]}, nil
}

func (m *memory) add(body wire.Body) wire.Entry {
	b, err := wire.EncodeBody(body)
	if err != nil {
		panic(err)
	}
	rec := wire.Record{Seq: m.Durable() + 1, At: wire.At(time.Unix(1e9, int64(len(m.entries)))), Kind: body.Kind(), Body: b}
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
	payload, err := wire.Encode(wire.SignCollectorStatus(wire.CollectorStatus{V: 1, State: fact.Online, At: wire.At(time.Unix(1e9, int64(c.term))),
		Start: fmt.Sprint("start-", c.start), Store: c.store, Term: c.term}, "county", c.key))
	if err != nil {
		panic(err)
	}
	return message{leaf: wire.LeafStatus, payload: payload}
}

// take commits a message and gives the answer, if there is one.
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

// world is an agent's shipper, a collector, and a network that reorders,
// drops and repeats.
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
	w.delivery = &delivery{parties: parties{"county", "gate", "", "k", w.c.key.Public().(ed25519.PublicKey)},
		journal: w.q, log: slog.New(slog.DiscardHandler),
		send: func(leaf wire.Leaf, payload []byte, ticket uint64) error {
			if !w.online {
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

// calm lets everything arrive in order until nothing is under way.
func (w *world) calm() error {
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

func TestEveryRecordIsCommittedWhateverTheNetworkDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		pick := func(m []message) int { return rapid.IntRange(0, len(m)-1).Draw(t, "which") }
		reset := false
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) { w.q.add(health(len(w.q.entries))); w.pump(w.now) },
			"alarm": func(t *rapid.T) {
				w.alarm(w.now, overtaker{w.q.add(&wire.Alarm{ID: "a", Type: "fever", State: fact.AlarmRaised}), true})
			},
			"arrive": func(t *rapid.T) {
				if len(w.toCounty) > 0 {
					if err := w.deliverToCounty(pick(w.toCounty)); err != nil {
						t.Fatal(err)
					}
				}
			},
			"acknowledge": func(t *rapid.T) {
				if len(w.toAgent) > 0 {
					w.deliverToAgent(pick(w.toAgent))
				}
			},
			"repeat": func(t *rapid.T) {
				if len(w.toCounty) > 0 {
					w.toCounty = append(w.toCounty, w.toCounty[pick(w.toCounty)])
				}
				if len(w.toAgent) > 0 {
					w.toAgent = append(w.toAgent, w.toAgent[pick(w.toAgent)])
				}
			},
			"drop":    func(t *rapid.T) { w.toCounty, w.toAgent = nil, nil },
			"cut":     func(t *rapid.T) { w.down(); w.up(w.now) },
			"time":    func(t *rapid.T) { w.pass(time.Duration(rapid.IntRange(1, 30).Draw(t, "s")) * time.Second) },
			"restart": func(t *rapid.T) { w.c.start++; w.toAgent = append(w.toAgent, w.c.status()) },
			"reset": func(t *rapid.T) {
				w.c.term++
				w.c.through, w.c.rows = map[string]uint64{}, map[string][]byte{}
				reset = true
				w.toAgent = append(w.toAgent, w.c.status())
			},
			"": func(t *rapid.T) {
				if !reset && w.q.state.Through > w.c.through[w.q.jid] {
					t.Fatalf("the agent would trim up to %d, the store has %d", w.q.state.Through, w.c.through[w.q.jid])
				}
				if len(w.window.sent) > wire.MaxWindow {
					t.Fatalf("%d batches are in flight", len(w.window.sent))
				}
			},
		})
		w.down()
		w.up(w.now)
		for range 40 {
			if err := w.calm(); err != nil {
				t.Fatal(err)
			}
			w.pass(resendLast)
		}
		if got, want := w.c.through[w.q.jid], w.q.Durable(); got != want {
			t.Fatalf("the store has %d of %d", got, want)
		}
		for _, e := range w.q.entries {
			if string(w.c.rows[fmt.Sprint(w.q.jid, "/", e.Record.Seq)]) != string(e.Raw) {
				t.Fatalf("seq %d is not stored as it was written", e.Record.Seq)
			}
		}
		if w.q.state.Through != w.q.Durable() || len(w.ahead.waiting) != 0 || w.q.renewed != 0 {
			t.Fatalf("at rest the agent knows %d of %d, %d alarms wait, %d new journals",
				w.q.state.Through, w.q.Durable(), len(w.ahead.waiting), w.q.renewed)
		}
	})
}

func joined(t *testing.T) *world {
	t.Helper()
	w := newWorld()
	w.q.add(health(1))
	w.up(w.now)
	if err := w.calm(); err != nil {
		t.Fatal(err)
	}
	if w.q.state.Through != 1 {
		t.Fatalf("the first record is not acknowledged: %+v", w.q.state)
	}
	return w
}

func TestASingleRecordDoesNotWaitForCompany(t *testing.T) {
	w := joined(t)
	w.q.add(health(2))
	w.pump(w.now)
	if len(w.toCounty) != 1 {
		t.Fatalf("%d messages are under way", len(w.toCounty))
	}
}

func TestAnAlarmOvertakesAFullWindow(t *testing.T) {
	w := joined(t)
	for i := range 100 {
		w.q.add(health(i))
	}
	w.pump(w.now)
	if len(w.toCounty) != wire.MaxWindow {
		t.Fatalf("%d batches are in flight, the window is %d", len(w.toCounty), wire.MaxWindow)
	}
	w.alarm(w.now, overtaker{w.q.add(&wire.Alarm{ID: "a", Type: "fever", State: fact.AlarmRaised}), true})
	b, err := wire.DecodeBatch(w.toCounty[len(w.toCounty)-1].payload)
	if err != nil || !b.Ahead || b.From != 102 {
		t.Fatalf("the last message is %+v, %v", b, err)
	}
	if w.q.state.Through != 1 {
		t.Fatal("the copy moved the watermark")
	}
}

func TestAFeverGoesBeforeOtherAlarmsAndWhatIsAcknowledgedDoesNotGo(t *testing.T) {
	w := joined(t)
	gone := overtaker{w.q.add(&wire.Alarm{ID: "g", Type: "device-gone", State: fact.AlarmRaised}), false}
	other := overtaker{w.q.add(&wire.Alarm{ID: "h", Type: "device-gone", State: fact.AlarmRaised}), false}
	fever := overtaker{w.q.add(&wire.Alarm{ID: "f", Type: "fever", State: fact.AlarmRaised}), true}
	known := overtaker{w.q.entries[0], true} // acknowledged: found in the journal at a start
	w.down()
	w.alarm(w.now, known, gone, other, fever)
	w.up(w.now)
	var order []uint64
	for len(w.toCounty) > 0 || len(w.toAgent) > 0 {
		if len(w.toCounty) > 0 {
			if b, err := wire.DecodeBatch(w.toCounty[0].payload); err == nil && b.Ahead {
				order = append(order, b.From)
			}
			if err := w.deliverToCounty(0); err != nil {
				t.Fatal(err)
			}
			continue
		}
		w.deliverToAgent(0)
	}
	if len(order) == 0 || order[0] != fever.Record.Seq || slices.Contains(order, 1) || len(w.ahead.waiting) != 0 {
		t.Errorf("sent ahead: %v; %d wait", order, len(w.ahead.waiting))
	}
}

func TestOnlyTheCountysOwnAcknowledgementFreesAnything(t *testing.T) {
	_, stranger, _ := ed25519.GenerateKey(nil)
	for name, forge := range map[string]func(w *world) wire.Ack{
		"another key":          func(w *world) wire.Ack { w.c.key = stranger; return wire.Ack{JID: testJID, Through: 3} },
		"another store":        func(w *world) wire.Ack { w.c.store = "store-2"; return wire.Ack{JID: testJID, Through: 3} },
		"an older term":        func(w *world) wire.Ack { w.c.term = 0; return wire.Ack{JID: testJID, Through: 3} },
		"another journal":      func(*world) wire.Ack { return wire.Ack{JID: "0190b1c2-0000-7000-8000-0000000000ff", Through: 3} },
		"beyond what was sent": func(*world) wire.Ack { return wire.Ack{JID: testJID, Through: 9} },
		"another hello's":      func(*world) wire.Ack { return wire.Ack{JID: testJID, Through: 3, Nonce: "0123456789abcdef"} },
	} {
		t.Run(name, func(t *testing.T) {
			w := joined(t)
			w.q.add(health(2))
			w.q.add(health(3))
			w.pump(w.now)
			w.acked(w.now, w.c.ack(forge(w)).payload)
			if w.q.state.Through != 1 {
				t.Fatalf("it freed records up to %d", w.q.state.Through)
			}
		})
	}
}

func TestAnotherStoreIsRefusedUntilItIsTrustedAndSaysSo(t *testing.T) {
	w := joined(t)
	w.c.store, w.c.start, w.c.through = "store-2", 1, map[string]uint64{}
	w.collector(w.now, w.c.status().payload)
	if err := w.calm(); err != nil {
		t.Fatal(err)
	}
	if w.q.state.Store != "store-1" || w.troubles[fact.AlarmStoreChanged] == "" {
		t.Fatalf("state %+v, troubles %v", w.q.state, w.troubles)
	}
	w.q.state.Store = "store-2" // gatehouse journal trust store-2
	w.pass(resendLast)
	if err := w.calm(); err != nil {
		t.Fatal(err)
	}
	if w.troubles[fact.AlarmStoreChanged] != "" || w.c.through[testJID] != 1 {
		t.Fatalf("troubles %v, the new store has %d", w.troubles, w.c.through[testJID])
	}
}

func TestAStoreThatKnowsMoreThanTheJournalStartsANewJournal(t *testing.T) {
	w := newWorld()
	w.q.add(health(1))
	w.c.through[testJID] = 7
	w.up(w.now)
	if err := w.calm(); err != nil {
		t.Fatal(err)
	}
	if w.q.renewed != 1 || w.q.jid == testJID {
		t.Fatalf("renewed %d times, jid %s", w.q.renewed, w.q.jid)
	}
}

func TestARestoredStoreRaisesItsTermAndGetsTheTailAgain(t *testing.T) {
	w := joined(t)
	w.c.term = 5
	w.collector(w.now, w.c.status().payload)
	if err := w.calm(); err != nil {
		t.Fatal(err)
	}
	if w.q.state.Term != 5 {
		t.Fatalf("term %d", w.q.state.Term)
	}
	w.c.term, w.c.through, w.c.rows, w.c.start = 2, map[string]uint64{}, map[string][]byte{}, 1 // the backup
	w.collector(w.now, w.c.status().payload)
	if err := w.calm(); err != nil {
		t.Fatal(err)
	}
	if w.c.term != 6 || w.c.through[testJID] != 1 || w.q.state.Term != 6 {
		t.Fatalf("term %d, through %d, the agent's term %d", w.c.term, w.c.through[testJID], w.q.state.Term)
	}
}

// A journal that knows a term which the store does not believe says what to do,
// and is not sent back by the store's answer.
func TestAnAnswerBelowTheJournalsTermIsRefusedAndSaysWhatToDo(t *testing.T) {
	w := joined(t)
	w.q.state.Term, w.q.state.Proof = 9, "" // nobody signed that
	w.collector(w.now, w.c.status().payload)
	if err := w.calm(); err != nil {
		t.Fatal(err)
	}
	if w.greeting.answered || w.q.state.Term != 9 || !strings.Contains(w.troubles[fact.AlarmStoreChanged], "gatehouse journal trust store-1") {
		t.Fatalf("ready %v, state %+v, troubles %v", w.greeting.answered, w.q.state, w.troubles)
	}
	w.q.state.Term = 0 // gatehouse journal trust store-1
	w.pass(resendLast)
	if err := w.calm(); err != nil {
		t.Fatal(err)
	}
	if !w.greeting.answered || w.troubles[fact.AlarmStoreChanged] != "" || w.q.state.Term != 1 || w.q.state.Proof == "" {
		t.Fatalf("ready %v, state %+v, troubles %v", w.greeting.answered, w.q.state, w.troubles)
	}
}

// A journal of an earlier version knows a term and not who gave it: the first
// answer at that term is kept.
func TestTheFirstAnswerProvesATermThatWasKnownBefore(t *testing.T) {
	w := newWorld()
	w.q.add(health(1))
	w.q.state = journal.State{Store: "store-1", Term: 1}
	w.up(w.now)
	if err := w.calm(); err != nil {
		t.Fatal(err)
	}
	w.hello(w.now, helloEvery)
	h, err := wire.Decode[wire.Hello](w.toCounty[0].payload)
	if err != nil || h.ProvenTerm("county", "gate", "store-1", w.collectorKey) != 1 {
		t.Fatalf("the hello is %+v, %v", h, err)
	}
}

func TestAHelloThatNobodyHeardIsSaidAgainWhenTheCollectorIsBack(t *testing.T) {
	w := newWorld()
	w.q.add(health(1))
	w.up(w.now)
	w.toCounty = nil // the broker was up before its collector
	w.collector(w.now, w.c.status().payload)
	if err := w.calm(); err != nil {
		t.Fatal(err)
	}
	if w.c.through[testJID] != 1 {
		t.Fatal("the agent waits for its timer")
	}
}

func TestGarbageOnTheAckTopicIsRefused(t *testing.T) {
	w := joined(t)
	for _, payload := range []string{"", "{", `{"v":1}`, `{"v":2}`, "null", `{"v":1,"sig":"AA=="}`} {
		w.acked(w.now, json.RawMessage(payload))
		w.collector(w.now, json.RawMessage(payload))
	}
	if w.q.state.Through != 1 {
		t.Fatalf("state %+v", w.q.state)
	}
}
