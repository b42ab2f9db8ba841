package influx_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

func seqs(t *testing.T, s store.Store, q store.Query) (all []uint64) {
	t.Helper()
	for r, err := range s.Rows(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Seq)
	}
	return all
}

func upTo(n uint64) (all []uint64) {
	for seq := uint64(1); seq <= n; seq++ {
		all = append(all, seq)
	}
	return all
}

// After a crash between points and books an agent sends its records again, cut
// into other batches; every record is read once.
func testBatchesThatAreCutAnewLoseNothing(t *testing.T, b bucket) {
	path := filepath.Join(t.TempDir(), "books.db")
	s := openIn(t, b.options(), path)
	commit(t, s, storetest.Batch(1, 1, 2))
	s.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, cuts := range [][]uint64{{100}, {40, 100}, {3, 4, 100}, {60}, {10, 20, 30, 40, 50, 60, 70, 80, 90, 100}} {
		if err := os.WriteFile(path, before, 0o600); err != nil { // the books forget
			t.Fatal(err)
		}
		s = openIn(t, b.options(), path)
		from := uint64(3)
		for _, to := range cuts {
			if r := commit(t, s, storetest.Batch(1, from, to))[0]; r.Through != to {
				t.Fatalf("receipt %+v", r)
			}
			from = to + 1
		}
		if got := seqs(t, s, store.Query{}); !slices.Equal(got, upTo(100)) {
			t.Fatalf("after %v there are %v", cuts, got)
		}
		s.Close()
	}
}

// A broken agent's records may have one time; they are stored all the same, and
// read in the order of their seqs when the clock stepped back.
func testRecordsOfOneTimeAndOfAClockThatStepsBackAreStored(t *testing.T, b bucket) {
	s := openIn(t, b.options(), filepath.Join(t.TempDir(), "books.db"))
	for seq := uint64(1); seq <= 30; seq++ {
		b := storetest.Batch(1, seq, seq)
		when := storetest.T0.Add(-time.Duration(seq/10) * time.Hour)
		commit(t, s, at(when, b))
	}
	if got := seqs(t, s, store.Query{}); !slices.Equal(got, upTo(30)) {
		t.Errorf("there are %v", got)
	}
	if got := seqs(t, s, store.Query{JID: storetest.JID(1), After: 29}); !slices.Equal(got, []uint64{30}) {
		t.Errorf("after 29 there are %v", got)
	}
}

// The earlier version wrote each record's bytes into the record's own point.
func testPointsOfTheEarlierVersionAreRead(t *testing.T, b bucket) {
	url := b.options().URL
	dir := t.TempDir()
	s := openIn(t, b.options(), filepath.Join(dir, "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2)) // the books know the journal
	old := storetest.Batch(1, 3, 700)
	var lines strings.Builder
	for _, e := range old.Entries {
		fmt.Fprintf(&lines, "gate_event,agent=%s,community=c1,compound=k1,county=%s,era=0,grid=g1,journal=%s,"+
			"kind=%s,outcome=pass seq=%di,raw=%s,latency_us=900i %d\n", old.Agent, filepath.Base(dir), old.JID,
			e.Record.Kind, e.Record.Seq, strconv.Quote(string(e.Raw)), e.Record.At.UnixNano())
	}
	res, err := http.Post(url+"/write?db="+influxd.Database, "", strings.NewReader(lines.String()))
	if err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatal(res, err)
	}
	res.Body.Close()
	n := uint64(0)
	for r, err := range s.Rows(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		want := storetest.Batch(1, n, n).Entries[0]
		if r.Seq != n || string(r.Raw) != string(want.Raw) || r.Kind != want.Record.Kind || r.Place.Grid != "g1" ||
			!r.At.Equal(want.Record.At.Time) || r.Agent != old.Agent {
			t.Fatalf("row %d is %+v", n, r)
		}
	}
	if n != 700 {
		t.Errorf("%d rows", n)
	}
	for r := range s.Rows(t.Context(), store.Query{Kind: wire.KindPassage}) {
		if r.Kind != wire.KindPassage {
			t.Fatalf("a row of kind %s", r.Kind)
		}
	}
}
