package devices

import (
	"errors"
	"fmt"
	"image"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/devices/v3/ssd1306"
)

// SSD1306: a display of 128x64 pixels on I²C, driven by periph's library. Source:
// Solomon Systech SSD1306 data sheet, rev 1.1.
const (
	ssd1306Address = 0x3C
	ssd1306Nop     = 0xE3             // data sheet, table 9: no operation
	displayProbe   = time.Second      // how often a display with nothing new to show is asked whether it is there
	displaySetUp   = 30 * time.Second // a display whose supply failed for a moment is dark until it is set up again
)

type ssd1306Display struct {
	ports Ports
	name  string
	addr  uint16

	bus    i2c.BusCloser
	dev    *ssd1306.Dev // nil: must be set up
	setUp  time.Time
	probed time.Time
}

func newSSD1306(ports Ports, s Settings) (Display, error) {
	if s.Port == "" {
		return nil, errors.New("ssd1306: port is missing (the I²C bus, for example 1)")
	}
	addr := s.Address
	if addr == 0 {
		addr = ssd1306Address
	}
	if addr > 0x7F {
		return nil, fmt.Errorf("ssd1306: address %#x is not a 7-bit I²C address", addr)
	}
	return &ssd1306Display{ports: ports, name: s.Port, addr: addr}, nil
}

// Draw implements Display. It sends only the part of the picture that has changed.
func (d *ssd1306Display) Draw(picture image.Image) error {
	err := d.draw(picture, time.Now())
	if err == nil {
		return nil
	}
	d.close()
	return fmt.Errorf("ssd1306 at %#x on bus %s: %w: %w", d.addr, d.name, ErrGone, err)
}

func (d *ssd1306Display) draw(picture image.Image, now time.Time) error {
	if d.dev == nil || now.Sub(d.setUp) >= displaySetUp {
		if err := d.open(now); err != nil {
			return err
		}
	}
	if now.Sub(d.probed) >= displayProbe {
		d.probed = now
		if err := d.bus.Tx(d.addr, []byte{0, ssd1306Nop}, nil); err != nil {
			return fmt.Errorf("ask whether it is there: %w", err)
		}
	}
	return d.dev.Draw(d.dev.Bounds(), picture, image.Point{})
}

// open opens the bus if it is not open, and sets the display up.
func (d *ssd1306Display) open(now time.Time) error {
	if d.bus == nil {
		bus, err := d.ports.I2C(d.name)
		if err != nil {
			return err
		}
		d.bus = bus
	}
	dev, err := ssd1306.NewI2C(addressed{d.bus, d.addr}, &ssd1306.DefaultOpts)
	if err != nil {
		return fmt.Errorf("set it up: %w", err)
	}
	d.dev, d.setUp, d.probed = dev, now, now
	return nil
}

// Off implements Display.
func (d *ssd1306Display) Off() error {
	if d.dev == nil {
		return nil
	}
	defer d.close()
	if err := d.dev.Halt(); err != nil {
		return fmt.Errorf("ssd1306 at %#x on bus %s: switch it off: %w", d.addr, d.name, err)
	}
	return nil
}

func (d *ssd1306Display) close() {
	if d.bus != nil {
		d.bus.Close()
	}
	d.bus, d.dev = nil, nil
}

// addressed is a bus on which every transaction goes to one address: the library knows
// only the usual one.
type addressed struct {
	i2c.Bus
	addr uint16
}

// Tx implements i2c.Bus.
func (a addressed) Tx(_ uint16, w, r []byte) error { return a.Bus.Tx(a.addr, w, r) }
