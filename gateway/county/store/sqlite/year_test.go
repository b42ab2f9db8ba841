package sqlite_test

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/retention"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/testkit/storetest"
)

const gates = 184

// yearRows is how many records the year of BenchmarkYear has: a tenth of a county's,
// because those take minutes to make. GATEHOUSE_YEAR_ROWS=30000000 makes all.
func yearRows(b *testing.B) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("GATEHOUSE_YEAR_ROWS"), "3000000"))
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// fillYear makes n records of gates, the last of them received at end, evenly over a
// year: of three, two are readings and one is a passage.
func fillYear(b *testing.B, path string, n int, end time.Time) {
	b.Helper()
	s := open(b, path)
	defer s.Close()
	each := n / gates
	step := int64(365*day) / int64(each)
	for gate := range gates {
		b := storetest.Empty(gate+1, 1, 2)
		b.Entries = append(b.Entries, storetest.Entry(1, storetest.Reading(3650)),
			storetest.Entry(2, storetest.Passage(fact.VerdictPass, 1)))
		if _, err := s.Commit(context.Background(), []store.Batch{b}); err != nil {
			panic(err)
		}
	}
	for gate := range gates {
		_, err := s.File().Exec(b.Context(), `WITH RECURSIVE n(i) AS
			(SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
			INSERT INTO records SELECT j.id, i, ?2 + i * ?3, ?2 + i * ?3, r.kind, r.raw FROM n, journals j, records r
			WHERE j.jid = ?4 AND r.journal = j.id AND r.seq = CASE WHEN i % 3 = 0 THEN 2 ELSE 1 END`,
			each, end.Add(-365*day).UnixNano(), step, storetest.JID(gate+1))
		if err == nil {
			_, err = s.File().Exec(b.Context(), "UPDATE journals SET through = ? WHERE jid = ?", each,
				storetest.JID(gate+1))
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// commitFor commits batches of a gate beside the year's for some time, and returns how
// many records a second that were.
func commitFor(b *testing.B, s *archive.Archive, gate int, end time.Time, long time.Duration) float64 {
	b.Helper()
	from, begin := uint64(1), time.Now()
	for ; time.Since(begin) < long; from += 100 {
		batch := storetest.Batch(gate, from, from+99)
		batch.Received = end
		if _, err := s.Commit(b.Context(), []store.Batch{batch}); err != nil {
			b.Fatal(err)
		}
	}
	return float64(from-1) / time.Since(begin).Seconds()
}

// slowest notes how long a removal holds a commit up.
type slowest struct {
	*archive.Archive

	held    time.Duration
	removed int
}

func (s *slowest) Expire(ctx context.Context, now time.Time, e store.Expiry) (store.Removal, error) {
	r, err := s.Archive.Expire(ctx, now, e)
	s.held, s.removed = max(s.held, r.Held), s.removed+r.Removed
	return r, err
}

// A year in the store: how long it takes to open, what the removal of a day's readings
// costs those who commit, and whether the file grows after it.
func BenchmarkYear(b *testing.B) {
	n, path := yearRows(b), filepath.Join(b.TempDir(), "year.db")
	end := time.Now().UTC()
	fillYear(b, path, n, end)
	for b.Loop() {
		begin := time.Now()
		s, err := archive.OpenSQLite(path)
		if err != nil {
			b.Fatal(err)
		}
		_, errs := s.Positions(b.Context())
		_, _, errs2 := s.Losses(b.Context())
		if errs != nil || errs2 != nil {
			b.Fatal(errs, errs2)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s/open")
		year(b, s, end)
		s.Close()
	}
	b.ReportMetric(float64(n), "records")
}

func year(b *testing.B, s *archive.Archive, end time.Time) {
	const long = 3 * time.Second
	alone := commitFor(b, s, 1000, end, long)
	x := &slowest{Archive: s}
	ctx, cancel := context.WithCancel(b.Context())
	var removing sync.WaitGroup
	began, took := time.Now(), time.Duration(0)
	removing.Go(func() {
		r := retention.New(retention.Options{Store: x, Log: slog.New(slog.DiscardHandler),
			Config: retention.Config{Readings: retention.Age(364 * day)},
			Now:    func() time.Time { return end }, Pause: retry.Sleep})
		if err := r.Round(ctx); err == nil {
			took = time.Since(began)
		}
	})
	beside := commitFor(b, s, 1001, end, long)
	removing.Wait()
	cancel()
	b.ReportMetric(beside/alone, "commits-beside/alone")
	b.ReportMetric(float64(x.held.Milliseconds()), "ms-held-most")
	b.ReportMetric(took.Seconds(), "s/day-removed")
	b.ReportMetric(float64(x.removed), "removed")
	if x.removed == 0 {
		b.Fatal("nothing was removed")
	}
	free, _, err := db.One(b.Context(), s.File().Reader(), db.Value[int], "PRAGMA freelist_count")
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%.0f records/s alone, %.0f beside; %d pages are free for what comes", alone, beside, free)
}
