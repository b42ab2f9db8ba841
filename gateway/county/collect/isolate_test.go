package collect_test

import (
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/wire"
)

// The store takes no commit with what gate-a sends. It comes first, and alone.
func TestTheBatchesOfOneAgentThatTheStoreDoesNotTakeHoldUpNobody(t *testing.T) {
	b := start(t, func(s *memory) { s.broken = "gate-a" })
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 3, false))
	for st := await(t, "status", b.status); st.Fault == ""; st = await(t, "status with the fault", b.status) {
	}
	b.settled(1)
	if who := await(t, "report of it", b.refused); !strings.HasPrefix(who, "gate-a: the store takes") {
		t.Errorf("the desk hears %q", who)
	}
	for st := await(t, "status", b.status); st.Fault != ""; st = await(t, "status without the fault", b.status) {
	}
	// From now on they are tried by themselves.
	for seq := uint64(2); seq < 20; seq++ {
		b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 3, false))
		b.settled(seq)
	}
	b.quiet(200 * time.Millisecond)
	b.store.mu.Lock()
	b.store.broken = ""
	b.store.mu.Unlock()
	b.passed.Add(int64(time.Minute))
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 3, false))
	if a := await(t, "acknowledgement", b.acks); a.JID != jidA || a.Through != 3 {
		t.Errorf("acknowledged: %+v", a)
	}
}

// The store takes single records of gate-a, some of which go to quarantine, as
// InfluxDB does with many that it refuses.
func TestABatchThatTheStoreDoesNotTakeAsAWholeIsStoredInParts(t *testing.T) {
	b := start(t, func(s *memory) { s.broken, s.least = "gate-a", 1 })
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 8, false))
	b.settled(1)
	b.settled(2) // the first is acknowledged before gate-a is set apart, the second after it
	for through := uint64(0); through < 8; {
		b.passed.Add(int64(time.Minute))
		b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, through+1, 8, false))
		a := await(t, "acknowledgement", b.acks)
		if a.JID != jidA || a.Through <= through {
			t.Fatalf("acknowledged: %+v", a)
		}
		through = a.Through
	}
}

// When it takes nobody's, nobody is named, and all is kept.
func TestAStoreThatTakesNothingIsAtFaultItself(t *testing.T) {
	b := start(t)
	b.store.set(errBroken)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 3, false))
	b.publish("gate-b", wire.LeafRecords, batch(t, "gate-b", jidB, 1, 3, false))
	for st := await(t, "status", b.status); st.Fault == ""; st = await(t, "status with the fault", b.status) {
	}
	b.tried(6) // each of the two by itself, several times
	b.store.set(nil)
	got := map[string]bool{}
	for len(got) < 2 {
		got[await(t, "acknowledgement", b.acks).JID] = true
	}
	if len(b.refused) > 0 {
		t.Errorf("the desk hears %q", <-b.refused)
	}
}

// tried waits until the store was asked for so many commits.
func (b *bench) tried(commits int) {
	b.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		b.store.mu.Lock()
		n := b.store.calls.asked
		b.store.mu.Unlock()
		if n >= commits {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%d commits were tried", n)
		}
	}
}
