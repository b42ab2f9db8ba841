package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/rollup"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/wire"
)

// old is a record that may have to go.
type old struct {
	seq  uint64
	kind wire.Kind
	at   int64 // unix nanoseconds
	due  bool
	raw  []byte // of one of the kind
}

// errChanged is why a step is done again: a commit stored a record among those that were
// found.
var errChanged = errors.New("another record was stored among those that are removed")

// Expire removes records of a journal that were received before e.Before, counts them by
// the hour, and notes both in the books, in one transaction. One whose time of receipt lies in the future,
// by a clock of the collector that was wrong then, is as old as its gate says. It is
// for one goroutine, beside Commit.
func (s *Store) Expire(ctx context.Context, now time.Time, e store.Expiry) (r store.Removal, err error) {
	for range 3 {
		if r, err = s.step(ctx, now, e); !errors.Is(err, errChanged) {
			break
		}
	}
	if err != nil {
		return store.Removal{}, fmt.Errorf("remove old records of journal %s from %s: %w", e.JID, s.path(), err)
	}
	return r, nil
}

func (s *Store) step(ctx context.Context, now time.Time, e store.Expiry) (store.Removal, error) {
	x := expiry{ctx: ctx, now: now, Expiry: e}
	if err := x.find(s); err != nil || len(x.found) == 0 {
		return x.removal, err
	}
	if err := x.count(s); err != nil {
		return x.removal, err
	}
	s.expires.Store(true)
	err := s.books.Update(ctx, x.remove)
	x.removal.Held = time.Since(x.began)
	return x.removal, err
}

// expiry is one step.
type expiry struct {
	store.Expiry

	ctx     context.Context
	now     time.Time
	journal int64
	mark    uint64
	found   []old // up to the last one that is old enough
	counts  rollup.Counts
	began   time.Time // the transaction
	removal store.Removal
}

// age is the time that counts, in SQL: of receipt, or if that is after now, of the
// record.
const age = "CASE WHEN received > ? THEN at ELSE received END"

// find reads the next records of the journal, while commits go on.
func (x *expiry) find(s *Store) error {
	q := s.books.File().Reader()
	var through int64
	err := q.QueryRowContext(x.ctx, `SELECT id, j.through, coalesce(e.through, 0) FROM journals j
		LEFT JOIN expired e ON journal = id AND kind = ? WHERE jid = ?`, string(x.Kind), x.JID).
		Scan(&x.journal, &through, &x.mark)
	if err != nil {
		return err
	}
	through = int64(min(uint64(through), x.Through, math.MaxInt64))
	scan := func(r db.Row) (o old, err error) {
		err = r.Scan(&o.seq, &o.kind, &o.at, &o.due, &o.raw)
		return o, err
	}
	x.found, err = db.All(x.ctx, q, scan, `SELECT seq, kind, at, due, CASE WHEN kind = ? THEN raw END FROM
		(SELECT *, `+age+` < ? AS due FROM records WHERE journal = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?)
		ORDER BY seq`,
		string(x.Kind), x.now.UnixNano(), x.Before.UnixNano(), x.journal, int64(x.mark), through, x.Looked)
	last := len(x.found)
	for last > 0 && !x.found[last-1].due {
		last--
	}
	x.found = x.found[:last]
	x.removal.Looked = last
	return err
}

// goes reports whether a record is removed.
func (x *expiry) goes(o old) bool { return o.due && o.kind == x.Kind }

// count counts what is to be removed by the hour. A passage is not counted under its
// verdict when one of the next passages, which may stay, replaces it.
func (x *expiry) count(s *Store) error {
	var records []rollup.Record
	for _, o := range x.found {
		if o.kind == x.Kind {
			records = append(records, rollup.Record{Raw: o.raw, Kind: o.kind,
				Hour: time.Unix(0, o.at).Unix() / 3600, Count: o.due})
		}
	}
	if len(records) > 0 && x.Kind == wire.KindPassage {
		last := int64(x.found[len(x.found)-1].seq)
		const around = 1000 // seqs in which they are looked for
		next, err := db.All(x.ctx, s.books.File().Reader(), db.Value[[]byte], `SELECT raw FROM records
			WHERE journal = ? AND seq > ? AND seq <= ? AND kind = 'passage' ORDER BY seq LIMIT ?`,
			x.journal, last, last+around, 2*rollup.Amendable)
		if err != nil {
			return err
		}
		for _, raw := range next {
			records = append(records, rollup.Record{Raw: raw, Kind: wire.KindPassage})
		}
	}
	x.counts = rollup.Of(records)
	return nil
}

