package cases

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/bridge"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// A case of the family mavlink is a recording, flight.tlog, played as by gatehouse
// agent --replay. config.yaml has the keys machines and mavlink of an agent's
// configuration; without it the recording is of drone-1 as in
// deploy/machines.example.yaml. expected.yaml has the field's number, all runs, and a
// part of each text that is said; none is said besides.
type flight struct {
	Field string   `yaml:"field"`
	Runs  []flown  `yaml:"runs"`
	Said  []string `yaml:"said"`  // parts of texts
	Error string   `yaml:"error"` // part of the error
}

// flown is one run. Seconds and litres count within 0.05.
type flown struct {
	Machine  string   `yaml:"machine"` // default drone-1
	Begin    string   `yaml:"begin"`   // 06:00:20, within a second
	End      string   `yaml:"end"`
	CommandS float64  `yaml:"command_s"`
	Litres   *float64 `yaml:"litres"` // by the meter; absent: none
	Grade    string   `yaml:"grade"`
	Reasons  []string `yaml:"reasons"`
}

func TestFlights(t *testing.T) {
	each(t, "mavlink", func(t *testing.T, dir string) {
		want := expected[flight](t, dir)
		log, err := os.Open(filepath.Join(dir, "flight.tlog"))
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		got := fly(t, droneConfig(t, dir), log)
		if want.Error == "" && got.Error != "" || !strings.Contains(got.Error, want.Error) {
			t.Errorf("the error is %q, want %q", got.Error, want.Error)
		}
		sameTexts(t, got.Said, want.Said)
		if len(got.Runs) != len(want.Runs) {
			t.Fatalf("%d runs, want %d: %+v", len(got.Runs), len(want.Runs), got.Runs)
		}
		for i, w := range want.Runs {
			sameFlown(t, got.Runs[i], w)
		}
	})
}

// droneConfig returns the configuration of a case.
func droneConfig(t *testing.T, dir string) bridge.Config {
	t.Helper()
	path := filepath.Join(dir, "config.yaml")
	if _, err := os.Stat(path); err == nil {
		cfg, err := config.Load[bridge.Config](path)
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	drone := machine.Config{Machine: "drone-1", Name: "1号无人机", Type: "drone", TankL: 16}
	vehicle := bridge.Vehicle{System: 1, Machine: "drone-1", PumpServo: 9, FlowBattery: 2, LevelBattery: 3}
	return bridge.Config{Machines: []machine.Config{drone},
		MAVLink: []bridge.MAVLink{{UDP: "127.0.0.1:0", Vehicles: []bridge.Vehicle{vehicle}}}}
}

// fly replays a recording.
func fly(t *testing.T, cfg bridge.Config, log io.Reader) (got flight) {
	t.Helper()
	_, err := bridge.Replay(cfg, log, func(body wire.Body) {
		if r, ok := body.(*wire.Run); ok && r.State == fact.RunClosed {
			got.Runs = append(got.Runs, flown{r.Machine, r.Start.Format("15:04:05.000"), r.End.Format("15:04:05.000"),
				r.CommandS, r.MeterL, r.Grade, r.Reasons})
		}
	}, func(text string) { got.Said = append(got.Said, text) })
	if err != nil {
		got.Error = err.Error()
	}
	return got
}

func sameTexts(t *testing.T, got, want []string) {
	t.Helper()
	left := slices.Clone(got)
	for _, part := range want {
		i := slices.IndexFunc(left, func(text string) bool { return strings.Contains(text, part) })
		if i < 0 {
			t.Errorf("nobody said %q: %q", part, got)
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	if len(left) > 0 {
		t.Errorf("%q was said besides", left)
	}
}

func sameFlown(t *testing.T, got, want flown) {
	t.Helper()
	text := func(f flown) string {
		litres := "no"
		if f.Litres != nil {
			litres = fmt.Sprintf("%.3f", *f.Litres)
		}
		return fmt.Sprintf("%s %s to %s, %g s, %s L, %s %v", f.Machine, f.Begin, f.End, f.CommandS, litres, f.Grade,
			f.Reasons)
	}
	if want.Machine == "" {
		want.Machine = "drone-1"
	}
	near := func(a, b string) bool {
		at, err := time.Parse("15:04:05.000", a)
		wanted, bad := time.Parse("15:04:05", b)
		return err == nil && bad == nil && at.Sub(wanted).Abs() <= time.Second
	}
	litres := want.Litres == nil && got.Litres == nil ||
		want.Litres != nil && got.Litres != nil && math.Abs(*want.Litres-*got.Litres) <= 0.05
	if got.Machine != want.Machine || !near(got.Begin, want.Begin) || !near(got.End, want.End) ||
		math.Abs(got.CommandS-want.CommandS) > 1.1 || !litres || got.Grade != want.Grade ||
		!slices.Equal(got.Reasons, want.Reasons) {
		t.Errorf("the run is\n%s, want\n%s", text(got), text(want))
	}
}
