package devices

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// told is how many faults these bytes make: count of them, each every apart.
func told(n *noise, from time.Time, bytes, times int, apart time.Duration) (faults int) {
	for i := range times {
		if n.bad(from.Add(time.Duration(i)*apart), bytes) {
			faults++
		}
	}
	return faults
}

func TestBytesThatNeverMakeAFrameAreAFaultOnce(t *testing.T) {
	for name, c := range map[string]struct {
		bytes, times int
		apart        time.Duration
		want         int
	}{
		"a wrong rate, speaking all the time":   {9, 10_000, 70 * time.Millisecond, 1},
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
		if got := told(&noise{}, at, c.bytes, c.times, c.apart); got != c.want {
			t.Errorf("%s: %d faults, want %d", name, got, c.want)
		}
	}
}

func TestAFrameEndsTheFaultAndTheCount(t *testing.T) {
	var n noise
	if told(&n, at, 14, 2, time.Minute) != 0 {
		t.Fatal("a fault after two bursts")
	}
	n.good()
	if told(&n, at.Add(3*time.Minute), 14, 2, time.Minute) != 0 {
		t.Fatal("bursts before a good frame count")
	}
	if told(&n, at.Add(6*time.Minute), 14, 1, time.Minute) != 1 {
		t.Fatal("no fault after three")
	}
	n.good()
	if told(&n, at.Add(10*time.Minute), 14, 30, time.Minute) != 1 {
		t.Fatal("a second fault is not told")
	}
}

// However frames and glitches mix: a device that is understood between any
// three bursts is never at fault.
func TestALineWithGlitchesThatIsUnderstoodIsNeverAtFault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &stream{model: "m", port: "p", frame: rdmFrame, at: at}
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
			for s.parse() != nil { //nolint:revive // until it asks for more
			}
			if errors.Is(s.bad, ErrFault) {
				t.Fatalf("after %s: %v", s.at.Sub(at), s.bad)
			}
			s.bad = nil
		}
	})
}

func TestADriverThatBreaksItsContractIsRefusedByName(t *testing.T) {
	for name, c := range map[string]struct {
		frame framer
		words string
	}{
		"drops more than there is": {func(at time.Time, buf []byte, _ bool) (Reading, int, error) {
			return Sample{At: at}, len(buf) + 4, nil
		}, "drop 7 bytes of 3"},
		"drops less than nothing": {func(time.Time, []byte, bool) (Reading, int, error) { return nil, -1, nil }, "drop -1 bytes of 3"},
		"a reading out of nothing": {func(at time.Time, _ []byte, _ bool) (Reading, int, error) {
			return Sample{At: at}, 0, nil
		}, "a reading and drops nothing"},
		"an error for ever": {func(time.Time, []byte, bool) (Reading, int, error) { return nil, 0, ErrFrame }, "an error and drops nothing"},
		"both": {func(at time.Time, buf []byte, _ bool) (Reading, int, error) {
			return Sample{At: at}, len(buf), ErrFrame
		}, "a reading and an error"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stream{model: "ir200", port: "p", frame: c.frame, at: at, buf: []byte("abc")}
			if r := s.parse(); r != nil {
				t.Errorf("it gives %v", r)
			}
			if !errors.Is(s.bad, ErrFault) || !strings.Contains(s.bad.Error(), "ir200") || !strings.Contains(s.bad.Error(), c.words) {
				t.Errorf("it says: %v", s.bad)
			}
			if len(s.buf) > 0 {
				t.Error("the same bytes are offered again")
			}
		})
	}
}
