package storetest

import (
	"slices"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func renewed(t suite, _ func() Opened) {
	old := Batch(1, 1, 6)
	t.commit(old)
	fresh := Batch(1, 3, 8) // 3 to 6 are stored, and their acknowledgement was lost
	fresh.JID, fresh.From = JID(2), 1
	fresh.Holes = []wire.Hole{{From: 1, To: 2, Reason: "renewed", Count: 2}}
	fresh.Entries[0] = Entry(3, Reading(3900)) // another record under the same seq
	for range 2 {
		r := t.commit(fresh)[0]
		if r.Through != 8 || len(r.Rejected) != 0 || !slices.Equal(r.Repeated, []uint64{4, 5, 6}) {
			t.Fatalf("receipt %+v", r)
		}
		t.rows("1:1 1:2 1:3 1:4 1:5 1:6 2:3 2:7 2:8")
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
		t.Fatalf("%d repeated in holes %v, %d lost, %v", n, holes, lost, err)
	}
}

// alarmAhead returns an alarm that is sent ahead of its journal.
func alarmAhead(n int, seq uint64) store.Batch {
	b := Empty(n, seq, seq)
	b.Ahead = true
	alarm := &wire.Alarm{ID: "device-gone:reader", Type: "device-gone", Device: "reader", State: fact.AlarmRaised}
	b.Entries = []wire.Entry{Entry(seq, alarm)}
	return b
}

// farOff sends alarms ahead whose seqs are far beyond, and far behind, what is
// sent in order: they must not affect other records, nor be taken for another
// content.
func farOff(t suite, _ func() Opened) {
	const step, last = 250, 9000
	t.commit(Batch(1, 1, step), Batch(1, step+1, 2*step))
	if r := t.commit(alarmAhead(1, 20001))[0]; r.Ahead != 20001 || len(r.Rejected) != 0 {
		t.Fatalf("far beyond: %+v", r)
	}
	if r := t.commit(Batch(1, step+1, 2*step))[0]; r.Through != 2*step || r.New != 0 || len(r.Rejected) != 0 {
		t.Fatalf("sent again: %+v", r)
	}
	for from := uint64(2*step + 1); from < last; from += step {
		t.commit(Batch(1, from, from+step-1))
	}
	behind := alarmAhead(1, 2)
	behind.Entries = Batch(1, 2, 2).Entries // as it is stored
	if r := t.commit(behind)[0]; r.Ahead != 2 || len(r.Rejected) != 0 || r.Through != last {
		t.Fatalf("far behind: %+v", r)
	}
	t.count(last + 1)
	// It is stored once also when it comes again under a new jid.
	again := alarmAhead(1, 20001)
	again.JID = JID(2)
	if r := t.commit(again)[0]; r.Ahead != 20001 || len(r.Repeated) != 1 {
		t.Fatalf("under another jid: %+v", r)
	}
	t.count(last + 1)
}
