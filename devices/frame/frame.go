// Package frame finds the frames of a gate's devices in the bytes that they send, and
// says what each means. It does no I/O and has no clock: times come with the bytes.
package frame

import (
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/fact"
)

// The three ways in which a sensor fails; package devices explains them.
var (
	ErrFrame = errors.New("not a frame of this device")
	ErrFault = errors.New("the device cannot be used")
	ErrGone  = errors.New("device is gone")
)

// ErrUnread is the ErrFrame of a code that somebody has shown and that is no text.
var ErrUnread = fmt.Errorf("the code can't be read: %w", ErrFrame)

// Hint says what to check when bytes come and none is a frame.
const Hint = "bytes come, but none is a frame: check model, baud rate and wiring; are two ports swapped? " +
	"name them by /dev/serial/by-id"

// Framer finds the first frame in buf. It returns how many bytes to drop from the front
// of buf, with the reading they contain or, when they are not a frame, with an error.
// used == 0 asks for more bytes. at is when the newest byte came, and quiet how long
// nothing has come since, for devices that end a frame by silence. A framer is for one
// goroutine and must not keep buf.
type Framer func(at time.Time, buf []byte, quiet time.Duration) (r Reading, used int, err error)

// Reading is what a sensor returns: a Sample or a Tap.
type Reading interface{ reading() }

// Sample is one raw value of a thermometer. A thermometer sends several a
// second, whether or not somebody is in front of it.
type Sample struct {
	At      time.Time // when its last byte arrived; carries the monotonic clock
	Object  fact.Temp // surface seen by the sensor
	Ambient fact.Temp // the sensor's own temperature
}

// Tap is one frame of a card reader or one code of a scanner. The code is personal
// data: it leaves the agent's memory only as a keyed pseudonym.
type Tap struct {
	At   time.Time // when its last byte arrived; carries the monotonic clock
	Code string    // card: 10 upper-case hex digits; scanner: the text, valid UTF-8
	// Repeats: the reader sends a card again and again while it is near, and sends
	// cards that are not there: one that came once proves nothing.
	Repeats bool
}

func (Sample) reading() {}
func (Tap) reading()    {}
