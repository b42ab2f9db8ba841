package people

import (
	"context"
	"time"
)

// Passwords are hashed a few at a time: a hash takes a processor for a tenth of
// a second, anybody may ask for one, and the same processors store readings.
// Strangers have a queue of their own, so that they can delay only each other.
const (
	hashesAtOnce  = 1  // of each queue
	hashesWaiting = 16 // besides those; more are turned away
	hashWait      = 5 * time.Second
)

// hashes limits how many passwords are hashed at the same time. Its method may
// be called from any goroutine.
type hashes struct {
	running chan struct{} // one element for each that is being hashed
	all     chan struct{} // one for each that is being hashed or waits
}

func newHashes() hashes {
	return hashes{make(chan struct{}, hashesAtOnce), make(chan struct{}, hashesAtOnce+hashesWaiting)}
}

// do calls hash when it is its turn. It returns ErrBusy when too many wait, or
// it has waited for hashWait, and ctx's error when that has ended; hash was not
// called then.
func (h hashes) do(ctx context.Context, hash func()) error {
	select {
	case h.all <- struct{}{}:
	default:
		return ErrBusy
	}
	defer func() { <-h.all }()
	patience := time.NewTimer(hashWait)
	defer patience.Stop()
	select {
	case h.running <- struct{}{}:
	case <-patience.C:
		return ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.running }()
	hash()
	return nil
}
