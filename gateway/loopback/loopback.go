// Package loopback finds addresses for servers that tests and proofs start.
package loopback

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports below those that Linux gives to whoever connects (ip(7),
// ip_local_port_range: 32768 to 60999), so that none of these is taken between
// finding it and listening on it.
const first, last = 15000, 32000

// Free gives an address on which nobody listens.
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
