// Package loopback finds free addresses for servers that tests and proofs start.
package loopback

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
)

// These ports lie below those that Linux assigns to outgoing connections (ip(7),
// ip_local_port_range: 32768 to 60999), so that no connection can take one
// between Free and the server's Listen.
const first, last = 15000, 32000

// Free returns an address, host:port, on which nobody listens.
func Free(ctx context.Context) (string, error) {
	for {
		address := fmt.Sprintf("127.0.0.1:%d", first+rand.N(last-first))
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err == nil {
			return address, l.Close()
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
}
