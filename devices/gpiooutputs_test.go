package devices_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"
	"periph.io/x/conn/v3/i2c"

	"gatehouse/devices"
)

// pins is a bank of GPIO lines; it implements devices.Ports.
type pins map[string]*gpiotest.Pin

func (p pins) Serial(string, int) (io.ReadWriteCloser, error) { return nil, errNAK }
func (p pins) I2C(string) (i2c.BusCloser, error)              { return nil, errNAK }

func (p pins) SerialLine(string, devices.Line) (io.ReadWriteCloser, error) { return nil, errNAK }

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
	o, err := m.Output(p, devices.Settings{
		Pins:      map[string]string{"barrier": "B", "red": "R", "amber": "A", "green": "G", "buzzer": "Z"},
		ActiveLow: []string{"buzzer"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Off(); err != nil {
		t.Fatal(err)
	}
	return o, p
}

// lit returns the names of the lines that are on.
func (p pins) lit() string {
	var on []string
	for _, name := range []string{"B", "R", "A", "G", "Z"} {
		if p[name].Read() == (name != "Z") {
			on = append(on, name)
		}
	}
	return strings.Join(on, "")
}

func TestOutputsAreOffAtRest(t *testing.T) {
	if _, p := newOutputs(t); p.lit() != "" {
		t.Fatalf("on at rest: %s", p.lit())
	}
}

func TestOneLampIsLitAndTheBarrierPulses(t *testing.T) {
	o, p := newOutputs(t)
	began := time.Now()
	signal := devices.Signal{
		Barrier: true,
		Lamp:    devices.LampGreen,
		Buzzer:  []time.Duration{time.Millisecond},
	}
	if err := o.Show(t.Context(), signal); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 500*time.Millisecond || took > 2*time.Second {
		t.Errorf("the pulse took %s", took)
	}
	if p.lit() != "G" {
		t.Errorf("afterwards on: %s", p.lit())
	}
	if err := o.Show(t.Context(), devices.Signal{Lamp: devices.LampRed}); err != nil || p.lit() != "R" {
		t.Errorf("then on: %s, %v", p.lit(), err)
	}
}

func TestASecondBarrierPulseTooSoonIsSkipped(t *testing.T) {
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

func TestCancellingShowSwitchesPulsesOff(t *testing.T) {
	o, p := newOutputs(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := o.Show(ctx, devices.Signal{Barrier: true, Buzzer: []time.Duration{time.Minute}}); err != nil {
		t.Fatal(err)
	}
	if p.lit() != "" {
		t.Fatalf("on: %s", p.lit())
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
			t.Errorf("%s: accepted", name)
		}
	}
}
