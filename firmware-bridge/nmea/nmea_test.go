package nmea

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/devices/port"
	"gatehouse/devices/port/pty"
	"gatehouse/firmware-bridge/runs"
)

const (
	rmc = "$GPRMC,123519,A,3554.000,N,11506.600,E,002.4,084.4,140220,003.1,W*62"
	gga = "$GPGGA,123519,3554.000,N,11506.600,E,1,08,0.9,45.4,M,46.9,M,,*72"
)

func TestOnlyValidFixesCount(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		ok   bool
		err  string
	}{
		"rmc": {rmc, true, ""}, "gga": {gga, true, ""},
		"cut begin":    {"519,A,3$" + rmc[1:], true, ""},
		"no fix":       {"$GPRMC,123519,V,,,,,,,140220,,,N*5B", false, ""},
		"gga no fix":   {"$GPGGA,123519,,,,,0,00,,,M,,M,,*6B", false, ""},
		"of no use":    {"$GPGSV,1,1,00*79", false, ""},
		"unknown kind": {"$PXYZW,1*41", false, ""},
		"checksum":     {strings.Replace(rmc, "3554", "3555", 1), false, "checksum"},
		"rubbish":      {"hello", false, ""},
		"latitude 91":  {"$GPRMC,123519,A,9100.000,N,11506.600,E,002.4,084.4,140220,003.1,W*6D", false, "latitude"},
		"nothing":      {"", false, ""},
	} {
		s, ok, err := Parse(c.text)
		if ok != c.ok || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, %v, want %v, %q", name, ok, err, c.ok, c.err)
		}
		if ok && (math.Abs(*s.Lat-35.9) > 1e-6 || math.Abs(*s.Lon-115.11) > 1e-6) {
			t.Errorf("%s: %g, %g", name, *s.Lat, *s.Lon)
		}
	}
	if s, _, _ := Parse(rmc); math.Abs(*s.Speed-2.4*0.514444) > 1e-3 {
		t.Errorf("2.4 knots are %g m/s", *s.Speed)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(rmc)
	f.Add(gga)
	f.Fuzz(func(t *testing.T, text string) {
		s, ok, err := Parse(text)
		if ok && err != nil || ok && s.Lat == nil {
			t.Errorf("%v %v", s, err)
		}
	})
}

// socat plays a recording into a pseudo-terminal.
func TestARecordingThatSocatPlays(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "gps.nmea"), filepath.Join(dir, "gps")
	text := strings.Repeat(rmc+"\r\n"+gga+"\r\n$GPGSV,1,1,00*79\r\n", 40)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	play := exec.CommandContext(t.Context(), "socat", "-u",
		"SYSTEM:while cat "+file+"; do sleep 0.1; done", "pty,raw,echo=0,link="+link)
	// socat dies with the test, and the shell when cat no longer reaches socat.
	play.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	play.WaitDelay = time.Second
	if err := play.Start(); err != nil {
		t.Fatalf("start socat (make tools installs it): %v", err)
	}
	// The shell that socat starts outlives it: the whole group must end.
	defer func() { _ = syscall.Kill(-play.Process.Pid, syscall.SIGKILL); _ = play.Wait() }()
	ctx, cancel := context.WithCancel(t.Context())
	got, ended := make(chan runs.Sample, 1000), make(chan error)
	go func() {
		cfg := Config{Serial: link, Machine: "fogger-1"}
		ended <- Run(ctx, cfg, port.NewHost(), func(_ string, s runs.Sample, _ error) {
			select {
			case got <- s:
			default:
			}
		})
	}()
	deadline := time.After(20 * time.Second)
	for fixes := 0; fixes < 50; {
		select {
		case s := <-got:
			if s.Lat != nil && math.Abs(*s.Lat-35.9) < 1e-6 && math.Abs(*s.Lon-115.11) < 1e-6 {
				fixes++
			}
		case <-deadline:
			t.Fatalf("%d fixes only", fixes)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestALineIsReadThroughGarbageAndUnplugging(t *testing.T) {
	p, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	link := t.TempDir() + "/gps"
	if err := p.Link(link); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got, bad, ended := make(chan runs.Sample, 10), make(chan error, 100), make(chan error)
	go func() {
		cfg := Config{Serial: link, Machine: "fogger-1"}
		ended <- Run(ctx, cfg, port.NewHost(), func(_ string, s runs.Sample, err error) {
			if err != nil {
				bad <- err
				return
			}
			got <- s
		})
	}()
	send := func(text string) { // until a sample arrives
		for ctx.Err() == nil && len(got) == 0 {
			_, _ = p.Write([]byte(text))
			time.Sleep(100 * time.Millisecond)
		}
		<-got
	}
	send("\xff\x00garbage" + strings.Repeat("x", 300) + "\r\n" + rmc[:40] + rmc + "\r\n")
	if err := <-bad; !strings.Contains(err.Error(), "fogger-1") {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for err := range bad {
		if strings.Contains(err.Error(), "gone") {
			break
		}
	}
	if p, err = pty.Open(); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Link(link); err != nil {
		t.Fatal(err)
	}
	send(gga + "\r\n")
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
