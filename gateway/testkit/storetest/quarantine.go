package storetest

import (
	"bytes"
	"errors"
	"fmt"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// junk is a message of n bytes that nobody can read, another one for each i.
func junk(agent string, i, n int) store.Poison {
	return store.Poison{At: T0, Agent: agent, Topic: "t", Reason: "no batch", Raw: bytes.Repeat(fmt.Appendf(nil, "%08d", i), n/8)}
}

// share fills one agent's share: what is beyond is refused and not half stored,
// what is there may come again, and others go on.
func share(t suite, reopen func() Opened) {
	const size = 1 << 20
	n := 0
	for ; ; n++ {
		err := t.s.Quarantine(t.Context(), junk("gate-001", n, size))
		if errors.Is(err, store.ErrShare) {
			break
		}
		if err != nil || n > store.ShareBytes/size {
			t.Fatalf("message %d of a MiB: %v", n, err)
		}
	}
	if n < store.ShareBytes/size-1 {
		t.Fatalf("only %d MiB fit", n)
	}
	if err := t.s.Quarantine(t.Context(), junk("gate-001", 0, size)); err != nil {
		t.Errorf("what is there already: %v", err)
	}
	if err := t.s.Quarantine(t.Context(), junk("gate-002", 0, size)); err != nil {
		t.Errorf("another agent's: %v", err)
	}
	// A record that belongs there holds its batch back, and what follows it.
	first, bad, next := Batch(1, 1, 3), Batch(1, 4, 6), Batch(1, 7, 9)
	bad.Bad = []wire.Bad{{Seq: 5, Raw: junk("", 0, size-100).Raw, Reason: "a field of another type"}}
	bad.Entries = []wire.Entry{bad.Entries[0], bad.Entries[2]}
	other := Batch(2, 1, 2)
	other.Agent = "gate-002"
	r := t.commit(first, bad, next, other)
	if r[0].Through != 3 || !r[1].Refused || r[1].Through != 3 || !r[2].Gap || r[2].Through != 3 || r[3].Through != 2 {
		t.Fatalf("receipts %+v", r)
	}
	t.through(1, 3)
	// Somebody has looked at one and dropped it: there is room again.
	if ok, err := t.s.Drop(t.Context(), t.quarantined()[1].ID); !ok || err != nil {
		t.Fatalf("dropped: %v, %v", ok, err)
	}
	if t.s = reopen(); !t.commit(bad)[0].Refused {
		r = t.commit(next)
	}
	if r[0].Through != 9 {
		t.Fatalf("receipts %+v", r)
	}
	t.through(1, 9)
}
