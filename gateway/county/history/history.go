// Package history counts a county's records by the hour or by the day: those that are
// stored, and those that were removed since because they were old.
package history

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/county/rollup"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Source is a store with the counts of what was removed from it.
type Source interface {
	// Rows yields stored records by journal and seq.
	Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error]
	// Rollups yields counts of records that were removed; see books.Books.
	Rollups(ctx context.Context, kind wire.Kind, from, to time.Time) iter.Seq2[rollup.Row, error]
}

// Row counts the records of an agent in one hour, or one day.
type Row struct {
	At    time.Time // when the hour or day begins
	Agent string
	Kind  wire.Kind
	Word  string // see rollup.WordOf
	rollup.Count
}

// Step returns when the hour or day begins that an hour belongs to.
type Step func(hour time.Time) time.Time

// Hourly is the step of an hour.
func Hourly(hour time.Time) time.Time { return hour.UTC() }

// Daily returns the step of a day in a time zone.
func Daily(zone *time.Location) Step {
	return func(hour time.Time) time.Time {
		y, m, d := hour.In(zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, zone)
	}
}

// amendedWithin is how far from a passage in time one is that replaces it: later, or
// earlier when the gate's clock was set back.
const amendedWithin = time.Hour

// Count counts the records that q selects, whose From and To are whole hours, or zero.
// The rows come by time, agent, kind and word.
func Count(ctx context.Context, s Source, q store.Query, step Step) ([]Row, error) {
	t := table{step: step, rows: map[key]rollup.Count{}}
	for row, err := range s.Rollups(ctx, q.Kind, q.From, q.To) {
		if err != nil {
			return nil, fmt.Errorf("count what was removed: %w", err)
		}
		t.add(row.Agent, row.Key, row.Count)
	}
	if err := t.stored(ctx, s, q); err != nil {
		return nil, fmt.Errorf("count what is stored: %w", err)
	}
	return t.sorted(), nil
}

type key struct {
	at          int64 // unix seconds
	agent, word string
	kind        wire.Kind
}

type table struct {
	step Step
	rows map[key]rollup.Count
}

func (t *table) add(agent string, k rollup.Key, c rollup.Count) {
	at := t.step(time.Unix(k.Hour*3600, 0)).Unix()
	x := key{at, agent, k.Word, k.Kind}
	sum := t.rows[x]
	sum.Add(c)
	t.rows[x] = sum
}

// stored counts the stored records, journal by journal.
func (t *table) stored(ctx context.Context, s Source, q store.Query) error {
	wide, jid, agent, c := q, "", "", rollup.NewCounter()
	if !q.From.IsZero() {
		wide.From = q.From.Add(-amendedWithin)
	}
	if !q.To.IsZero() {
		wide.To = q.To.Add(amendedWithin)
	}
	end := func() {
		for k, n := range c.Counts() {
			t.add(agent, k, n)
		}
	}
	for row, err := range s.Rows(ctx, wide) {
		if err != nil {
			return err
		}
		if row.JID != jid {
			end()
			jid, agent, c = row.JID, row.Agent, rollup.NewCounter()
		}
		c.Take(rollup.Record{Raw: row.Raw, Kind: row.Kind, Hour: row.At.Unix() / 3600, Count: q.Spans(row.At)})
	}
	end()
	return nil
}

func (t *table) sorted() []Row {
	out := make([]Row, 0, len(t.rows))
	for k, c := range t.rows {
		out = append(out, Row{At: t.step(time.Unix(k.at, 0)), Agent: k.agent, Kind: k.kind, Word: k.word, Count: c})
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Agent, b.Agent),
			strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Word, b.Word))
	})
	return out
}
