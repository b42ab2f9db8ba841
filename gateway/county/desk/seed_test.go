package desk

import (
	"log/slog"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"gatehouse/gateway/county/passages"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

// onArchive returns a desk in a file of its own that has followed a store.
func onArchive(t *testing.T, path string, s *archive.Archive) *Desk {
	t.Helper()
	d, err := Open(Options{Path: path, Sites: counties(), Records: s, Removed: s, Losses: s,
		Now: func() time.Time { return t0 }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	stored, err := s.Positions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range stored {
		if err := d.followers.cursor.CatchUp(t.Context(), t0, p.Agent, p.JID, p.Through); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func hoursOf(t *testing.T, d *Desk) []passages.Hour {
	t.Helper()
	hours, err := d.Passages.Hours(t.Context(), "", t0.Add(-30*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return hours
}

// A desk's file that is lost after passages were removed from the store is made again
// with all hours: also those of which nothing, or only a part, is stored.
func TestADeskThatIsMadeAgainShowsTheHoursOfRemovedPassages(t *testing.T) {
	s, err := archive.OpenSQLite(filepath.Join(t.TempDir(), "county.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var entries []wire.Entry
	begin := t0.Add(-10 * 24 * time.Hour)
	for seq := uint64(1); seq <= 40; seq++ {
		p := passage(fact.Temp(3600+seq), seq)
		if seq%7 == 0 { // the passage before it had fever
			p.Verdict, p.Amends, p.Readings = fact.VerdictFever, true, []uint64{seq - 1}
		}
		entries = append(entries, committed.Entry(t, seq, begin.Add(time.Duration(seq)*7*time.Minute), p))
	}
	b := committed.Batch(entries...)
	b.Received = begin.Add(24 * time.Hour)
	if _, err := s.Commit(t.Context(), []store.Batch{b}); err != nil {
		t.Fatal(err)
	}
	want := hoursOf(t, onArchive(t, filepath.Join(t.TempDir(), "desk.db"), s))
	r, err := s.Expire(t.Context(), t0, store.Expiry{JID: committed.JID, Kind: wire.KindPassage, Before: t0,
		Through: 40, Looked: 20})
	if err != nil || r.Removed != 20 {
		t.Fatalf("%+v, %v", r, err)
	}
	path := filepath.Join(t.TempDir(), "desk.db")
	again := onArchive(t, path, s)
	if got := hoursOf(t, again); !reflect.DeepEqual(got, want) || len(want) != 6 {
		t.Errorf("made again: %+v, want %+v", got, want)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if got := hoursOf(t, onArchive(t, path, s)); !reflect.DeepEqual(got, want) {
		t.Errorf("after a restart: %+v, want %+v", got, want)
	}
}
