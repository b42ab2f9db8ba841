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
	"gatehouse/gateway/testkit/influxd"
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

// weekly opens a store in a bucket that keeps records for a week.
func weekly(t *testing.T, url string) (s *archive.Archive, log *bytes.Buffer) {
	t.Helper()
	if err := influxd.Statement(t.Context(), url, "CREATE DATABASE ret7 WITH DURATION 7d NAME week"); err != nil {
		t.Fatal(err)
	}
	log = &bytes.Buffer{}
	s, err := archive.OpenInflux(filepath.Join(t.TempDir(), "books.db"), influx.Options{URL: url,
		Token: influxd.Token, Bucket: "ret7/week", County: "c", Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, log
}

func TestWhatTheBucketDoesNotKeepBecomesAHoleAndTheRestIsStored(t *testing.T) {
	f := newProxy(t)
	s, log := weekly(t, f.url)
	now, day := time.Now(), 24*time.Hour
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
	// Somebody shortens the retention: the database refuses what was thought inside.
	if err := influxd.Statement(t.Context(), f.url, "ALTER RETENTION POLICY week ON ret7 DURATION 1d"); err != nil {
		t.Fatal(err)
	}
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
	stays := store.Poison{Agent: "gate-003", JID: storetest.JID(3), Seq: 5, Reason: "x", Raw: old.Entries[4].Raw}
	if err := s.Quarantine(t.Context(), stays); err != nil {
		t.Fatal(err)
	}
	q, err := s.Quarantined(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Retry(t.Context(), q[0]); !errors.Is(err, books.ErrStays) {
		t.Errorf("a record that is too old leaves the quarantine: %v", err)
	}
}

// A database whose clock is wrong refuses what is new: nothing is given up.
func TestADatabaseThatTakesTheNewestForTooOldIsAtFault(t *testing.T) {
	f := newProxy(t)
	s, _ := weekly(t, f.url)
	commit(t, s, at(time.Now(), storetest.Batch(1, 1, 2)))
	f.answerWith(t, func(w http.ResponseWriter, _ string) bool {
		w.Header().Set("X-Influxdb-Version", "v2.7.12")
		http.Error(w, `{"error":"partial write: points beyond retention policy dropped=1"}`,
			http.StatusUnprocessableEntity)
		return true
	})
	_, err := s.Commit(t.Context(), []store.Batch{at(time.Now(), storetest.Batch(1, 3, 9))})
	if !errors.Is(err, store.ErrFault) {
		t.Errorf("error %v", err)
	}
	if holes, err := s.Holes(t.Context()); len(holes) != 0 || err != nil {
		t.Errorf("holes %+v, %v", holes, err)
	}
}
