package station

import (
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
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

// A thermometer that reads all alike passes nobody from the fortieth person on, a fever is
// one, and the value that the guard enters counts; after a restart, too.
func TestWhatADoubtfulThermometerReadsIsInvalid(t *testing.T) {
	g := newRig(t)
	g.people(like(40, 3330, 1)...)
	come := func(object fact.Temp) {
		g.wait(20)
		g.observe(g.tapped(cardA))
		g.observe(g.measured(object))
	}
	for range 2 {
		if come(3650); !strings.Contains(g.last(), "invalid [doubtful]") {
			t.Errorf("%s", g.last())
		}
		of := g.st.recent[len(g.st.recent)-1].passage.Readings
		if err := g.st.enter(g.h.now, "", contact(36_60, of...)); err != nil || !strings.Contains(g.last(), "pass") {
			t.Errorf("%s, %v", g.last(), err)
		}
		if come(3840); !strings.Contains(g.last(), "fever [fever doubtful]") {
			t.Errorf("%s", g.last())
		}
		g.wait(300)
		g.restart()
	}
	g.people(like(40, 3330, 20)...)
	if come(3650); !strings.Contains(g.last(), "pass [normal]") {
		t.Errorf("%s", g.last())
	}
}

// last is the newest passage.
func (g *rig) last() string { return g.passages[len(g.passages)-1] }

// The journal no longer has the readings that made it doubtful: then only a check ends it.
func TestADoubtThatCantBeExplainedStays(t *testing.T) {
	g := newRig(t)
	g.board.Set(status.Condition{Type: fact.AlarmDeviceDoubtful, Device: "thermometer", Detail: "it has drifted"})
	g.rec.Turn(g.h.now)
	g.restart()
	g.people(like(60, 3330, 20)...)
	if got := g.alarms(0); strings.Contains(got, "cleared") {
		t.Errorf("alarms: %s", got)
	}
	g.observe(g.tapped(cardA))
	if g.observe(g.measured(3650)); !strings.Contains(g.last(), "invalid [doubtful]") {
		t.Errorf("%s", g.last())
	}
}
