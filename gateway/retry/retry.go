// Package retry repeats what fails until it succeeds. It owns the pauses
// between the attempts and the log of them.
package retry

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Sleep waits for d or until ctx ends. It reports whether ctx still runs.
func Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Backoff is the sequence of pauses between attempts: each is twice the one
// before. It is not safe for use by several goroutines at once.
type Backoff struct {
	First, Last time.Duration // the shortest and the longest pause
	// Random spreads each pause between zero and twice its length, so that many
	// clients that lost the same server do not come back all at once.
	Random bool

	delay time.Duration // the next pause, before Random; 0: First
}

// Next returns how long to wait before the next attempt.
func (b *Backoff) Next() time.Duration {
	d := max(b.delay, b.First)
	b.delay = min(2*d, b.Last)
	if b.Random {
		return rand.N(2 * d)
	}
	return d
}

// Limit makes the next pause no longer than d, or First if d is shorter: after
// an attempt that succeeded, at least for a while.
func (b *Backoff) Limit(d time.Duration) { b.delay = min(b.delay, d) }

// Loop repeats one call until it succeeds.
type Loop struct {
	Backoff

	Log     *slog.Logger
	Message string // logged as an error with each failed attempt
	// Failed, if not nil, is called after each failed attempt, before the pause.
	Failed func(error)
}

// Do calls what until it returns nil or a Permanent error, or ctx ends. It
// returns nil, the error inside Permanent, or ctx's error. An error with a
// method RetryAfter (an HTTP server's Retry-After) is not tried again sooner.
func (l Loop) Do(ctx context.Context, what func() error) error {
	for {
		err := what()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if p, ok := errors.AsType[permanent](err); ok {
			return p.error
		}
		pause := l.Next()
		var server interface{ RetryAfter() time.Duration }
		if errors.As(err, &server) {
			pause = max(pause, server.RetryAfter())
		}
		if l.Failed != nil {
			l.Failed(err)
		}
		l.Log.Error(l.Message, "err", err, "next", pause)
		if !Sleep(ctx, pause) {
			return ctx.Err()
		}
	}
}

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that another attempt would only repeat: Do returns
// it at once. Permanent of nil is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}
