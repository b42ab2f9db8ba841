package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/wire"
)

// Retrier is what Retry needs of a store.
type Retrier interface {
	Commit(ctx context.Context, batches []Batch) ([]Receipt, error)
	Position(ctx context.Context, jid string) (Position, error)
	Release(ctx context.Context, id int64) error
}

// ErrStays says that what was tried again is refused as before, and stays in
// quarantine.
var ErrStays = errors.New("it stays in quarantine")

// Retry offers a row of the quarantine to the store once more, after what was
// wrong with the store has been mended or a later version understands it. The
// row goes when the store has taken it. The error wraps ErrStays when the store
// refuses it again.
func Retry(ctx context.Context, s Retrier, p HeldPoison) error {
	b, err := again(ctx, s, p)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStays, err)
	}
	receipts, err := s.Commit(ctx, []Batch{b})
	if err != nil {
		return fmt.Errorf("try row %d of the quarantine again: %w", p.ID, err)
	}
	switch r := receipts[0]; {
	case len(r.Rejected) > 0:
		return fmt.Errorf("%w: %s", ErrStays, r.Rejected[0].Reason)
	case r.Refused:
		return fmt.Errorf("%w: %w", ErrStays, ErrShare)
	case r.Gap:
		return fmt.Errorf("%w: what comes before it in journal %s is not stored", ErrStays, p.JID)
	}
	return s.Release(ctx, p.ID)
}

// again makes a batch of a row: of a record that was refused, or of a whole
// message that could not be read.
func again(ctx context.Context, s Retrier, p HeldPoison) (Batch, error) {
	if p.Seq == 0 {
		b, err := wire.DecodeBatch(p.Raw)
		return Batch{Batch: b, Received: time.Now()}, err
	}
	rec, err := wire.DecodeRecord(p.Raw)
	if err != nil {
		return Batch{}, err
	}
	if _, err := rec.DecodeBody(); err != nil {
		return Batch{}, err
	}
	pos, err := s.Position(ctx, p.JID)
	if err != nil {
		return Batch{}, err
	}
	if pos.Agent != p.Agent {
		return Batch{}, fmt.Errorf("journal %s is agent %q's, not %q's", p.JID, pos.Agent, p.Agent)
	}
	// As an alarm that overtakes its journal: stored by itself, no watermark moves.
	return Batch{Place: pos.Place, Received: time.Now(), Retry: true, Batch: wire.Batch{Agent: p.Agent, JID: p.JID, From: p.Seq, To: p.Seq, Ahead: true,
		Entries: []wire.Entry{{Record: rec, Raw: p.Raw}}}}, nil
}
