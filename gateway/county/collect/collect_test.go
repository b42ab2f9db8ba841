package collect_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

func TestABatchIsAcknowledgedAfterItsCommit(t *testing.T) {
	b := start(t)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 3, false))
	a := await(t, "acknowledgement", b.acks)
	if a.Through != 3 || a.JID != jidA || a.Store != "store-1" || a.Term != 2 {
		t.Fatalf("got %+v", a)
	}
	if p := b.store.places[jidA]; p.Compound != "compound-1" {
		t.Fatalf("its place is %+v", p)
	}
}

func TestABatchThatTheStoreRefusesIsNotAcknowledgedAndTheStatusSaysWhy(t *testing.T) {
	b := start(t)
	b.store.set(errors.New("disk full\nsecond line"))
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 3, false))
	for {
		if st := await(t, "status with the fault", b.status); st.Fault == "disk full second line" {
			break
		}
	}
	select {
	case a := <-b.acks:
		t.Fatalf("acknowledged %+v without a commit", a)
	default:
	}
	b.store.set(nil)
	if a := await(t, "acknowledgement", b.acks); a.Through != 3 {
		t.Fatalf("got %+v", a)
	}
	for st := range b.status {
		if st.Fault == "" {
			return
		}
	}
}

// A batch before this one was refused or damaged. Its agent hears how far the
// store is, and sends again from there.
func TestABatchBeyondTheWatermarkIsDroppedAndStoredWhenItIsSentAgain(t *testing.T) {
	b := start(t)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 4, 6, false))
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 3, false))
	if a := await(t, "acknowledgement", b.acks); a.Through != 3 {
		t.Fatalf("acknowledged %+v", a)
	}
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 4, 6, false))
	if a := await(t, "acknowledgement", b.acks); a.Through != 6 {
		t.Fatalf("acknowledged %+v", a)
	}
}

// What agents publish is committed in the order in which it came.
func TestTheBatchesOfAnAgentKeepTheirOrder(t *testing.T) {
	b := start(t)
	const rounds, window = 100, wire.MaxWindow
	for i := range uint64(rounds) {
		for seq := i*window + 1; seq <= (i+1)*window; seq++ {
			b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, seq, seq, false))
			b.publish("gate-b", wire.LeafRecords, batch(t, "gate-b", jidB, seq, seq, false))
		}
		through := map[string]uint64{}
		for through[jidA] < (i+1)*window || through[jidB] < (i+1)*window {
			a := await(t, "acknowledgement", b.acks)
			through[a.JID] = a.Through
		}
	}
}

func TestAnAlarmSentAheadIsAcknowledgedByItself(t *testing.T) {
	b := start(t)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 9, 9, true))
	if a := await(t, "acknowledgement", b.acks); a.Ahead != 9 || a.Through != 0 {
		t.Fatalf("got %+v", a)
	}
}

func TestAHelloIsAnsweredFromTheStoreWithItsNonce(t *testing.T) {
	b := start(t)
	b.hello("gate-a", jidA, 7, 1)
	if a := await(t, "answer", b.acks); a.Through != 0 || a.Nonce != "0123456789abcdef" {
		t.Fatalf("got %+v", a)
	}
	b.hello("gate-a", jidA, 7, 8)
	if a := await(t, "answer", b.acks); a.Term != 9 {
		t.Fatalf("a store older than its agents answers at term %d, not above 8", a.Term)
	}
}

func TestWhatCannotBeReadIsQuarantinedAndTheRestGoesOn(t *testing.T) {
	b := start(t)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 1, false))
	await(t, "acknowledgement", b.acks)
	bad := map[string][]byte{
		"garbage":           []byte("\xff\x00 not JSON"),
		"NaN":               []byte(`{"v":1,"agent":"gate-a","jid":"` + jidA + `","from":NaN}`),
		"wrong types":       []byte(`{"v":"1","agent":7}`),
		"of another agent":  batch(t, "gate-b", jidB, 1, 1, false),
		"of a copied disk":  batch(t, "gate-b", jidA, 2, 2, false),
		"version 2":         []byte(`{"v":2}`),
		"empty":             {},
		"hello, wrong type": []byte(`{"v":1,"jid":3}`),
	}
	for name, payload := range bad {
		switch name {
		case "of a copied disk":
			b.publish("gate-b", wire.LeafRecords, payload)
		case "hello, wrong type":
			b.publish("gate-a", wire.LeafHello, payload)
		default:
			b.publish("gate-a", wire.LeafRecords, payload)
		}
	}
	b.awaitQuarantine(len(bad))
	for _, p := range b.store.quarantined() {
		if p.Reason == "" || p.Topic == "" {
			t.Errorf("a row without reason or topic: %+v", p)
		}
	}
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 2, 2, false))
	for {
		if a := await(t, "acknowledgement of a sound batch", b.acks); a.Through == 2 {
			return
		}
	}
}

