package influx_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// server runs a real InfluxDB until the test ends.
func server(t testing.TB) (url string) {
	t.Helper()
	s, err := influxd.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.URL
}

func open(t testing.TB, url, books string) *archive.Archive {
	t.Helper()
	s, err := archive.OpenInflux(books, influx.Options{URL: url, Token: influxd.Token, Bucket: influxd.Bucket,
		County: filepath.Base(filepath.Dir(books)), CheckEvery: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func opened(a *archive.Archive) storetest.Opened {
	return storetest.Opened{Store: a.Store, Books: a.Books}
}

func TestStore(t *testing.T) {
	url := server(t)
	storetest.Run(t, func(t *testing.T) (storetest.Opened, func() storetest.Opened) {
		books := filepath.Join(t.TempDir(), strings.ReplaceAll(t.Name(), "/", "_"), "books.db")
		if err := os.MkdirAll(filepath.Dir(books), 0o700); err != nil {
			t.Fatal(err)
		}
		s := open(t, url, books)
		return opened(s), func() storetest.Opened {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return opened(open(t, url, books))
		}
	})
}

func TestAfterACrashBetweenPointsAndBooksTheSamePointsAreWritten(t *testing.T) {
	url := server(t)
	books := filepath.Join(t.TempDir(), "books.db")
	s := open(t, url, books)
	commit(t, s, storetest.Batch(1, 1, 2))
	s.Close()
	backup, err := os.ReadFile(books) // the books before the crash; a closed file has no WAL
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, url, books)
	commit(t, s, storetest.Batch(1, 3, 8)) // points and books
	s.Close()
	if err := os.WriteFile(books, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, url, books) // the points are there, and not in the books
	if r := commit(t, s, storetest.Batch(1, 3, 8))[0]; r.Through != 8 || len(r.Rejected) != 0 {
		t.Fatalf("receipt %+v", r)
	}
	if n := count(t, s); n != 8 {
		t.Fatalf("%d rows after the rewrite", n)
	}
}

func TestAWipedDatabaseBeginsANewTermAndNeedsEverythingAgain(t *testing.T) {
	url := server(t)
	s := open(t, url, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 4))
	_, before, _ := s.Identity(t.Context())
	if err := influxd.DropDatabase(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if err := influxd.CreateDatabase(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if r := commit(t, s, storetest.Batch(1, 5, 6))[0]; !r.Gap || r.Through != 0 {
		t.Fatalf("after the wipe a later batch gives %+v", r)
	}
	if _, after, _ := s.Identity(t.Context()); after <= before {
		t.Fatalf("the term is %d, it was %d", after, before)
	}
	if r := commit(t, s, storetest.Batch(1, 1, 6))[0]; r.Through != 6 || count(t, s) != 6 {
		t.Fatalf("replayed: %+v, %d rows", r, count(t, s))
	}
}

func TestTheMarkerIsCheckedAndWrittenAgainAsTimePasses(t *testing.T) {
	url, now := server(t), storetest.T0
	s, err := archive.OpenInflux(filepath.Join(t.TempDir(), "books.db"), influx.Options{URL: url,
		Token: influxd.Token, Bucket: influxd.Bucket, County: "c", CheckEvery: time.Minute,
		Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	commit(t, s, storetest.Batch(1, 1, 2))
	now = now.Add(13 * time.Hour)
	commit(t, s, storetest.Batch(1, 3, 4))
	if err := influxd.Delete(t.Context(), url, "time < '2020-02-14T12:00:00Z'"); err != nil {
		t.Fatal(err) // as a retention policy does
	}
	now = now.Add(time.Minute)
	commit(t, s, storetest.Batch(1, 5, 6))
	if _, term, err := s.Identity(t.Context()); term != 1 || err != nil {
		t.Errorf("after 13 hours the marker was gone: term %d, %v", term, err)
	}
	if err := influxd.Delete(t.Context(), url, "time > '2020-02-14T12:00:00Z'"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(59 * time.Second)
	commit(t, s, storetest.Batch(1, 7, 8)) // not checked yet
	now = now.Add(time.Second)
	if r := commit(t, s, storetest.Batch(1, 9, 10))[0]; !r.Gap {
		t.Errorf("without a marker: %+v", r)
	}
}

// A database restored from a backup has the right marker, and lacks what was
// written after the backup: only an operator can tell.
func TestADatabaseRestoredFromABackupIsFilledAgainAfterARewind(t *testing.T) {
	url := server(t)
	s := open(t, url, filepath.Join(t.TempDir(), "books.db"))
	at := func(d time.Duration, from, to uint64) store.Batch {
		b := storetest.Batch(1, from, to)
		b.Received = storetest.T0.Add(d)
		return b
	}
	reports := storetest.Batch(2, 1, 3) // nobody sends these again
	sent := []store.Batch{at(0, 1, 4), at(2*time.Hour, 5, 8), at(2*time.Hour+time.Minute, 9, 12)}
	for _, b := range append(sent, reports) {
		commit(t, s, b)
	}
	// Points of records have the time of their first seq below a second; see cutTime.
	since := time.Unix(0, storetest.T0.UnixNano()&^(1<<30-1)+5<<8).UTC().Format(time.RFC3339Nano)
	if err := influxd.Delete(t.Context(), url, "time >= '"+since+"' AND agent = 'gate-001'"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); n != 7 {
		t.Fatalf("the backup has %d rows", n)
	}
	if commit(t, s, sent...); count(t, s) != 7 {
		t.Fatal("records were written again that are in the books")
	}
	n, err := s.Rewind(t.Context(), storetest.T0.Add(2*time.Hour+30*time.Second),
		func(p store.Position) bool { return p.Agent == "gate-002" })
	if err != nil || n != 1 {
		t.Fatalf("%d journals were set back, %v", n, err)
	}
	if r := commit(t, s, sent[2])[0]; !r.Gap || r.Through != 4 {
		t.Fatalf("a later batch gives %+v", r)
	}
	for _, r := range commit(t, s, sent...) {
		if r.Gap || len(r.Rejected) != 0 {
			t.Fatalf("sent again: %+v", r)
		}
	}
	pos, err := s.Position(t.Context(), storetest.JID(2))
	if n := count(t, s); err != nil || pos.Through != 3 || n != 15 {
		t.Fatalf("the reports are at %d, %v; %d rows", pos.Through, err, n)
	}
}

func commit(t testing.TB, s store.Store, batches ...store.Batch) []store.Receipt {
	t.Helper()
	r, err := s.Commit(context.Background(), batches)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func count(t testing.TB, s store.Store) (n int) {
	t.Helper()
	for _, err := range s.Rows(context.Background(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestCredentialsAreNeverTags(t *testing.T) {
	url := server(t)
	s := open(t, url, filepath.Join(t.TempDir(), "books.db"))
	b := storetest.Batch(1, 1, 2)
	b.Entries[0] = storetest.Entry(1, &wire.Reading{Device: "r", Model: "m", Type: fact.ReadingCard,
		Credential: "k-secret", BootID: "b"})
	commit(t, s, b)
	res, err := http.Get(url + "/query?db=" + influxd.Database + "&q=SHOW+SERIES")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if series := string(text); strings.Contains(series, "k-") || !strings.Contains(series, "card_reading") {
		t.Fatalf("series: %s", series)
	}
}
