package broker

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"gatehouse/gateway/retry"
)

// nats-server's file store does not recover by itself: once a write has failed,
// for lack of descriptors or of disk space, it refuses every message until it is
// started again. It holds nothing that is needed, so it is restarted with an
// empty store.

// Log messages of nats-server that show that its store takes nothing more.
const (
	msgRefused  = "JetStream failed to store a msg"
	msgDisabled = "will be DISABLED"
	// So many refusals, each within refusedWithin of the one before, mean that the
	// store has failed.
	refusals      = 3
	refusedWithin = 20 * time.Second
	retryAfter    = 3 * time.Second // between attempts to restart
)

// storeWatch finds in nats-server's log that its store has failed. Its methods
// may be called from any goroutine.
type storeWatch struct {
	mu      sync.Mutex
	refused int
	last    time.Time
	failed  chan struct{} // receives when the store has failed; holds one signal
}

func newStoreWatch() storeWatch { return storeWatch{failed: make(chan struct{}, 1)} }

// observe takes a line of the log.
func (w *storeWatch) observe(now time.Time, text string) {
	disabled := strings.Contains(text, msgDisabled)
	if !disabled && !strings.Contains(text, msgRefused) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.last) > refusedWithin {
		w.refused = 0
	}
	w.refused++
	w.last = now
	if disabled || w.refused >= refusals {
		w.refused = 0
		select {
		case w.failed <- struct{}{}:
		default:
		}
	}
}

// restartFailed is a goroutine that restarts nats-server whenever its store has
// failed, until ctx ends.
func (b *Broker) restartFailed(ctx context.Context, opts func() *server.Options, log *slog.Logger) {
	every := retry.Backoff{First: retryAfter, Last: retryAfter}
	again := retry.Loop{Backoff: every, Log: log, Message: "broker: restart"}
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.store.failed:
		}
		log.Error("broker: its own store takes nothing more; restarting with an empty one: " +
			"no record is lost, agents send again")
		_ = again.Do(ctx, func() error { return b.restart(opts(), log) }) // fails with ctx only
	}
}

func (b *Broker) restart(opts *server.Options, log *slog.Logger) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.proxy.gate.hold() // the sessions are lost: those of this process are made again first
	b.stop()
	if err := os.RemoveAll(opts.StoreDir); err != nil {
		return fmt.Errorf("remove its store: %w", err)
	}
	if err := os.MkdirAll(opts.StoreDir, 0o700); err != nil {
		return fmt.Errorf("create its folder: %w", err)
	}
	if err := b.run(opts, log); err != nil {
		return err
	}
	select { // a failure that the former server reported meanwhile
	case <-b.store.failed:
	default:
	}
	return nil
}
