package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/devices/port"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/sense"
)

const offset = 320

// rig is a gate's hardware with the production drivers on it.
type rig struct {
	t       *testing.T
	hw      *Hardware
	got     chan any // sense.Measurement or devices.Tap
	errs    chan error
	samples chan devices.Sample
}

func newRig(t *testing.T, thermometer string) *rig {
	t.Helper()
	hw, err := New(filepath.Join(t.TempDir(), "gate"), Spec{
		Thermometer: thermometer,
		Offset:      offset,
		Ambient:     2000,
		Readers:     []Reader{{"reader", "rdm6300", "in"}, {"scanner", "qr-scanner", "in"}},
		Outputs:     true,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { hw.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	r := &rig{
		t:       t,
		hw:      hw,
		got:     make(chan any, 100),
		errs:    make(chan error, 10000),
		samples: make(chan devices.Sample, 10000),
	}
	ports := hw.Ports(port.NewHost())
	for _, d := range hw.Devices() {
		m, err := devices.Find(d.Model)
		if err != nil {
			t.Fatal(err)
		}
		if m.Sensor == nil {
			continue
		}
		s, err := m.Sensor(ports, devices.Settings{Port: d.Port})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { r.read(ctx, s, m.Kind) })
	}
	return r
}

func (r *rig) read(ctx context.Context, s devices.Sensor, kind devices.Kind) {
	meter, taps := sense.NewMeter(3730-offset), sense.NewTaps(func(string) bool { return true })
	if kind == devices.KindScanner {
		taps = sense.NewScans()
	}
	for ctx.Err() == nil {
		x, err := s.Next(ctx)
		if err != nil && ctx.Err() == nil {
			r.errs <- err
		}
		switch x := x.(type) {
		case devices.Sample:
			r.samples <- x
			if m, ok := meter.Observe(x); ok {
				r.got <- m
			}
		case devices.Tap:
			if taps.Observe(x) {
				r.got <- x
			}
		}
	}
}

func (r *rig) next() any {
	r.t.Helper()
	select {
	case v := <-r.got:
		return v
	case <-time.After(15 * time.Second):
		r.t.Fatal("the drivers read nothing for 15 s")
		return nil
	}
}

func (r *rig) awaitError(want error) {
	r.t.Helper()
	for {
		select {
		case err := <-r.errs:
			if errors.Is(err, want) {
				return
			}
		case <-time.After(15 * time.Second):
			r.t.Fatalf("the drivers never reported %v", want)
		}
	}
}

// awaitReader taps a card until the driver reads it: bytes that arrive before
// it has opened the port are lost.
func (r *rig) awaitReader(reader, card string) {
	r.t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); {
		if err := r.hw.Tap(r.t.Context(), reader, card); err != nil {
			r.t.Fatal(err)
		}
		select {
		case <-r.got:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
	r.t.Fatalf("%s read nothing for 15 s", reader)
}

func (r *rig) awaitSample() {
	r.t.Helper()
	select {
	case <-r.samples:
	case <-time.After(15 * time.Second):
		r.t.Fatal("no sample for 15 s")
	}
}

func TestDriversReadThePresentedTemperature(t *testing.T) {
	for thermometer, tolerance := range map[string]fact.Temp{"gy-mcu90614": 0, "mlx90614": 1} {
		t.Run(thermometer, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, thermometer)
			r.awaitSample()
			for _, want := range []fact.Temp{3660, 3840, 3729, 3730, 3400} {
				if err := r.hw.Present(t.Context(), Person{Screening: want}); err != nil {
					t.Fatal(err)
				}
				m, ok := r.next().(sense.Measurement)
				if got := m.Object + offset; !ok || !m.Settled || got < want || got > want+tolerance ||
					m.Ambient < 1999 || m.Ambient > 2001 {
					t.Errorf("read %+v, want %s", m, want)
				}
				retry.Sleep(t.Context(), 500*time.Millisecond)
			}
			if len(r.got) != 0 {
				t.Errorf("read more than was presented: %+v", <-r.got)
			}
		})
	}
}

func TestCardsAndCodesAreReadOnce(t *testing.T) {
	r := newRig(t, "mlx90614")
	r.awaitReader("reader", "62E3086CFF")
	r.awaitReader("scanner", "VISIT-0")
	for reader, card := range map[string]string{"reader": "62E3086CED", "scanner": "VISIT-7"} {
		if err := r.hw.Tap(t.Context(), reader, card); err != nil {
			t.Fatal(err)
		}
		if x, ok := r.next().(devices.Tap); !ok || x.Code != card {
			t.Errorf("read %+v, want %s", x, card)
		}
	}
	if len(r.got) != 0 {
		t.Errorf("read more than was presented: %+v", <-r.got)
	}
}

func TestDriversReportFaultsAndRecover(t *testing.T) {
	for thermometer, faults := range map[string]map[Fault]error{
		"gy-mcu90614": {FaultBroken: devices.ErrFault, FaultGarbage: devices.ErrFrame, FaultAllFF: devices.ErrFrame},
		"mlx90614": {
			FaultBroken:  devices.ErrFault,
			FaultGarbage: devices.ErrFrame,
			FaultAllFF:   devices.ErrFrame,
			FaultSilent:  devices.ErrGone,
		},
	} {
		t.Run(thermometer, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, thermometer)
			r.awaitSample()
			for fault, want := range faults {
				r.hw.SetFault(fault)
				r.awaitError(want)
				r.hw.SetFault(FaultNone)
				for len(r.samples) > 0 {
					<-r.samples
				}
				r.awaitSample()
			}
			if err := r.hw.Unplug("thermometer"); err != nil {
				t.Fatal(err)
			}
			r.awaitError(devices.ErrGone)
			for len(r.samples) > 0 {
				<-r.samples
			}
			if err := r.hw.Plug("thermometer"); err != nil {
				t.Fatal(err)
			}
			r.awaitSample()
		})
	}
}

