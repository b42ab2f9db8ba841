package broker

import (
	"context"
	"io"
	"time"
)

// maxRead is how many bytes one Read returns at most.
const maxRead = 64 << 10

// rateLimited reads from a client no faster than its visitor may send. When the
// client is faster, the operating system's flow control makes it wait.
type rateLimited struct {
	ctx     context.Context // ends a Read that waits
	from    io.Reader
	visitor *visitor
}

func (r *rateLimited) Read(p []byte) (int, error) {
	n, err := r.from.Read(p[:min(len(p), maxRead)])
	wait := r.visitor.send(time.Now(), n)
	if wait > 0 && err == nil {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.ctx.Done():
			err = r.ctx.Err()
		}
	}
	return n, err
}
