package desk

import (
	"context"
	"time"
)

// Passwords are looked at a few at a time: a hash takes a processor for a tenth
// of a second, anybody may order one, and the same processors store readings.
const (
	hashesAtOnce  = 2
	hashesWaiting = 16 // besides those; more are turned away
	hashWait      = 5 * time.Second
)

// hashes lets a few hashes be made at a time. Its method may be called from any
// goroutine.
type hashes struct {
	at   chan struct{} // one that is being made
	come chan struct{} // one that is being made or waits
}

func newHashes() hashes {
	return hashes{make(chan struct{}, hashesAtOnce), make(chan struct{}, hashesAtOnce+hashesWaiting)}
}

// do runs what in its turn. It returns ErrBusy when too many wait, or it has
// waited for hashWait, and ctx's error when that has ended; what has not run then.
func (h hashes) do(ctx context.Context, what func()) error {
	select {
	case h.come <- struct{}{}:
	default:
		return ErrBusy
	}
	defer func() { <-h.come }()
	patience := time.NewTimer(hashWait)
	defer patience.Stop()
	select {
	case h.at <- struct{}{}:
	case <-patience.C:
		return ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.at }()
	what()
	return nil
}