// remove removes what was found.
func (x *expiry) remove(tx *books.Tx) error {
	x.began = time.Now()
	marks, err := tx.Marks(x.ctx, x.journal)
	if err != nil {
		return err
	}
	m, known := marks[x.Kind]
	if !known {
		m.Oldest, m.Newest = math.MaxInt64, math.MinInt64
	}
	last := x.found[len(x.found)-1].seq
	goes := 0
	for _, o := range x.found {
		if x.goes(o) {
			m.Oldest, m.Newest = min(m.Oldest, o.at), max(m.Newest, o.at)
			goes++
		}
	}
	if goes > 0 {
		res, err := tx.ExecContext(x.ctx, `DELETE FROM records WHERE journal = ? AND seq > ? AND seq <= ?
			AND kind = ? AND `+age+` < ?`,
			x.journal, int64(x.mark), int64(last), string(x.Kind), x.now.UnixNano(), x.Before.UnixNano())
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && int(n) != goes {
			err = errChanged
		}
		if err == nil {
			err = tx.AddRollups(x.ctx, x.journal, x.counts)
		}
		if err != nil {
			return err
		}
		x.removal.Removed = goes
		m.Records += uint64(goes)
	}
	m.Through = last
	return tx.SetMark(x.ctx, x.journal, x.Kind, m, x.now)
}

// withoutExpired takes those records out of the batch that were stored and have
// expired since, as if they were stored still. Where watermarks were taken back they
// may be beyond the watermark.
func (w *writer) withoutExpired() error {
	if !w.expires {
		return nil
	}
	marks, err := w.tx.Marks(w.ctx, w.journal.ID)
	if err != nil || len(marks) == 0 {
		return err
	}
	looked := uint64(0) // up to it something may be gone
	for _, m := range marks {
		looked = max(looked, m.Through)
	}
	var left []wire.Entry
	for _, e := range w.batch.Entries {
		fate := stays
		if e.Record.Seq <= looked {
			if fate, err = w.fate(e, marks[e.Record.Kind]); err != nil {
				return err
			}
		}
		switch fate {
		case stays:
			left = append(left, e)
		case conflicts:
			w.reject(wire.Bad{Seq: e.Record.Seq, Raw: e.Raw, Reason: store.ReasonConflict})
		case gone:
		}
	}
	w.batch.Entries = left
	return nil
}

// fate is what becomes of a record where records have expired.
type fate int

const (
	stays     fate = iota // in the batch: it is there still, or was never stored
	gone                  // it was stored, and has expired
	conflicts             // another record with its seq was stored, and has expired
)

func (w *writer) fate(e wire.Entry, m books.Mark) (fate, error) {
	_, found, err := w.rawOf(w.journal.ID, e.Record.Seq)
	if err != nil || found {
		return stays, err
	}
	held, err := w.tx.Held(w.ctx, w.batch.Agent, e.Raw)
	if err != nil {
		return stays, err
	}
	switch {
	case held == store.ReasonConflict && w.batch.Retry:
		return conflicts, nil
	case held != "" && w.batch.Retry:
		return stays, nil // it was refused when it came, and is tried again
	case held != "":
		return gone, nil // it is in quarantine still
	case m.Covers(e.Record):
		return gone, nil
	}
	never, err := w.tx.NeverStored(w.ctx, w.journal.ID, e.Record.Seq)
	if err != nil || never {
		return stays, err
	}
	return conflicts, nil
}