func TestADamagedBatchIsNeitherStoredNorQuarantined(t *testing.T) {
	b := start(t)
	payload := batch(t, "gate-a", jidA, 1, 1, false)
	damaged := []byte(string(payload))
	for i := range damaged {
		if string(damaged[i:min(i+4, len(damaged))]) == `"ok"` {
			damaged[i+1] = 'p'
		}
	}
	b.publish("gate-a", wire.LeafRecords, damaged)
	b.publish("gate-b", wire.LeafRecords, batch(t, "gate-b", jidB, 1, 1, false))
	if a := await(t, "acknowledgement", b.acks); a.JID != jidB {
		t.Fatalf("the damaged batch was acknowledged: %+v", a)
	}
	if q := b.store.quarantined(); len(q) != 0 {
		t.Fatalf("quarantine holds %+v", q)
	}
	b.publish("gate-a", wire.LeafRecords, payload)
	if a := await(t, "acknowledgement of the sound copy", b.acks); a.JID != jidA {
		t.Fatalf("got %+v", a)
	}
}

func TestManyBatchesShareACommit(t *testing.T) {
	b := start(t)
	const n = 400
	for i := range uint64(n) {
		agent, jid := fmt.Sprint("gate-", i), fmt.Sprintf("0190b1c2-0000-7000-8000-%012d", i)
		b.publish(agent, wire.LeafRecords, batch(t, agent, jid, 1, 1, false))
	}
	for range n {
		await(t, "acknowledgement", b.acks)
	}
	if commits := b.store.committed(); commits >= n {
		t.Fatalf("%d batches took %d commits", n, commits)
	}
}

func TestOfTwoCollectorsTheOneStartedLastGoesOn(t *testing.T) {
	b := start(t)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 1, false))
	await(t, "acknowledgement", b.acks)
	copied := newMemory()
	copied.through[jidA], copied.owner[jidA] = 1, "gate-a"
	fenced := make(chan string, 1)
	second := collect.New(collect.Config{County: "c", Version: "test", Key: b.secret,
		Sites: sites{}, Store: copied, Broker: mqtt.Broker{URL: b.url}, Log: slog.New(slog.DiscardHandler),
		Fenced: func(reason string) { fenced <- reason }})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = second.Run(ctx) }()
	reason := await(t, "report of the first that it stands down", b.fenced)
	if !strings.Contains(reason, "taken over") {
		t.Error(reason)
	}
	before := b.store.committed()
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 2, 2, false))
	if a := await(t, "acknowledgement", b.acks); a.Through != 2 || a.Term < 3 {
		t.Errorf("got %+v", a)
	}
	if b.store.committed() != before {
		t.Error("the one that stood down has committed")
	}
	// It goes for good, and its last will must not replace the other's status.
	cancel()
	<-done
	select {
	case reason := <-fenced:
		t.Errorf("the second stood down as well: %s", reason)
	default:
	}
}

// It lives and reads on: junk behind the batches goes to quarantine. By then its
// committer has received all batches but those for which its channel has room,
// more than it commits at once.
func TestAStoreWhoseTermWasRaisedByAnotherIsLeftAlone(t *testing.T) {
	b := start(t)
	b.store.set(fmt.Errorf("commit: %w", store.ErrTerm))
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 1, false))
	await(t, "report that it stands down", b.fenced)
	b.store.set(nil)
	before := b.store.committed()
	const agents, each = 8, 10
	for i := range agents {
		agent, jid := fmt.Sprint("gate-", i), fmt.Sprintf("0190b1c2-0000-7000-8000-%012d", i)
		for seq := range uint64(each) {
			b.publish(agent, wire.LeafRecords, batch(t, agent, jid, seq+1, seq+1, false))
		}
		b.publish(agent, wire.LeafRecords, []byte("junk"))
	}
	b.awaitQuarantine(agents)
	if n := b.store.committed(); n != before {
		t.Errorf("%d commits", n-before)
	}
	select {
	case a := <-b.acks:
		t.Errorf("acknowledged: %+v", a)
	default:
	}
}
