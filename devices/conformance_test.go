package devices_test

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/devices"
)

// rig simulates one device on its bus: it sends readings or garbage, and can
// be unplugged and plugged in again.
type rig interface {
	devices.Ports
	settings() devices.Settings
	send(good bool) // the bytes of one reading, or garbage
	plug(in bool)
}

// Every sensor of the catalogue passes the same test, driven by the example
// bytes of its row.
func TestEverySensorConforms(t *testing.T) {
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
		t.Error("its catalogue row lacks source, wiring or rate")
	}
	example, err := hex.DecodeString(strings.ReplaceAll(m.Example, " ", ""))
	if err != nil || len(example) == 0 {
		t.Fatalf("its example is not hex: %q", m.Example)
	}
	r := newRig(t, m.Bus, example)
	s, err := m.Sensor(r, r.settings())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Sensor(r, devices.Settings{}); err == nil {
		t.Error("settings without a port are accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := &conformer{t: t, s: s, m: m, rig: r, ctx: ctx}
	c.wantReading("its example")
	r.send(false)
	c.wantReading("after garbage")
	c.wantOneFault("only garbage")
	c.wantReading("after only garbage")
	r.plug(false)
	c.wantError("unplugged", devices.ErrGone)
	r.plug(true)
	c.wantReading("plugged in again")
	c.wantStop(cancel)
}

// conformer runs the steps of the conformance test on one sensor.
type conformer struct {
	t   *testing.T
	s   devices.Sensor
	m   devices.Model
	rig rig
	ctx context.Context
}

// nextUntil calls Next until done returns true, and meanwhile calls send every
// 50 ms.
func (c *conformer) nextUntil(what string, done func(devices.Reading, error) bool, send func()) {
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
				send()
			}
		}
	})
	for {
		r, err := c.s.Next(ctx)
		if done(r, err) {
			break
		}
		if ctx.Err() != nil {
			c.t.Errorf("%s: what was expected did not come within 20 s", what)
			break
		}
	}
	cancel()
	wg.Wait()
}

func (c *conformer) wantReading(what string) {
	c.t.Helper()
	c.nextUntil(what, func(r devices.Reading, err error) bool {
		var got string
		switch r := r.(type) {
		case devices.Sample:
			got = "object " + r.Object.String() + " °C, ambient " + r.Ambient.String() + " °C"
		case devices.Tap:
			prefix := "card "
			if c.m.Kind == devices.KindScanner {
				prefix = "code "
			}
			got = prefix + r.Code
		default:
			return false
		}
		if got != c.m.Reading {
			c.t.Errorf("%s: read %s, the catalogue has %s", what, got, c.m.Reading)
		}
		return true
	}, func() { c.rig.send(true) })
}

// wantOneFault sends garbage and expects exactly one ErrFault, whose text says
// what to check.
func (c *conformer) wantOneFault(what string) {
	c.t.Helper()
	faults := 0
	var first time.Time
	c.nextUntil(what, func(_ devices.Reading, err error) bool {
		if errors.Is(err, devices.ErrFault) &&
			strings.Contains(err.Error(), "check") && strings.Contains(err.Error(), "wiring") {
			if faults++; faults == 1 {
				first = time.Now()
			}
		}
		return faults > 0 && time.Since(first) > 4*time.Second
	}, func() { c.rig.send(false) })
	if faults != 1 {
		c.t.Errorf("%s: reported %d times, want once", what, faults)
	}
}

func (c *conformer) wantError(what string, want error) {
	c.t.Helper()
	c.nextUntil(what, func(_ devices.Reading, err error) bool { return errors.Is(err, want) }, func() {})
}

func (c *conformer) wantStop(cancel func()) {
	c.t.Helper()
	time.AfterFunc(50*time.Millisecond, cancel)
	for began := time.Now(); ; {
		_, err := c.s.Next(c.ctx)
		if errors.Is(err, context.Canceled) {
			if took := time.Since(began); took > 50*time.Millisecond+500*time.Millisecond {
				c.t.Errorf("Next took %s to stop", took)
			}
			return
		}
	}
}

func TestAnUnknownModelsErrorListsTheKnownOnes(t *testing.T) {
	if _, err := devices.Find("gy-mcu90641"); err == nil || !strings.Contains(err.Error(), "gy-mcu90614") {
		t.Fatalf("got %v", err)
	}
}
