package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func committed(t suite, _ func() Opened) {
	b := Batch(1, 1, 6)
	if r := t.commit(b)[0]; r.Through != 6 || r.New != 6 || r.Gap || len(r.Rejected) != 0 || r.JID != JID(1) {
		t.Fatalf("receipt %+v", r)
	}
	t.rows("1:1 1:2 1:3 1:4 1:5 1:6", b.Entries...)
	t.through(1, 6)
	for r, err := range t.s.Rows(t.Context(), store.Query{JID: JID(1), Kind: wire.KindPassage}) {
		if err != nil || r.Kind != wire.KindPassage || r.Agent != "gate-001" || r.Place != b.Place {
			t.Fatalf("row %+v, %v", r, err)
		}
		if at := b.Entries[r.Seq-1].Record.At; !r.At.Equal(at.Time) {
			t.Fatalf("row %d is at %s, want %s", r.Seq, r.At, at)
		}
	}
	var after []uint64
	for r, err := range t.s.Rows(t.Context(), store.Query{JID: JID(1), After: 4}) {
		if err != nil {
			t.Fatal(err)
		}
		after = append(after, r.Seq)
	}
	if !slices.Equal(after, []uint64{5, 6}) {
		t.Fatalf("after seq 4 there are %v", after)
	}
	for r, err := range t.s.Rows(t.Context(), store.Query{JID: JID(9)}) {
		t.Fatalf("a journal that is not known has the row %+v, %v", r, err)
	}
}

func again(t suite, _ func() Opened) {
	t.commit(Batch(1, 1, 4))
	r := t.commit(Batch(1, 1, 4), Batch(1, 3, 6))
	if r[0].Through != 4 || r[0].New != 0 || r[1].Through != 6 || len(r[1].Rejected) != 0 {
		t.Fatalf("receipts %+v", r)
	}
	t.count(6)
}

func gap(t suite, _ func() Opened) {
	if r := t.commit(Batch(1, 3, 4))[0]; !r.Gap || r.Through != 0 {
		t.Fatalf("receipt %+v", r)
	}
	t.count(0)
	r := t.commit(Batch(1, 1, 2), Batch(1, 5, 6), Batch(1, 3, 4))
	if r[0].Gap || !r[1].Gap || r[2].Gap || r[2].Through != 4 {
		t.Fatalf("receipts %+v", r)
	}
}

func ahead(t suite, _ func() Opened) {
	alarm := Entry(5, &wire.Alarm{ID: "fever:4", Type: "fever", State: fact.AlarmRaised, Passage: 4})
	b := Empty(1, 5, 5)
	b.Ahead, b.Entries = true, []wire.Entry{alarm}
	for range 2 {
		if r := t.commit(b)[0]; r.Ahead != 5 || r.Through != 0 || r.Gap {
			t.Fatalf("receipt %+v", r)
		}
	}
	t.through(1, 0)
	inOrder := Batch(1, 1, 5)
	inOrder.Entries[4] = alarm
	if r := t.commit(inOrder)[0]; r.Through != 5 || len(r.Rejected) != 0 {
		t.Fatalf("receipt %+v", r)
	}
	t.rows("1:1 1:2 1:3 1:4 1:5", alarm)
}

func holes(t suite, _ func() Opened) {
	b := Batch(1, 1, 2)
	b.To, b.Holes = 9, []wire.Hole{{From: 3, To: 9, Reason: "damaged", Count: 7}}
	for range 2 {
		if r := t.commit(b)[0]; r.Through != 9 {
			t.Fatalf("receipt %+v", r)
		}
	}
	h, err := t.s.Holes(t.Context())
	if err != nil || len(h) != 1 || h[0].Hole != b.Holes[0] || h[0].Agent != "gate-001" || h[0].JID != JID(1) {
		t.Fatalf("holes %+v, %v", h, err)
	}
	t.through(1, 9)
}

