package agent

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/bridge"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// unplugged are ports with nothing in them.
type unplugged struct{}

func (unplugged) Serial(name string, _ int) (io.ReadWriteCloser, error) {
	return nil, fmt.Errorf("%w: %s", devices.ErrGone, name)
}
func (unplugged) SerialLine(name string, _ devices.Line) (io.ReadWriteCloser, error) {
	return nil, fmt.Errorf("%w: %s", devices.ErrGone, name)
}
func (unplugged) I2C(name string) (i2c.BusCloser, error) {
	return nil, fmt.Errorf("%w: %s", devices.ErrGone, name)
}
func (unplugged) Pin(name string) (gpio.PinIO, error) {
	return nil, fmt.Errorf("%w: %s", devices.ErrGone, name)
}

// rig is an agent that no broker answers.
type rig struct {
	t   *testing.T
	cfg Config
}

func newRig(t *testing.T) *rig {
	t.Helper()
	dir := t.TempDir()
	if _, _, err := identity.LoadOrCreateCollectorKey(dir); err != nil {
		t.Fatal(err)
	}
	return &rig{t, Config{County: "qinghe", Agent: "gate-001", Dir: filepath.Join(dir, "journal"),
		Broker: mqtt.Broker{URL: "tcp://127.0.0.1:1"}, CollectorKey: filepath.Join(dir, "collector.pub")}}
}

// addReader adds a card reader, and the files that a gate needs.
func (r *rig) addReader(name string) {
	r.t.Helper()
	dir := filepath.Dir(r.cfg.CollectorKey)
	r.cfg.SiteKey = filepath.Join(dir, "site.key")
	if _, err := identity.CreateSiteKey(r.cfg.SiteKey); err != nil {
		r.t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
		return path
	}
	r.cfg.Policy = write("policy.yaml", "version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}\n"+
		"classes:\n  resident: {fever: go-home, directions: [in, out]}\n")
	r.cfg.Roster = write("roster.csv", "card,class,status,household,from,until\n62E3086CED,resident,active,,,\n")
	r.cfg.Station.Devices = []station.Device{{Name: name, Model: "rdm6300", Port: "/dev/absent"}}
	r.cfg.Kiosk.Listen = "127.0.0.1:8090" // where values can be entered: somebody may pass
}

// addDrone adds a drone to bridge, which never reports.
func (r *rig) addDrone() {
	r.cfg.Bridge.Machines = []machine.Config{{Machine: "drone-1", Name: "1号", Type: "drone"}}
	drone := bridge.Vehicle{System: 1, Machine: "drone-1"}
	r.cfg.Bridge.MAVLink = []bridge.MAVLink{{UDP: "127.0.0.1:0", Vehicles: []bridge.Vehicle{drone}}}
}

// run runs the agent until done returns true, and stops it.
func (r *rig) run(during func(ctx context.Context, a *Agent), done func(a *Agent) bool) {
	r.t.Helper()
	a, err := New(r.cfg, Options{Ports: unplugged{}, Clock: clock.System{}, HostID: "h", BootID: "b", Version: "test",
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	during(ctx, a)
	for end := time.Now().Add(10 * time.Second); !done(a); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Errorf("after 10 s the board has %+v", a.Board().Snapshot())
			break
		}
	}
	cancel()
	if err := <-ended; err != nil {
		r.t.Error(err)
	}
}

// records returns the bodies in the journal.
func (r *rig) records() (out []wire.Body) {
	r.t.Helper()
	v, err := journal.Look(r.cfg.Dir)
	if err != nil {
		r.t.Fatal(err)
	}
	defer v.Close()
	c, err := v.Read(1, 1000, 1<<20)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range c.Entries {
		body, err := e.Record.DecodeBody()
		if err != nil {
			r.t.Fatal(err)
		}
		out = append(out, body)
	}
	return out
}

// alarms returns the alarms in the journal.
func (r *rig) alarms() string {
	r.t.Helper()
	var out []string
	for _, body := range r.records() {
		if a, ok := body.(*wire.Alarm); ok {
			out = append(out, a.ID+" "+string(a.State))
		}
	}
	return strings.Join(out, ", ")
}

func nothing(context.Context, *Agent) {}

// turned reports whether all parts of the agent have turned since it began.
func turned(a *Agent) bool {
	began := a.Board().Snapshot().Turned
	time.Sleep(1100 * time.Millisecond)
	return began != 0 && a.Board().Snapshot().Turned > began
}

func TestAnAgentHandsItsPartsWhatTheJournalHolds(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	gone := func(a *Agent) bool {
		d := a.Board().Snapshot().Devices
		return len(d) == 1 && d[0].State == fact.DeviceGone
	}
	for range 2 { // the restart raises nothing again
		r.run(nothing, func(a *Agent) bool { return gone(a) && turned(a) })
		if got := r.alarms(); got != "device-gone:reader raised" {
			t.Fatalf("alarms: %s", got)
		}
	}
	r.cfg.Station.Devices[0].Name = "gate-reader"
	r.run(nothing, func(a *Agent) bool { return gone(a) && turned(a) })
	want := "device-gone:reader raised, device-gone:reader cleared, device-gone:gate-reader raised"
	if got := r.alarms(); got != want {
		t.Errorf("alarms: %s", got)
	}
}

func TestABridgeIsAnAgentWithoutAGate(t *testing.T) {
	r := newRig(t)
	r.addDrone()
	r.run(func(ctx context.Context, a *Agent) {
		a.Buzz()
		if err := a.Note(ctx, wire.Audit{Actor: "guard", Action: "shift-test"}); err != nil {
			t.Error(err)
		}
	}, turned)
	kinds := map[wire.Kind]int{}
	for _, body := range r.records() {
		kinds[body.Kind()]++
	}
	if kinds[wire.KindClock] != 1 || kinds[wire.KindAudit] != 1 || kinds[wire.KindAlarm] != 0 {
		t.Errorf("the journal has %v", kinds)
	}
}