func TestShellCommands(t *testing.T) {
	r := newRig(t, "gy-mcu90614")
	r.awaitSample()
	var out strings.Builder
	in := strings.NewReader("36.6\ncard 62E3086CED\ncode VISIT-7\nfault broken\nfault off\nambient 12\n" +
		"unplug thermometer\nplug thermometer\n" +
		"card 62\nfault purple\nunplug dog\nwibble\ncard 62E3086CED 41x\n\nquit\n36.6\n")
	if err := RunShell(t.Context(), in, &out, r.hw); err != nil {
		t.Fatal(err)
	}
	seen := ""
	for range 3 {
		switch x := r.next().(type) {
		case sense.Measurement:
			seen += (x.Object + offset).String() + " "
		case devices.Tap:
			seen += x.Code + " "
		}
	}
	for _, want := range []string{"36.60", "62E3086CED", "VISIT-7"} {
		if !strings.Contains(seen, want) {
			t.Errorf("read %s, want %s in it", seen, want)
		}
	}
	for _, want := range []string{
		"ten hex digits",
		"write broken",
		`no device "dog"`,
		`"wibble" is not a command`,
		"not a temperature",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the shell's output lacks %q:\n%s", want, out.String())
		}
	}
}

func TestEmulatorsSendTheCataloguesExamples(t *testing.T) {
	s := &Scene{}
	s.SetAmbient(2600)
	s.mu.Lock()
	s.background, s.ticks = 3650, 3
	s.mu.Unlock()
	m, err := devices.Find("gy-mcu90614")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("% X", gyFrame(s)); got != m.Example {
		t.Errorf("the emulator sends %s, the catalogue has %s", got, m.Example)
	}
	frame, err := rdmFrame("62E3086CED")
	if err != nil {
		t.Fatal(err)
	}
	if m, err = devices.Find("rdm6300"); err != nil || fmt.Sprintf("% X", frame) != m.Example {
		t.Errorf("the emulator sends % X, the catalogue has %s", frame, m.Example)
	}
}

func TestUnknownHardwareIsRefused(t *testing.T) {
	for _, s := range []Spec{{Thermometer: "ir9"}, {Thermometer: "mlx90614", Readers: []Reader{{"r", "nose", ""}}}} {
		if _, err := New(t.TempDir(), s); err == nil || !strings.Contains(err.Error(), "no emulator") {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
