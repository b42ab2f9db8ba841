package fleet

import (
	"context"
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/devices/port/pty"
	"gatehouse/firmware-bridge/nmea"
	"gatehouse/simulator/world"
)

var times = Times{
	First: time.Second,
	Work:  20 * time.Second,
	Pause: 5 * time.Second,
	More:  10 * time.Second,
	Rest:  40 * time.Second,
}

// simulate steps a machine through d and calls each with its instruments.
func simulate(m *model, d time.Duration, each func(instruments)) {
	now := time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)
	for t := time.Duration(0); t < d; t += 100 * time.Millisecond {
		m.step(now.Add(t), 100*time.Millisecond)
		if each != nil {
			each(m.read())
		}
	}
}

func TestTruthIsWhatTheMachineDid(t *testing.T) {
	for _, s := range Machines(&world.New(1).Sites) {
		m := newModel(s, times)
		before := m.read().volume
		simulate(m, 70*time.Second, nil)
		truth := m.truth()
		if len(truth) != 1 || truth[0].End.Sub(truth[0].Start) < 34*time.Second || truth[0].Grade != s.Grade {
			t.Fatalf("%s: %v", s.ID, truth)
		}
		want := s.FlowLPM * 0.5
		switch s.Fault {
		case FaultDry:
			want = 0
		case FaultLeak:
			want = leakLPM * 0.5
		case FaultCut:
			want = s.FlowLPM * (30 - silentFor.Seconds()) / 60
		}
		if math.Abs(truth[0].Litres-want) > 0.05 {
			t.Errorf("%s: %.2f L, want %.2f", s.ID, truth[0].Litres, want)
		}
		if got := m.read().volume - before; s.Fault != FaultStuck && math.Abs(got-want) > 0.05 {
			t.Errorf("%s: the meter counted %.2f L, want %.2f", s.ID, got, want)
		}
		if (truth[0].Cells > 0) != (want > 0) {
			t.Errorf("%s: %d cells with %.2f L", s.ID, truth[0].Cells, want)
		}
	}
}

func TestInstrumentsShowTheFaults(t *testing.T) {
	for _, s := range Machines(&world.New(1).Sites) {
		commanded, flowed, silent, noFix := false, false, false, false
		simulate(newModel(s, times), 70*time.Second, func(x instruments) {
			commanded, flowed = commanded || x.command, flowed || x.flow > 0
			silent, noFix = silent || x.silent, noFix || !x.fix
		})
		if commanded != (s.Fault != FaultLeak) || flowed != (s.Fault != FaultDry) ||
			silent != (s.Fault == FaultGap || s.Fault == FaultCut) || noFix != (s.Fault == FaultDrift) {
			t.Errorf("%s (%s): commanded %v, flowed %v, silent %v, without fix %v",
				s.ID, s.Fault, commanded, flowed, silent, noFix)
		}
	}
}

// mbpoll is an independent Modbus master.
func TestTheSlaveAnswersMbpoll(t *testing.T) {
	line, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "bus")
	if err := line.Link(link); err != nil {
		t.Fatal(err)
	}
	spec := Machines(&world.New(1).Sites)[6] // fogger-3
	m := newModel(spec, times)
	simulate(m, 3*time.Second, nil)
	units := vfd(m)
	units[3] = plc(m)[1]
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); slave(ctx, line, units, func() bool { return false }) }()
	defer func() { cancel(); <-done }()
	poll := func(args ...string) string {
		args = append([]string{"-m", "rtu", "-b", "9600", "-P", "none", "-1", "-o", "2", "-0"}, append(args, link)...)
		out, err := exec.CommandContext(ctx, "mbpoll", args...).CombinedOutput()
		if err != nil && !strings.Contains(string(out), "Illegal") && !strings.Contains(string(out), "timed out") {
			t.Fatalf("mbpoll %v (make tools installs it): %v\n%s", args, err, out)
		}
		return string(out)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"the pump turns":   {[]string{"-a", "1", "-r", "8451", "-t", "4"}, `\[8451\]:\s+4500`},
		"a flow as words":  {[]string{"-a", "2", "-r", "0", "-c", "2", "-t", "4:hex"}, `\[1\]:\s+0x3F38`}, // 0.72 m³/h
		"a coil":           {[]string{"-a", "3", "-r", "0", "-t", "0"}, `\[0\]:\s+1`},
		"a discrete input": {[]string{"-a", "3", "-r", "0", "-t", "1"}, `\[0\]:\s+1`},
		"input registers":  {[]string{"-a", "3", "-r", "0", "-t", "3", "-c", "6"}, `\[0\]:\s+1200`},
		"no such address":  {[]string{"-a", "3", "-r", "9", "-t", "3"}, `Illegal data address`},
		"no such unit":     {[]string{"-a", "9", "-r", "0", "-t", "3"}, `timed out`},
	} {
		if out := poll(c.args...); !regexp.MustCompile(c.want).MatchString(out) {
			t.Errorf("%s: want %s\n%s", name, c.want, out)
		}
	}
}

func TestSentencesAreNMEA(t *testing.T) {
	at := time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)
	for i, line := range strings.Split(strings.TrimSpace(sentences(instruments{
		lat:   35.9012345,
		lon:   -115.1,
		fix:   true,
		speed: 3,
	}, at)), "\r\n") {
		s, ok, err := nmea.Parse(line)
		if err != nil || !ok || math.Abs(*s.Lat-35.9012345) > 1e-6 || math.Abs(*s.Lon+115.1) > 1e-6 {
			t.Errorf("%d %s: %+v %v", i, line, s, err)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(sentences(instruments{}, at)), "\r\n") {
		if _, ok, err := nmea.Parse(line); ok || err != nil {
			t.Errorf("%s: %v %v", line, ok, err)
		}
	}
}

func TestMissionsAreInTheCounty(t *testing.T) {
	sites := &world.New(1).Sites
	for _, s := range Machines(sites) {
		lat0, lon0 := along(s.Mission, 0)
		moved := 0.0
		for d := 0.0; d < 400; d += 10 {
			lat, lon := along(s.Mission, d)
			if math.Abs(lat-35.9) > 0.05 || math.Abs(lon-115.11) > 0.05 {
				t.Fatalf("%s: %g, %g after %g m", s.ID, lat, lon, d)
			}
			moved = max(moved, distance(LatLon{lat0, lon0}, LatLon{lat, lon}))
		}
		if moved < 15 {
			t.Errorf("%s moves only %g m", s.ID, moved)
		}
	}
}
