package runs

import (
	"math"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

// A command that comes at the moment of a position repeats the position before.
func TestACommandAtTheMomentOfAPositionCostsNoDistance(t *testing.T) {
	for name, first := range map[string]bool{"the command first": true, "the position first": false} {
		tracker := New(Config{Machine: "m", Gap: 15 * time.Second})
		fuser := Fuser{Fresh: 30 * time.Second}
		feed := func(at time.Duration, v fact.Values) {
			s := Sample{At: time.Unix(1581660000, 0).Add(at), T: time.Hour + at, Values: v}
			fuser.Take(s)
			s, _ = fuser.Sample(s.At, s.T)
			tracker.Observe(s)
		}
		for i := range 24 {
			at, on, flow := time.Duration(i)*time.Second, i >= 2 && i < 22, 0.0
			if on {
				flow = 5
			}
			lat := 35.9 + float64(min(max(i-2, 0), 20))*1.5/111320
			command := fact.Values{Command: &on}
			if first {
				feed(at, command)
			}
			feed(at, fact.Values{Lat: &lat, Lon: new(115.1), Flow: &flow})
			if !first {
				feed(at, command)
			}
		}
		if got := tracker.Run().Distance; math.Abs(got-30) > 1.6 {
			t.Errorf("%s: %.1f m, want 30", name, got)
		}
	}
}
