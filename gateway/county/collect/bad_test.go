package collect_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// settled sends a batch of another agent and waits until it is acknowledged:
// what was sent before has been dealt with, up to what the two take in turns.
func (b *bench) settled(seq uint64) wire.Ack {
	b.t.Helper()
	b.publish("gate-b", wire.LeafRecords, batch(b.t, "gate-b", jidB, seq, seq, false))
	for {
		if a := await(b.t, "acknowledgement of the good agent", b.acks); a.JID == jidB && a.Through == seq {
			return a
		}
	}
}

// quiet fails when the collector announces itself.
func (b *bench) quiet(d time.Duration) {
	b.t.Helper()
	select {
	case st := <-b.status:
		b.t.Fatalf("it announces %+v", st)
	case <-time.After(d):
	}
}

func (b *bench) helloWith(term uint64, proof *wire.Ack) wire.Ack {
	b.t.Helper()
	payload, err := wire.Encode(wire.Hello{V: 1, JID: jidA, First: 1, Last: 7, Term: term,
		Nonce: "0123456789abcdef", KeyID: "k1", Proof: proof})
	if err != nil {
		b.t.Fatal(err)
	}
	b.publish("gate-a", wire.LeafHello, payload)
	return await(b.t, "answer", b.acks)
}

func TestAnUnsignedTermRaisesNothingAndItsAgentIsAnsweredAndNamed(t *testing.T) {
	b := start(t)
	for range 20 {
		if a := b.helloWith(math.MaxUint64-1, nil); a.Term != b.first.Term || a.Nonce == "" {
			t.Fatalf("answered with %+v, the term was %d", a, b.first.Term)
		}
	}
	b.quiet(200 * time.Millisecond)
	who := await(t, "report of it", b.refused)
	if !strings.HasPrefix(who, "gate-a: ") || !strings.Contains(who, "journal trust") {
		t.Errorf("the desk hears %q", who)
	}
	if len(b.refused) != 0 {
		t.Errorf("and again: %q", <-b.refused)
	}
}

func TestATermIsBelievedWithTheAcknowledgementThatGaveIt(t *testing.T) {
	b := start(t)
	const term = math.MaxUint64 - 8 // of a county whose terms were driven up
	signed := func(agent, store string) *wire.Ack {
		a := wire.SignAck(wire.Ack{V: 1, JID: jidA, Through: 7, Store: store, Term: term}, "c", agent, b.secret)
		return &a
	}
	for what, proof := range map[string]*wire.Ack{
		"another agent's": signed("gate-b", "store-1"),
		"another store's": signed("gate-a", "store-2"),
	} {
		if a := b.helloWith(term, proof); a.Term != b.first.Term {
			t.Errorf("%s acknowledgement raised the term to %d", what, a.Term)
		}
	}
	b.quiet(100 * time.Millisecond)
	if a := b.helloWith(term, signed("gate-a", "store-1")); a.Term != term+1 {
		t.Errorf("answered at term %d", a.Term)
	}
	if st := await(t, "announcement", b.status); st.Term != term+1 {
		t.Errorf("announced term %d", st.Term)
	}
	b.helloWith(term, signed("gate-a", "store-1"))
	b.quiet(100 * time.Millisecond)
}

// The term of a county that was poisoned stays where it is when its store is
// restored: nothing overflows, and nothing is announced without a change.
func TestTheHighestTermGoesOn(t *testing.T) {
	b := start(t)
	ack := wire.Ack{V: 1, JID: jidA, Through: 7, Store: "store-1", Term: math.MaxUint64}
	proof := wire.SignAck(ack, "c", "gate-a", b.secret)
	if a := b.helloWith(math.MaxUint64, &proof); a.Term != math.MaxUint64 {
		t.Fatalf("answered at term %d", a.Term)
	}
	await(t, "announcement", b.status)
	for range 5 {
		if a := b.helloWith(math.MaxUint64, &proof); a.Term != math.MaxUint64 {
			t.Fatalf("answered at term %d", a.Term)
		}
	}
	b.quiet(100 * time.Millisecond)
	b.settled(1)
}

func TestAForgedLastWillIsReplacedAndNoAgentSendsAHello(t *testing.T) {
	b := start(t)
	began := time.Now()
	for _, start := range []string{b.first.Start, "another"} {
		payload, err := wire.Encode(wire.CollectorStatus{V: 1, State: fact.Offline, Start: start,
			At: wire.At(time.Unix(1e9, 0))})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			m := mqtt.Message{Topic: wire.Topic("c", wire.CollectorID, wire.LeafStatus), Payload: payload,
				QoS: 1, Retained: true}
			if err := b.agent.Publish(m); err != nil {
				t.Fatal(err)
			}
		}
		if st := await(t, "status against it", b.status); !reflect.DeepEqual(st, b.first) {
			t.Errorf("said %+v, before %+v", st, b.first)
		}
	}
	b.settled(1)
	if n, took := len(b.status), time.Since(began); n > 1+int(took/time.Second) {
		t.Errorf("40 last wills were contradicted %d times more within %s", n, took)
	}
}

