// Package devices turns the bytes of what stands at a gate into readings, and
// signals into levels on wires. It knows nothing of people, verdicts or
// networks: those begin in gateway.
package devices

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
)

// Sensor is one opened input device.
//
// Next blocks until a reading, an error or the end of ctx; it returns within
// half a second of that end. The caller (one goroutine a sensor, in the agent)
// calls it in a loop. (nil, nil) says that a port which was gone is open again.
// After any error but ctx's own the next call carries on:
// it re-opens an unplugged port with back-off by itself. Errors wrap
// ErrFrame (bytes that are no frame: counted, the device still talks),
// ErrFault (the device says it can't measure: bit 15, all FF; or, once until
// the next frame, bytes come and three bursts of them made none: another baud
// rate or model; or the driver is wrong) or ErrGone (port missing, unplugged,
// no acknowledge).
type Sensor interface {
	Next(ctx context.Context) (Reading, error)
}

// Output is what a verdict drives: barrier, lamps, buzzer.
//
// Show applies the signal and returns when its timed parts (barrier pulse,
// buzzer pattern) have ended or ctx has, whichever comes first; lamps stay as
// they are. The agent cancels ctx when a newer signal must be shown. Off puts
// everything into its safe state (barrier closed, buzzer silent, lamps dark)
// and is called at start and at the end.
type Output interface {
	Show(ctx context.Context, s Signal) error
	Off() error
}

// Ports opens the lines that devices hang on. In production it is port.Host;
// the simulator gives its own, whose far ends answer in bytes.
type Ports interface {
	// Serial opens a serial line 8N1 at the given baud rate, flushed of what
	// arrived before. Read returns (0, nil) when nothing came for the line's
	// read timeout (at most half a second), and an error wrapping ErrGone
	// after a hang-up.
	Serial(name string, baud int) (io.ReadWriteCloser, error)
	// I2C opens a bus by periph's name for it ("1", "/dev/i2c-1").
	I2C(name string) (i2c.BusCloser, error)
	// Pin finds a GPIO line by periph's name for it ("GPIO17").
	Pin(name string) (gpio.PinIO, error)
}

// The three ways a sensor fails. Drivers wrap them with the device's model.
var (
	ErrFrame = errors.New("not a frame of this device")
	ErrFault = errors.New("the device cannot be used")
	ErrGone  = errors.New("device is gone")
)

// Temp is a temperature in hundredths of a degree Celsius: every device in the
// catalogue reports multiples of 0.01 °C, so nothing is ever rounded and
// 34.10 + 3.20 is 37.30.
type Temp int32

// String gives "36.50".
func (t Temp) String() string {
	sign, v := "", int64(t)
	if v < 0 {
		sign, v = "-", -v
	}
	return fmt.Sprintf("%s%d.%02d", sign, v/100, v%100)
}

// Reading is what a sensor yields: a Sample or a Tap.
type Reading interface{ reading() }

// Sample is one raw value of a thermometer, several a second, with or without
// anybody in front of it.
type Sample struct {
	At      time.Time // when its last byte arrived; carries the monotonic clock
	Object  Temp      // surface seen by the sensor
	Ambient Temp      // the sensor's own temperature
}

// Tap is one frame of a card reader or one line of a scanner. Readers repeat
// it while the card is near. The code is personal data: it never leaves the
// agent's memory except as a keyed pseudonym.
type Tap struct {
	At   time.Time // when its last byte arrived; carries the monotonic clock
	Code string    // card: 10 upper-case hex digits; scanner: the line, valid UTF-8
}

func (Sample) reading() {}
func (Tap) reading()    {}

// Lamp is the one lamp that is lit.
type Lamp string

// The lamps of a gate.
const (
	LampNone  Lamp = ""
	LampRed   Lamp = "red"
	LampAmber Lamp = "amber"
	LampGreen Lamp = "green"
)

// Signal is what the outputs of a gate shall show.
type Signal struct {
	Barrier bool            // give the barrier one opening pulse
	Lamp    Lamp            // the lamp to light; LampNone: all dark
	Buzzer  []time.Duration // on, off, on, ... ; empty: silent
}
