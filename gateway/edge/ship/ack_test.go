package ship

import (
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func TestOnlyTheCountysOwnAcknowledgementFreesRecords(t *testing.T) {
	_, stranger, _ := ed25519.GenerateKey(nil)
	good := wire.Ack{JID: testJID, Through: 3}
	for name, c := range map[string]struct {
		ack   wire.Ack
		forge func(*county)
		frees bool
	}{
		"the county's own":     {good, func(*county) {}, true},
		"another key":          {good, func(c *county) { c.key = stranger }, false},
		"another store":        {good, func(c *county) { c.store = "store-2" }, false},
		"an older term":        {good, func(c *county) { c.term = 0 }, false},
		"another journal":      {wire.Ack{JID: testJID[:34] + "ff", Through: 3}, func(*county) {}, false},
		"beyond what was sent": {wire.Ack{JID: testJID, Through: 9}, func(*county) {}, false},
		"another hello's": {
			wire.Ack{JID: testJID, Through: 3, Nonce: "0123456789abcdef"}, func(*county) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := joined(t)
			w.q.add(health(2))
			w.q.add(health(3))
			w.pump(w.now)
			c.forge(w.c)
			w.acked(w.now, w.c.ack(c.ack).payload)
			if freed := w.q.state.Through == 3; freed != c.frees {
				t.Fatalf("it freed records up to %d", w.q.state.Through)
			}
		})
	}
}

func TestAnotherStoreIsRefusedAndReportedUntilItIsTrusted(t *testing.T) {
	w := joined(t)
	w.c.store, w.c.start, w.c.through = "store-2", 1, map[string]uint64{}
	w.collector(w.now, w.c.status().payload)
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	if w.q.state.Store != "store-1" || w.troubles[fact.AlarmStoreChanged] == "" {
		t.Fatalf("state %+v, troubles %v", w.q.state, w.troubles)
	}
	w.q.state.Store = "store-2" // gatehouse journal trust store-2
	w.pass(helloLast)
	if err := w.settle(); err != nil {
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
	if err := w.settle(); err != nil {
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
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	if w.q.state.Term != 5 {
		t.Fatalf("term %d", w.q.state.Term)
	}
	w.c.term, w.c.through, w.c.rows, w.c.start = 2, map[string]uint64{}, map[string][]byte{}, 1 // the backup
	w.collector(w.now, w.c.status().payload)
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	if w.c.term != 6 || w.c.through[testJID] != 1 || w.q.state.Term != 6 {
		t.Fatalf("term %d, through %d, the agent's term %d", w.c.term, w.c.through[testJID], w.q.state.Term)
	}
}

// A journal that knows a term which the store does not believe says what to do,
// and is not sent back by the store's answer.
func TestAnAnswerBelowTheJournalsTermIsRefusedAndReported(t *testing.T) {
	w := joined(t)
	w.q.state.Term, w.q.state.Proof = 9, "" // nobody signed that
	w.collector(w.now, w.c.status().payload)
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	advice := w.troubles[fact.AlarmStoreChanged]
	if w.greeting.answered || w.q.state.Term != 9 || !strings.Contains(advice, "gatehouse journal trust store-1") {
		t.Fatalf("answered %v, state %+v, troubles %v", w.greeting.answered, w.q.state, w.troubles)
	}
	w.q.state.Term = 0 // gatehouse journal trust store-1
	w.pass(helloLast)
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	if _, reported := w.troubles[fact.AlarmStoreChanged]; !w.greeting.answered || reported {
		t.Fatalf("answered %v, troubles %v", w.greeting.answered, w.troubles)
	}
	if w.q.state.Term != 1 || w.q.state.Proof == "" {
		t.Fatalf("answered %v, state %+v, troubles %v", w.greeting.answered, w.q.state, w.troubles)
	}
}

// A journal of an earlier version knows a term and holds no proof of it: the first
// answer at that term is kept.
func TestTheFirstAnswerProvesATermKnownBefore(t *testing.T) {
	w := newWorld()
	w.q.add(health(1))
	w.q.state = journal.State{Store: "store-1", Term: 1}
	w.up(w.now)
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	w.hello(w.now, helloEvery)
	h, err := wire.Decode[wire.Hello](w.toCounty[0].payload)
	if err != nil || h.ProvenTerm("county", "gate", "store-1", w.collectorKey) != 1 {
		t.Fatalf("the hello is %+v, %v", h, err)
	}
}

func TestALostHelloIsRepeatedWhenTheCollectorIsBack(t *testing.T) {
	w := newWorld()
	w.q.add(health(1))
	w.up(w.now)
	w.toCounty = nil // the broker was up before its collector
	w.collector(w.now, w.c.status().payload)
	if err := w.settle(); err != nil {
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
