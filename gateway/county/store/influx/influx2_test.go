//go:build influx2

// Tests with a real InfluxDB 2: make test-influx2 builds it and runs them.
package influx_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/testkit/influxd2"
	"gatehouse/gateway/testkit/storetest"
)

// server2 runs a real InfluxDB 2 until the test ends.
func server2(t *testing.T) *influxd2.Server {
	t.Helper()
	s, err := influxd2.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func bucket2(t *testing.T, s *influxd2.Server, name string, retention time.Duration) influxd2.Bucket {
	t.Helper()
	b, err := s.CreateBucket(t.Context(), name, retention)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// open2 opens a store in the bucket with its token, which may do no more than
// read and write the bucket.
func open2(t *testing.T, b influxd2.Bucket, books string) *archive.Archive {
	t.Helper()
	s, err := archive.OpenInflux(books, influx.Options{URL: b.URL, Token: b.Token, Org: b.Org, Bucket: b.Name,
		County: filepath.Base(filepath.Dir(books)), CheckEvery: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestInflux2Store(t *testing.T) {
	bucket := bucket2(t, server2(t), "gatehouse", 0)
	storetest.Run(t, func(t *testing.T) (storetest.Opened, func() storetest.Opened) {
		books := filepath.Join(t.TempDir(), strings.ReplaceAll(t.Name(), "/", "_"), "books.db")
		if err := os.MkdirAll(filepath.Dir(books), 0o700); err != nil {
			t.Fatal(err)
		}
		s := open2(t, bucket, books)
		return opened(s), func() storetest.Opened {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return opened(open2(t, bucket, books))
		}
	})
}

func TestInflux2ADeletedBucketBeginsANewTerm(t *testing.T) {
	server := server2(t)
	bucket := bucket2(t, server, "gatehouse", 0)
	s := open2(t, bucket, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 4))
	_, before, _ := s.Identity(t.Context())
	if err := bucket.Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 5, 6)})
	if err == nil || !strings.Contains(err.Error(), "bucket") {
		t.Fatalf("without the bucket: %v", err)
	}
	if _, term, _ := s.Identity(t.Context()); term != before {
		t.Fatalf("without the bucket the term is %d, it was %d", term, before)
	}
	s.Close()
	fresh := bucket2(t, server, "gatehouse", 0)
	s = open2(t, fresh, s.File().Path())
	if r := commit(t, s, storetest.Batch(1, 5, 6))[0]; !r.Gap || r.Through != 0 {
		t.Fatalf("in a new bucket a later batch gives %+v", r)
	}
	if _, after, _ := s.Identity(t.Context()); after <= before {
		t.Fatalf("the term is %d, it was %d", after, before)
	}
	if r := commit(t, s, storetest.Batch(1, 1, 6))[0]; r.Through != 6 || count(t, s) != 6 {
		t.Fatalf("replayed: %+v, %d rows", r, count(t, s))
	}
}

func TestInflux2RestoredFromABackupIsFilledAgainAfterARewind(t *testing.T) {
	bucket := bucket2(t, server2(t), "gatehouse", 0)
	s := open2(t, bucket, filepath.Join(t.TempDir(), "books.db"))
	early, late := storetest.Batch(1, 1, 4), storetest.Batch(1, 5, 8)
	early.Received, late.Received = storetest.T0, storetest.T0.Add(2*time.Hour)
	commit(t, s, early)
	commit(t, s, late)
	// Points of records have the time of their first seq below a second; see cutTime.
	from := time.Unix(0, storetest.T0.UnixNano()&^(1<<30-1)+5<<8)
	if err := bucket.Delete(t.Context(), from, from.Add(time.Hour), `agent="gate-001"`); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); n != 4 {
		t.Fatalf("the backup has %d rows", n)
	}
	if _, err := s.Rewind(t.Context(), storetest.T0.Add(time.Hour),
		func(store.Position) bool { return false }); err != nil {
		t.Fatal(err)
	}
	commit(t, s, early)
	if r := commit(t, s, late)[0]; r.Through != 8 || count(t, s) != 8 {
		t.Fatalf("sent again: %+v, %d rows", r, count(t, s))
	}
}

func TestInflux2RefusesWhatItsTokenMayNot(t *testing.T) {
	bucket := bucket2(t, server2(t), "gatehouse", 0)
	for _, actions := range [][]string{{"read"}, {"write"}, {}} {
		name := fmt.Sprint(actions)
		b := bucket
		b.Token = "wrong"
		if len(actions) > 0 {
			var err error
			if b.Token, err = bucket.CreateToken(t.Context(), actions...); err != nil {
				t.Fatal(err)
			}
		}
		s := open2(t, b, filepath.Join(t.TempDir(), "books.db"))
		_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 1, 4)})
		if err == nil || errors.Is(err, store.ErrFault) {
			t.Errorf("token %s: %v", name, err)
			continue
		}
		t.Logf("token %s: %v", name, err)
		if q, err := s.Quarantined(t.Context(), 0); err != nil || len(q) != 0 {
			t.Errorf("token %s: quarantine %+v, %v", name, q, err)
		}
		if _, term, err := s.Identity(t.Context()); err != nil || term != 1 {
			t.Errorf("token %s: term %d, %v", name, term, err)
		}
	}
}

// Records that the bucket no longer keeps are told of: none is taken for stored
// unnoticed, and none is quarantined for what is no fault of its own.
func TestInflux2RecordsBeyondTheRetention(t *testing.T) {
	bucket := bucket2(t, server2(t), "short", 24*time.Hour)
	s := open2(t, bucket, filepath.Join(t.TempDir(), "books.db"))
	_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 1, 4)}) // of 2020
	holes, wrong := s.Holes(t.Context())
	if wrong != nil {
		t.Fatal(wrong)
	}
	told := errors.Is(err, store.ErrFault) && strings.Contains(err.Error(), "retention")
	if !told && (err != nil || len(holes) == 0) {
		t.Errorf("records of %s into a bucket of a day: %v, holes %+v", storetest.T0, err, holes)
	}
	if q, err := s.Quarantined(t.Context(), 0); err != nil || len(q) != 0 {
		t.Errorf("quarantine %+v, %v", q, err)
	}
}
