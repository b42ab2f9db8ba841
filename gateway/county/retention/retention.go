package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// Store is what is removed from.
type Store interface {
	Positions(ctx context.Context) ([]store.Position, error)
	// Expire removes some old records; see store.Expiry. It runs beside commits.
	Expire(ctx context.Context, now time.Time, e store.Expiry) (store.Removal, error)
	// LastExpiry returns when SetLastExpiry was last called; zero: never.
	LastExpiry(ctx context.Context) (time.Time, error)
	SetLastExpiry(ctx context.Context, now time.Time) error
}

// Guard knows which records somebody still needs.
type Guard interface {
	// Removable returns up to which seq the records of a kind may be removed.
	Removable(ctx context.Context, jid string, kind wire.Kind) (uint64, error)
}

// Options are those of New.
type Options struct {
	Config Config
	Store  Store
	Guard  Guard // nil: nobody needs any
	Now    func() time.Time
	Log    *slog.Logger
	// Pause waits, for d, and reports whether ctx still holds; nil: retry.Sleep.
	Pause func(ctx context.Context, d time.Duration) bool
}

// Retention removes what is too old.
type Retention struct {
	opts   Options
	looked int       // how many records a step looks at
	last   time.Time // when the last round began
	hold   time.Time // before it nothing is removed
}

const (
	every = time.Hour // rounds
	// A step holds a commit up for so long; one that took longer makes the next ones
	// smaller, one that took less than half of it larger. The bound is 50 ms.
	stepTime  = 20 * time.Millisecond
	leastStep = 16  // records
	mostStep  = 512 // likewise
	firstStep = 256 // likewise
	rest      = 10  // times what a step took is waited after it
	leastRest = 20 * time.Millisecond
	// A clock that is suddenly so much later may be wrong: for a day nothing is
	// removed, in which somebody can set it.
	jump    = 8 * 24 * time.Hour
	holdFor = 24 * time.Hour
)

// New returns what removes old records when Run is called.
func New(o Options) *Retention {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pause == nil {
		o.Pause = retry.Sleep
	}
	return &Retention{opts: o, looked: firstStep}
}

// Run removes old records once an hour until ctx ends. What fails is logged, and
// tried again with the next round.
func (r *Retention) Run(ctx context.Context) {
	for {
		if err := r.Round(ctx); err != nil && ctx.Err() == nil {
			r.opts.Log.Warn("old records can't be removed; it is tried again in an hour", "err", err)
		}
		if !r.opts.Pause(ctx, every) {
			return
		}
	}
}

// Round removes what is too old now.
func (r *Retention) Round(ctx context.Context) error {
	now := r.opts.Now()
	hold, err := r.held(ctx, now)
	if err != nil || hold {
		return err
	}
	positions, err := r.opts.Store.Positions(ctx)
	if err != nil {
		return err
	}
	for _, rule := range r.opts.Config.rules() {
		if rule.age == 0 {
			continue
		}
		removed := 0
		for _, p := range positions {
			for _, kind := range rule.kinds {
				n, err := r.journal(ctx, now, rule, p, kind)
				removed += n
				if err != nil {
					return fmt.Errorf("%s of %s: %w", rule.name, p.Agent, err)
				}
			}
		}
		if removed > 0 {
			r.opts.Log.Info("old records were removed", "what", rule.name, "kept_for", Age(rule.age).String(),
				"records", removed)
		}
	}
	return nil
}

// held reports whether nothing is to be removed because the clock may be wrong.
func (r *Retention) held(ctx context.Context, now time.Time) (bool, error) {
	last := r.last
	if last.IsZero() {
		var err error
		if last, err = r.opts.Store.LastExpiry(ctx); err != nil {
			return true, err
		}
	}
	r.last = now
	if now.Before(last) { // the clock was set right
		r.hold = time.Time{}
	}
	// Round(0): the difference of the clock's times, not of the time that passed.
	if !last.IsZero() && now.Round(0).Sub(last.Round(0)) > jump {
		r.hold = now.Add(holdFor)
		r.opts.Log.Warn("by this computer's clock it is long since old records were last removed: if the clock is "+
			"wrong set it now; nothing is removed for a day", "last", last, "now", now)
	}
	if now.Before(r.hold) {
		return true, nil
	}
	return false, r.opts.Store.SetLastExpiry(ctx, now)
}

// journal removes a journal's old records of a kind, step by step.
func (r *Retention) journal(
	ctx context.Context, now time.Time, rule rule, p store.Position, kind wire.Kind,
) (removed int, err error) {
	e := store.Expiry{JID: p.JID, Kind: kind, Before: now.Add(-rule.age), Through: p.Through}
	if r.opts.Guard != nil {
		may, err := r.opts.Guard.Removable(ctx, p.JID, kind)
		if err != nil {
			return 0, err
		}
		e.Through = min(e.Through, may)
	}
	for e.Through > 0 {
		e.Looked = r.looked
		done, err := r.opts.Store.Expire(ctx, now, e)
		removed += done.Removed
		if err != nil || done.Looked == 0 {
			return removed, err
		}
		r.adapt(done)
		if !r.opts.Pause(ctx, max(leastRest, rest*done.Held)) {
			return removed, errors.New("the collector ends")
		}
	}
	return removed, nil
}

// adapt makes the next step smaller when one held commits up for too long, and
// larger when one was short.
func (r *Retention) adapt(done store.Removal) {
	switch {
	case done.Held > stepTime:
		r.looked = max(leastStep, r.looked/2)
	case done.Held < stepTime/2 && done.Looked == r.looked:
		r.looked = min(mostStep, r.looked+r.looked/4)
	}
}
