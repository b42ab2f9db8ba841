package books

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Committer is a store.
type Committer interface {
	Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error)
}

// ErrStays is wrapped by errors of Retry when the store refuses the row again,
// which stays in quarantine.
var ErrStays = errors.New("it stays in quarantine")

// Retry offers a row of the quarantine to the store once more, after the cause
// was removed or with a later version of this program, and releases the row when
// the store has committed it.
func (b *Books) Retry(ctx context.Context, s Committer, p store.Quarantined) error {
	batch, err := b.batchOf(ctx, p)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStays, err)
	}
	receipts, err := s.Commit(ctx, []store.Batch{batch})
	if err != nil {
		return fmt.Errorf("retry row %d of the quarantine: %w", p.ID, err)
	}
	switch r := receipts[0]; {
	case len(r.Rejected) > 0:
		return fmt.Errorf("%w: %s", ErrStays, r.Rejected[0].Reason)
	case r.Refused && r.Why != "":
		return fmt.Errorf("%w: %s", ErrStays, r.Why)
	case r.Refused:
		return fmt.Errorf("%w: %w", ErrStays, store.ErrShare)
	case r.Gap:
		return fmt.Errorf("%w: records before it in journal %s are not stored", ErrStays, p.JID)
	}
	return b.Release(ctx, p.ID)
}

// batchOf makes a batch of a row: of a record that was refused, or of a whole
// message that could not be decoded.
func (b *Books) batchOf(ctx context.Context, p store.Quarantined) (store.Batch, error) {
	now := time.Now()
	if p.Seq == 0 {
		batch, err := wire.DecodeBatch(p.Raw)
		return store.Batch{Batch: batch, Received: now}, err
	}
	rec, err := wire.DecodeRecord(p.Raw)
	if err != nil {
		return store.Batch{}, err
	}
	if _, err := rec.DecodeBody(); err != nil {
		return store.Batch{}, err
	}
	pos, err := b.Position(ctx, p.JID)
	if err != nil {
		return store.Batch{}, err
	}
	if pos.Agent != p.Agent {
		return store.Batch{}, fmt.Errorf("journal %s is agent %q's, not %q's", p.JID, pos.Agent, p.Agent)
	}
	// Like an alarm sent ahead: it is stored by itself, and no watermark moves.
	return store.Batch{Place: pos.Place, Received: now, Retry: true, Batch: wire.Batch{
		Agent: p.Agent, JID: p.JID, From: p.Seq, To: p.Seq, Ahead: true,
		Entries: []wire.Entry{{Record: rec, Raw: p.Raw}}}}, nil
}
