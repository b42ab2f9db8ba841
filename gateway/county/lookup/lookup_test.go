package lookup_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/lookup"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// inSQLite returns an empty store.
func inSQLite(t *testing.T) *archive.Archive {
	t.Helper()
	s, err := archive.OpenSQLite(filepath.Join(t.TempDir(), "county.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// inInflux returns an empty store.
func inInflux(t *testing.T) *archive.Archive {
	t.Helper()
	server, err := influxd.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s, err := archive.OpenInflux(filepath.Join(t.TempDir(), "books.db"),
		influx.Options{URL: server.URL, Token: influxd.Token, Bucket: influxd.Bucket, County: "c"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// amending returns a passage that replaces those of its readings.
func amending(v fact.Verdict, readings ...uint64) *wire.Passage {
	p := storetest.Passage(v, readings...)
	p.Amends = true
	return p
}

// commit stores bodies as journal n, from seq 1.
func commit(t *testing.T, s *archive.Archive, n int, bodies ...wire.Body) {
	t.Helper()
	b := storetest.Empty(n, 1, uint64(len(bodies)))
	for i, body := range bodies {
		b.Entries = append(b.Entries, storetest.Entry(uint64(i+1), body))
	}
	if _, err := s.Commit(t.Context(), []store.Batch{b}); err != nil {
		t.Fatal(err)
	}
}

func TestAPassageIsFoundWithWhatReplacedIt(t *testing.T) {
	for name, s := range map[string]*archive.Archive{"sqlite": inSQLite(t), "influx": inInflux(t)} {
		commit(t, s, 1, storetest.Reading(3650), storetest.Passage(fact.VerdictPass, 1), storetest.Reading(3700),
			amending(fact.VerdictRetest, 1, 3), storetest.Passage(fact.VerdictPass, 9),
			amending(fact.VerdictFever, 3, 6), amending(fact.VerdictPass, 7))
		for seq, want := range map[uint64][2]uint64{2: {0, 6}, 4: {2, 6}, 5: {}, 6: {4, 0}, 7: {}} {
			for _, of := range []string{"gate-001", storetest.JID(1)} {
				f, err := lookup.In(t.Context(), s, of, seq)
				if err != nil || f.Seq != seq || f.Agent != "gate-001" || f.JID != storetest.JID(1) ||
					!f.At.Equal(storetest.T0.Add(time.Duration(seq)*time.Millisecond)) {
					t.Fatalf("%s: %s %d: %+v, %v", name, of, seq, f, err)
				}
				if got := [2]uint64{f.Replaces, f.ReplacedBy}; got != want {
					t.Errorf("%s: %d replaces and is replaced by %d, want %d", name, seq, got, want)
				}
			}
		}
	}
}

func TestWhyThereIsNoPassage(t *testing.T) {
	s := inSQLite(t)
	commit(t, s, 1, storetest.Reading(3650), storetest.Passage(fact.VerdictPass, 1), storetest.Reading(3700))
	old := storetest.Batch(2, 1, 20)
	holed := storetest.Empty(3, 1, 9)
	holed.Holes = []wire.Hole{{From: 1, To: 9, Count: 9, Reason: "damaged"}}
	if _, err := s.Commit(t.Context(), []store.Batch{old, holed}); err != nil {
		t.Fatal(err)
	}
	now := storetest.T0.Add(30 * 24 * time.Hour)
	_, err := s.Expire(t.Context(), now, store.Expiry{JID: storetest.JID(2), Kind: wire.KindPassage, Before: now,
		Through: 10, Looked: 100})
	if err != nil {
		t.Fatal(err)
	}
	poison := store.Poison{At: now, Agent: "gate-001", JID: storetest.JID(1), Seq: 9, Reason: "verdict is unknown",
		Raw: []byte("x")}
	if err := s.Quarantine(t.Context(), poison); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		seq  uint64
		err  error
		text string
	}{
		{"gate-001", 1, lookup.ErrNotPassage, "1 is of kind reading"},
		{"gate-001", 4, lookup.ErrNone, "up to seq 3; the gate may not have sent it yet"},
		{"gate-001", 9, lookup.ErrQuarantine, "verdict is unknown (see gatehouse quarantine show 1)"},
		{"gate-002", 4, lookup.ErrRemoved, "passages of gate-002 up to seq 10 were removed"},
		{storetest.JID(3), 9, lookup.ErrLost, "1 to 9 of gate-003 never came (damaged)"},
		{"gate-009", 1, lookup.ErrNone, `the store knows no agent and no journal "gate-009"`},
	} {
		_, err := lookup.In(t.Context(), s, c.name, c.seq)
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s %d: %v, want %q", c.name, c.seq, err, c.text)
		}
	}
	if f, err := lookup.In(t.Context(), s, "gate-002", 12); err != nil || f.Seq != 12 {
		t.Errorf("after those that were removed: %+v, %v", f, err)
	}
}

// An agent whose journal was renewed has several.
func TestAnAgentWithTwoJournals(t *testing.T) {
	s := inSQLite(t)
	commit(t, s, 1, storetest.Reading(3650), storetest.Passage(fact.VerdictPass, 1))
	b := storetest.Empty(2, 1, 4)
	b.Agent = "gate-001"
	for seq, body := range []wire.Body{storetest.Passage(fact.VerdictPass, 9), storetest.Passage(fact.VerdictFever, 8),
		storetest.Reading(3800), storetest.Passage(fact.VerdictPass, 7)} {
		b.Entries = append(b.Entries, storetest.Entry(uint64(seq+1), body))
	}
	if _, err := s.Commit(t.Context(), []store.Batch{b}); err != nil {
		t.Fatal(err)
	}
	for seq, jid := range map[uint64]string{1: storetest.JID(2), 4: storetest.JID(2)} {
		if f, err := lookup.In(t.Context(), s, "gate-001", seq); err != nil || f.JID != jid {
			t.Errorf("%d: %s, %v", seq, f.JID, err)
		}
	}
	_, err := lookup.In(t.Context(), s, "gate-001", 2)
	choice := storetest.JID(1) + "/2 of 2020-02-14 06:00, "
	if !errors.Is(err, lookup.ErrSeveral) || !strings.Contains(err.Error(), choice) {
		t.Errorf("both have one: %v", err)
	}
	if f, err := lookup.In(t.Context(), s, storetest.JID(1), 2); err != nil || f.Passage.Verdict != fact.VerdictPass {
		t.Errorf("one is named: %+v, %v", f, err)
	}
	if _, err := lookup.In(t.Context(), s, "gate-001", 3); !errors.Is(err, lookup.ErrNotPassage) {
		t.Errorf("a reading: %v", err)
	}
}
