package devices_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"gatehouse/devices"
	"gatehouse/devices/port"
	"gatehouse/devices/port/pty"
)

func newRig(t *testing.T, bus string, example []byte) rig {
	switch bus {
	case "UART":
		r := &serialRig{Host: port.NewHost(), t: t, link: filepath.Join(t.TempDir(), "port"), example: example}
		r.plug(true)
		t.Cleanup(func() { r.plug(false) })
		return r
	case "I²C":
		return &i2cRig{Host: port.NewHost(), example: example, in: true}
	}
	t.Fatalf("no rig for bus %s", bus)
	return nil
}

// serialRig is a pty behind a symlink, which tarm/serial opens as a port.
type serialRig struct {
	*port.Host
	t       *testing.T
	link    string
	example []byte
	mu      sync.Mutex
	pty     *pty.PTY
}

func (r *serialRig) settings() devices.Settings { return devices.Settings{Port: r.link} }

func (r *serialRig) send(good bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.example
	if !good {
		b = []byte("\x00\xff\x5a\x5a\x45\x02garbage, not a frame\x02\x03\x5a\r")
	}
	if r.pty != nil {
		_, _ = r.pty.Write(b)
	}
}

func (r *serialRig) plug(in bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pty != nil {
		r.pty.Close()
		r.pty = nil
	}
	if !in {
		return
	}
	p, err := pty.Open()
	if err == nil {
		err = p.Link(r.link)
	}
	if err != nil {
		r.t.Error(err)
		return
	}
	r.pty = p
}

// i2cRig is an I²C bus with one chip that answers reads of two words.
type i2cRig struct {
	*port.Host
	example []byte
	mu      sync.Mutex
	in      bool
	garbage int // wrong answers still to give
}

var errNAK = errors.New("no acknowledge")

func (r *i2cRig) settings() devices.Settings { return devices.Settings{Port: "1"} }

func (r *i2cRig) send(good bool) {
	if !good {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.garbage = 3
	}
}

func (r *i2cRig) plug(in bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in = in
}

func (r *i2cRig) I2C(string) (i2c.BusCloser, error) { return r, nil }
func (r *i2cRig) Close() error                      { return nil }
func (r *i2cRig) String() string                    { return "rig" }
func (r *i2cRig) SetSpeed(physic.Frequency) error   { return nil }

func (r *i2cRig) Tx(addr uint16, w, read []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.in || addr != 0x5A || len(w) != 1 || len(read) != 3:
		return errNAK
	case r.garbage > 0:
		r.garbage--
		copy(read, "\xff\xff\xff")
	case w[0] == 0x06:
		copy(read, r.example[:3])
	case w[0] == 0x07:
		copy(read, r.example[3:])
	default:
		return errNAK
	}
	return nil
}
