package influx_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// at moves the times of a batch so that the first record is at t.
func at(t time.Time, b store.Batch) store.Batch {
	for i := range b.Entries {
		r := b.Entries[i].Record
		r.At = wire.At(t.Add(time.Duration(i) * time.Millisecond))
		raw, err := wire.EncodeRecord(r)
		if err != nil {
			panic(err)
		}
		b.Entries[i] = wire.Entry{Record: r, Raw: raw}
	}
	return b
}

const day = 24 * time.Hour

// logged opens a store with a log.
func logged(t *testing.T, o influx.Options) (s *archive.Archive, log *bytes.Buffer) {
	t.Helper()
	log = &bytes.Buffer{}
	o.County, o.Log = "c", slog.New(slog.NewTextHandler(log, nil))
	s, err := archive.OpenInflux(filepath.Join(t.TempDir(), "books.db"), o)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s, log
}

// What the bucket does not keep becomes a hole, and the rest is stored.
func testRetention(t *testing.T, b bucket) {
	b.keep(t, 7*day)
	s, log := logged(t, b.options())
	now := time.Now()
	booted := time.Date(1970, 1, 1, 0, 0, 30, 0, time.UTC)
	mixed := at(booted, storetest.Batch(2, 1, 2))
	mixed.Entries, mixed.To = append(mixed.Entries, at(now, storetest.Batch(2, 3, 4)).Entries...), 4
	r := commit(t, s, at(now, storetest.Batch(1, 1, 2)), of("gate-002", mixed))
	if r[0].Through != 2 || r[0].New != 2 || r[1].Through != 4 || r[1].New != 2 || len(r[1].Beyond) != 2 {
		t.Fatalf("receipts %+v", r)
	}
	holes, err := s.Holes(t.Context())
	want := wire.Hole{From: 1, To: 2, Reason: store.ReasonBeyond, Count: 2}
	if err != nil || len(holes) != 1 || holes[0].Hole != want || holes[0].Agent != "gate-002" {
		t.Errorf("holes %+v, %v", holes, err)
	}
	for _, text := range []string{"keeps=168h0m0s", "agent=gate-002", "1970-01-01T00:00:30"} {
		if !strings.Contains(log.String(), text) {
			t.Errorf("%q is not in the log:\n%s", text, log)
		}
	}
	b.keep(t, day) // somebody shortens it: the database refuses what was thought inside
	old := at(now.Add(-3*day), storetest.Batch(3, 1, 9))
	r = commit(t, s, of("gate-003", old), at(now.Add(time.Second), storetest.Batch(1, 3, 40)))
	if len(r[0].Beyond) != 9 || r[0].Through != 9 || r[1].New != 38 || r[1].Through != 40 {
		t.Fatalf("receipts %+v", r)
	}
	if n := count(t, s); n != 42 {
		t.Errorf("%d rows", n)
	}
	if _, lost, err := s.Losses(t.Context()); lost != 11 || err != nil {
		t.Errorf("%d lost, %v", lost, err)
	}
	if !strings.Contains(log.String(), "keeps=24h0m0s") {
		t.Errorf("the new retention is not in the log:\n%s", log)
	}
	stays := store.Poison{Agent: "gate-003", JID: storetest.JID(3), Seq: 5, Reason: "x", Raw: old.Entries[4].Raw}
	must(t, s.Quarantine(t.Context(), stays))
	q, err := s.Quarantined(t.Context(), 1)
	must(t, err)
	if err := s.Retry(t.Context(), q[0]); !errors.Is(err, books.ErrStays) {
		t.Errorf("a record that is too old leaves the quarantine: %v", err)
	}
}

// At the border of what the bucket keeps each record is stored or a hole, whatever the
// length of the retention; nobody waits.
func testBorder(t *testing.T, b bucket) {
	n := 0
	for _, keeps := range []time.Duration{time.Hour, 25*time.Hour + time.Minute, 7*day + time.Hour} {
		b.keep(t, keeps)
		s, _ := logged(t, b.options())
		for _, beyond := range []time.Duration{-2 * time.Hour, -61 * time.Second, -59 * time.Second, -time.Second,
			-time.Millisecond, 0, time.Second, time.Hour, 30 * day} {
			n++
			x := at(time.Now().Add(-keeps-beyond), storetest.Batch(n, 1, 3))
			r := commit(t, s, x)[0]
			if r.Refused || r.Through != 3 || r.New+len(r.Beyond) != 3 || len(r.Rejected) != 0 {
				t.Errorf("%s beyond %s: %+v", beyond, keeps, r)
			}
			if inside := beyond < -time.Minute; inside != (r.New == 3) {
				t.Errorf("%s beyond %s: %d are stored", beyond, keeps, r.New)
			}
			if got := len(seqs(t, s, store.Query{JID: x.JID})); got != r.New {
				t.Errorf("%s beyond %s: %d of %d can be read", beyond, keeps, got, r.New)
			}
		}
	}
}

// A database whose clock is wrong refuses what is new: nothing is given up.
func testADatabaseThatTakesTheNewestForTooOldIsAtFault(t *testing.T, b bucket) {
	f := newProxy(t, b.options())
	s := openIn(t, f.options, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, at(time.Now(), storetest.Batch(1, 1, 2)))
	for _, message := range []string{"points beyond retention policy dropped=1",
		"dropped 1 points outside retention policy of duration 1h0m0s - oldest point m at 1970-01-01T00:00:00Z " +
			"dropped because it violates a Retention Policy Lower Bound dropped=1 for retention policy: autogen"} {
		f.refuse(t, http.StatusUnprocessableEntity, "", "partial write: "+message)
		_, err := s.Commit(t.Context(), []store.Batch{at(time.Now(), storetest.Batch(1, 3, 9))})
		if !errors.Is(err, store.ErrFault) {
			t.Errorf("%s: error %v", message, err)
		}
	}
	if holes, err := s.Holes(t.Context()); len(holes) != 0 || err != nil {
		t.Errorf("holes %+v, %v", holes, err)
	}
}
