package report

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/wire"
)

// However long messages are held up together: those without a time stay between
// their neighbours, and none lies after its receipt.
func TestMessagesThatWereHeldUpKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p pace
		var sent []time.Duration // when each was true
		var out []placed
		known := false // one with a time has come
		at, free := time.Duration(0), time.Duration(0)
		for range rapid.IntRange(2, 60).Draw(t, "messages") {
			at += time.Duration(rapid.IntRange(1, 1500).Draw(t, "later")) * time.Millisecond
			if rapid.IntRange(0, 9).Draw(t, "held") == 0 {
				free = at + time.Duration(rapid.IntRange(0, 14).Draw(t, "for"))*time.Second
			}
			received := max(at, free) + time.Millisecond
			free = max(free, received)
			track := &wire.Track{At: wire.At(begin.Add(received)), Received: new(wire.At(begin.Add(received)))}
			if timed := rapid.Bool().Draw(t, "timed"); timed {
				track.At = wire.At(begin.Add(at))
				known = true
			} else if !known {
				continue // nothing to hold it against
			}
			sent = append(sent, at)
			out = append(out, p.take(track)...)
		}
		out = append(out, p.expire(begin.Add(time.Hour))...)
		if len(out) != len(sent) {
			t.Fatalf("%d of %d messages came out", len(out), len(sent))
		}
		for i, x := range out {
			if i > 0 && x.at.Before(out[i-1].at) && !timeless(x.Track) && !timeless(out[i-1].Track) {
				t.Fatalf("message %d: %s after %s", i, x.at, out[i-1].at)
			}
			if x.at.After(x.Received.Time) {
				t.Fatalf("message %d lies %s after its receipt", i, x.at.Sub(x.Received.Time))
			}
			next := i+1 < len(out) && !timeless(out[i+1].Track)
			if timeless(x.Track) && next && out[i+1].Received.Sub(x.Received.Time) <= patience && x.at.After(out[i+1].at) {
				t.Fatalf("message %d, %s, lies after the next one, %s", i, x.at, out[i+1].at)
			}
		}
	})
}
