package storetest

import (
	"errors"
	"slices"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func renewed(t suite, _ func() Opened) {
	old := Batch(1, 1, 6)
	t.commit(old)
	fresh := Batch(1, 3, 8) // 3 to 6 were stored, and their acknowledgement was lost
	fresh.JID, fresh.From = JID(2), 1
	fresh.Holes = []wire.Hole{{From: 1, To: 2, Reason: "renewed", Count: 2}}
	fresh.Entries[0] = Entry(3, Reading(3900)) // of the same seq, and another record
	for range 2 {
		r := t.commit(fresh)[0]
		if r.Through != 8 || len(r.Rejected) != 0 || !slices.Equal(r.Repeated, []uint64{4, 5, 6}) {
			t.Fatalf("receipt %+v", r)
		}
		if got := t.rows(); !slices.Equal(got, []string{"1:1", "1:2", "1:3", "1:4", "1:5", "1:6", "2:3", "2:7", "2:8"}) {
			t.Fatalf("rows %v", got)
		}
	}
	holes, err := t.s.Holes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, h := range holes {
		if h.Reason == store.ReasonRepeated {
			n += int(h.Count)
		}
	}
	if _, lost, err := t.s.Losses(t.Context()); n != 3 || lost != 0 || err != nil {
		t.Fatalf("%d repeated of %v, %d lost, %v", n, holes, lost, err)
	}
}

func retried(t suite, _ func() Opened) {
	b := Batch(1, 1, 3)
	good := b.Entries[1]
	b.Entries = []wire.Entry{b.Entries[0], b.Entries[2]}
	b.Bad = []wire.Bad{{Seq: 2, Raw: good.Raw, Reason: "a field of another type"}}
	t.commit(b)
	if err := t.s.Quarantine(t.Context(), store.Poison{Agent: "gate-001", JID: JID(1), Seq: 9, Reason: "no record", Raw: []byte("{")}); err != nil {
		t.Fatal(err)
	}
	if err := t.s.Quarantine(t.Context(), store.Poison{Agent: "gate-001", JID: JID(1), Seq: 3, Reason: store.ReasonConflict, Raw: Entry(3, Reading(4000)).Raw}); err != nil {
		t.Fatal(err)
	}
	for _, p := range t.quarantined() {
		err := t.s.Retry(t.Context(), t.s, p)
		if stays := p.Seq != 2; errors.Is(err, books.ErrStays) != stays || err != nil && !stays {
			t.Errorf("seq %d: %v", p.Seq, err)
		}
	}
	if got := t.rows(good); !slices.Equal(got, []string{"1:1", "1:2", "1:3"}) {
		t.Errorf("rows %v", got)
	}
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
	if got, err := t.s.Conflicts(t.Context()); err != nil || !slices.Equal(got, []store.Conflicts{{Agent: "gate-001", Count: 1, JID: JID(1), Seq: 3}}) {
		t.Fatalf("conflicts %+v, %v", got, err)
	}
	if err := t.s.Quarantine(t.Context(), store.Poison{Agent: "gate-001", Topic: "x", Reason: "no batch", Raw: []byte("{")}); err != nil {
		t.Fatal(err)
	}
	for _, p := range t.quarantined() {
		if ok, err := t.s.Drop(t.Context(), p.ID); !ok || err != nil {
			t.Fatalf("dropped: %v, %v", ok, err)
		}
	}
	holes, err := t.s.Holes(t.Context())
	if err != nil || len(holes) != 1 || holes[0].Hole != (wire.Hole{From: 2, To: 2, Reason: store.ReasonDropped, Count: 1}) || holes[0].JID != JID(1) {
		t.Fatalf("holes %+v, %v", holes, err)
	}
	if quarantined, lost, err := t.s.Losses(t.Context()); quarantined != 0 || lost != 1 || err != nil {
		t.Fatalf("%d quarantined, %d lost, %v", quarantined, lost, err)
	}
	if got, err := t.s.Conflicts(t.Context()); err != nil || len(got) != 0 {
		t.Fatalf("conflicts %+v, %v", got, err)
	}
}

// overtaking is an alarm's copy that overtakes its journal.
func overtaking(n int, seq uint64) store.Batch {
	b := Empty(n, seq, seq)
	b.Ahead = true
	b.Entries = []wire.Entry{Entry(seq, &wire.Alarm{ID: "device-gone:reader", Type: "device-gone", Device: "reader", State: fact.AlarmRaised})}
	return b
}

// farOff sends alarms ahead that lie far before, and far behind, what is sent in
// order: neither may cost anything else, nor count as another content.
func farOff(t suite, _ func() Opened) {
	const step, last = 250, 9000
	t.commit(Batch(1, 1, step), Batch(1, step+1, 2*step))
	if r := t.commit(overtaking(1, 20001))[0]; r.Ahead != 20001 || len(r.Rejected) != 0 {
		t.Fatalf("far before: %+v", r)
	}
	if r := t.commit(Batch(1, step+1, 2*step))[0]; r.Through != 2*step || r.New != 0 || len(r.Rejected) != 0 {
		t.Fatalf("sent again: %+v", r)
	}
	for from := uint64(2*step + 1); from < last; from += step {
		t.commit(Batch(1, from, from+step-1))
	}
	behind := overtaking(1, 2)
	behind.Entries = Batch(1, 2, 2).Entries // as it is stored
	if r := t.commit(behind)[0]; r.Ahead != 2 || len(r.Rejected) != 0 || r.Through != last {
		t.Fatalf("far behind: %+v", r)
	}
	if got := len(t.rows()); got != last+1 {
		t.Fatalf("%d rows", got)
	}
	// Under a new jid of its journal, too, it is stored once.
	again := overtaking(1, 20001)
	again.JID = JID(2)
	if r := t.commit(again)[0]; r.Ahead != 20001 || len(r.Repeated) != 1 {
		t.Fatalf("under another jid: %+v", r)
	}
	if got := len(t.rows()); got != last+1 {
		t.Fatalf("%d rows after a new jid", got)
	}
}