func TestTheBrokerCannotBeAskedForTheCollectorsClientID(t *testing.T) {
	b := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	up, ended := make(chan struct{}, 10), make(chan struct{})
	thief := mqtt.New(mqtt.Config{URL: b.url, ClientID: "collector-" + b.first.Start,
		Log: slog.New(slog.DiscardHandler), OnUp: func() { up <- struct{}{} }})
	go func() { defer close(ended); _ = thief.Run(ctx) }()
	await(t, "the thief's connection", up)
	b.quiet(2 * time.Second) // a collector that was thrown off announces itself when it is back
	b.settled(1)
	cancel()
	<-ended
}

// A fault is cut where a character begins: what is signed must arrive as it is.
func TestAFaultInChineseIsSignedAsItArrives(t *testing.T) {
	b := start(t)
	for pad := range 3 {
		b.store.set(fmt.Errorf("%s%s", strings.Repeat("x", pad), strings.Repeat("磁盘已满", 100)))
		b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, uint64(pad)+1, uint64(pad)+1, false))
		for st := await(t, "status with the fault", b.status); ; st = await(t, "status with the fault", b.status) {
			// the bench has checked its signature
			if text, ok := strings.CutPrefix(st.Fault, strings.Repeat("x", pad)); ok && strings.HasPrefix(text, "磁") {
				valid := utf8.ValidString(st.Fault) && !strings.ContainsRune(text, utf8.RuneError)
				if !valid || len(st.Fault) > 400 || len(st.Fault) < 398 {
					t.Errorf("fault of %d bytes: %q", len(st.Fault), st.Fault)
				}
				break
			}
		}
		b.store.set(nil)
		await(t, "acknowledgement", b.acks)
	}
}

func TestOneAgentBeginsOnlySoManyJournals(t *testing.T) {
	b := start(t)
	for i := range 500 {
		from := uint64(1 + i%2) // every other one begins with a gap
		jid := fmt.Sprintf("0190b1c2-0000-7000-8000-%012d", i)
		b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jid, from, from, false))
	}
	if who := await(t, "report of it", b.refused); !strings.HasPrefix(who, "gate-a: ") {
		t.Errorf("the desk hears %q", who)
	}
	b.settled(1)
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	if n := len(b.store.through); n > 20 {
		t.Errorf("the store has %d journals", n)
	}
}

func TestAnAgentMayBeginOneMoreJournalAnHour(t *testing.T) {
	b := start(t)
	journals := 0
	begin := func() {
		journals++
		jid := fmt.Sprintf("0190b1c2-0000-7000-8000-%012d", journals)
		b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jid, 1, 1, false))
	}
	for range 16 {
		begin()
		await(t, "acknowledgement", b.acks)
	}
	for range 48 { // two days
		begin()
		await(t, "report that a journal is refused", b.refused)
		b.passed.Add(int64(time.Hour))
		begin()
		await(t, "acknowledgement an hour later", b.acks)
	}
}

func TestJunkBeyondAnAgentsShareIsDroppedAndItsAgentNamed(t *testing.T) {
	b := start(t, func(s *memory) { s.share = 2 })
	for i := range 10 {
		b.publish("gate-a", wire.LeafRecords, fmt.Appendf(nil, "junk %d", i))
	}
	who := await(t, "report of it", b.refused)
	if !strings.HasPrefix(who, "gate-a: ") || !strings.Contains(who, "gatehouse quarantine") {
		t.Errorf("the desk hears %q", who)
	}
	b.settled(1)
	if n := len(b.store.quarantined()); n != 2 {
		t.Errorf("%d messages are in quarantine", n)
	}
}

// Who sends junk without end is decoded ten times a second; the others, who come
// after it, at once.
func TestJunkDelaysItsOwnAgentOnly(t *testing.T) {
	b := start(t)
	began := time.Now()
	for i := range 400 {
		b.publish("gate-a", wire.LeafRecords, fmt.Appendf(nil, "junk %d", i))
	}
	for seq := range uint64(20) {
		b.settled(seq + 1)
	}
	took := time.Since(began)
	if n := len(b.store.quarantined()); n > 2+int(took/(100*time.Millisecond)) || took > 5*time.Second {
		t.Errorf("%d messages were looked at within %s", n, took)
	}
	if who := await(t, "report of the flood", b.refused); !strings.HasPrefix(who, "gate-a: ") {
		t.Errorf("the desk hears %q", who)
	}
}

// A batch that the store refuses, because its bad records have no room, is not
// acknowledged, and its agent is named.
func TestABatchThatIsRefusedIsNotAcknowledged(t *testing.T) {
	b := start(t, func(s *memory) { s.refuse = "gate-a" })
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 1, false))
	if who := await(t, "report of it", b.refused); !strings.HasPrefix(who, "gate-a: ") {
		t.Errorf("the desk hears %q", who)
	}
	b.publish("gate-b", wire.LeafRecords, batch(t, "gate-b", jidB, 1, 1, false))
	if a := await(t, "acknowledgement", b.acks); a.JID != jidB {
		t.Errorf("acknowledged: %+v", a)
	}
}
