package machine

import (
	"testing"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// A machine starts to work while its bridge is down: the litres count from the
// last value before that, unless it is older than a pause.
func TestLitresCountFromTheLastValueBeforeARestart(t *testing.T) {
	for name, c := range map[string]struct {
		boot string
		down time.Duration
		want float64
	}{
		"the same boot":       {"boot-0", 4 * time.Second, 1.5},
		"another boot":        {"boot-1", 4 * time.Second, 1.5},
		"longer than a pause": {"boot-0", 30 * time.Second, 0.5},
	} {
		now := begin
		w := NewWatch(fogger, wire.SourceModbus, "boot-0")
		say := func(w *Watch, s runs.Sample) []wire.Body {
			now = now.Add(time.Second)
			w.Take(now, s)
			return w.Turn(now)
		}
		idle := runs.Sample{Values: fact.Values{Command: new(false), Volume: new(100.0)}}
		say(w, idle)
		say(w, runs.Sample{Values: fact.Values{Command: new(false)}}) // the counter was not read
		last, ok := w.Last()
		if !ok || len(last.Points) != 2 {
			t.Fatalf("%s: %v %+v", name, ok, last)
		}
		now = now.Add(c.down)
		if c.boot != "boot-0" {
			now = clock.Moment{Wall: now.Wall, Boot: 20 * time.Second}
		}
		w = NewWatch(fogger, wire.SourceModbus, c.boot)
		var past Past
		past.Last(&last)
		if out := w.Restore(now, past); len(out) != 0 {
			t.Errorf("%s: restored %+v", name, out)
		}
		say(w, runs.Sample{Values: fact.Values{Command: new(true), Volume: new(101.0)}})
		bodies := say(w, runs.Sample{Values: fact.Values{Command: new(true), Volume: new(101.5)}})
		if len(bodies) == 0 {
			t.Fatalf("%s: nothing is recorded", name)
		}
		if r := w.runs.Run(); r.MeterL == nil || *r.MeterL != c.want {
			t.Errorf("%s: %v L, want %g", name, *r.MeterL, c.want)
		}
	}
}

func TestThereIsNoLastValueBeforeTheFirstSample(t *testing.T) {
	if last, ok := NewWatch(fogger, wire.SourceModbus, "boot").Last(); ok {
		t.Errorf("%+v", last)
	}
}
