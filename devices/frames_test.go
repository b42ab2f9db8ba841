package devices

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

var at = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parseAll feeds bytes to a framer as a stream does, a chunk at a time.
func parseAll(f framer, chunk int, b []byte) (readings []Reading, bad []error) {
	s := &stream{model: "m", frame: f, at: at}
	for len(b) > 0 {
		n := min(chunk, len(b))
		s.buf = append(s.buf, b[:n]...)
		b = b[n:]
		for {
			r := s.parse()
			if s.bad != nil {
				bad = append(bad, s.bad)
				s.bad = nil
			}
			if r == nil {
				break
			}
			readings = append(readings, r)
		}
	}
	return readings, bad
}

func sample(object, ambient fact.Temp) Reading {
	return Sample{At: at, Object: object, Ambient: ambient}
}
func tap(code string) Reading { return Tap{At: at, Code: code} }

const (
	gyGood  = "5A 5A 45 04 0E 42 0A 28 7F"
	rdmGood = "02 36 32 45 33 30 38 36 43 45 44 30 38 03"
)

// frameCase is what a framer makes of bytes.
type frameCase struct {
	bytes string // hex
	want  []Reading
	bad   error // the first error; nil: no error
}

func testFrames(t *testing.T, frame framer, cases map[string]frameCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, chunk := range []int{1, 3, 8, 1 << 20} {
				got, bad := parseAll(frame, chunk, unhex(t, c.bytes))
				if !slices.Equal(got, c.want) {
					t.Errorf("in chunks of %d: got %v, want %v", chunk, got, c.want)
				}
				if c.bad == nil && len(bad) > 0 {
					t.Errorf("in chunks of %d: errors %v", chunk, bad)
				}
				if c.bad != nil && (len(bad) == 0 || !errors.Is(bad[0], c.bad)) {
					t.Errorf("in chunks of %d: errors %v, want %v", chunk, bad, c.bad)
				}
			}
		})
	}
}

func TestGYMCU90614Frames(t *testing.T) {
	one := []Reading{sample(3650, 2600)}
	two := []Reading{sample(3650, 2600), sample(3650, 2600)}
	testFrames(t, gyFrame, map[string]frameCase{
		"data sheet":     {gyGood, one, nil},
		"ten bytes":      {"5A 5A 45 05 0E 42 0A 28 00 80", one, nil},
		"frost":          {"5A 5A 45 04 FF 9C FE 0C A2", []Reading{sample(-100, -500)}, nil},
		"merged":         {gyGood + gyGood, two, nil},
		"garbage before": {"00 FF 13" + gyGood, one, ErrFrame},
		// The checksum of the cut frame and the next header matches by chance.
		"cut short":        {"5A 5A 45 04 0E" + gyGood + gyGood, two, ErrFault},
		"bad checksum":     {"5A 5A 45 04 0E 42 0A 28 7E" + gyGood, one, ErrFrame},
		"absurd length":    {"5A 5A 45 FF" + gyGood, one, ErrFrame},
		"all FF":           {"FF FF FF FF FF FF FF FF FF", nil, ErrFrame},
		"impossible value": {"5A 5A 45 04 80 00 0A 28 AF", nil, ErrFault},
		"wrong rate":       {"80 78 F8 00 80 F8 78 E0", nil, ErrFrame},
	})
}

func TestRDM6300Frames(t *testing.T) {
	one := []Reading{tap("62E3086CED")}
	testFrames(t, rdmFrame, map[string]frameCase{
		"data sheet":   {rdmGood, one, nil},
		"lower case":   {"02 36 32 65 33 30 38 36 63 65 64 30 38 03", one, nil},
		"merged":       {rdmGood + rdmGood, []Reading{tap("62E3086CED"), tap("62E3086CED")}, nil},
		"cut short":    {"02 36 32 45" + rdmGood, one, ErrFrame},
		"bad checksum": {"02 36 32 45 33 30 38 36 43 45 44 30 39 03" + rdmGood, one, ErrFrame},
		"longer card":  {"02 36 32 45 33 30 38 36 43 45 44 45 44 30 38 03" + rdmGood, one, ErrFrame},
		"shorter card": {"02 36 32 45 33 30 38 30 38 03" + rdmGood, one, ErrFrame},
		"not hex":      {"02 36 32 45 33 30 38 36 43 45 5A 30 38 03" + rdmGood, one, ErrFrame},
		"garbage":      {"00 FF FE" + rdmGood, one, ErrFrame},
	})
}

