package broker

import (
	"context"
	"io"
	"time"
)

// What one connection may send: more than an agent that delivers a backlog, and
// far less than would keep disk and cores from the others.
const (
	steadyRate  = 4 << 20 // bytes a second
	steadyBurst = 8 << 20
	steadyRead  = 64 << 10
)

// steady reads from a client no faster than it may send. The client waits: what
// it sends meanwhile stays on its side of the line.
type steady struct {
	ctx   context.Context
	from  io.Reader
	spent float64 // bytes, of steadyBurst
	at    time.Time
}

func (s *steady) Read(p []byte) (int, error) {
	n, err := s.from.Read(p[:min(len(p), steadyRead)])
	now := time.Now()
	if !s.at.IsZero() {
		s.spent = max(0, s.spent-steadyRate*now.Sub(s.at).Seconds())
	}
	s.at = now
	if s.spent += float64(n); s.spent > steadyBurst && err == nil {
		t := time.NewTimer(time.Duration((s.spent - steadyBurst) / steadyRate * float64(time.Second)))
		defer t.Stop()
		select {
		case <-t.C:
		case <-s.ctx.Done():
			err = s.ctx.Err()
		}
	}
	return n, err
}
