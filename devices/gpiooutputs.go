package devices

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// The roles a GPIO line can have at a gate. A barrier takes a dry contact of
// half a second to a second; lamps and buzzer are on relays or transistors.
const (
	PinBarrier = "barrier"
	PinRed     = "red"
	PinAmber   = "amber"
	PinGreen   = "green"
	PinBuzzer  = "buzzer"
)

var pinRoles = []string{PinBarrier, PinRed, PinAmber, PinGreen, PinBuzzer}

const (
	barrierPulse = 700 * time.Millisecond
	barrierGap   = 2 * time.Second // a barrier may take an earlier second pulse for "close"
)

// gpioOutputs is fail-secure: at rest the barrier's contact is open.
type gpioOutputs struct {
	pins   map[string]gpio.PinIO
	on     map[string]gpio.Level // role to the level that switches it on
	opened time.Time             // when the last barrier pulse began
}

func newGPIOOutputs(ports Ports, s Settings) (Output, error) {
	if len(s.Pins) == 0 {
		return nil, fmt.Errorf("gpio-outputs: pins are missing: set at least one of %v", pinRoles)
	}
	o := &gpioOutputs{pins: map[string]gpio.PinIO{}, on: map[string]gpio.Level{}}
	for _, role := range slices.Sorted(maps.Keys(s.Pins)) {
		if !slices.Contains(pinRoles, role) {
			return nil, fmt.Errorf("gpio-outputs: pin %q is not one of %v", role, pinRoles)
		}
		pin, err := ports.Pin(s.Pins[role])
		if err != nil {
			return nil, fmt.Errorf("gpio-outputs: %s: %w", role, err)
		}
		o.pins[role], o.on[role] = pin, gpio.High
	}
	for _, role := range s.ActiveLow {
		if o.pins[role] == nil {
			return nil, fmt.Errorf("gpio-outputs: active_low names %q, which has no pin", role)
		}
		o.on[role] = gpio.Low
	}
	return o, nil
}

// Show implements Output.
func (o *gpioOutputs) Show(ctx context.Context, s Signal) error {
	err := errors.Join(
		o.set(PinRed, s.Lamp == LampRed),
		o.set(PinAmber, s.Lamp == LampAmber),
		o.set(PinGreen, s.Lamp == LampGreen),
	)
	pulsed := make(chan error, 1)
	if s.Barrier && time.Since(o.opened) >= barrierGap {
		o.opened = time.Now()
		go func() { pulsed <- o.pulse(ctx, PinBarrier, barrierPulse) }()
	} else {
		pulsed <- nil
	}
	for i, d := range s.Buzzer {
		if ctx.Err() != nil {
			break
		}
		if i%2 == 0 {
			err = errors.Join(err, o.pulse(ctx, PinBuzzer, d))
		} else {
			wait(ctx, d)
		}
	}
	return errors.Join(err, <-pulsed)
}

// pulse switches a role on for d or until ctx is done, and always off again.
func (o *gpioOutputs) pulse(ctx context.Context, role string, d time.Duration) error {
	if err := o.set(role, true); err != nil {
		return errors.Join(err, o.set(role, false))
	}
	wait(ctx, d)
	return o.set(role, false)
}

// Off implements Output.
func (o *gpioOutputs) Off() error {
	var errs []error
	for _, role := range pinRoles {
		errs = append(errs, o.set(role, false))
	}
	return errors.Join(errs...)
}

// set switches a role on or off; it does nothing for a role without a pin.
func (o *gpioOutputs) set(role string, on bool) error {
	pin := o.pins[role]
	if pin == nil {
		return nil
	}
	level := o.on[role]
	if !on {
		level = !level
	}
	if err := pin.Out(level); err != nil {
		return fmt.Errorf("gpio-outputs: %s on %s: %w", role, pin.Name(), err)
	}
	return nil
}
