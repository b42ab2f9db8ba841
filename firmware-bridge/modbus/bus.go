// Package modbus reads machines behind Modbus: several units on one RS-485 bus
// (RTU) or a device on the network (TCP), each by the register map of its model.
// It reads only: nothing is ever written to a machine.
package modbus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/simonvetter/modbus"

	"gatehouse/devices"
	"gatehouse/firmware-bridge/runs"
)

// Out is called with a sample of a machine, or with an error, from the goroutine
// of Run.
type Out = func(machine string, s runs.Sample, err error)

// Config is one bus.
type Config struct {
	Serial string        // an RS-485 adapter that turns its direction by itself; or
	Baud   int           // default 9600
	TCP    string        // host:port
	Every  time.Duration // between two polls of a unit; default 1 s
	Units  []Unit
}

// Unit is one device on the bus; several may belong to one machine.
type Unit struct {
	Machine string
	Unit    uint8 // 1 to 247
	Map     *Map
}

const (
	answerIn  = 500 * time.Millisecond // a unit that takes longer does not answer
	rest      = 20 * time.Millisecond  // between requests: others may use the bus too
	lastRetry = 30 * time.Second       // the longest wait for a unit that does not answer
)

// Check returns an error that lists what is wrong, or nil.
func (c Config) Check() error {
	var errs []error
	if (c.Serial == "") == (c.TCP == "") {
		errs = append(errs, errors.New("give serial or tcp, one of them"))
	}
	if len(c.Units) == 0 {
		errs = append(errs, errors.New("units: none are listed"))
	}
	seen := map[uint8]bool{}
	for _, u := range c.Units {
		if u.Unit < 1 || u.Unit > 247 {
			errs = append(errs, fmt.Errorf("unit %d of %s: a unit is 1 to 247", u.Unit, u.Machine))
		}
		if seen[u.Unit] {
			errs = append(errs, fmt.Errorf("unit %d is listed twice on this bus", u.Unit))
		}
		seen[u.Unit] = true
		if err := u.Map.Check(); err != nil {
			errs = append(errs, fmt.Errorf("unit %d: register map %s: %w", u.Unit, u.Map.Model, err))
		}
	}
	return errors.Join(errs...)
}

// Bus polls the units of one bus. Make it with New, run it with Run.
type Bus struct {
	cfg   Config
	ports devices.Ports
	units []*unit
}

// unit is one device with the time of its next poll.
type unit struct {
	Unit
	blocks []block
	next   time.Time
	retry  time.Duration // until the next attempt at a unit that does not answer; 0: it does
}

// New returns a bus; it opens nothing yet.
func New(cfg Config, ports devices.Ports) (*Bus, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("modbus: %w", err)
	}
	cfg.Baud = cmp.Or(cfg.Baud, 9600)
	cfg.Every = cmp.Or(cfg.Every, time.Second)
	b := &Bus{cfg: cfg, ports: ports}
	for _, u := range cfg.Units {
		b.units = append(b.units, &unit{Unit: u, blocks: blocks(u.Map)})
	}
	return b, nil
}

// Run polls until ctx ends, and returns nil then. A unit that does not answer is
// polled again after growing waits, while the others go on.
func (b *Bus) Run(ctx context.Context, out Out) error {
	var l *link
	defer func() { l.close() }()
	for {
		u := slices.MinFunc(b.units, func(x, y *unit) int { return x.next.Compare(y.next) })
		if err := pause(ctx, time.Until(u.next)); err != nil {
			return nil // ctx has ended
		}
		var err error
		if l == nil {
			l, err = b.open(ctx)
		}
		if err == nil {
			err = b.poll(ctx, l, u, out)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			u.retry, u.next = 0, nextTurn(u.next, b.cfg.Every)
			continue
		}
		// Open the bus again: a late answer must not be taken for the next one.
		l.close()
		l = nil
		u.retry = min(max(2*u.retry, b.cfg.Every), lastRetry)
		u.next = time.Now().Add(u.retry)
		err = fmt.Errorf("modbus unit %d of %s (%s%s): %w", u.Unit.Unit, u.Machine, b.cfg.Serial, b.cfg.TCP, err)
		out(u.Machine, runs.Sample{}, err)
	}
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

// poll reads all values of a unit. It reports exceptions and implausible values
// to out and goes on; the error means that the unit did not answer.
func (b *Bus) poll(ctx context.Context, l *link, u *unit, out Out) error {
	var s runs.Sample
	for _, blk := range u.blocks {
		if err := pause(ctx, rest); err != nil {
			return err
		}
		regs, err := l.read(u.Unit.Unit, blk)
		if exception(err) {
			err = fmt.Errorf("modbus unit %d of %s refuses %s", u.Unit.Unit, u.Machine, blk.describe(err))
			out(u.Machine, runs.Sample{}, err)
			continue
		}
		if err != nil {
			return errors.New(blk.describe(err))
		}
		for _, v := range blk.values {
			at := v.Address - blk.first
			if err := v.set(&s, regs[at:at+registers[v.Type]]); err != nil {
				out(u.Machine, runs.Sample{}, fmt.Errorf("modbus unit %d of %s: %w", u.Unit.Unit, u.Machine, err))
			}
		}
	}
	if !s.Empty() {
		out(u.Machine, s, nil)
	}
	return nil
}

// describe says which request failed and how, for whoever corrects the map.
func (b block) describe(err error) string {
	return fmt.Sprintf("function %d, address %d (0x%04X), %d of %s: %s",
		functions[b.table], b.first, b.first, b.count, b.table, err)
}

var functions = map[string]int{tableCoil: 1, tableDiscrete: 2, tableHolding: 3, tableInput: 4}

// exception reports whether err is a Modbus exception: the unit answered, and
// refused.
func exception(err error) bool {
	for _, e := range []error{
		modbus.ErrIllegalFunction, modbus.ErrIllegalDataAddress, modbus.ErrIllegalDataValue,
		modbus.ErrServerDeviceFailure, modbus.ErrAcknowledge, modbus.ErrServerDeviceBusy,
		modbus.ErrMemoryParityError, modbus.ErrGWPathUnavailable,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// sorted returns values in the order of their addresses, table by table.
func sorted(v []Value) []Value {
	return slices.SortedFunc(slices.Values(v), func(x, y Value) int {
		return cmp.Or(cmp.Compare(functions[x.Table], functions[y.Table]), cmp.Compare(x.Address, y.Address))
	})
}
