package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// received is when the county received what these tests store first.
var received = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// mixed is a batch in which every third record is a passage, received at a time. The
// others are readings.
func mixed(from, to uint64, at time.Time) store.Batch {
	b := storetest.Empty(1, from, to)
	b.Received = at
	for seq := from; seq <= to; seq++ {
		e := storetest.Entry(seq, storetest.Reading(3650+fact.Temp(seq)))
		if seq%3 == 0 {
			e = storetest.Entry(seq, storetest.Passage(fact.VerdictPass, seq-1))
		}
		b.Entries = append(b.Entries, e)
	}
	return b
}

// expire removes all that is old enough, in steps of three records.
func expire(
	t testing.TB, s *archive.Archive, now time.Time, kind wire.Kind, age time.Duration, through uint64,
) (n int) {
	t.Helper()
	for {
		r, err := s.Expire(t.Context(), now, store.Expiry{JID: storetest.JID(1), Kind: kind, Before: now.Add(-age),
			Through: through, Looked: 3})
		if err != nil {
			t.Fatal(err)
		}
		if r.Looked == 0 {
			return n
		}
		n += r.Removed
	}
}

func seqs(t testing.TB, s *archive.Archive) (out []uint64) {
	t.Helper()
	for r, err := range s.Rows(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r.Seq)
	}
	return out
}

func commit(t testing.TB, s *archive.Archive, b store.Batch) store.Receipt {
	t.Helper()
	r, err := s.Commit(t.Context(), []store.Batch{b})
	if err != nil {
		t.Fatal(err)
	}
	return r[0]
}

func TestOldRecordsOfAKindAreRemovedAndCountAsStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s := open(t, path)
	commit(t, s, mixed(1, 9, received))
	commit(t, s, mixed(10, 12, received.Add(10*day)))
	now := received.Add(20 * day)
	if n := expire(t, s, now, wire.KindReading, 30*day, 12); n != 0 {
		t.Errorf("%d young records were removed", n)
	}
	if n := expire(t, s, now, wire.KindReading, 14*day, 12); n != 6 {
		t.Errorf("%d records were removed", n)
	}
	check := func(s *archive.Archive, want string) {
		t.Helper()
		if got := fmt.Sprint(seqs(t, s)); got != want {
			t.Errorf("stored are %s, want %s", got, want)
		}
		if p, err := s.Position(t.Context(), storetest.JID(1)); err != nil || p.Through != 12 {
			t.Errorf("%+v, %v", p, err)
		}
		if held, lost, err := s.Losses(t.Context()); held != 0 || lost != 0 || err != nil {
			t.Errorf("%d in quarantine, %d lost, %v", held, lost, err)
		}
	}
	check(s, "[3 6 9 10 11 12]")
	again := mixed(1, 12, now)
	if r := commit(t, s, again); r.New != 0 || r.Through != 12 || len(r.Rejected) != 0 {
		t.Errorf("sent again: %+v", r)
	}
	check(s, "[3 6 9 10 11 12]")
	if e, err := s.Expired(t.Context()); err != nil || len(e) != 1 || e[0].Through < 8 || e[0].Records != 6 ||
		e[0].Kind != wire.KindReading || !e[0].Since.Equal(now) {
		t.Errorf("%+v, %v", e, err)
	}
	all := func(store.Position) bool { return false }
	if n, err := s.Rewind(t.Context(), received.Add(-day), all); n != 1 || err != nil {
		t.Errorf("%d watermarks were taken back, %v", n, err)
	}
	if r := commit(t, s, again); r.New != 0 || r.Through != 12 || len(r.Rejected) != 0 {
		t.Errorf("sent again after the watermark was taken back: %+v", r)
	}
	check(s, "[3 6 9 10 11 12]")
	if n := expire(t, s, now, wire.KindPassage, 14*day, 5); n != 1 {
		t.Errorf("%d passages up to 5 were removed", n)
	}
	check(s, "[6 9 10 11 12]")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check(open(t, path), "[6 9 10 11 12]")
}

