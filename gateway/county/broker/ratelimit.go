package broker

import (
	"context"
	"io"
	"time"
)

// What one connection may send: more than an agent that delivers a backlog, and
// far less than would keep disk and cores from the others.
const (
	maxRate  = 4 << 20  // bytes a second
	maxBurst = 8 << 20  // bytes
	maxRead  = 64 << 10 // bytes of one Read
)

// rateLimited reads from a client no faster than the client may send. When the
// client is faster, the operating system's flow control makes it wait.
type rateLimited struct {
	ctx   context.Context // ends a Read that waits
	from  io.Reader
	spent float64 // bytes of maxBurst in use
	at    time.Time
}

func (r *rateLimited) Read(p []byte) (int, error) {
	n, err := r.from.Read(p[:min(len(p), maxRead)])
	now := time.Now()
	if !r.at.IsZero() {
		r.spent = max(0, r.spent-maxRate*now.Sub(r.at).Seconds())
	}
	r.at = now
	if r.spent += float64(n); r.spent > maxBurst && err == nil {
		t := time.NewTimer(time.Duration((r.spent - maxBurst) / maxRate * float64(time.Second)))
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.ctx.Done():
			err = r.ctx.Err()
		}
	}
	return n, err
}
