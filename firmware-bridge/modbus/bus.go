// Package modbus reads machines behind Modbus: several units on one RS-485 bus
// (RTU) or a device on the network (TCP, or RTU over TCP), each by the register map
// of its model. It reads only: nothing is ever written to a machine.
//
// It frames requests by itself ("MODBUS over Serial Line" V1.02, "MODBUS Messaging
// on TCP/IP" V1.0b): simonvetter/modbus takes no line that is open already, and
// gives up an answer before or behind which other bytes stand.
package modbus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"gatehouse/devices"
	"gatehouse/devices/unheard"
	"gatehouse/firmware-bridge/runs"
)

// Out is called with a sample of a machine, or with an error, from the goroutine
// of Run. While bytes come of a unit that are no answers, the error is an
// *unheard.Error.
type Out = func(machine string, s runs.Sample, err error)

// Bus polls the units of one bus. Make it with New, run it with Run.
type Bus struct {
	cfg   Config
	ports devices.Ports
	units []*unit
	line  *line // nil: it is not open
	began time.Time
}

// unit is one device with the time of its next poll.
type unit struct {
	Unit
	blocks []block
	next   time.Time
	retry  time.Duration // until the next attempt at a unit that does not answer; 0: it does
	heard  unheard.Watch
	empty  map[string]bool // by name: values that the unit says it does not have
	advice string          // what was advised since nothing of it is plausible
}

const (
	rest      = 20 * time.Millisecond  // between requests: others may use the bus too
	busyWait  = 100 * time.Millisecond // before a unit is asked again that was busy
	busyTries = 3
	hangUps   = 2                // so often a request is sent again at once when the other end hangs up
	dialIn    = 5 * time.Second  // the least time for a connection
	lastRetry = 30 * time.Second // the longest wait for a unit that does not answer
	soonRetry = 2 * time.Second  // for one of which bytes come
)

// New returns a bus; it opens nothing yet.
func New(cfg Config, ports devices.Ports) (*Bus, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("modbus: %w", err)
	}
	cfg.Baud = cmp.Or(cfg.Baud, 9600)
	cfg.Every = cmp.Or(cfg.Every, time.Second)
	cfg.Timeout = cmp.Or(cfg.Timeout, time.Second)
	b := &Bus{cfg: cfg, ports: ports, began: time.Now()}
	for _, u := range cfg.Units {
		b.units = append(b.units, &unit{Unit: u, blocks: blocks(u.Map), empty: map[string]bool{}})
	}
	return b, nil
}

// Run polls until ctx ends, and returns nil then. A unit that does not answer is
// polled again after growing waits, while the others go on.
func (b *Bus) Run(ctx context.Context, out Out) error {
	defer b.close()
	for {
		u := slices.MinFunc(b.units, func(x, y *unit) int { return x.next.Compare(y.next) })
		if err := pause(ctx, time.Until(u.next)); err != nil {
			return nil // ctx has ended
		}
		err := b.poll(ctx, u, out)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			u.retry, u.next = 0, nextTurn(u.next, b.cfg.Every)
			continue
		}
		b.failed(u, err, out)
	}
}

// failed reports that a unit did not answer, and plans the next attempt.
func (b *Bus) failed(u *unit, err error, out Out) {
	longest, least := lastRetry, b.cfg.Every
	var quiet *silence
	if errors.As(err, &quiet) {
		now := time.Since(b.began)
		u.heard.Bytes(now, quiet.bytes)
		if report, ok := u.heard.Check(now); ok {
			err = &unheard.Error{Report: report, Try: quiet.try()}
		}
		if len(quiet.bytes) > 0 {
			longest = soonRetry
		}
		// A late answer must not be taken for that of the next request.
		if least = max(least, b.cfg.Timeout); u.alike(quiet.request) {
			least = max(least, 2*b.cfg.Timeout)
		}
	}
	// A connection that has fallen silent may be dead.
	if b.line != nil && b.line.mute > 1 {
		b.close()
	}
	u.retry = max(min(2*u.retry, longest), least)
	u.next = time.Now().Add(u.retry)
	out(u.Machine, runs.Sample{}, b.name(u, err))
}

// alike reports whether the answer to a request could be taken for that of another
// request to the unit.
func (u *unit) alike(r request) bool {
	return slices.ContainsFunc(u.blocks, func(b block) bool {
		q := b.request(r.unit)
		return q.function == r.function && q.size() == r.size() && q.first != r.first
	})
}

// name adds to an error the unit that it is about.
func (b *Bus) name(u *unit, err error) error {
	return fmt.Errorf("modbus unit %d of %s (%s%s): %w", u.Unit.Unit, u.Machine, b.cfg.Serial, b.cfg.TCP, err)
}

// nextTurn returns the time of the next poll. Polls that were missed are not made
// up for.
func nextTurn(last time.Time, every time.Duration) time.Time {
	if next := last.Add(every); next.After(time.Now()) {
		return next
	}
	return time.Now().Add(every)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// open opens the bus, unless it is open.
func (b *Bus) open(ctx context.Context) error {
	if b.line != nil {
		return nil
	}
	var stream io.ReadWriteCloser
	var err error
	var f framing = rtu{}
	if b.cfg.Serial != "" {
		stream, err = b.ports.SerialLine(b.cfg.Serial,
			devices.Line{Baud: b.cfg.Baud, Parity: b.cfg.Parity, StopBits: b.cfg.StopBits})
	} else {
		if b.cfg.Framing != FramingRTU {
			f = mbap{}
		}
		dialer := net.Dialer{Timeout: max(b.cfg.Timeout, dialIn)}
		stream, err = dialer.DialContext(ctx, "tcp", b.cfg.TCP)
	}
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	b.line = newLine(stream, f)
	return nil
}

// close closes the bus, if it is open.
func (b *Bus) close() {
	if b.line != nil {
		b.line.close()
		b.line = nil
	}
}

// ask sends a request and returns the values that answer it. It asks again at once
// when the other end hangs up, or when bytes came that are no answer, and after a
// moment when the unit is busy.
func (b *Bus) ask(ctx context.Context, r request) ([]byte, error) {
	hung, garbled, wait := 0, false, 0
	for {
		if err := b.open(ctx); err != nil {
			return nil, err
		}
		values, err := b.line.ask(ctx, r, b.cfg.Timeout)
		var quiet *silence
		var e exception
		switch {
		case errors.Is(err, errHungUp):
			b.close()
			if hung++; hung > hangUps {
				return nil, err
			}
		case errors.As(err, &quiet) && len(quiet.bytes) > 0 && !quiet.found.echo && quiet.found.other == "" && !garbled:
			garbled = true
		case errors.As(err, &e) && (e == busy || e == acknowledge || e == noAnswer) && wait < busyTries:
			wait++
			if err := pause(ctx, busyWait); err != nil {
				return nil, err
			}
		default:
			return values, err
		}
	}
}
