package station

import (
	"context"
	"strings"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// A's measurement ended with "no reader works"; the plug is put back, and the
// agent restarts: A's visit was open again and B passed on it.
func TestARestartReopensNoVisitThatWasOver(t *testing.T) {
	g := newRig(t)
	g.fail("reader", devices.ErrGone, "unplugged")
	g.observe(g.measured(3660))
	g.wait(2)
	g.restart()
	g.wait(1)
	g.observe(g.tapped(cardB))
	for _, s := range g.passages {
		if strings.HasPrefix(s, "pass") {
			t.Fatalf("B passes on A's temperature:\n%s", strings.Join(g.passages, "\n"))
		}
	}
}

// The same, and the device is still broken: the verdict was given twice.
func TestARestartRepeatsNoVerdict(t *testing.T) {
	g := newRig(t)
	g.fail("reader", devices.ErrGone, "unplugged")
	g.observe(g.measured(3660))
	g.wait(2)
	g.restart()
	if p := g.st.gate.Prompts(); len(p) != 0 {
		t.Errorf("asks for %s, over since before the restart", p[0].Wants)
	}
	g.fail("reader", devices.ErrGone, "unplugged")
	if n := strings.Count(strings.Join(g.passages, "\n"), "no-reader"); n != 1 {
		t.Errorf("given %d times:\n%s", n, strings.Join(g.passages, "\n"))
	}
}

// The power goes between the record of a fever and that of its alarm.
func TestAFeverWhoseAlarmWasNotKeptIsRaisedAfterARestart(t *testing.T) {
	g := newRig(t)
	x := g.measured(3840)
	seq := g.st.keep(g.h.now, x)
	events := g.st.gate.Observe(g.h.now, seq, *x)
	g.rec.Append(g.h.now, &events[0].Passage)
	g.wait(2)
	g.restart()
	g.wait(60)
	g.st.tick(g.h.now)
	if got := g.alarms(0); !strings.Contains(got, "fever") {
		t.Errorf("alarms: %q", got)
	}
}

// Card and temperature were kept and not decided; 50 s later the agent is back.
func TestAnOldPassDoesNotOpenTheBarrier(t *testing.T) {
	g := newRig(t)
	g.st.keep(g.h.now, g.tapped(cardA))
	g.wait(1)
	g.st.keep(g.h.now, g.measured(3660))
	g.wait(50)
	g.restart()
	passes := 0
	for _, body := range g.bodies() {
		if p, ok := body.(*wire.Passage); ok && p.Verdict == fact.VerdictPass {
			passes++
		}
	}
	if passes != 1 {
		t.Errorf("%d passes are recorded", passes)
	}
	for len(g.out.cues) > 0 {
		if c := <-g.out.cues; c.Barrier {
			t.Errorf("50 s later the barrier opens for whoever stands there:\n%s", strings.Join(g.passages, "\n"))
		}
	}
}

// shown is a screen that notes what a restart hands it.
type shown struct {
	earlier  map[uint64]clock.Moment
	answered map[uint64]bool
}

func (s *shown) Passage(clock.Moment, uint64, wire.Passage) {}
func (s *shown) Earlier(at clock.Moment, seq uint64, _ wire.Passage, answered bool) {
	s.earlier[seq], s.answered[seq] = at, answered
}

func TestTheScreenGetsTheVerdictsOfBeforeARestart(t *testing.T) {
	g := newRig(t)
	g.observe(g.measured(3840))
	first := g.st.recent[0].seq
	given := g.h.now
	n := note{audit: wire.Audit{Actor: "guard", Action: "isolate", Passage: first}, kept: make(chan error, 1)}
	g.st.note(g.h.now, n)
	g.wait(20)
	g.observe(g.measured(3850))
	second := g.st.recent[len(g.st.recent)-1].seq
	g.stop()
	g.wait(5)
	s := &shown{map[uint64]clock.Moment{}, map[uint64]bool{}}
	g.start(func(string) bool { return true })
	g.st.opts.Screen = s
	g.remember()
	g.st.Begin(g.h.now)
	if !s.answered[first] || s.answered[second] {
		t.Errorf("answered: %v", s.answered)
	}
	if at := s.earlier[first]; at.Boot != given.Boot || !at.Wall.Equal(given.Wall) {
		t.Errorf("the first was given at %v, the screen has %v", given, at)
	}
}

// The journal is held up for 20 s (a dying card). A was measured before, B taps
// 20 s later; both arrivals wait in the queue.
func TestAHeldUpLoopPairsNothingThatIsFarApart(t *testing.T) {
	g := newRig(t)
	now := time.Now() // onBootClock looks at the real clock
	old := now.Add(-20 * time.Second)
	for i := range 30 {
		g.sample(old.Add(time.Duration(i-60)*70*time.Millisecond), 2000+2*(i%2))
	}
	for i := range 8 {
		g.sample(old.Add(time.Duration(i-30)*70*time.Millisecond), 3340+2*(i%2))
	}
	g.st.arrived(g.h.now, arrival{in: g.in["reader"], r: devices.Tap{At: now, Code: cardB}})
	g.wait(0.1)
	readings := 0
	for _, body := range g.bodies() {
		if body.Kind() == wire.KindReading {
			readings++
		}
	}
	if readings != 2 {
		t.Errorf("%d readings are recorded, want A's and B's", readings)
	}
	if got := strings.Join(g.passages, "\n"); strings.Contains(got, "pass") {
		t.Errorf("B passes on what A was measured 20 s before:\n%s", got)
	}
}

// A taps and goes; the loop is held up for 20 s, and B steps before the thermometer. A's
// visit was over by then, though nothing has ended it.
func TestWhoComesAfterAHeldUpLoopIsSomebodyElse(t *testing.T) {
	g := newRig(t)
	now := time.Now()
	g.st.arrived(g.h.now, arrival{in: g.in["reader"], r: devices.Tap{At: now.Add(-20 * time.Second), Code: cardA}})
	for i := range 40 {
		o := 2000
		if i > 20 {
			o = 3340
		}
		g.sample(now.Add(time.Duration(i-60)*70*time.Millisecond), o+2*(i%2))
	}
	if got := strings.Join(g.passages, "\n"); strings.Contains(got, "pass") {
		t.Errorf("B is measured for A's card:\n%s", got)
	}
}

// Who is measured first is asked for the card with a short sound.
func TestTheBuzzerAsksForTheCard(t *testing.T) {
	g := newRig(t)
	now := time.Now()
	for len(g.out.cues) > 0 {
		<-g.out.cues
	}
	for i := range 40 {
		o := 2000
		if i > 20 {
			o = 3340
		}
		g.sample(now.Add(time.Duration(i-60)*70*time.Millisecond), o+2*(i%2))
	}
	p := g.st.gate.Prompts()
	if len(p) != 1 || p[0].Wants != gate.WantsCard {
		t.Fatalf("%+v", p)
	}
	if posted := g.board.Snapshot().Prompts; len(posted) != 1 || posted[0].Wants != gate.WantsCard {
		t.Errorf("the board has %+v", posted)
	}
	if len(g.out.cues) != 1 {
		t.Errorf("%d cues", len(g.out.cues))
	}
}

// once yields one tap as soon as it is read, and nothing more.
type once struct{ taps chan devices.Reading }

func (o once) Next(ctx context.Context) (devices.Reading, error) {
	select {
	case r := <-o.taps:
		return r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A long journal takes seconds to read on a slow card: a tap meanwhile counts.
func TestATapWhileThePastIsReadCounts(t *testing.T) {
	g := newRig(t)
	reader := once{make(chan devices.Reading)}
	g.in["reader"].sensor = reader
	g.st.inputs, g.st.outputs = []*input{g.in["reader"]}, nil
	ctx, cancel := context.WithCancel(t.Context())
	restored, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); g.st.Run(ctx, restored) }()
	reader.taps <- devices.Tap{At: g.h.now.Wall, Code: cardA} // the device is read already
	close(restored)
	for begin := time.Now(); g.j.Last() < 2 && time.Since(begin) < 10*time.Second; {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-ended
	taps := 0
	for _, body := range g.bodies() {
		if r, ok := body.(*wire.Reading); ok && r.Type == fact.ReadingCard {
			taps++
		}
	}
	if taps != 1 {
		t.Errorf("%d taps in the journal", taps)
	}
}
