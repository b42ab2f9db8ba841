package nmea

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"gatehouse/devices/unheard"
	"gatehouse/firmware-bridge/runs"
)

// script is a line that yields one piece a read, and a step passes each time.
type script struct {
	pieces []string
	step   time.Duration
	now    time.Time
	cancel context.CancelFunc
}

func (s *script) clock() time.Time { return s.now }

func (s *script) Read(b []byte) (int, error) {
	if len(s.pieces) == 0 {
		s.cancel()
		return 0, nil
	}
	n := copy(b, s.pieces[0])
	s.pieces = s.pieces[1:]
	s.now = s.now.Add(s.step)
	return n, nil
}

// hear plays pieces, one a second, and returns the errors.
func hear(t *testing.T, pieces ...string) []error { return hearEach(t, time.Second, pieces...) }

// hearEach plays a piece at each step, and returns the errors.
func hearEach(t *testing.T, step time.Duration, pieces ...string) (bad []error) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &script{pieces: pieces, step: step, now: time.Unix(0, 0), cancel: cancel}
	if err := read(ctx, s, s.clock, func(_ runs.Sample, err error) {
		if err != nil {
			bad = append(bad, err)
		}
	}); err != nil {
		t.Error(err)
	}
	return bad
}

// repeat returns a piece so often.
func repeat(piece string, n int) (out []string) {
	for range n {
		out = append(out, piece)
	}
	return out
}

func TestALineOnWhichNoPositionComesSaysWhatToTry(t *testing.T) {
	for piece, want := range map[string]string{
		"\xff\x80\x00garbage":                        "baud: 4800",
		"\xb5\x62\x01\x07\x00":                       "UBX",
		"\xa0\xa2\x01\x07\x00":                       "SiRF",
		"$GPGSV,1,1,00*79\r\n$GPGLL,3554.0,N*00\r\n": "GSV, GLL, but neither RMC nor GGA",
		"$GPZDA,120000*00\r\n":                       "sends ZDA, but neither",
	} {
		bad := hear(t, repeat(piece, 10)...)
		if len(bad) != 0 {
			t.Errorf("%q, before 10 s: %v", piece, bad)
		}
		bad = hear(t, repeat(piece, 13)...)
		var u *unheard.Error
		if len(bad) != 3 || !errors.As(bad[0], &u) || !strings.Contains(u.Try, want) {
			t.Errorf("%q: %v, want %q", piece, bad, want)
		}
	}
	var kinds strings.Builder
	for i := range 9 {
		fmt.Fprintf(&kinds, "$GPX%cX,1\n", 'A'+i)
	}
	bad := hear(t, repeat(kinds.String(), 11)...)
	if len(bad) != 1 || !strings.Contains(bad[0].Error(), "XFX, but") {
		t.Errorf("many kinds: %v", bad)
	}
}

// The first bytes come after half a second, and nothing is understood 10 s later; it is
// said once a second then.
func TestWhatIsNotUnderstoodIsSaidOnceASecond(t *testing.T) {
	for pieces, want := range map[int]int{20: 0, 21: 1, 22: 1, 23: 2, 24: 2, 25: 3} {
		bad := hearEach(t, time.Second/2, repeat("\xff\x80garbage", pieces)...)
		if len(bad) != want {
			t.Errorf("in %d half seconds: said %d times, want %d", pieces, len(bad), want)
		}
	}
}

func TestALineThatIsUnderstoodSaysNothing(t *testing.T) {
	if bad := hear(t, repeat(rmc+"\n\xff\xff", 30)...); len(bad) != 0 {
		t.Error(bad)
	}
	noFix := summed("GPRMC,123519,V,,,,,,,140220,,,N")
	if bad := hear(t, repeat(noFix+"\n", 30)...); len(bad) != 0 {
		t.Errorf("a receiver without a fix: %v", bad)
	}
}

func TestASilentLineSaysSo(t *testing.T) {
	if bad := hear(t, repeat("", 9)...); len(bad) != 0 {
		t.Errorf("within 10 s: %v", bad)
	}
	if bad := hear(t, repeat("", 10)...); len(bad) != 1 {
		t.Errorf("after 10 s: %v", bad)
	}
	if bad := hear(t, repeat("", 25)...); len(bad) != 2 || !errors.Is(bad[0], errSilent) {
		t.Errorf("%v", bad)
	}
	// Bytes come for 4 s: the silence is 10 s long at the 14th second.
	for silent, want := range map[int]int{9: 0, 10: 1} {
		bad := hear(t, append(repeat(rmc+"\n", 4), repeat("", silent)...)...)
		if len(bad) != want {
			t.Errorf("%d s after the last bytes: %v", silent, bad)
		}
	}
}

func TestALineThatFailsEnds(t *testing.T) {
	err := read(t.Context(), strings.NewReader(""), time.Now, func(runs.Sample, error) {})
	if !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
