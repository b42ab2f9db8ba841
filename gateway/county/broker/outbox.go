package broker

import (
	"io"
	"sync"
)

// maxOutbox is how many bytes may wait for a client that does not read: more than
// all messages that are retained for it.
const maxOutbox = 2 << 20

var errSlow = fault{what: "it does not read what it subscribed to"}

// outbox holds what a client has not read yet, so that it is not held for it by
// nats-server, which would hold far more.
type outbox struct {
	mu    sync.Mutex
	more  sync.Cond
	bytes []byte
	ended bool
}

func newOutbox() *outbox {
	o := &outbox{}
	o.more.L = &o.mu
	return o
}

// Write adds bytes and does not wait. It returns an error when too many wait.
func (o *outbox) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.bytes)+len(p) > maxOutbox {
		return 0, errSlow
	}
	o.bytes = append(o.bytes, p...)
	o.more.Signal()
	return len(p), nil
}

// end lets run end when it has written what waits.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.more.Signal()
}

// run writes what waits, until end is called or to fails.
func (o *outbox) run(to io.Writer) error {
	for {
		b := o.next()
		if b == nil {
			return nil
		}
		if _, err := to.Write(b); err != nil {
			return err
		}
	}
}

// next waits for bytes; nil: no more come.
func (o *outbox) next() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.bytes) == 0 && !o.ended {
		o.more.Wait()
	}
	b := o.bytes
	o.bytes = nil
	return b
}
