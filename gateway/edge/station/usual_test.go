package station

import (
	"reflect"
	"strings"
	"testing"

	"gatehouse/gateway/baseline"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// withBaseline returns rules that ask what is usual.
func (g *rig) withBaseline() *rig {
	r := *twoResidents(g.t, "")
	r.Baseline = &baseline.Rules{Readings: 20, Window: 100}
	g.restartWith(&r)
	return g
}

// one lets somebody with card A come.
func (g *rig) one(v fact.Temp) {
	g.wait(20)
	g.observe(g.tapped(cardA))
	g.observe(g.measured(v))
	g.st.keepUsual(g.h.now)
}

// usual returns what the newest passages were compared with.
func (g *rig) usual() (out []wire.Usual) {
	for _, body := range g.bodies() {
		if p, is := body.(*wire.Passage); is && p.Limits.Usual != nil {
			out = append(out, *p.Limits.Usual)
		}
	}
	return out
}

// What is usual is the same whatever restarts: at once, a day later, between the readings
// that were recorded and those since.
func TestARestartForgetsNothingThatIsUsual(t *testing.T) {
	day := func(restarts string) []wire.Usual {
		g := newRig(t).withBaseline()
		for i, v := range like(130, 3640, 5) {
			g.one(fact.Temp(v + i%2))
			if strings.Contains(restarts, "often") && i%7 == 6 {
				g.restart()
			}
			if strings.Contains(restarts, "rarely") && i%60 == 59 {
				g.wait(90_000)
				g.restart()
			}
		}
		return g.usual()
	}
	want := day("")
	if len(want) != 110 {
		t.Fatalf("%d of 130 are compared", len(want))
	}
	for _, restarts := range []string{"often", "rarely"} {
		if got := day(restarts); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d, the last %+v, want %+v", restarts, len(got), got[len(got)-1], want[len(want)-1])
		}
	}
}

func TestTheGuardMeasuresByHandWhoIsHighTwice(t *testing.T) {
	g := newRig(t).withBaseline()
	for _, v := range like(20, 3640, 5) {
		g.one(fact.Temp(v))
	}
	g.one(3720)
	g.restart()
	g.one(3722)
	of := g.st.recent[len(g.st.recent)-1].passage.Readings
	if err := g.st.enter(g.h.now, "", contact(3680, of...)); err != nil {
		t.Fatal(err)
	}
	var last []string
	for _, body := range g.bodies() {
		if p, is := body.(*wire.Passage); is && (p.Limits.Usual != nil || p.Entered != nil) {
			last = append(last, string(p.Verdict)+" "+string(p.Instruction))
		}
	}
	want := []string{"retest measure-again", "retest measure-by-hand", "pass go"}
	if !reflect.DeepEqual(last, want) {
		t.Errorf("%q, want %q", last, want)
	}
}
