// Package lookup finds one passage among stored records, with those that it replaced and
// that replaced it, and says why one is not there.
package lookup

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Records are what a county, or a gate's journal, holds.
type Records interface {
	// Rows yields records by journal and seq.
	Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error]
}

// Books are the books about a county's records.
type Books interface {
	Positions(ctx context.Context) ([]store.Position, error)
	Expired(ctx context.Context) ([]store.Expired, error)
	Holes(ctx context.Context) ([]store.RecordedHole, error)
	Quarantined(ctx context.Context, limit int) ([]store.Quarantined, error)
}

// Errors that say why there is no passage.
var (
	ErrNone       = errors.New("there is no such record")
	ErrNotPassage = errors.New("this record is not a passage")
	ErrRemoved    = errors.New("the record is not stored any more")
	ErrQuarantine = errors.New("the record is in quarantine, not in the store")
	ErrLost       = errors.New("the record is lost")
	ErrSeveral    = errors.New("the agent has several journals with this seq")
)

// Found is a passage that was found.
type Found struct {
	Agent, JID string
	Seq        uint64
	At         wire.Time
	Passage    *wire.Passage
	Replaces   uint64 // seq of the passage that this one replaced; 0: none
	ReplacedBy uint64 // seq of the newest passage that holds instead; 0: none, this one holds
}

// amendable bounds how many passages before or after one are looked at for others that
// share a reading with it: more than pass while a value can still be entered.
const amendable = 256

// Of returns the passage with a seq of a journal. Its errors wrap those above, or are
// those of the store.
func Of(ctx context.Context, from Records, jid string, seq uint64) (Found, error) {
	for row, err := range from.Rows(ctx, store.Query{JID: jid, After: seq - 1}) {
		if err != nil {
			return Found{}, err
		}
		if row.Seq != seq {
			break
		}
		f := Found{Agent: row.Agent, JID: jid, Seq: seq, At: wire.At(row.At)}
		if f.Passage, err = passage(row); err != nil {
			return f, err
		}
		if f.Passage.Amends {
			if f.Replaces, err = before(ctx, from, f); err != nil {
				return f, err
			}
		}
		f.ReplacedBy, err = after(ctx, from, f)
		return f, err
	}
	return Found{}, fmt.Errorf("%w: %s/%d", ErrNone, jid, seq)
}

// passage decodes a row that must be a passage.
func passage(row store.Row) (*wire.Passage, error) {
	if row.Kind != wire.KindPassage {
		return nil, fmt.Errorf("%w: %d is of kind %s", ErrNotPassage, row.Seq, row.Kind)
	}
	r, err := wire.DecodeRecord(row.Raw)
	if err != nil {
		return nil, fmt.Errorf("read record %d: %w", row.Seq, err)
	}
	body, err := r.DecodeBody()
	if err != nil {
		return nil, fmt.Errorf("read record %d: %w", row.Seq, err)
	}
	return body.(*wire.Passage), nil
}

// before returns the seq of the passage that a passage replaced.
func before(ctx context.Context, from Records, f Found) (seq uint64, err error) {
	first := f.Seq - min(f.Seq, 4*amendable)
	for row, err := range from.Rows(ctx, store.Query{JID: f.JID, Kind: wire.KindPassage, After: first}) {
		if err != nil || row.Seq >= f.Seq {
			return seq, err
		}
		p, err := passage(row)
		if err != nil {
			return seq, err
		}
		if share(p.Readings, f.Passage.Readings) {
			seq = row.Seq
		}
	}
	return seq, nil
}

// after returns the seq of the passage that replaced a passage in the end.
func after(ctx context.Context, from Records, f Found) (seq uint64, err error) {
	readings, looked := f.Passage.Readings, 0
	for row, err := range from.Rows(ctx, store.Query{JID: f.JID, Kind: wire.KindPassage, After: f.Seq}) {
		if err != nil {
			return seq, err
		}
		p, err := passage(row)
		if err != nil {
			return seq, err
		}
		if p.Amends && share(p.Readings, readings) {
			seq, readings = row.Seq, p.Readings
		}
		if looked++; looked == amendable {
			break
		}
	}
	return seq, nil
}

func share(a, b []uint64) bool {
	return slices.ContainsFunc(a, func(seq uint64) bool { return slices.Contains(b, seq) })
}
