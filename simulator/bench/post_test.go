package bench

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/devices/port"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/panel"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// hand is a clock that only the test moves.
type hand struct{ now clock.Moment }

func (h *hand) Now() clock.Moment  { return h.now }
func (h *hand) Synchronised() bool { return true }
func (h *hand) wait(d time.Duration) {
	h.now = clock.Moment{Wall: h.now.Wall.Add(d), Boot: h.now.Boot + d}
}

// post is a post without a screen: the production panel and driver on the emulated
// display.
type post struct {
	t       *testing.T
	clock   *hand
	state   status.Snapshot
	panel   *panel.Panel
	display devices.Display
	hw      *Hardware
	seq     uint64
}

func newPost(t *testing.T, l panel.Language, attended bool) *post {
	t.Helper()
	x := &post{t: t, clock: &hand{clock.Moment{Wall: time.Date(2020, 2, 14, 6, 3, 0, 0, time.UTC), Boot: time.Hour}},
		seq: 100}
	for name, kind := range map[string]devices.Kind{"t": devices.KindThermometer, "r": devices.KindCardReader} {
		x.state.Devices = append(x.state.Devices, status.Device{Name: name, Kind: kind, State: fact.DeviceOK})
	}
	x.state.Delivery.Linked = true
	var err error
	x.panel, err = panel.New(panel.Options{Places: []panel.Place{{Device: "display", Language: l}}, Attended: attended,
		Zone: time.UTC, Clock: x.clock, Status: func() status.Snapshot { return x.state }})
	if err != nil {
		t.Fatal(err)
	}
	x.hw, err = New(t.TempDir(), Spec{Thermometer: "mlx90614", Display: true})
	if err != nil {
		t.Fatal(err)
	}
	m, err := devices.Find("ssd1306")
	if err != nil {
		t.Fatal(err)
	}
	if x.display, err = m.Display(x.hw.Ports(port.NewHost()), devices.Settings{Port: "1"}); err != nil {
		t.Fatal(err)
	}
	return x
}

// shows returns what the display shows now, read out of its RAM.
func (x *post) shows() image.Image {
	x.t.Helper()
	if err := x.display.Draw(x.panel.Picture("display")); err != nil {
		x.t.Fatal(err)
	}
	return x.hw.Shown()
}

func (x *post) see(v fact.Verdict, value fact.Temp, do fact.Instruction, reasons ...fact.Reason) {
	x.seq += 2
	p := wire.Passage{Verdict: v, Reasons: reasons, Instruction: do, Readings: []uint64{x.seq}}
	if value != 0 {
		p.Temperature = &wire.Temperature{Screening: value}
	}
	x.panel.Passage(x.clock.now, x.seq, p)
}

func (x *post) ask(w gate.Wants) {
	x.state.Prompts = []gate.Prompt{{Wants: w, Since: x.clock.now, Until: x.clock.now.Boot + 8*time.Second, Reading: 7}}
}

func (x *post) breakDevice(kind devices.Kind) {
	for i := range x.state.Devices {
		if x.state.Devices[i].Kind == kind {
			x.state.Devices[i].State = fact.DeviceFault
		}
	}
}

func write(t *testing.T, file string, p image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) image.Image {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func same(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r, _, _, _ := a.At(x, y).RGBA()
			if q, _, _, _ := b.At(x, y).RGBA(); q != r {
				return false
			}
		}
	}
	return true
}
