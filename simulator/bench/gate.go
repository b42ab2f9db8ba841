package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"
	"periph.io/x/conn/v3/i2c"

	"gatehouse/devices"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/fact"
)

// Spec says what hardware a gate has.
type Spec struct {
	Thermometer string    // gy-mcu90614 or mlx90614
	Readers     []Reader  //
	Outputs     bool      // barrier, lamps and buzzer on GPIO lines
	Offset      fact.Temp // site offset that its agent is configured with
	Ambient     fact.Temp
}

// Reader is a card reader or scanner.
type Reader struct {
	Name      string // as the agent's configuration names it
	Model     string // rdm6300 or qr-scanner
	Direction fact.Direction
}

const thermometerName = "thermometer"

// Gate is one gate's hardware. Make it with NewGate, run it with Run.
type Gate struct {
	Scene
	spec  Spec
	dir   string
	plugs map[string]*plug // serial devices by name
	mlx   *mlx
	pins  map[string]*gpiotest.Pin

	tapping sync.Mutex // one card at a time
}

// NewGate makes the hardware; its serial ports have stable names in dir.
func NewGate(dir string, spec Spec) (*Gate, error) {
	g := &Gate{spec: spec, dir: dir, plugs: map[string]*plug{}, pins: map[string]*gpiotest.Pin{}}
	g.SetAmbient(spec.Ambient)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the bench's folder: %w", err)
	}
	switch spec.Thermometer {
	case "gy-mcu90614":
		if err := g.addPlug(thermometerName); err != nil {
			return nil, err
		}
	case "mlx90614":
		g.mlx = newMLX(&g.Scene)
	default:
		return nil, fmt.Errorf("no emulator of thermometer %q: gy-mcu90614 and mlx90614 have one", spec.Thermometer)
	}
	for _, r := range spec.Readers {
		if r.Model != "rdm6300" && r.Model != "qr-scanner" {
			return nil, fmt.Errorf("no emulator of reader %q: rdm6300 and qr-scanner have one", r.Model)
		}
		if err := g.addPlug(r.Name); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *Gate) addPlug(name string) error {
	p, err := newPlug(filepath.Join(g.dir, name))
	if err != nil {
		return fmt.Errorf("port of %s: %w", name, err)
	}
	g.plugs[name] = p
	return nil
}

// Run plays the hardware until ctx ends, then pulls all plugs.
func (g *Gate) Run(ctx context.Context) {
	if p := g.plugs[thermometerName]; p != nil {
		gy(ctx, p, &g.Scene)
	} else {
		<-ctx.Done()
	}
	for _, p := range g.plugs {
		p.out()
	}
}

// Names gives the serial devices and the names of their ports.
func (g *Gate) Names() map[string]string {
	out := map[string]string{}
	for name, p := range g.plugs {
		out[name] = p.link
	}
	return out
}

// Devices is what an agent's configuration says about this hardware.
func (g *Gate) Devices() []agent.Device {
	offset := g.spec.Offset
	t := agent.Device{Name: thermometerName, Model: g.spec.Thermometer, Port: "1", Offset: &offset}
	if p := g.plugs[thermometerName]; p != nil {
		t.Port = p.link
	}
	out := []agent.Device{t}
	for _, r := range g.spec.Readers {
		out = append(out, agent.Device{
			Name:      r.Name,
			Model:     r.Model,
			Port:      g.plugs[r.Name].link,
			Direction: r.Direction,
		})
	}
	if g.spec.Outputs {
		out = append(out, agent.Device{
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
	return out
}

// Person comes to the gate.
type Person struct {
	Screening fact.Temp // what the agent shall read; 0: nobody is measured
	Reader    string    // where the card is held; empty: no card
	Card      string    // ten hex digits, or a scanner's text
}

// How a person behaves at a gate.
const (
	standing = 1500 * time.Millisecond // in front of the thermometer
	tapAfter = 300 * time.Millisecond
	tapFor   = 250 * time.Millisecond
)

// Present plays a person; it returns when they have gone.
func (g *Gate) Present(ctx context.Context, p Person) error {
	if p.Screening != 0 {
		g.Stand(Surface(p.Screening, g.spec.Offset), standing)
	}
	left := time.Now().Add(standing)
	var err error
	if p.Reader != "" {
		pause(ctx, tapAfter)
		err = g.Tap(ctx, p.Reader, p.Card)
	}
	pause(ctx, time.Until(left))
	return err
}

// Tap holds a card to a reader, or a code to a scanner.
func (g *Gate) Tap(ctx context.Context, reader, card string) error {
	g.tapping.Lock()
	defer g.tapping.Unlock()
	for _, r := range g.spec.Readers {
		if r.Name != reader {
			continue
		}
		if r.Model == "qr-scanner" {
			g.plugs[reader].send(ctx, []byte(card+"\r\n"))
			return nil
		}
		return tap(ctx, g.plugs[reader], card, tapFor)
	}
	return fmt.Errorf("this gate has no reader %q", reader)
}

// Babble lets a serial device send bytes of any kind.
func (g *Gate) Babble(ctx context.Context, name string, b []byte) {
	if p := g.plugs[name]; p != nil {
		p.send(ctx, b)
	}
}

// Unplug pulls a device's plug; Plug puts it in again.
func (g *Gate) Unplug(name string) error {
	if name == thermometerName && g.mlx != nil {
		g.mlx.pulled.Store(true)
		return nil
	}
	p := g.plugs[name]
	if p == nil {
		return fmt.Errorf("this gate has no device %q", name)
	}
	p.out()
	return nil
}

// Plug undoes Unplug.
func (g *Gate) Plug(name string) error {
	if name == thermometerName && g.mlx != nil {
		g.mlx.pulled.Store(false)
		return nil
	}
	p := g.plugs[name]
	if p == nil {
		return fmt.Errorf("this gate has no device %q", name)
	}
	return p.in()
}

// Thermometer is the name of the gate's thermometer.
func (g *Gate) Thermometer() string { return thermometerName }

// Lit tells which GPIO lines are on, by name.
func (g *Gate) Lit(pin string) bool {
	p := g.pins[pin]
	return p != nil && p.Read() == gpio.High
}

// Ports gives the lines of this gate to its agent: serial lines are the host's
// (real ones, on ptys), bus and pins are the bench's own. It is called once.
func (g *Gate) Ports(host devices.Ports) devices.Ports {
	for _, d := range g.Devices() {
		for _, name := range d.Pins {
			g.pins[name] = &gpiotest.Pin{N: name}
		}
	}
	return ports{g, host}
}

type ports struct {
	g    *Gate
	host devices.Ports
}

func (p ports) Serial(name string, baud int) (io.ReadWriteCloser, error) {
	return p.host.Serial(name, baud)
}

func (p ports) I2C(name string) (i2c.BusCloser, error) {
	if p.g.mlx == nil {
		return nil, fmt.Errorf("I²C bus %q: %w", name, devices.ErrGone)
	}
	return p.g.mlx, nil
}

func (p ports) Pin(name string) (gpio.PinIO, error) {
	if pin := p.g.pins[name]; pin != nil {
		return pin, nil
	}
	return nil, errors.New("no such GPIO line: " + name)
}
