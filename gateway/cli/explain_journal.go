package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"gatehouse/gateway/county/lookup"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/wire"
)

// inJournal returns a passage of the journal in an agent's folder.
func inJournal(ctx context.Context, dir, jid string, seq uint64) (lookup.Found, error) {
	v, err := journal.Look(dir)
	if err != nil {
		return lookup.Found{}, err
	}
	defer v.Close()
	switch {
	case jid != "" && jid != v.JID:
		return lookup.Found{}, fmt.Errorf("%w: the journal in %s is %s", lookup.ErrNone, dir, v.JID)
	case v.First == 0 || seq > v.Last:
		return lookup.Found{}, fmt.Errorf("%w: the journal holds %d to %d", lookup.ErrNone, v.First, v.Last)
	case seq < v.First:
		return lookup.Found{}, fmt.Errorf("%w: the journal holds %d to %d; look in the county's store",
			lookup.ErrRemoved, v.First, v.Last)
	}
	found, err := lookup.Of(ctx, journalRows{v}, v.JID, seq)
	if errors.Is(err, lookup.ErrNone) {
		err = fmt.Errorf("%w: it is damaged, or was never written (see gatehouse journal verify)", lookup.ErrLost)
	}
	return found, err
}

// journalRows yields the records of a journal as a store does those of a county.
type journalRows struct{ view *journal.View }

// Rows implements lookup.Records; q names no other journal.
func (j journalRows) Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for next := max(q.After+1, j.view.First, 1); next <= j.view.Last; {
			chunk, err := j.view.Read(next, wire.MaxBatchRecords, wire.MaxBatchBytes)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(store.Row{}, err)
				return
			}
			for _, e := range chunk.Entries {
				r := e.Record
				row := store.Row{JID: j.view.JID, Seq: r.Seq, At: r.At.Time, Kind: r.Kind, Raw: e.Raw}
				if (q.Kind == "" || q.Kind == r.Kind) && q.Spans(row.At) && !yield(row, nil) {
					return
				}
			}
			if chunk.To < next {
				return
			}
			next = chunk.To + 1
		}
	}
}
