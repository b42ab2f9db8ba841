package collect

import (
	"context"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/wire"
)

// Audit says how far the county's audit goes.
type Audit interface {
	Head(ctx context.Context) (audit.Head, error)
}

const (
	// headEvery is the shortest time between two statuses that only say another head of
	// the audit: every agent receives them.
	headEvery = 10 * time.Minute
	// headTimeout is how long the committer waits for the audit at most.
	headTimeout = time.Second
)

// head returns the signed head of the county's audit, if it is another one than the last
// status has; nil: it is the same, there is none, or it can't be read now.
func (a *announcer) head() *wire.AuditHead {
	if a.cfg.Audit == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), headTimeout)
	defer cancel()
	h, err := a.cfg.Audit.Head(ctx)
	if err != nil {
		a.cfg.Log.Warn("the collector's status has no new head of the audit", "err", err)
		return nil
	}
	store := a.current.Store
	if last := a.current.Audit; h.N == 0 || last != nil && last.Hash == h.Hash.String() && last.Store == store {
		return nil
	}
	head := wire.SignAuditHead(wire.AuditHead{County: a.cfg.County, Store: store, N: h.N, Hash: h.Hash.String(),
		At: wire.At(a.cfg.Now())}, a.cfg.Key)
	return &head
}
