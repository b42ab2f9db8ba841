package devices

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/devices/frame"
	"gatehouse/gateway/fact"

	"pgregory.net/rapid"
)

var at = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)

func TestGarbageLeavesAnErrorAndABoundedBuffer(t *testing.T) {
	noise := make([]byte, 64<<10)
	for i := range noise {
		noise[i] = byte(i*7 + i>>8)
	}
	for name, f := range map[string]frame.Framer{"gy": frame.GYMCU90614, "rdm": frame.RDM6300,
		"qr": frame.NewScanner().Frame} {
		s := &stream{model: name, frame: f, at: at}
		for i := 0; i < len(noise); i += 512 {
			s.buf = append(s.buf, noise[i:i+512]...)
			for s.parse() != nil {
				s.bad = nil
			}
			if len(s.buf) > maxBuffer {
				t.Fatalf("%s keeps %d bytes", name, len(s.buf))
			}
		}
		if s.bad == nil {
			t.Errorf("%s reported nothing", name)
		}
	}
}

func TestTemperaturesPrintInDegrees(t *testing.T) {
	for v, want := range map[fact.Temp]string{3650: "36.50", 5: "0.05", -5: "-0.05", -100: "-1.00", 0: "0.00"} {
		if got := v.String(); got != want {
			t.Errorf("%d prints %q, want %q", int32(v), got, want)
		}
	}
}

var update = os.Getenv("UPDATE") != ""

func TestDEVICESmdIsRenderedFromTheCatalogue(t *testing.T) {
	want := Markdown(Catalog())
	path := filepath.Join("DEVICES.md")
	if update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Fatalf("DEVICES.md differs from the catalogue (run make docs): %v", err)
	}
}

// However frames and glitches mix: with a good frame at least every three
// bursts the device is never at fault.
func TestGlitchesBetweenGoodFramesAreNeverAFault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &stream{model: "m", line: line{port: "p"}, frame: frame.RDM6300, at: at}
		bursts := 0
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			s.at = s.at.Add(time.Duration(rapid.IntRange(1, 7200).Draw(t, "seconds")) * time.Second)
			if bursts == 2 || rapid.Bool().Draw(t, "a card") {
				s.buf = append(s.buf, "\x0262E3086CED08\x03"...)
				bursts = 0
			} else {
				s.buf = append(s.buf, strings.Repeat("\xff", rapid.IntRange(1, 40).Draw(t, "bytes"))...)
				bursts++
			}
			for s.parse() != nil { //nolint:revive // until it needs more bytes
			}
			if errors.Is(s.bad, ErrFault) {
				t.Fatalf("after %s: %v", s.at.Sub(at), s.bad)
			}
			s.bad = nil
		}
	})
}

func TestAFramerThatBreaksItsContractIsAFaultOfItsDriver(t *testing.T) {
	for name, c := range map[string]struct {
		r    Reading
		used int
		err  error
		want string
	}{
		"drops more than there is": {Sample{At: at}, 7, nil, "drop 7 bytes of 3"},
		"drops less than nothing":  {nil, -1, nil, "drop -1 bytes of 3"},
		"a reading of no bytes":    {Sample{At: at}, 0, nil, "a reading and drops nothing"},
		"an error of no bytes":     {nil, 0, ErrFrame, "an error and drops nothing"},
		"a reading and an error":   {Sample{At: at}, 3, ErrFrame, "a reading and an error"},
	} {
		t.Run(name, func(t *testing.T) {
			find := func(time.Time, []byte, time.Duration) (Reading, int, error) { return c.r, c.used, c.err }
			s := &stream{model: "ir200", line: line{port: "p"}, frame: find, at: at, buf: []byte("abc")}
			if r := s.parse(); r != nil {
				t.Errorf("parse returned %v", r)
			}
			if !errors.Is(s.bad, ErrFault) {
				t.Fatalf("error is %v, want ErrFault", s.bad)
			}
			for _, want := range []string{"ir200", c.want} {
				if !strings.Contains(s.bad.Error(), want) {
					t.Errorf("error %q does not contain %q", s.bad, want)
				}
			}
			if len(s.buf) > 0 {
				t.Error("the bytes stay in the buffer")
			}
		})
	}
}
