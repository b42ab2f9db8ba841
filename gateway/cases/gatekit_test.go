package cases

import (
	"context"
	"io"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
)

// bubble is the clock of a test's bubble; its boot clock began an hour before.
type bubble struct{ began time.Time }

func (b bubble) Now() clock.Moment {
	return clock.Moment{Wall: time.Now(), Boot: time.Hour + time.Since(b.began)}
}
func (bubble) Synchronised() bool { return true }

func gateContext(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

// gateLine is the serial line of a gate's only device.
type gateLine struct {
	devices.Ports

	came  chan []byte
	rest  []byte
	began time.Time
	asked []time.Duration

	wakes        []byte
	every, lasts time.Duration
	until, next  time.Time
}

func newGateLine() *gateLine { return &gateLine{came: make(chan []byte, 1000), began: time.Now()} }

func (l *gateLine) Serial(string, int) (io.ReadWriteCloser, error) { return l, nil }
func (l *gateLine) Close() error                                   { return nil }

func (l *gateLine) Read(b []byte) (int, error) { return l.ReadWithin(b, 200*time.Millisecond) }

// ReadWithin is called by the driver's goroutine only, as Write is.
func (l *gateLine) ReadWithin(b []byte, d time.Duration) (int, error) {
	var stream <-chan time.Time
	if now := time.Now(); now.Before(l.until) {
		stream = time.After(l.next.Sub(now))
	}
	if len(l.rest) == 0 {
		select {
		case l.rest = <-l.came:
		case <-stream:
			l.rest, l.next = l.wakes, time.Now().Add(l.every)
		case <-time.After(d):
			return 0, nil
		}
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (l *gateLine) Write(b []byte) (int, error) {
	l.asked = append(l.asked, time.Since(l.began).Round(100*time.Millisecond))
	l.next = time.Now().Add(l.every)
	l.until = time.Now().Add(l.lasts)
	return len(b), nil
}
