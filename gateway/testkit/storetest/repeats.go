package storetest

import (
	"math/rand/v2"
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

// withinASecond commits records of one journal that were made within a second, in many
// small batches, some of them twice, once more cut anew, and then counts them. A store
// that keeps batches by their times must tell these apart.
func withinASecond(t suite, reopen func() Opened) {
	const last = 999 // the milliseconds of a second
	r := rand.New(rand.NewPCG(1, 2))
	var all []store.Batch
	for from := uint64(1); from <= last; {
		to := min(last, from+r.Uint64N(9)) // often of one size
		all = append(all, Batch(1, from, to))
		if r.IntN(8) == 0 {
			all = append(all, Batch(1, from, to)) // its acknowledgement was lost
		}
		from = to + 1
	}
	for some := range slices.Chunk(all, 32) {
		t.commit(some...)
	}
	t.commit(Batch(1, last-49, last-10), Batch(1, last-29, last))
	entries := Batch(1, 1, last).Entries
	t.count(last)
	t.s = reopen()
	t.through(1, last)
	if rows := t.stored(entries...); len(rows) != last {
		t.Fatalf("%d rows after a restart, want %d", len(rows), last)
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
