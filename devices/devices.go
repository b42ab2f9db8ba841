// Package devices drives the hardware of a gate: it turns bytes from sensors
// into readings, and signals into levels on GPIO lines. It knows nothing of
// people, verdicts or networks; those are the gateway's.
package devices

import (
	"context"
	"image"
	"io"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"

	"gatehouse/devices/frame"
)

// Sensor is one opened input device.
//
// Next blocks until there is a reading or an error, or ctx is done; then it
// closes the port and returns ctx's error within half a second. One goroutine per
// sensor calls it in a loop, until it has returned that error.
// It returns (nil, nil) when a port that was gone is open again. After any
// error but ctx's own, call it again: it re-opens an unplugged port by itself,
// with back-off.
//
// Errors wrap one of:
//   - ErrFrame: bytes that are not a frame; the device still sends.
//   - ErrFault: the device reports that it cannot measure (bit 15, all FF);
//     or three bursts of bytes without a frame, which means another baud rate
//     or model, reported once until the next frame; or the driver is wrong.
//   - ErrGone: the port is missing or unplugged, or the device does not
//     acknowledge.
type Sensor interface {
	Next(ctx context.Context) (Reading, error)
}

// Output drives a gate's barrier, lamps and buzzer.
//
// Show applies the signal and returns when its timed parts (barrier pulse,
// buzzer pattern) have ended or ctx is done, whichever comes first; the lamps
// stay as they are. The agent cancels ctx when a newer signal must be shown.
// Off puts everything into its safe state (barrier closed, buzzer silent,
// lamps dark); the agent calls it at start and at the end.
type Output interface {
	Show(ctx context.Context, s Signal) error
	Off() error
}

// Display shows pictures of 128x64 pixels, light on dark.
//
// Draw shows a picture. It may take a tenth of a second, the time that a slow bus
// needs. An error wraps ErrGone: the display does not acknowledge; the next Draw opens
// it anew. While nothing changes, call it several times a second all the same: it
// notices a display that was unplugged or whose supply has failed. Off darkens the
// display; the agent calls it at the end. One goroutine calls both.
type Display interface {
	Draw(picture image.Image) error
	Off() error
}

// Ports opens the ports, buses and lines that devices are connected to. In
// production it is port.Host; the simulator passes one with simulated devices.
type Ports interface {
	// Serial opens a serial line 8N1 at the given baud rate and discards what
	// arrived before. Read returns (0, nil) when nothing arrived within the
	// line's read time-out (at most half a second), and an error wrapping
	// ErrGone after a hang-up. A line that has the method ReadWithin too is read
	// with a shorter time-out while a frame is not complete.
	Serial(name string, baud int) (io.ReadWriteCloser, error)
	// SerialLine is Serial for lines that are not 8N1.
	SerialLine(name string, l Line) (io.ReadWriteCloser, error)
	// I2C opens a bus by periph's name for it ("1", "/dev/i2c-1").
	I2C(name string) (i2c.BusCloser, error)
	// Pin finds a GPIO line by periph's name for it ("GPIO17").
	Pin(name string) (gpio.PinIO, error)
}

// Line is how a serial line is spoken.
type Line = frame.Line

// Parities of a Line.
const (
	ParityNone = frame.ParityNone
	ParityEven = frame.ParityEven
	ParityOdd  = frame.ParityOdd
)

// The three ways a sensor fails. Drivers wrap them with the device's model.
var (
	ErrFrame = frame.ErrFrame
	ErrFault = frame.ErrFault
	ErrGone  = frame.ErrGone
)

// What sensors return is declared beside the frames that it is read from.
type (
	// Reading is a Sample or a Tap.
	Reading = frame.Reading
	// Sample is one raw value of a thermometer.
	Sample = frame.Sample
	// Tap is one frame of a card reader or one code of a scanner.
	Tap = frame.Tap
)

// Lamp names the lamp to light; at most one is lit at a time.
type Lamp string

// The lamps of a gate.
const (
	LampNone  Lamp = ""
	LampRed   Lamp = "red"
	LampAmber Lamp = "amber"
	LampGreen Lamp = "green"
)

// Signal is what the outputs of a gate are to show.
type Signal struct {
	Barrier bool            // send the barrier one opening pulse
	Lamp    Lamp            // LampNone: all dark
	Buzzer  []time.Duration // on, off, on, ...; empty: silent
}
