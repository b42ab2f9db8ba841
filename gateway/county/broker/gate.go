package broker

import (
	"context"
	"sync"
)

// gate holds connections back until it is opened. Its methods may be called from
// any goroutine.
type gate struct {
	used bool // otherwise it holds nobody; set before the first wait
	mu   sync.Mutex
	open chan struct{} // closed while the gate is open
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

// admit opens the gate; it may be open.
func (g *gate) admit() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}

// hold closes the gate; it may be closed.
func (g *gate) hold() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
		g.open = make(chan struct{})
	default:
	}
}

// wait returns when the gate is open, or ctx's error.
func (g *gate) wait(ctx context.Context) error {
	if !g.used {
		return nil
	}
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Admit lets clients of other processes connect, where Config.Hold is set. The
// broker acknowledges a message of QoS 1 also when nobody has subscribed to it, and
// forgets it: so the parts of this process subscribe first. After a restart with an
// empty store it waits for Admit again. It may be called from any goroutine.
func (b *Broker) Admit() { b.proxy.gate.admit() }
