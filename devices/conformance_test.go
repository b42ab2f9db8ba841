package devices_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"gatehouse/devices"
	"gatehouse/devices/port"
	"gatehouse/devices/port/pty"
)

// rig is the far end of one model's line, whatever its bus: it can speak,
// produce garbage, be unplugged and plugged in again.
type rig interface {
	devices.Ports
	settings() devices.Settings
	speak(good bool) // what one reading takes, or garbage
	plug(in bool)
}

// Every sensor of the catalogue passes the same test, from the example bytes
// of its row.
func TestEverySensorOfTheCatalogue(t *testing.T) {
	for _, m := range devices.Catalog() {
		if m.Sensor == nil {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			conforms(t, m)
		})
	}
}

func conforms(t *testing.T, m devices.Model) {
	t.Helper()
	if m.Source == "" || m.Wiring == "" || m.Rate == "" {
		t.Error("its row does not say source, wiring and rate")
	}
	example, err := hex.DecodeString(strings.ReplaceAll(m.Example, " ", ""))
	if err != nil || len(example) == 0 {
		t.Fatalf("its example is %q", m.Example)
	}
	r := newRig(t, m.Bus, example)
	s, err := m.Sensor(r, r.settings())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Sensor(r, devices.Settings{}); err == nil {
		t.Error("it takes settings without a port")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := &conformer{t: t, s: s, m: m, rig: r, ctx: ctx}
	c.reads("from its example")
	r.speak(false)
	c.reads("after garbage")
	c.isAtFault("nothing but garbage")
	c.reads("after nothing but garbage")
	r.plug(false)
	c.fails("unplugged", devices.ErrGone)
	r.plug(true)
	c.reads("plugged in again")
	c.stops(cancel)
}

type conformer struct {
	t   *testing.T
	s   devices.Sensor
	m   devices.Model
	rig rig
	ctx context.Context
}

// next calls Next until want says that it is enough, while the rig says what
// speak does.
func (c *conformer) next(what string, want func(devices.Reading, error) bool, speak func()) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 20*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		for tick := time.NewTicker(50 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				speak()
			}
		}
	})
	for {
		r, err := c.s.Next(ctx)
		if want(r, err) {
			break
		}
		if ctx.Err() != nil {
			c.t.Errorf("%s: it did not happen within 20 s", what)
			break
		}
	}
	cancel()
	wg.Wait()
}

func (c *conformer) reads(what string) {
	c.t.Helper()
	c.next(what, func(r devices.Reading, err error) bool {
		var got string
		switch r := r.(type) {
		case devices.Sample:
			got = "object " + r.Object.String() + " °C, ambient " + r.Ambient.String() + " °C"
		case devices.Tap:
			got = map[devices.Kind]string{devices.KindCardReader: "card ", devices.KindScanner: "code "}[c.m.Kind] + r.Code
		default:
			return false
		}
		if got != c.m.Gives {
			c.t.Errorf("%s: it reads %s, the catalogue says %s", what, got, c.m.Gives)
		}
		return true
	}, func() { c.rig.speak(true) })
}

// isAtFault waits until bytes that are never a frame are a fault, which says
// what to do; it is told once.
func (c *conformer) isAtFault(what string) {
	c.t.Helper()
	faults := 0
	var first time.Time
	c.next(what, func(_ devices.Reading, err error) bool {
		if errors.Is(err, devices.ErrFault) && strings.Contains(err.Error(), "check") && strings.Contains(err.Error(), "wiring") {
			if faults++; faults == 1 {
				first = time.Now()
			}
		}
		return faults > 0 && time.Since(first) > 4*time.Second
	}, func() { c.rig.speak(false) })
	if faults != 1 {
		c.t.Errorf("%s: it says so %d times", what, faults)
	}
}

func (c *conformer) fails(what string, want error) {
	c.t.Helper()
	c.next(what, func(_ devices.Reading, err error) bool { return errors.Is(err, want) }, func() {})
}

func (c *conformer) stops(cancel func()) {
	c.t.Helper()
	time.AfterFunc(50*time.Millisecond, cancel)
	for began := time.Now(); ; {
		_, err := c.s.Next(c.ctx)
		if errors.Is(err, context.Canceled) {
			if took := time.Since(began); took > 50*time.Millisecond+500*time.Millisecond {
				c.t.Errorf("it took %s to stop", took)
			}
			return
		}
	}
}

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

// serialRig is a pty behind a link: tarm/serial reads it as it reads a port.
type serialRig struct {
	*port.Host
	t       *testing.T
	link    string
	example []byte
	mu      sync.Mutex
	pty     *pty.PTY
}

