package bench

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"
	"periph.io/x/conn/v3/i2c"

	"gatehouse/devices"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
)

// Spec lists the hardware of a gate.
type Spec struct {
	Thermometer string // gy-mcu90614 or mlx90614
	Readers     []Reader
	Outputs     bool      // barrier, lamps and buzzer on GPIO lines
	Display     bool      // an SSD1306 on the I²C bus
	Offset      fact.Temp // site offset in its agent's configuration
	Ambient     fact.Temp
}

// Reader is a card reader or scanner.
type Reader struct {
	Name      string // in the agent's configuration
	Model     string // rdm6300 or qr-scanner
	Direction fact.Direction
}

const (
	thermometerName = "thermometer"
	displayName     = "display"
)

// Hardware simulates one gate's devices. Make it with New and run it with Run;
// its other methods may be called from several goroutines.
type Hardware struct {
	Scene
	spec  Spec
	dir   string
	plugs map[string]*plug // serial devices by name
	mlx   *mlx
	oled  *oled
	pins  map[string]*gpiotest.Pin

	tapping sync.Mutex // held while a card is at a reader
}

// New returns the hardware of spec, plugged in. Its serial ports are symlinks
// with stable names in dir.
func New(dir string, spec Spec) (*Hardware, error) {
	h := &Hardware{spec: spec, dir: dir, plugs: map[string]*plug{}, pins: map[string]*gpiotest.Pin{}}
	h.SetAmbient(spec.Ambient)
	if spec.Display {
		h.oled = newOLED()
	}
	h.normal = Surface(3650, spec.Offset)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of the simulated ports: %w", err)
	}
	switch spec.Thermometer {
	case "gy-mcu90614":
		if err := h.addPlug(thermometerName); err != nil {
			return nil, err
		}
	case "mlx90614":
		h.mlx = newMLX(&h.Scene)
	default:
		return nil, fmt.Errorf("no emulator of thermometer %q: use gy-mcu90614 or mlx90614", spec.Thermometer)
	}
	for _, r := range spec.Readers {
		if r.Model != "rdm6300" && r.Model != "qr-scanner" {
			return nil, fmt.Errorf("no emulator of reader %q: use rdm6300 or qr-scanner", r.Model)
		}
		if err := h.addPlug(r.Name); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func (h *Hardware) addPlug(name string) error {
	p, err := newPlug(filepath.Join(h.dir, name))
	if err != nil {
		return fmt.Errorf("simulated port of %s: %w", name, err)
	}
	h.plugs[name] = p
	return nil
}

// Run simulates the devices until ctx is done, then unplugs them all.
func (h *Hardware) Run(ctx context.Context) {
	if p := h.plugs[thermometerName]; p != nil {
		runGY(ctx, p, &h.Scene)
	} else {
		<-ctx.Done()
	}
	for _, p := range h.plugs {
		p.pull()
	}
}

// Devices returns the part of an agent's configuration for this hardware.
func (h *Hardware) Devices() []station.Device {
	offset := h.spec.Offset
	t := station.Device{Name: thermometerName, Model: h.spec.Thermometer, Port: "1", Offset: &offset}
	if p := h.plugs[thermometerName]; p != nil {
		t.Port = p.link
	}
	out := []station.Device{t}
	for _, r := range h.spec.Readers {
		out = append(out, station.Device{
			Name:      r.Name,
			Model:     r.Model,
			Port:      h.plugs[r.Name].link,
			Direction: r.Direction,
		})
	}
	if h.spec.Outputs {
		out = append(out, station.Device{
			Name:  "outputs",
			Model: "gpio-outputs",
			Pins: map[string]string{
				devices.PinBarrier: "GPIO17",
				devices.PinRed:     "GPIO22",
				devices.PinAmber:   "GPIO23",
				devices.PinGreen:   "GPIO24",
				devices.PinBuzzer:  "GPIO27",
			},
		})
	}
	if h.spec.Display {
		out = append(out, station.Device{Name: displayName, Model: "ssd1306", Port: "1"})
	}
	return out
}

// Person is one person's visit to the gate.
type Person struct {
	Screening fact.Temp // what the agent should read; 0: not measured
	Reader    string    // where the card is held; empty: no card
	Card      string    // ten hex digits, or a scanner's text
}

// How a person behaves at a gate.
const (
	standing = 1500 * time.Millisecond // in front of the thermometer
	tapAfter = 300 * time.Millisecond
	tapFor   = 250 * time.Millisecond
)

// Present simulates a person's visit; it returns when they have gone. It fails
// if the gate has no such reader or the card is not valid.
func (h *Hardware) Present(ctx context.Context, p Person) error {
	if p.Screening != 0 {
		h.Stand(Surface(p.Screening, h.spec.Offset), standing)
	}
	end := time.Now().Add(standing)
	var err error
	if p.Reader != "" {
		retry.Sleep(ctx, tapAfter)
		err = h.Tap(ctx, p.Reader, p.Card)
	}
	retry.Sleep(ctx, time.Until(end))
	return err
}

// Tap holds a card to a reader, or a code to a scanner.
func (h *Hardware) Tap(ctx context.Context, reader, card string) error {
	h.tapping.Lock()
	defer h.tapping.Unlock()
	for _, r := range h.spec.Readers {
		if r.Name != reader {
			continue
		}
		if r.Model == "qr-scanner" {
			h.plugs[reader].send(ctx, []byte(card+"\r\n"))
			return nil
		}
		return holdCard(ctx, h.plugs[reader], card, tapFor)
	}
	return fmt.Errorf("this gate has no reader %q", reader)
}

// SendBytes makes a serial device send arbitrary bytes. It does nothing if
// there is no such device.
func (h *Hardware) SendBytes(ctx context.Context, name string, b []byte) {
	if p := h.plugs[name]; p != nil {
		p.send(ctx, b)
	}
}

// Unplug unplugs a device.
func (h *Hardware) Unplug(name string) error { return h.plug(name, false) }

// Plug plugs a device in again.
func (h *Hardware) Plug(name string) error { return h.plug(name, true) }

func (h *Hardware) plug(name string, in bool) error {
	if name == thermometerName && h.mlx != nil {
		h.mlx.unplugged.Store(!in)
		return nil
	}
	if name == displayName && h.oled != nil {
		h.oled.plug(in)
		return nil
	}
	p := h.plugs[name]
	switch {
	case p == nil:
		return fmt.Errorf("this gate has no device %q", name)
	case in:
		return p.insert()
	}
	p.pull()
	return nil
}

// Thermometer returns the name of the gate's thermometer.
func (h *Hardware) Thermometer() string { return thermometerName }

// Lit reports whether a GPIO line is on.
func (h *Hardware) Lit(pin string) bool {
	p := h.pins[pin]
	return p != nil && p.Read() == gpio.High
}

// Shown returns what the display shows; nil: the gate has none.
func (h *Hardware) Shown() image.Image {
	if h.oled == nil {
		return nil
	}
	return h.oled.shown()
}

// Ports returns the ports for this gate's agent: serial lines are opened by
// host (they are ptys), the I²C bus and the GPIO lines are simulated here. Call
// it once, before Lit.
func (h *Hardware) Ports(host devices.Ports) devices.Ports {
	for _, d := range h.Devices() {
		for _, name := range d.Pins {
			h.pins[name] = &gpiotest.Pin{N: name}
		}
	}
	return ports{h, host}
}

type ports struct {
	hw   *Hardware
	host devices.Ports
}

func (p ports) Serial(name string, baud int) (io.ReadWriteCloser, error) {
	return p.host.Serial(name, baud)
}

func (p ports) SerialLine(name string, l devices.Line) (io.ReadWriteCloser, error) {
	return p.host.SerialLine(name, l)
}

func (p ports) I2C(name string) (i2c.BusCloser, error) {
	if p.hw.mlx == nil && p.hw.oled == nil {
		return nil, fmt.Errorf("I²C bus %q: %w", name, devices.ErrGone)
	}
	return bus{p.hw.mlx, p.hw.oled}, nil
}

func (p ports) Pin(name string) (gpio.PinIO, error) {
	if pin := p.hw.pins[name]; pin != nil {
		return pin, nil
	}
	return nil, errors.New("no such GPIO line: " + name)
}