func unknown(t suite, _ func() Opened) {
	b := Empty(1, 1, 1)
	body := []byte(`{"device":"d","state":"ok","later":{"x":[1,2.50,"é\u0000"]}}`)
	b.Entries = []wire.Entry{raw(1, wire.KindHealth, body)}
	t.commit(b)
	t.rows("1:1", b.Entries...)
}

func restart(t suite, reopen func() Opened) {
	b := Batch(1, 1, 4)
	b.To, b.Holes = 5, []wire.Hole{{From: 5, To: 5, Reason: "disk-full", Count: 1}}
	t.commit(b)
	id, term, err := t.s.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.s = reopen()
	t.through(1, 5)
	t.rows("1:1 1:2 1:3 1:4", b.Entries...)
	if id2, term2, err := t.s.Identity(t.Context()); err != nil || id2 != id || term2 != term {
		t.Fatalf("after the restart the store is %s at term %d, it was %s at %d; %v", id2, term2, id, term, err)
	}
	t.commit(Batch(1, 6, 7))
	t.through(1, 7)
}

func identity(t suite, reopen func() Opened) {
	id, term, err := t.s.Identity(t.Context())
	if err != nil || len(id) != 36 || term != 1 {
		t.Fatalf("a new store is %s at term %d; %v", id, term, err)
	}
	for _, c := range []struct{ ask, want uint64 }{{7, 7}, {3, 7}, {7, 7}, {8, 8}} {
		if got, err := t.s.RaiseTerm(t.Context(), c.ask); err != nil || got != c.want {
			t.Fatalf("raised to %d: %d, %v", c.ask, got, err)
		}
	}
	t.s = reopen()
	if id2, term, err := t.s.Identity(t.Context()); err != nil || id2 != id || term != 8 {
		t.Fatalf("after the restart: %s at term %d; %v", id2, term, err)
	}
}

func place(t suite, _ func() Opened) {
	t.commit(Batch(1, 1, 2))
	moved := Batch(1, 2, 4)
	moved.Place.Compound = "elsewhere"
	t.commit(moved)
	for r, err := range t.s.Rows(t.Context(), store.Query{}) {
		if err != nil || r.Place.Compound != "k1" {
			t.Fatalf("row %d is at %+v, %v", r.Seq, r.Place, err)
		}
	}
	t.count(4)
}

func overlap(t suite, _ func() Opened) {
	rnd := rand.New(rand.NewPCG(1, 2))
	done := map[int]uint64{}
	for range 60 {
		n := 1 + rnd.IntN(3)
		from := max(1, int(done[n])+1-rnd.IntN(8))
		if rnd.IntN(5) == 0 {
			from += rnd.IntN(4)
		}
		to := uint64(from + rnd.IntN(9))
		r := t.commit(Batch(n, uint64(from), to))[0]
		if r.Gap != (uint64(from) > done[n]+1) {
			t.Fatalf("watermark %d, batch from %d: %+v", done[n], from, r)
		}
		if !r.Gap {
			done[n] = max(done[n], to)
		}
		t.through(n, done[n])
	}
	var want []string
	for n := 1; n <= 3; n++ {
		for seq := uint64(1); seq <= done[n]; seq++ {
			want = append(want, fmt.Sprintf("%d:%d", n, seq))
		}
	}
	got := t.stored()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(t.quarantined()) != 0 {
		t.Fatalf("%d rows, want %d; %d in quarantine", len(got), len(want), len(t.quarantined()))
	}
}

func twoJournals(t suite, _ func() Opened) {
	a, b := Batch(1, 1, 4), Empty(1, 1, 4)
	b.JID = JID(2)
	for seq := uint64(1); seq <= 4; seq++ {
		b.Entries = append(b.Entries, Entry(seq, Reading(3700)))
	}
	t.commit(a, b)
	t.count(8)
}

func text(t suite, _ func() Opened) {
	b := Empty(1, 1, 1)
	detail := "第一行\nsecond\t\"quoted\" " + strings.Repeat("长", 2000)
	b.Entries = []wire.Entry{Entry(1, &wire.Health{Device: `a"b\c,d=e f`, State: "ok", Detail: detail})}
	t.commit(b)
	t.rows("1:1", b.Entries...)
}
