// Package faults is what goes wrong between a gate and the county.
package faults

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// Proxy stands between an agent and its broker, so that the line can be cut.
type Proxy struct {
	target   string
	listener net.Listener
	wg       sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

// NewProxy listens on a loopback port for connections to target (host:port).
func NewProxy(ctx context.Context, target string) (*Proxy, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a line to %s: %w", target, err)
	}
	p := &Proxy{target: target, listener: l, conns: map[net.Conn]bool{}}
	p.wg.Go(func() { p.serve(ctx) })
	return p, nil
}

// Addr is what the agent connects to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut cuts the line, or lets it be.
func (p *Proxy) Cut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for c := range p.conns {
			c.Close()
		}
	}
}

// Close ends the proxy and waits for its goroutines.
func (p *Proxy) Close() {
	p.Cut(true)
	p.listener.Close()
	p.wg.Wait()
}

func (p *Proxy) serve(ctx context.Context) {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.carry(ctx, c) })
	}
}

// keep notes a connection so that a cut ends it; false when the line is cut.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.Close()
	delete(p.conns, c)
}

func (p *Proxy) carry(ctx context.Context, near net.Conn) {
	if !p.keep(near) {
		return
	}
	defer p.drop(near)
	far, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.target)
	if err != nil || !p.keep(far) {
		return
	}
	defer p.drop(far)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(far, near) // ends with either connection
		far.Close()
	}()
	_, _ = io.Copy(near, far)
	near.Close()
	<-done
}
