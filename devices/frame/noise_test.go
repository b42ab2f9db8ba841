package frame

import (
	"testing"
	"time"
)

// faults returns how many faults n reports for this many bytes, the given
// number of times, apart from each other.
func faults(n *Noise, from time.Time, bytes, times int, apart time.Duration) (count int) {
	for i := range times {
		if n.Bad(from.Add(time.Duration(i)*apart), bytes) {
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
		if got := faults(&Noise{}, at, c.bytes, c.times, c.apart); got != c.want {
			t.Errorf("%s: %d faults, want %d", name, got, c.want)
		}
	}
}

func TestAGoodFrameResetsTheFaultAndTheCount(t *testing.T) {
	var n Noise
	if faults(&n, at, 14, 2, time.Minute) != 0 {
		t.Fatal("a fault after two bursts")
	}
	n.Good()
	if faults(&n, at.Add(3*time.Minute), 14, 2, time.Minute) != 0 {
		t.Fatal("bursts before a good frame count")
	}
	if faults(&n, at.Add(6*time.Minute), 14, 1, time.Minute) != 1 {
		t.Fatal("no fault after three")
	}
	n.Good()
	if faults(&n, at.Add(10*time.Minute), 14, 30, time.Minute) != 1 {
		t.Fatal("a second fault is not reported")
	}
}
