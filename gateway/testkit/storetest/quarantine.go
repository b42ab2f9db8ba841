package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/wire"
)

// junk returns a message of n bytes that can't be decoded, another one for each i.
func junk(agent string, i, n int) store.Poison {
	raw := bytes.Repeat(fmt.Appendf(nil, "%08d", i), n/8)
	return store.Poison{At: T0, Agent: agent, Topic: "t", Reason: "no batch", Raw: raw}
}

// share fills one agent's share. Beyond it batches are refused as a whole, what is
// in quarantine may come again, and other agents are not affected.
func share(t suite, reopen func() Opened) {
	const size = 1 << 20
	n := 0
	for ; ; n++ {
		err := t.s.Quarantine(t.Context(), junk("gate-001", n, size))
		if errors.Is(err, store.ErrShare) {
			break
		}
		if err != nil || n > store.ShareBytes/size {
			t.Fatalf("message %d of 1 MiB: %v", n, err)
		}
	}
	if n < store.ShareBytes/size-1 {
		t.Fatalf("only %d MiB fit", n)
	}
	if err := t.s.Quarantine(t.Context(), junk("gate-001", 0, size)); err != nil {
		t.Errorf("a message that is in quarantine: %v", err)
	}
	if err := t.s.Quarantine(t.Context(), junk("gate-002", 0, size)); err != nil {
		t.Errorf("a message of another agent: %v", err)
	}
	// A bad record holds its batch back, and the batches after it.
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
	// After one message was dropped there is room again.
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

func bad(t suite, _ func() Opened) {
	b := Batch(1, 1, 2)
	b.To, b.Bad = 3, []wire.Bad{{Seq: 3, Raw: []byte(`{"seq":3,"kind":"dream"}`), Reason: "unknown kind"}}
	if r := t.commit(b)[0]; r.Through != 3 || len(r.Rejected) != 1 {
		t.Fatalf("receipt %+v", r)
	}
	q := t.quarantined()
	if len(q) != 1 || q[0].Agent != "gate-001" || q[0].JID != JID(1) || q[0].Seq != 3 {
		t.Fatalf("quarantine %+v", q)
	}
	if q[0].Reason != "unknown kind" || !bytes.Equal(q[0].Raw, b.Bad[0].Raw) {
		t.Fatalf("quarantine %+v", q)
	}
}

func conflict(t suite, _ func() Opened) {
	first := Batch(1, 1, 2)
	t.commit(first)
	other := Batch(1, 1, 4)
	other.Entries[0] = Entry(1, Reading(3999))
	r := t.commit(other)[0]
	if r.Through != 4 || len(r.Rejected) != 1 || r.Rejected[0].Seq != 1 {
		t.Fatalf("receipt %+v", r)
	}
	q := t.quarantined()
	if len(q) != 1 || q[0].Reason != store.ReasonConflict || !bytes.Equal(q[0].Raw, other.Entries[0].Raw) {
		t.Fatalf("quarantine %+v", q)
	}
	t.rows("1:1 1:2 1:3 1:4", first.Entries...)
}

func poison(t suite, _ func() Opened) {
	p := store.Poison{At: T0, Agent: "gate-001", Topic: "t", Reason: "not JSON", Raw: []byte{0xff, 0}}
	other := p
	other.Agent = "gate-002"
	for _, x := range []store.Poison{p, p, other, {At: T0, Reason: "empty"}} {
		t.quarantine(x)
	}
	q := t.quarantined()
	if len(q) != 3 || q[2].Reason != p.Reason || !q[2].At.Equal(T0) || !bytes.Equal(q[2].Raw, p.Raw) {
		t.Fatalf("quarantine %+v", q)
	}
}

func retried(t suite, _ func() Opened) {
	b := Batch(1, 1, 3)
	good := b.Entries[1]
	b.Entries = []wire.Entry{b.Entries[0], b.Entries[2]}
	b.Bad = []wire.Bad{{Seq: 2, Raw: good.Raw, Reason: "a field of another type"}}
	t.commit(b)
	p := store.Poison{Agent: "gate-001", JID: JID(1), Seq: 9, Reason: "no record", Raw: []byte("{")}
	t.quarantine(p)
	p.Seq, p.Reason, p.Raw = 3, store.ReasonConflict, Entry(3, Reading(4000)).Raw
	t.quarantine(p)
	for _, p := range t.quarantined() {
		err := t.s.Retry(t.Context(), t.s, p)
		if stays := p.Seq != 2; errors.Is(err, books.ErrStays) != stays || err != nil && !stays {
			t.Errorf("seq %d: %v", p.Seq, err)
		}
	}
	t.rows("1:1 1:2 1:3", good)
	t.through(1, 3)
	left := t.quarantined()
	if len(left) != 2 {
		t.Fatalf("%d rows are left in quarantine", len(left))
	}
	for _, want := range []bool{true, false} {
		if ok, err := t.s.Drop(t.Context(), left[0].ID); ok != want || err != nil {
			t.Errorf("dropped: %v, %v", ok, err)
		}
	}
	if got := t.quarantined(); len(got) != 1 {
		t.Errorf("%d rows are left in quarantine", len(got))
	}
}

func dropped(t suite, _ func() Opened) {
	b := Batch(1, 1, 3)
	b.Bad = []wire.Bad{{Seq: 2, Raw: b.Entries[1].Raw, Reason: "a field of another type"}}
	b.Entries = []wire.Entry{b.Entries[0], b.Entries[2]}
	t.commit(b)
	again := Batch(1, 3, 3)
	again.Entries = []wire.Entry{Entry(3, Reading(4000))}
	t.commit(again)
	t.conflicts(store.Conflicts{Agent: "gate-001", Count: 1, JID: JID(1), Seq: 3})
	t.quarantine(store.Poison{Agent: "gate-001", Topic: "x", Reason: "no batch", Raw: []byte("{")})
	for _, p := range t.quarantined() {
		if ok, err := t.s.Drop(t.Context(), p.ID); !ok || err != nil {
			t.Fatalf("dropped: %v, %v", ok, err)
		}
	}
	holes, err := t.s.Holes(t.Context())
	want := wire.Hole{From: 2, To: 2, Reason: store.ReasonDropped, Count: 1}
	if err != nil || len(holes) != 1 || holes[0].Hole != want || holes[0].JID != JID(1) {
		t.Fatalf("holes %+v, %v", holes, err)
	}
	if quarantined, lost, err := t.s.Losses(t.Context()); quarantined != 0 || lost != 1 || err != nil {
		t.Fatalf("%d quarantined, %d lost, %v", quarantined, lost, err)
	}
	t.conflicts()
}

// quarantine puts p into quarantine.
func (t suite) quarantine(p store.Poison) {
	t.Helper()
	if err := t.s.Quarantine(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// quarantined returns what is in quarantine, newest first.
func (t suite) quarantined() []store.Quarantined {
	t.Helper()
	q, err := t.s.Quarantined(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (t suite) conflicts(want ...store.Conflicts) {
	t.Helper()
	if got, err := t.s.Conflicts(t.Context()); err != nil || !slices.Equal(got, want) {
		t.Fatalf("conflicts %+v, want %+v; %v", got, want, err)
	}
}
