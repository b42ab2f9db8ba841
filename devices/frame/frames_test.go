package frame

import (
	"encoding/hex"
	"errors"
	"gatehouse/gateway/fact"
	"slices"
	"strings"
	"testing"
	"time"
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

// feed gives bytes to a framer a chunk at a time, and a silence at the end, as a sensor
// does. It fails when the framer breaks its contract.
func feed(t testing.TB, f Framer, chunk int, b []byte) (readings []Reading, bad []error) {
	t.Helper()
	var buf []byte
	parse := func(quiet time.Duration) {
		for len(buf) > 0 {
			r, used, err := f(at, buf, quiet)
			if used < 0 || used > len(buf) || r != nil && err != nil || used == 0 && (r != nil || err != nil) {
				t.Fatalf("of %d bytes: %v, %d, %v", len(buf), r, used, err)
			}
			buf = buf[used:]
			if r != nil {
				readings = append(readings, r)
			}
			if err != nil {
				bad = append(bad, err)
			}
			if used == 0 {
				return
			}
		}
	}
	for len(b) > 0 {
		n := min(chunk, len(b))
		buf = append(buf, b[:n]...)
		b = b[n:]
		parse(0)
	}
	parse(time.Second)
	return readings, bad
}

func sample(object, ambient fact.Temp) Reading {
	return Sample{At: at, Object: object, Ambient: ambient}
}

// card is a frame of an RDM6300, code a text of a scanner.
func card(code string) Reading { return Tap{At: at, Code: code, Repeats: true} }
func scan(code string) Reading { return Tap{At: at, Code: code} }

const (
	gyGood  = "5A 5A 45 04 0E 42 0A 28 7F"
	rdmGood = "02 36 32 45 33 30 38 36 43 45 44 30 38 03"
	// rdmClone is what an ID-20LA sends.
	rdmClone = "02 36 32 45 33 30 38 36 43 45 44 30 38 0D 0A 03"
)

// frameCase is what a framer makes of bytes.
type frameCase struct {
	bytes string // hex
	want  []Reading
	bad   error // the first error; nil: no error
}

func testFrames(t *testing.T, frame func() Framer, cases map[string]frameCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, chunk := range []int{1, 3, 8, 1 << 20} {
				got, bad := feed(t, frame(), chunk, unhex(t, c.bytes))
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
	testFrames(t, func() Framer { return GYMCU90614 }, map[string]frameCase{
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
	one := []Reading{card("62E3086CED")}
	testFrames(t, func() Framer { return RDM6300 }, map[string]frameCase{
		"data sheet":           {rdmGood, one, nil},
		"lower case":           {"02 36 32 65 33 30 38 36 63 65 64 30 38 03", one, nil},
		"merged":               {rdmGood + rdmGood, []Reading{card("62E3086CED"), card("62E3086CED")}, nil},
		"cut short":            {"02 36 32 45" + rdmGood, one, ErrFrame},
		"bad checksum":         {"02 36 32 45 33 30 38 36 43 45 44 30 39 03" + rdmGood, one, ErrFrame},
		"longer card":          {"02 36 32 45 33 30 38 36 43 45 44 45 44 30 38 03" + rdmGood, one, ErrFrame},
		"shorter card":         {"02 36 32 45 33 30 38 30 38 03" + rdmGood, one, ErrFrame},
		"not hex":              {"02 36 32 45 33 30 38 36 43 45 5A 30 38 03" + rdmGood, one, ErrFrame},
		"garbage":              {"00 FF FE" + rdmGood, one, ErrFrame},
		"CR LF before the end": {rdmClone + rdmClone, []Reading{scan("62E3086CED"), scan("62E3086CED")}, nil},
		"CR before the end":    {"02 36 32 45 33 30 38 36 43 45 44 30 38 0D 03", []Reading{scan("62E3086CED")}, nil},
		"CR LF after the end":  {rdmGood + "0D 0A" + rdmGood, []Reading{card("62E3086CED"), card("62E3086CED")}, nil},
		"CR LF at the start":   {"02 0D 0A 36 32 45 33 30 38 36 43 45 44 30 38 03" + rdmGood, one, ErrFrame},
		"no end":               {"02 36 32 45 33 30 38 36 43 45 44 30 38 30 30 30" + rdmGood, one, ErrFrame},
		"zero":                 {"02 30 30 30 30 30 30 30 30 30 30 30 30 03" + rdmGood, one, ErrFrame},
		"zero of a version":    {"02 30 31 30 30 30 30 30 30 30 30 30 31 03" + rdmGood, one, ErrFrame},
		"all ones":             {"02 66 66 66 66 66 66 66 66 66 66 66 66 03" + rdmGood, one, ErrFrame},
		"nearly zero":          {"02 30 30 30 30 30 30 30 30 30 31 30 31 03", []Reading{card("0000000001")}, nil},
		"nearly all ones":      {"02 46 46 46 46 46 46 46 46 46 45 46 45 03", []Reading{card("FFFFFFFFFE")}, nil},
		"decimal":              {"30 30 30 36 35 31 33 39 30 31 0D 0A" + rdmGood, one, ErrFrame},
	})
}

func TestMLX90614Words(t *testing.T) {
	for name, c := range map[string]struct {
		cmd   byte
		bytes string
		want  fact.Temp
		err   error
	}{
		"36.49 °C": {0x07, "7A 3C 92", 3649, nil},
		"bad PEC":  {0x07, "7A 3C 93", 0, ErrFrame},
		"all FF":   {0x07, "FF FF FF", 0, ErrFrame},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := MLXWord(0x5A, c.cmd, [3]byte(unhex(t, c.bytes)))
			if got != c.want || !errors.Is(err, c.err) {
				t.Fatalf("got %s, %v", got, err)
			}
		})
	}
	flagged := [3]byte{0x7A, 0xBC}
	flagged[2] = crc8([]byte{0xB4, 0x07, 0xB5, flagged[0], flagged[1]})
	if _, err := MLXWord(0x5A, 0x07, flagged); !errors.Is(err, ErrFault) {
		t.Errorf("with bit 15 set: %v, want ErrFault", err)
	}
	// Melexis' examples of the PEC: writes at address 0.
	for in, want := range map[string]byte{"00 2E 00 00": 0x6F, "00 2E 5A 00": 0xE1} {
		if got := crc8(unhex(t, in)); got != want {
			t.Errorf("PEC of %s is %02X, want %02X", in, got, want)
		}
	}
}

func BenchmarkFrames(b *testing.B) {
	for name, c := range map[string]struct {
		f   Framer
		hex string
	}{
		"gy-mcu90614": {GYMCU90614, gyGood},
		"rdm6300":     {RDM6300, rdmGood},
		"qr-scanner":  {NewScanner().Frame, "56 49 53 49 54 0D"},
	} {
		b.Run(name, func(b *testing.B) {
			raw := unhex(b, c.hex)
			b.ReportAllocs()
			for b.Loop() {
				if r, _, err := c.f(at, raw, scanPause); r == nil || err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestWhatAnMLX90614CanMeasure(t *testing.T) {
	for _, c := range []struct {
		object, ambient fact.Temp
		ok              bool
	}{
		{mlxObjectMin, 2000, true},
		{mlxObjectMin - 1, 2000, false},
		{mlxObjectMax, 2000, true},
		{mlxObjectMax + 1, 2000, false},
		{3000, mlxAmbientMin, true},
		{3000, mlxAmbientMin - 1, false},
		{3000, mlxAmbientMax, true},
		{3000, mlxAmbientMax + 1, false},
	} {
		if _, err := Plausible(at, c.object, c.ambient); (err == nil) != c.ok {
			t.Errorf("object %s, ambient %s: %v", c.object, c.ambient, err)
		}
	}
}
