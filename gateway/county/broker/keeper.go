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
// for want of descriptors or of room, it refuses every message until it is
// started again. Nothing here is worth keeping, so it is started anew, empty.

// Signs of a store that takes nothing more.
const (
	signRefused  = "JetStream failed to store a msg"
	signDisabled = "will be DISABLED"
	// refusals in a row, each less than refusedWithin after the one before, are
	// no accident.
	refusals      = 3
	refusedWithin = 20 * time.Second
	againAfter    = 3 * time.Second // between attempts to start anew
)

// sick watches what nats-server says for these signs.
type sick struct {
	mu      sync.Mutex
	refused int
	last    time.Time
	found   chan struct{} // holds one sign
}

func (s *sick) hear(now time.Time, text string) {
	disabled := strings.Contains(text, signDisabled)
	if !disabled && !strings.Contains(text, signRefused) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.last) > refusedWithin {
		s.refused = 0
	}
	s.refused++
	s.last = now
	if disabled || s.refused >= refusals {
		s.refused = 0
		select {
		case s.found <- struct{}{}:
		default:
		}
	}
}

// keep starts nats-server anew whenever its store has failed, until ctx ends.
func (b *Broker) keep(ctx context.Context, opts func() *server.Options, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.sick.found:
		}
		log.Error("broker: its own store takes nothing more; it is started anew, empty: no record is lost, agents send again")
		again := retry.Loop{Backoff: retry.Backoff{First: againAfter, Last: againAfter}, Log: log, Message: "broker: start anew"}
		_ = again.Do(ctx, func() error { return b.anew(opts(), log) }) // fails with ctx only
	}
}

func (b *Broker) anew(opts *server.Options, log *slog.Logger) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.srv.Shutdown()
	b.srv.WaitForShutdown()
	if err := os.RemoveAll(opts.StoreDir); err != nil {
		return fmt.Errorf("remove what it held: %w", err)
	}
	if err := os.MkdirAll(opts.StoreDir, 0o700); err != nil {
		return fmt.Errorf("make its folder: %w", err)
	}
	if err := b.run(opts, log); err != nil {
		return err
	}
	select { // what the old one said last
	case <-b.sick.found:
	default:
	}
	return nil
}
