package runs

import (
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

// Readings that come at once after a gap were made in it: the flow sensor's estimate
// of the gap stands for them, and contradicts a counter that counts more only.
func TestReadingsThatComeAtOnceAfterAGapAreNoDispute(t *testing.T) {
	for name, c := range map[string]struct {
		step float64 // litres between readings
		want Grade
	}{"as much as the flow": {0.1, Measured}, "four times as much": {0.4, Disputed}} {
		var list []Sample
		volume := 100.0
		at := func(t time.Duration, command bool, lpm, more float64) {
			volume += more
			list = append(list, Sample{At: time.Unix(1581660000, 0).Add(t), T: time.Hour + t, Values: fact.Values{
				Command: &command, Flow: new(lpm), Volume: new(volume)}})
		}
		at(0, false, 0, 0)
		for i := range 6 {
			at(time.Duration(i+1)*time.Second, true, 6, c.step)
		}
		for i := range 20 { // what was made in a gap of 20 s
			at(26*time.Second+time.Duration(i)*time.Millisecond, true, 6, c.step)
		}
		at(27*time.Second, false, 0, c.step)
		found := Segment(Config{Machine: "m", Gap: 15 * time.Second}, list)
		if len(found) != 1 || found[0].Grade != c.want {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
