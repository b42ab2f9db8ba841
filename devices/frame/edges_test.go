package frame

import (
	"errors"
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

func TestTheEdgesOfText(t *testing.T) {
	if chinese([]byte("\x80")) || !chinese([]byte("\x7f")) {
		t.Error("the first byte that is not ASCII")
	}
	for text, want := range map[string]bool{"\u07ff": true, "\u0800": false, "\u0591\u0800": false, "\u024f": false,
		"\u0250": true, "\u03a9\u0416": false} {
		if strange(text) != want {
			t.Errorf("%+q: %v", text, !want)
		}
	}
}
