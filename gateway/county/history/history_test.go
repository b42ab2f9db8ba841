package history_test

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/county/history"
	"gatehouse/gateway/county/rollup"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

const day = 24 * time.Hour

// later returns a record with a seq, made at a time.
func later(t *rapid.T, seq uint64, at time.Time, body wire.Body) wire.Entry {
	e := storetest.Entry(seq, body)
	e.Record.At = wire.At(at)
	raw, err := wire.EncodeRecord(e.Record)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Entry{Record: e.Record, Raw: raw}
}

// records draws a journal's records: readings, passages of which some replace an earlier
// one, and alarms. Their clock may run back.
func records(t *rapid.T) (all []wire.Entry) {
	at := storetest.T0
	var last, reading uint64 // of the last passage, and its reading
	n := rapid.Uint64Range(1, 60).Draw(t, "records")
	for seq := uint64(1); seq <= n; seq++ {
		at = at.Add(time.Duration(rapid.IntRange(-5, 15).Draw(t, "minutes")) * time.Minute)
		var body wire.Body = storetest.Reading(fact.Temp(rapid.IntRange(3500, 3900).Draw(t, "reading")))
		kind := rapid.SampledFrom([]string{"reading", "passage", "amends", "alarm"}).Draw(t, "kind")
		switch {
		case kind == "passage" || kind == "amends" && seq-last > soon:
			body, last, reading = storetest.Passage(fact.VerdictPass, seq-1), seq, seq-1
		case kind == "amends":
			p := storetest.Passage(fact.VerdictFever, reading, seq-1)
			p.Amends, last = true, seq
			body = p
		case kind == "alarm":
			body = &wire.Alarm{ID: fmt.Sprint(seq), Type: "fever", State: fact.AlarmRaised}
		}
		all = append(all, later(t, seq, at, body))
	}
	return all
}

// soon is within how many records one comes that replaces a passage.
const soon = 3

// whole returns the end of a batch that has what replaces its passages: a gate sends them
// together, days before they are old.
func whole(all []wire.Entry, end int) int {
	for i := end; i < min(len(all), end+soon); i++ {
		body, err := all[i].Record.DecodeBody()
		if p, is := body.(*wire.Passage); err == nil && is && p.Amends {
			end = i + 1
		}
	}
	return end
}

func batch(n int, all []wire.Entry, from, to int, received time.Time) store.Batch {
	b := storetest.Empty(n, all[from].Record.Seq, all[to-1].Record.Seq)
	b.Entries, b.Received = slices.Clone(all[from:to]), received
	return b
}

func count(t *rapid.T, s history.Source, q store.Query) []history.Row {
	rows, err := history.Count(context.Background(), s, q, history.Hourly)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// kept is a store from which nothing is removed.
type kept []wire.Entry

func (k kept) Rows(_ context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for _, e := range k {
			r := e.Record
			row := store.Row{Agent: "gate-001", JID: "j", Seq: r.Seq, At: r.At.Time, Kind: r.Kind, Raw: e.Raw}
			if q.Spans(row.At) && !yield(row, nil) {
				return
			}
		}
	}
}

func (kept) Rollups(context.Context, wire.Kind, time.Time, time.Time) iter.Seq2[rollup.Row, error] {
	return func(func(rollup.Row, error) bool) {}
}

// Whatever is committed late, sent again and removed in whatever steps: the history is
// that of a store from which nothing was removed and to which nothing was sent again.
func TestTheHistoryStaysTheSameWhateverIsRemovedAndSentAgain(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		s, err := archive.OpenSQLite(filepath.Join(dir, fmt.Sprint(n)))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		all, now, stored := records(t), storetest.T0.Add(100*day), 0
		commit := func(from, to int) {
			r, err := s.Commit(context.Background(), []store.Batch{batch(1, all, from, to, now)})
			if err != nil || len(r[0].Rejected) > 0 || r[0].Gap {
				t.Fatalf("%d to %d: %+v, %v", from, to, r, err)
			}
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"commit", "again", "expire", "expire"}).Draw(t, "step") {
			case "commit":
				to := whole(all, min(len(all), stored+rapid.IntRange(1, 30).Draw(t, "more")))
				if to > stored {
					commit(stored, to)
					stored = to
				}
			case "again":
				if stored > 0 {
					from := rapid.IntRange(0, stored-1).Draw(t, "from")
					commit(from, rapid.IntRange(from+1, stored).Draw(t, "to"))
				}
			case "expire":
				now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "days")) * day)
				expire(t, s, now, stored)
			}
			q := store.Query{}
			if rapid.Bool().Draw(t, "range") {
				q.From = storetest.T0.Add(time.Duration(rapid.IntRange(-9, 30).Draw(t, "from")) * time.Hour)
				q.To = q.From.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
			}
			if got, want := count(t, s, q), count(t, kept(all[:stored]), q); !slices.Equal(got, want) {
				t.Fatalf("%+v:\n%v, want\n%v", q, got, want)
			}
		}
	})
}

// expire removes some records that are older than a day.
func expire(t *rapid.T, s *archive.Archive, now time.Time, stored int) {
	if stored == 0 {
		return
	}
	kind := rapid.SampledFrom([]wire.Kind{wire.KindReading, wire.KindPassage, wire.KindAlarm}).Draw(t, "expires")
	_, err := s.Expire(context.Background(), now, store.Expiry{JID: storetest.JID(1), Kind: kind,
		Before: now.Add(-day), Through: uint64(stored), Looked: rapid.IntRange(1, 40).Draw(t, "looked")})
	if err != nil {
		t.Fatal(err)
	}
}
