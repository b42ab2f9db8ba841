// Package faults injects faults between a gate and the county: into networks,
// disks, memory and databases.
package faults

import (
	"context"
	"io"
	"net"
)

// Proxy passes bytes between an agent and its broker until it is cut.
type Proxy struct{ relay *relay }

// NewProxy listens on a loopback port for connections to target (host:port).
func NewProxy(ctx context.Context, target string) (*Proxy, error) {
	r, err := newRelay(ctx, target)
	if err != nil {
		return nil, err
	}
	r.serve(ctx, copyBoth)
	return &Proxy{r}, nil
}

// Addr returns the address that the agent connects to.
func (p *Proxy) Addr() string { return p.relay.addr() }

// Cut ends all connections and refuses new ones; Cut(false) accepts them again.
func (p *Proxy) Cut(cut bool) { p.relay.setCut(cut) }

// Close ends the proxy and waits for its goroutines.
func (p *Proxy) Close() { p.relay.close() }

// copyBoth copies bytes both ways until one of the connections ends.
func copyBoth(near, far net.Conn) {
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
