package report

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/wire"
)

// However long messages are delayed together: those without a time stay between
// their neighbours, and none is later than its arrival.
func TestMessagesThatWereDelayedKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m timing
		var sent []time.Duration // the time of each
		var out []kept
		burst := map[time.Time]bool{} // by arrival
		known := false                // one with a time has come
		at, free := time.Duration(0), time.Duration(0)
		for range rapid.IntRange(2, 60).Draw(t, "messages") {
			at += time.Duration(rapid.IntRange(1, 1500).Draw(t, "later")) * time.Millisecond
			if rapid.IntRange(0, 9).Draw(t, "held") == 0 {
				free = max(free, at+time.Duration(rapid.IntRange(0, 14).Draw(t, "for"))*time.Second)
			}
			received := max(at, free) + time.Millisecond
			free = max(free, received)
			k := kept{Track: &wire.Track{Received: new(wire.At(begin.Add(received))), NoClock: true}}
			if rapid.Bool().Draw(t, "timed") {
				k.NoClock, k.at = false, begin.Add(at)
				known = true
			} else if !known {
				continue // nothing to hold it against
			}
			sent = append(sent, at)
			out = append(out, m.add(k)...)
			if b := m.beats[0]; b != nil && len(b.burst) > 0 {
				burst[k.arrived()] = true // of those another rule holds, see beat
			}
		}
		out = append(out, m.expire(begin.Add(time.Hour))...)
		if len(out) != len(sent) {
			t.Fatalf("%d of %d messages came out", len(out), len(sent))
		}
		for i, x := range out {
			if i > 0 && x.at.Before(out[i-1].at) && !x.timeless() && !out[i-1].timeless() {
				t.Fatalf("message %d: %s after %s", i, x.at, out[i-1].at)
			}
			if x.at.After(x.Received.Time) {
				t.Fatalf("message %d lies %s after its receipt", i, x.at.Sub(x.Received.Time))
			}
			if i+1 == len(out) || !x.timeless() || out[i+1].timeless() || burst[x.arrived()] {
				continue
			}
			next := out[i+1]
			if next.Received.Sub(x.Received.Time) <= patience && x.at.After(next.at) {
				t.Fatalf("message %d, %s, is later than the next one, %s", i, x.at, next.at)
			}
		}
	})
}
