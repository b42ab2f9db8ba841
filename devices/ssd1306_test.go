package devices

import (
	"errors"
	"image"
	"image/color"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"gatehouse/devices/port"
)

// oledBus counts what a display is sent.
type oledBus struct {
	*port.Host
	addr                         uint16
	setUps, pictures, probes, up int
	gone                         bool
}

func (b *oledBus) I2C(string) (i2c.BusCloser, error) { b.up++; return b, nil }
func (b *oledBus) Close() error                      { b.up--; return nil }
func (b *oledBus) String() string                    { return "bus" }
func (b *oledBus) SetSpeed(physic.Frequency) error   { return nil }

func (b *oledBus) Tx(addr uint16, w, _ []byte) error {
	switch {
	case b.gone || addr != b.addr:
		return errors.New("no acknowledge")
	case w[0] == 0x40:
		b.pictures++
	case w[1] == 0xAE && len(w) > 2:
		b.setUps++
	case w[1] == ssd1306Nop:
		b.probes++
	}
	return nil
}

// A display of which nothing new is to be shown is asked every second whether it is
// there, and set up again from time to time: its supply may have failed for a moment.
func TestADisplayIsAskedAndSetUpAgain(t *testing.T) {
	b := &oledBus{Host: port.NewHost(), addr: 0x3D}
	made, err := newSSD1306(b, Settings{Port: "1", Address: 0x3D})
	if err != nil {
		t.Fatal(err)
	}
	d, ok := made.(*ssd1306Display)
	if !ok {
		t.Fatal("another driver")
	}
	p := image.NewGray(image.Rect(0, 0, 128, 64))
	p.Set(3, 3, color.White)
	now := time.Unix(1e9, 0)
	for range 400 { // a minute but for a third, ten times a second
		if err := d.draw(p, now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(100 * time.Millisecond)
	}
	if b.setUps != 2 || b.pictures != 16 || b.probes < 36 || b.probes > 40 {
		t.Errorf("%d times set up, %d pages sent, %d times asked", b.setUps, b.pictures, b.probes)
	}
	b.gone = true
	if err := d.Draw(p); !errors.Is(err, ErrGone) {
		t.Errorf("unplugged: %v", err)
	}
	if b.up != 0 {
		t.Error("the bus of a display that is gone stays open")
	}
}

func TestADisplayNeedsABus(t *testing.T) {
	for _, s := range []Settings{{}, {Port: "1", Address: 0x80}} {
		if _, err := newSSD1306(port.NewHost(), s); err == nil {
			t.Errorf("%+v is accepted", s)
		}
	}
}
