package devices

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// faults returns how many faults n reports for this many bytes, the given
// number of times, apart from each other.
func faults(n *noise, from time.Time, bytes, times int, apart time.Duration) (count int) {
	for i := range times {
		if n.bad(from.Add(time.Duration(i)*apart), bytes) {
			count++
		}
	}
	return count
}

func TestBurstsWithoutAFrameAreReportedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		bytes, times int
		apart        time.Duration
		want         int
	}{
		"a wrong rate, sending all the time":    {9, 10_000, 70 * time.Millisecond, 1},
		"a wrong rate, a card a minute":         {14, 3, time.Minute, 1},
		"a wrong rate, a card in half an hour":  {14, 3, 30 * time.Minute, 1},
		"two cards":                             {14, 2, time.Minute, 0},
		"a byte a second":                       {1, 60, time.Second, 1},
		"one burst, however many bytes":         {512, 10, 50 * time.Millisecond, 0},
		"glitches of two bytes for a day":       {2, 24 * 60, time.Minute, 0},
		"glitches of seven bytes for a day":     {7, 24 * 60, time.Minute, 0},
		"a burst of noise every two hours":      {200, 12, 2 * time.Hour, 0},
		"a code that can't be read, once a day": {300, 30, 24 * time.Hour, 0},
	} {
		if got := faults(&noise{}, at, c.bytes, c.times, c.apart); got != c.want {
			t.Errorf("%s: %d faults, want %d", name, got, c.want)
		}
	}
}

func TestAGoodFrameResetsTheFaultAndTheCount(t *testing.T) {
	var n noise
	if faults(&n, at, 14, 2, time.Minute) != 0 {
		t.Fatal("a fault after two bursts")
	}
	n.good()
	if faults(&n, at.Add(3*time.Minute), 14, 2, time.Minute) != 0 {
		t.Fatal("bursts before a good frame count")
	}
	if faults(&n, at.Add(6*time.Minute), 14, 1, time.Minute) != 1 {
		t.Fatal("no fault after three")
	}
	n.good()
	if faults(&n, at.Add(10*time.Minute), 14, 30, time.Minute) != 1 {
		t.Fatal("a second fault is not reported")
	}
}

// However frames and glitches mix: with a good frame at least every three
// bursts the device is never at fault.
func TestGlitchesBetweenGoodFramesAreNeverAFault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &stream{model: "m", line: line{port: "p"}, frame: rdmFrame, at: at}
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
			frame := func(time.Time, []byte, bool) (Reading, int, error) { return c.r, c.used, c.err }
			s := &stream{model: "ir200", line: line{port: "p"}, frame: frame, at: at, buf: []byte("abc")}
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