// A journal that gives a seq again (a restored disk) must be noticed, also when what
// was stored under that seq has expired.
func TestAnotherRecordUnderAnExpiredSeqIsAConflict(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "s.db"))
	commit(t, s, mixed(1, 9, received))
	now := received.Add(20 * day)
	expire(t, s, now, wire.KindReading, 14*day, 9)
	b := mixed(1, 9, now)
	later := func(i int, body wire.Body) {
		e := storetest.Entry(b.Entries[i].Record.Seq, body)
		e.Record.At = wire.At(now)
		var err error
		if e.Raw, err = wire.EncodeRecord(e.Record); err != nil {
			t.Fatal(err)
		}
		b.Entries[i] = e
	}
	later(3, storetest.Reading(3900))                    // of the same kind
	later(6, storetest.Passage(fact.VerdictPass, 1))     // of one that has not expired
	later(8, storetest.Passage(fact.VerdictFever, 1, 2)) // what it contradicts is still stored
	r := commit(t, s, b)
	var rejected []uint64
	for _, bad := range r.Rejected {
		if rejected = append(rejected, bad.Seq); bad.Reason != store.ReasonConflict {
			t.Errorf("%d: %s", bad.Seq, bad.Reason)
		}
	}
	slices.Sort(rejected)
	if !slices.Equal(rejected, []uint64{4, 7, 9}) || r.New != 0 {
		t.Fatalf("%+v", r)
	}
	held, err := s.Quarantined(t.Context(), 0)
	if err != nil || len(held) != 3 {
		t.Fatalf("%+v, %v", held, err)
	}
	for _, p := range held {
		if err := s.Retry(t.Context(), p); err == nil || !strings.Contains(err.Error(), store.ReasonConflict) {
			t.Errorf("retry: %v", err)
		}
	}
}

// What was in quarantine was never stored: it is when it is tried again, however much
// has expired around it.
func TestWhatIsInQuarantineCanBeStoredAfterItsNeighboursExpired(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "s.db"))
	b := mixed(1, 9, received)
	bad := b.Entries[4]
	b.Entries = slices.Delete(slices.Clone(b.Entries), 4, 5)
	b.Bad = []wire.Bad{{Seq: 5, Reason: "a later version understands it", Raw: bad.Raw}}
	commit(t, s, b)
	now := received.Add(20 * day)
	expire(t, s, now, wire.KindReading, 14*day, 9)
	commit(t, s, mixed(1, 9, now)) // the whole batch again: 5 is in quarantine already
	if got := fmt.Sprint(seqs(t, s)); got != "[3 6 9]" {
		t.Fatalf("stored are %s", got)
	}
	held, err := s.Quarantined(t.Context(), 0)
	if err != nil || len(held) != 1 {
		t.Fatalf("%+v, %v", held, err)
	}
	if err := s.Retry(t.Context(), held[0]); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(seqs(t, s)); got != "[3 5 6 9]" {
		t.Errorf("stored are %s", got)
	}
}

// By a clock of the collector that was years ahead for a while, records were received
// in the future: they expire by the clocks of their gates.
func TestRecordsThatWereReceivedInTheFutureExpire(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "s.db"))
	b := mixed(1, 9, received.Add(70*365*day))
	commit(t, s, b)
	now := b.Entries[0].Record.At.Add(20 * day)
	if n := expire(t, s, now, wire.KindReading, 14*day, 9); n != 6 {
		t.Errorf("%d records were removed", n)
	}
}

// Whatever is committed, sent again and removed in whatever order: each record is in
// the store or has expired, none is in quarantine, and none comes back.
func TestTheBooksStayWholeWhileRecordsExpire(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		s, err := archive.OpenSQLite(filepath.Join(dir, fmt.Sprint(n)))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ctx, now, through := context.Background(), received, uint64(0)
		gone := map[uint64]bool{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "days")) * day)
			if rapid.Bool().Draw(t, "commits") {
				from := rapid.Uint64Range(1, through+1).Draw(t, "from")
				to := from + rapid.Uint64Range(0, 9).Draw(t, "more")
				r, err := s.Commit(ctx, []store.Batch{mixed(from, to, now)})
				if err != nil || len(r[0].Rejected) > 0 || r[0].New != int(max(to, through)-through) {
					t.Fatalf("%+v, %v", r, err)
				}
				through = max(through, to)
				continue
			}
			kind := rapid.SampledFrom([]wire.Kind{wire.KindReading, wire.KindPassage}).Draw(t, "kind")
			r, err := s.Expire(ctx, now, store.Expiry{JID: storetest.JID(1), Kind: kind, Before: now.Add(-5 * day),
				Through: through, Looked: rapid.IntRange(1, 9).Draw(t, "looked")})
			if err != nil && through > 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			have := map[uint64]bool{}
			for row, err := range s.Rows(ctx, store.Query{}) {
				if have[row.Seq] = true; err != nil || gone[row.Seq] {
					t.Fatalf("%d came back, %v", row.Seq, err)
				}
			}
			for seq := uint64(1); seq <= through; seq++ {
				gone[seq] = !have[seq]
			}
		}
	})
}
