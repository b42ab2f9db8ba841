package books_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/testkit/storetest"
)

// save notes that a batch is stored elsewhere.
func save(t *testing.T, b *books.Books, batches ...store.Batch) {
	t.Helper()
	for _, x := range batches {
		o := books.Outcome{Batch: x, Through: x.To, Written: x.Entries}
		if err := b.Save(t.Context(), []books.Outcome{o}); err != nil {
			t.Fatal(err)
		}
	}
}

func through(t *testing.T, b *books.Books, n int) uint64 {
	t.Helper()
	p, err := b.Position(t.Context(), storetest.JID(n))
	if err != nil {
		t.Fatal(err)
	}
	return p.Through
}

func TestAnotherProcessThatRaisesTheTermEndsUpdates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	first, second := open(t, path), open(t, path)
	save(t, first, storetest.Batch(1, 1, 2))
	if _, err := second.RaiseTerm(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	err := first.Update(t.Context(), func(*books.Tx) error {
		t.Error("the transaction was run")
		return nil
	})
	if !errors.Is(err, store.ErrTerm) {
		t.Errorf("error is %v", err)
	}
	save(t, second, storetest.Batch(1, 3, 4))
	if got := through(t, first, 1); got != 4 {
		t.Errorf("watermark %d", got)
	}
}

// A term that is raised while a transaction is under way waits for it, and the
// transactions after it know the new term.
func TestTheTermCanBeRaisedWhileUpdatesRun(t *testing.T) {
	b := newBooks(t)
	begun, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		err := b.Update(t.Context(), func(*books.Tx) error {
			close(begun)
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	all.Go(func() {
		if term, err := b.RaiseTerm(t.Context(), 5); term != 5 || err != nil {
			t.Errorf("term %d, %v", term, err)
		}
	})
	for range 20 {
		all.Go(func() {
			if err := b.Update(t.Context(), func(*books.Tx) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	close(release)
	all.Wait()
}

func TestRewindSetsWatermarksBackToAnEarlierHour(t *testing.T) {
	at := func(d time.Duration, from, to uint64) store.Batch {
		b := storetest.Batch(1, from, to)
		b.Received = storetest.T0.Add(d)
		return b
	}
	for name, c := range map[string]struct {
		since time.Duration
		want  uint64
		n     int
	}{
		"before everything":     {-time.Minute, 0, 1},
		"at the first batch":    {0, 0, 1},
		"within the first hour": {59 * time.Minute, 0, 1},
		"after the second mark": {2*time.Hour + time.Minute, 8, 1},
		"after the third mark":  {4 * time.Hour, 12, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBooks(t)
			save(t, b, at(0, 1, 4), at(time.Minute, 5, 8), at(2*time.Hour, 9, 12), at(3*time.Hour, 13, 16))
			other := storetest.Batch(2, 1, 4)
			other.Received = storetest.T0
			save(t, b, other)
			keep := func(p store.Position) bool { return p.Agent == "gate-002" }
			n, err := b.Rewind(t.Context(), storetest.T0.Add(c.since), keep)
			if err != nil || n != c.n || through(t, b, 1) != c.want {
				t.Errorf("%d journals, watermark %d, %v", n, through(t, b, 1), err)
			}
			if got := through(t, b, 2); got != 4 {
				t.Errorf("the journal to keep is at %d", got)
			}
			known, err := b.Digests(t.Context(), storetest.JID(1), 1, 16)
			if err != nil || len(known) != int(c.want) {
				t.Errorf("%d digests, %v", len(known), err)
			}
		})
	}
}

func TestAnUpdateThatFailsMarksNothing(t *testing.T) {
	b := newBooks(t)
	at := func(d time.Duration, from, to uint64) store.Batch {
		x := storetest.Batch(1, from, to)
		x.Received = storetest.T0.Add(d)
		return x
	}
	save(t, b, at(0, 1, 4))
	x, failed := at(2*time.Hour, 5, 8), errors.New("failed")
	err := b.Update(t.Context(), func(tx *books.Tx) error {
		j, err := tx.Journal(t.Context(), x)
		if err == nil {
			err = tx.Advance(t.Context(), j, 8, nil, x.Received)
		}
		return errors.Join(err, failed)
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	save(t, b, at(2*time.Hour+time.Minute, 5, 8)) // must mark, as nothing did in this hour
	since := storetest.T0.Add(2*time.Hour + 2*time.Minute)
	n, err := b.Rewind(t.Context(), since, func(store.Position) bool { return false })
	if got := through(t, b, 1); err != nil || n != 1 || got != 4 {
		t.Errorf("%d journals, watermark %d, %v", n, got, err)
	}
}

func TestANewMarkerBeginsANewTermFromTheSecondOn(t *testing.T) {
	b := newBooks(t)
	for i, want := range []struct{ term, through uint64 }{{1, 4}, {2, 0}} {
		save(t, b, storetest.Batch(1, 1, 4))
		if err := b.Reset(t.Context(), storetest.JID(i)); err != nil {
			t.Fatal(err)
		}
		if marker, err := b.Marker(t.Context()); marker != storetest.JID(i) || err != nil {
			t.Errorf("marker %q, %v", marker, err)
		}
		_, term, _ := b.Identity(t.Context())
		if got := through(t, b, 1); term != want.term || got != want.through {
			t.Errorf("after %d: term %d, watermark %d", i+1, term, got)
		}
	}
}
