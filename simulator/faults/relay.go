package faults

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// relay accepts connections on a loopback port and keeps those that are open,
// so that they can all be cut.
type relay struct {
	target   string // host:port
	listener net.Listener
	wg       sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

func newRelay(ctx context.Context, target string) (*relay, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for connections to %s: %w", target, err)
	}
	return &relay{target: target, listener: l, conns: map[net.Conn]bool{}}, nil
}

// serve starts accepting. Each connection is joined to one of the target's and
// both are passed to join, which returns when they have ended.
func (r *relay) serve(ctx context.Context, join func(near, far net.Conn)) {
	r.wg.Go(func() {
		for {
			near, err := r.listener.Accept()
			if err != nil {
				return
			}
			r.wg.Go(func() { r.connect(ctx, near, join) })
		}
	})
}

func (r *relay) connect(ctx context.Context, near net.Conn, join func(near, far net.Conn)) {
	if !r.add(near) {
		return
	}
	defer r.remove(near)
	far, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.target)
	if err != nil || !r.add(far) {
		return
	}
	defer r.remove(far)
	join(near, far)
}

// add adds an open connection. If the relay is cut, it closes it and returns
// false.
func (r *relay) add(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut {
		c.Close()
		return false
	}
	r.conns[c] = true
	return true
}

func (r *relay) remove(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Close()
	delete(r.conns, c)
}

// setCut closes all connections and refuses new ones, or accepts them again.
func (r *relay) setCut(cut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = cut
	if cut {
		for c := range r.conns {
			c.Close()
		}
	}
}

func (r *relay) addr() string { return r.listener.Addr().String() }

// close ends all connections and waits for the goroutines.
func (r *relay) close() {
	r.setCut(true)
	r.listener.Close()
	r.wg.Wait()
}
