package broker

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"
)

// kept knows whose messages take too much of what the broker keeps until the
// collector has taken it: while the county's store takes nothing, one machine must
// not fill the room of all. Its methods may be called from any goroutine.
type kept struct {
	mu      sync.Mutex
	over    map[string]bool // keys
	changed chan struct{}   // closed when over changes
}

func newKept() *kept { return &kept{changed: make(chan struct{})} }

// keptKey returns for whom a message on a topic counts: the agent or machine, or the
// topic itself. separator is that of ownerOf.
func keptKey(topic, separator string) string {
	return cmp.Or(ownerOf(topic, separator), keyOf(topic))
}

// set takes whose messages take too much.
func (k *kept) set(over map[string]bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over = over
	close(k.changed)
	k.changed = make(chan struct{})
}

// full reports whether no message may come on a topic now.
func (k *kept) full(topic string) bool {
	full, _ := k.state(topic)
	return full
}

func (k *kept) state(topic string) (full bool, changed <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.over) > 0 && k.over[keptKey(topic, "/")], k.changed
}

// wait returns when a message may come on a topic, or ctx's error.
func (k *kept) wait(ctx context.Context, topic string) error {
	for {
		full, changed := k.state(topic)
		if !full {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watchKept is a goroutine that finds out whose messages take too much, until ctx
// ends.
func (b *Broker) watchKept(ctx context.Context, log *slog.Logger) {
	look := time.NewTicker(keptLookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		b.mu.Lock()
		k := b.keeper
		b.mu.Unlock()
		asking, cancel := context.WithTimeout(ctx, keeperPatience)
		over, err := k.keptBy(asking)
		cancel()
		if err != nil {
			log.Debug("broker: what is kept is not known", "err", err) // it is being restarted
			continue
		}
		b.proxy.kept.set(over)
	}
}
