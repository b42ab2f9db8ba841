package frame

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTheEdgesOfNoise(t *testing.T) {
	type burst struct {
		at    time.Duration
		bytes int
	}
	const s = time.Second
	for name, c := range map[string]struct {
		bursts []burst
		want   int // faults
	}{
		"eight bytes, three times":      {[]burst{{0, 8}, {s, 8}, {2 * s, 8}}, 1},
		"seven the last time":           {[]burst{{0, 8}, {s, 8}, {2 * s, 7}}, 0},
		"a fourth time":                 {[]burst{{0, 8}, {s, 8}, {2 * s, 8}, {3 * s, 8}}, 1},
		"less than a second apart":      {[]burst{{0, 8}, {s - 1, 8}, {2 * s, 8}}, 0},
		"an hour later":                 {[]burst{{0, 8}, {s, 8}, {3601 * s, 8}}, 1},
		"more than an hour later":       {[]burst{{0, 8}, {s, 8}, {3601*s + 1, 8}}, 0},
		"within ten seconds":            {[]burst{{0, 8}, {s, 8}, {2 * s, 4}, {12 * s, 4}}, 1},
		"in more than ten seconds":      {[]burst{{0, 8}, {s, 8}, {2 * s, 4}, {12*s + 1, 4}}, 0},
		"an hour after it went on":      {[]burst{{0, 8}, {s, 8}, {s + s/2, 8}, {3601*s + s/2, 8}}, 1},
		"a burst that has just gone on": {[]burst{{0, 8}, {s / 2, 8}, {s, 8}, {2 * s, 8}}, 1},
	} {
		var n Noise
		got := 0
		for _, b := range c.bursts {
			if n.Bad(at.Add(b.at), b.bytes) {
				got++
			}
		}
		if got != c.want {
			t.Errorf("%s: %d faults", name, got)
		}
	}
}

func TestTheShortestAndLongestFrames(t *testing.T) {
	one := []Reading{sample(3650, 2600)}
	testFrames(t, func() Framer { return GYMCU90614 }, map[string]frameCase{
		"eight bytes of data": {"5A 5A 45 08 0E 42 0A 28 00 00 00 00 83", one, nil},
		"nine":                {"5A 5A 45 09 0E 42 0A 28 00 00 00 00 00 84", nil, ErrFrame},
		"three":               {"5A 5A 45 03 0E 42 0A 56", nil, ErrFrame},
		"another kind":        {"5A 5A 46 04 0E 42 0A 28 80", nil, ErrFrame},
	})
	if _, used, err := GYMCU90614(at, []byte{0, 0, 0x5A}, 0); used != 2 || !errors.Is(err, ErrFrame) {
		t.Errorf("what may be a header is dropped: %d, %v", used, err)
	}
	if _, used, err := GYMCU90614(at, []byte{0x5A}, 0); used != 0 || err != nil {
		t.Errorf("what may be a header: %d, %v", used, err)
	}
	digits := []byte("\x0262E3086CED08000")
	if _, used, err := RDM6300(at, digits[:15], 0); used != 0 || err != nil {
		t.Errorf("fifteen bytes without an end: %d, %v", used, err)
	}
	if _, used, err := RDM6300(at, digits, 0); used != 16 || !errors.Is(err, ErrFrame) {
		t.Errorf("sixteen: %d, %v", used, err)
	}
}

func TestHowManyBytesOfACardAreDropped(t *testing.T) {
	for text, c := range map[string]struct {
		used int
		says string // empty: no error
	}{
		"\x0262E3086CED08\x03":        {14, ""},
		"\x0262E3086CED08\x03\x0262":  {14, ""},
		"\x0262E3086CED08\r\n\x03":    {16, ""},
		"\r\n\x0262":                  {2, ""},
		"abc\x0262":                   {3, "3 bytes before a card"},
		"\x02\x0262E3086CED08\x03":    {1, "cut short after 1 bytes"},
		"\x02123\x0262E3086CED08\x03": {4, "cut short after 4 bytes"},
		"\x02123\x02":                 {4, "cut short after 4 bytes"},
		"\x02123\x03\x02":             {5, "a card of 3 digits, not 12"},
		"\x0262E3086CED0\x03":         {13, "a card of 11 digits, not 12"},
		"\x0262E3086CED07\x03":        {14, "checksum 08, not 07"},
		"\x0262E3086CEX08\x03":        {14, "not hex digits"},
	} {
		_, used, err := RDM6300(at, []byte(text), 0)
		if used != c.used || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %d bytes, %v; want %d, %q", text, used, err, c.used, c.says)
		}
	}
	for header, want := range map[string]int{"\x5A\x5A\x45": 0, "\x5A\x5A\x45\xFF": 1, "\x5A\x5A\x45\x04": 0} {
		if _, used, err := GYMCU90614(at, []byte(header), 0); used != want || (err != nil) != (want > 0) {
			t.Errorf("% X: %d, %v", header, used, err)
		}
	}
}

func TestTheEdgesOfText(t *testing.T) {
	if chinese([]byte("\x80")) || !chinese([]byte("\x7f")) {
		t.Error("the first byte that is not ASCII")
	}
	if _, err := Text([]byte("\x01abc")); !errors.Is(err, ErrFrame) {
		t.Errorf("a control character at the begin: %v", err)
	}
	for text, want := range map[string]bool{"\u07ff": true, "\u0800": false, "\u0591\u0800": false, "\u024f": false,
		"\u0250": true, "\u03a9\u0416": false} {
		if strange(text) != want {
			t.Errorf("%+q: %v", text, !want)
		}
	}
}