func (r *serialRig) settings() devices.Settings { return devices.Settings{Port: r.link} }

func (r *serialRig) speak(good bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.example
	if !good {
		b = []byte("\x00\xff\x5a\x5a\x45\x02garbage that is no frame\x02\x03\x5a\r")
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

// i2cRig is a bus with one chip that answers reads of two words.
type i2cRig struct {
	*port.Host
	example []byte
	mu      sync.Mutex
	in      bool
	garbage int // answers that are wrong
}

var errNAK = errors.New("no acknowledge")

func (r *i2cRig) settings() devices.Settings { return devices.Settings{Port: "1"} }
func (r *i2cRig) speak(good bool) {
	if !good {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.garbage = 3
	}
}
func (r *i2cRig) plug(in bool)                      { r.mu.Lock(); defer r.mu.Unlock(); r.in = in }
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

// pins is a GPIO bank.
type pins map[string]*gpiotest.Pin

func (p pins) Serial(string, int) (io.ReadWriteCloser, error) { return nil, errNAK }
func (p pins) I2C(string) (i2c.BusCloser, error)              { return nil, errNAK }
func (p pins) Pin(name string) (gpio.PinIO, error) {
	if p[name] == nil {
		p[name] = &gpiotest.Pin{N: name}
	}
	return p[name], nil
}

func newOutputs(t *testing.T) (devices.Output, pins) {
	t.Helper()
	m, err := devices.Find("gpio-outputs")
	if err != nil {
		t.Fatal(err)
	}
	p := pins{}
	o, err := m.Output(p, devices.Settings{Pins: map[string]string{"barrier": "B", "red": "R", "amber": "A", "green": "G", "buzzer": "Z"}, ActiveLow: []string{"buzzer"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Off(); err != nil {
		t.Fatal(err)
	}
	return o, p
}

func (p pins) levels() string {
	var on []string
	for _, name := range []string{"B", "R", "A", "G", "Z"} {
		if p[name].Read() == (name != "Z") {
			on = append(on, name)
		}
	}
	return strings.Join(on, "")
}

func TestOutputsRestInTheirSafeState(t *testing.T) {
	if _, p := newOutputs(t); p.levels() != "" {
		t.Fatalf("on at rest: %s", p.levels())
	}
}

func TestOneLampIsLitAndTheBarrierPulses(t *testing.T) {
	o, p := newOutputs(t)
	began := time.Now()
	if err := o.Show(t.Context(), devices.Signal{Barrier: true, Lamp: devices.LampGreen, Buzzer: []time.Duration{time.Millisecond}}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 500*time.Millisecond || took > 2*time.Second {
		t.Errorf("the pulse took %s", took)
	}
	if p.levels() != "G" {
		t.Errorf("afterwards on: %s", p.levels())
	}
	if err := o.Show(t.Context(), devices.Signal{Lamp: devices.LampRed}); err != nil || p.levels() != "R" {
		t.Errorf("then on: %s, %v", p.levels(), err)
	}
}

func TestASecondPulseTooSoonIsNotGiven(t *testing.T) {
	o, _ := newOutputs(t)
	s := devices.Signal{Barrier: true}
	if err := o.Show(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := o.Show(t.Context(), s); err != nil || time.Since(began) > 300*time.Millisecond {
		t.Fatalf("a second pulse took %s, %v", time.Since(began), err)
	}
}

func TestAnEndedContextLeavesNoPulseOn(t *testing.T) {
	o, p := newOutputs(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := o.Show(ctx, devices.Signal{Barrier: true, Buzzer: []time.Duration{time.Minute}}); err != nil {
		t.Fatal(err)
	}
	if p.levels() != "" {
		t.Fatalf("on: %s", p.levels())
	}
}

func TestWrongOutputSettingsAreRefused(t *testing.T) {
	m, err := devices.Find("gpio-outputs")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]devices.Settings{
		"no pins":              {},
		"unknown role":         {Pins: map[string]string{"siren": "X"}},
		"active_low of no pin": {Pins: map[string]string{"red": "R"}, ActiveLow: []string{"green"}},
	} {
		if _, err := m.Output(pins{}, s); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestAnUnknownModelIsAnsweredWithTheKnownOnes(t *testing.T) {
	if _, err := devices.Find("gy-mcu90641"); err == nil || !strings.Contains(err.Error(), "gy-mcu90614") {
		t.Fatalf("got %v", err)
	}
}
