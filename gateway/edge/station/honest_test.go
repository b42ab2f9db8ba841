package station

import (
	"strings"
	"testing"
	"time"
)

// people lets people step before the thermometer, each for most of a second, with these
// values.
func (g *rig) people(values ...int) {
	at := time.Now()
	sample := func(n, object int) {
		for range n {
			g.h.now = g.h.now.Add(100 * time.Millisecond)
			at = at.Add(100 * time.Millisecond)
			g.sample(at, object)
		}
	}
	for i, v := range values {
		sample(5, 2000+i%2)
		sample(7, v)
	}
	sample(2, 2000)
	g.h.now = g.h.now.Add(time.Minute)
	g.st.tick(g.h.now)
	g.rec.Turn(g.h.now)
}

// like returns n values of people who are alike, or not.
func like(n, middle, spread int) (out []int) {
	for i := range n {
		out = append(out, middle+spread*(i%5-2))
	}
	return out
}

func TestAThermometerThatReadsAllPeopleAlikeIsDoubtful(t *testing.T) {
	g := newRig(t)
	g.people(like(39, 3330, 1)...)
	if got := g.alarms(0); strings.Contains(got, "device-doubtful") {
		t.Fatalf("after 39 people: %s", got)
	}
	g.people(3330)
	n := len(strings.Split(g.alarms(0), ", "))
	if got := g.alarms(0); !strings.HasSuffix(got, "device-doubtful:thermometer raised") {
		t.Fatalf("after 40 people: %s", got)
	}
	// The doubt outlasts a restart, and ends when people read as people do.
	g.stop()
	g.start(func(string) bool { return true })
	if got := g.alarms(n); strings.Contains(got, "device-doubtful") {
		t.Fatalf("after a restart: %s", got)
	}
	g.people(like(40, 3330, 20)...)
	if got := g.alarms(n); !strings.Contains(got, "device-doubtful:thermometer cleared") {
		t.Fatalf("after 40 people who differ: %s", got)
	}
}