func TestQRScannerFrames(t *testing.T) {
	testFrames(t, qrFrame, map[string]frameCase{
		"CR LF":                {"56 49 53 49 54 2D 37 0D 0A", []Reading{tap("VISIT-7")}, nil},
		"LF, twice":            {"41 0A 42 0A", []Reading{tap("A"), tap("B")}, nil},
		"Chinese":              {"E8 AE BF E5 AE A2 0D", []Reading{tap("访客")}, nil},
		"not UTF-8":            {"FF FE 0D 41 0D", []Reading{tap("A")}, ErrFrame},
		"control characters":   {"41 1B 5B 0D 41 0D", []Reading{tap("A")}, ErrFrame},
		"empty lines":          {"0D 0A 0D 0A", nil, nil},
		"longer than any code": {strings.Repeat("41", qrMax+1) + "0D 42 0D", []Reading{tap("B")}, ErrFrame},
	})
}

func TestSilenceEndsACodeWithoutASuffix(t *testing.T) {
	if r, used, err := qrFrame(at, []byte("VISIT-7"), false); r != nil || used != 0 || err != nil {
		t.Fatalf("before the silence: %v, %d, %v", r, used, err)
	}
	if r, used, err := qrFrame(at, []byte("VISIT-7"), true); r != tap("VISIT-7") || used != 7 || err != nil {
		t.Fatalf("after it: %v, %d, %v", r, used, err)
	}
}

func TestGarbageLeavesAnErrorAndABoundedBuffer(t *testing.T) {
	noise := make([]byte, 64<<10)
	for i := range noise {
		noise[i] = byte(i*7 + i>>8)
	}
	for name, f := range map[string]framer{"gy": gyFrame, "rdm": rdmFrame, "qr": qrFrame} {
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

func TestMLX90614Words(t *testing.T) {
	for name, c := range map[string]struct {
		cmd   byte
		bytes string
		want  fact.Temp
		err   error
	}{
		"36.49 °C": {mlxObject, "7A 3C 92", 3649, nil},
		"bad PEC":  {mlxObject, "7A 3C 93", 0, ErrFrame},
		"all FF":   {mlxObject, "FF FF FF", 0, ErrFrame},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := mlxWord(mlxAddress, c.cmd, [3]byte(unhex(t, c.bytes)))
			if got != c.want || !errors.Is(err, c.err) {
				t.Fatalf("got %s, %v", got, err)
			}
		})
	}
	flagged := [3]byte{0x7A, 0xBC}
	flagged[2] = crc8([]byte{0xB4, mlxObject, 0xB5, flagged[0], flagged[1]})
	if _, err := mlxWord(mlxAddress, mlxObject, flagged); !errors.Is(err, ErrFault) {
		t.Errorf("with bit 15 set: %v, want ErrFault", err)
	}
	// Melexis' examples of the PEC: writes at address 0.
	for in, want := range map[string]byte{"00 2E 00 00": 0x6F, "00 2E 5A 00": 0xE1} {
		if got := crc8(unhex(t, in)); got != want {
			t.Errorf("PEC of %s is %02X, want %02X", in, got, want)
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

func FuzzFrames(f *testing.F) {
	for _, s := range []string{gyGood, rdmGood, "56490D0A", "5A5A45FF", "0236"} {
		f.Add(unhex(f, s), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, idle bool) {
		for _, frame := range []framer{gyFrame, rdmFrame, qrFrame} {
			s := &stream{frame: frame, at: at, idle: idle, buf: append([]byte(nil), b...)}
			for s.parse() != nil { //nolint:revive // until it needs more bytes
			}
			if len(s.buf) > len(b) {
				t.Fatal("the buffer grew")
			}
		}
	})
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

func BenchmarkFrames(b *testing.B) {
	for name, c := range map[string]struct {
		f   framer
		hex string
	}{
		"gy-mcu90614": {gyFrame, gyGood},
		"rdm6300":     {rdmFrame, rdmGood},
		"qr-scanner":  {qrFrame, "56 49 53 49 54 0D"},
	} {
		b.Run(name, func(b *testing.B) {
			raw := unhex(b, c.hex)
			b.ReportAllocs()
			for b.Loop() {
				if r, _, err := c.f(at, raw, false); r == nil || err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
