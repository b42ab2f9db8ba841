package influx_test

import (
	"context"
	"io"
	"net/http"
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

// openIn opens a store that checks with each commit what it writes to.
func openIn(t testing.TB, o influx.Options, books string) *archive.Archive {
	t.Helper()
	o.County, o.CheckEvery = filepath.Base(filepath.Dir(books)), time.Nanosecond
	s, err := archive.OpenInflux(books, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func opened(a *archive.Archive) storetest.Opened {
	return storetest.Opened{Store: a.Store, Books: a.Books}
}

func testTheMarkerIsCheckedAndWrittenAgainAsTimePasses(t *testing.T, b bucket) {
	url, now := b.options().URL, storetest.T0
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

func testCredentialsAreNeverTags(t *testing.T, b bucket) {
	url := b.options().URL
	s := openIn(t, b.options(), filepath.Join(t.TempDir(), "books.db"))
	cards := storetest.Batch(1, 1, 2)
	cards.Entries[0] = storetest.Entry(1, &wire.Reading{Device: "r", Model: "m", Type: fact.ReadingCard,
		Credential: "k-secret", BootID: "b"})
	commit(t, s, cards)
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
