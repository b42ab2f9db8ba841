package versions

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/county/command"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

const old, fresh = "1.3.0", "1.4.0"

// sim is a gate as it is played: what it does when it is commanded.
type sim struct {
	seen  Seen
	fails fact.UpgradeState // how its upgrade ends; empty: done
	since time.Time         // when its upgrade began; zero: none is on
	id    string
}

// county is a county that is played.
type county struct {
	now   time.Time
	gates map[string]*sim
	sent  map[string]Sent
	r     Rollout
	asked []string // gates, in the order in which they were asked
}

func newCounty(waves ...[]string) *county {
	c := &county{now: t0, gates: map[string]*sim{}, sent: map[string]Sent{},
		r: Rollout{ID: "r", Version: fresh, By: "wang", State: Running, Began: t0}}
	for _, gates := range waves {
		var w Wave
		for _, g := range gates {
			w.Gates = append(w.Gates, Gate{Agent: g, State: Waits, Since: t0})
			c.gates[g] = &sim{seen: Seen{Online: true, Heard: t0, Program: old, Upgrade: &wire.Upgrade{Package: old}}}
		}
		c.r.Waves = append(c.r.Waves, w)
	}
	return c
}

func (c *county) world() World {
	return World{Now: c.now, Since: t0, Gate: func(a string) Seen { return c.gates[a].seen },
		Sent: func(id string) Sent { return c.sent[id] }}
}

// turn plays d of the county, then looks at it once, and commands who is to be asked.
func (c *county) turn(d time.Duration) {
	c.now = c.now.Add(d)
	for _, g := range c.gates {
		if g.seen.Online {
			g.seen.Heard = c.now
		}
		if !g.since.IsZero() && g.seen.Online && c.now.Sub(g.since) >= 3*time.Minute {
			u := wire.Upgrade{Package: fresh, ID: g.id, From: old, To: fresh, State: fact.UpgradeDone}
			if g.fails != "" {
				u.State, u.Package, u.Why = g.fails, old, "because"
			}
			g.seen.Upgrade, g.since = &u, time.Time{}
		}
	}
	var asks []string
	c.r, asks = Step(c.r, c.world())
	ids := map[string]string{}
	for _, a := range asks {
		g := c.gates[a]
		ids[a] = fmt.Sprintf("%s-%d", a, len(c.asked))
		c.asked = append(c.asked, a)
		c.sent[ids[a]] = Sent{State: command.Done}
		g.id, g.since = ids[a], c.now
		g.seen.Upgrade = &wire.Upgrade{Package: old, ID: g.id, From: old, To: fresh, State: fact.UpgradeFetching}
	}
	c.r = c.r.Commanded(c.now, ids)
}

func (c *county) gate(agent string) Gate {
	for _, w := range c.r.Waves {
		for _, g := range w.Gates {
			if g.Agent == agent {
				return g
			}
		}
	}
	return Gate{}
}

func TestEachWaveWaitsForTheOneBefore(t *testing.T) {
	c := newCounty([]string{"a"}, []string{"b", "c"}, []string{"d"})
	for range 90 {
		c.turn(time.Minute)
		if len(c.asked) > 1 && (c.r.Waves[0].Gates[0].State != Done || c.now.Sub(c.r.Waves[0].Well) < Soak) {
			t.Fatalf("%v are asked before the first was well for %s", c.asked, Soak)
		}
	}
	if c.r.State != Finished || !slices.Equal(c.asked, []string{"a", "b", "c", "d"}) {
		t.Errorf("%s, asked %v", c.r.State, c.asked)
	}
}

func TestWhatStopsAWave(t *testing.T) {
	for what, c := range map[string]struct {
		play  func(*county) // after three minutes, when a is being upgraded
		state State
		why   string
		gate  GateState
	}{
		"it goes back": {func(c *county) { c.gates["a"].fails = fact.UpgradeBack }, Stopped, WhyBack, Failed},
		"it is stuck":  {func(c *county) { c.gates["a"].fails = fact.UpgradeStuck }, Stopped, WhyStuck, Failed},
		"nothing is changed at the only one": {func(c *county) { c.gates["a"].fails = fact.UpgradeUnchanged }, Stopped,
			WhyNone, Refused},
		"it is silent":          {func(c *county) { c.gates["a"].seen.Online = false }, Stopped, WhySilent, Unheard},
		"it says nothing of it": {func(c *county) { c.gates["a"].since = time.Time{} }, Stopped, WhyLate, Unheard},
		"it refuses": {func(c *county) {
			c.gates["a"].since, c.gates["a"].seen.Upgrade = time.Time{}, &wire.Upgrade{Package: old}
			for id := range c.sent {
				c.sent[id] = Sent{State: command.Refused, Why: fact.CommandNoKey}
			}
			c.r.Waves[0].Gates[0].State = Asked
		}, Stopped, WhyNone, Refused},
		"it is silent when it was done": {func(c *county) {
			c.turn(3 * time.Minute)
			c.gates["a"].seen.Online = false
		}, Stopped, WhySilent, Unheard},
		"somebody goes back by hand": {func(c *county) {
			c.turn(3 * time.Minute)
			c.gates["a"].seen.Upgrade = &wire.Upgrade{Package: old, State: fact.UpgradeDone}
		}, Stopped, WhyBack, Failed},
		"nothing": {func(*county) {}, Running, "", Done},
	} {
		k := newCounty([]string{"a"}, []string{"b"})
		k.turn(time.Minute)
		k.turn(time.Second)
		c.play(k)
		for range 55 {
			k.turn(time.Minute)
			if len(k.asked) > 1 {
				break
			}
		}
		if g := k.gate("a"); k.r.State != c.state || k.r.Why != c.why || g.State != c.gate ||
			(len(k.asked) > 1) != (what == "nothing") {
			t.Errorf("%s: %s %q, %+v, asked %v", what, k.r.State, k.r.Why, g, k.asked)
		}
	}
}

func TestAGateThatIsAwayIsWaitedFor(t *testing.T) {
	c := newCounty([]string{"a", "b"}, []string{"c"})
	c.gates["b"].seen.Online = false
	for range 200 {
		c.turn(time.Minute)
	}
	if c.gate("b").State != Waits || len(c.asked) != 1 || c.r.State != Running {
		t.Fatalf("%+v, asked %v, %s", c.gate("b"), c.asked, c.r.State)
	}
	without := *c
	without.r = c.r.LeaveOut(c.now)
	without.turn(time.Minute)
	without.turn(Soak)
	without.turn(time.Second)
	if without.gate("b").State != Left || !slices.Equal(without.asked, []string{"a", "c"}) {
		t.Errorf("left out: %+v, asked %v", without.gate("b"), without.asked)
	}
	c.gates["b"].seen.Online = true
	c.turn(time.Minute)
	if !slices.Equal(c.asked, []string{"a", "b"}) {
		t.Errorf("it came, and asked are %v", c.asked)
	}
}

func TestWhatGatesAreNotAsked(t *testing.T) {
	for what, c := range map[string]struct {
		seen Seen
		want GateState
		why  string
	}{
		"not heard yet":  {Seen{}, Waits, ""},
		"of old":         {Seen{Online: true, Program: "1.0"}, Refused, WhyOld},
		"without a key":  {Seen{Online: true, Upgrade: &wire.Upgrade{Lacks: "no-key"}}, Refused, "no-key"},
		"that has it":    {Seen{Online: true, Upgrade: &wire.Upgrade{Package: fresh}}, Done, ""},
		"away, with it":  {Seen{Upgrade: &wire.Upgrade{Package: fresh}}, Waits, ""},
		"in its upgrade": {Seen{Online: true, Upgrade: &wire.Upgrade{To: "1.3.9", State: "checking"}}, Waits, ""},
		"asked by an earlier start": {Seen{Online: true, Upgrade: &wire.Upgrade{Package: old, To: fresh, ID: "x",
			State: "installing"}}, Upgrading, ""},
	} {
		k := newCounty([]string{"a"})
		k.gates["a"].seen = c.seen
		k.r.State = Stopped // so that nothing is concluded of the wave
		k.turn(time.Second)
		if g := k.gate("a"); g.State != c.want || g.Why != c.why || len(k.asked) > 0 {
			t.Errorf("%s: %+v, asked %v", what, g, k.asked)
		}
		k.r.State = Running
		if k.turn(time.Second); len(k.asked) > 0 {
			t.Errorf("%s: it is asked", what)
		}
	}
}

// A command that does not arrive is repeated, some times, ever more slowly.
func TestAGateThatDoesNotAnswer(t *testing.T) {
	c := newCounty([]string{"a", "b"})
	for range 3600 {
		c.turn(time.Second)
		if g := c.gate("a"); g.State == Asked {
			c.sent[g.Command] = Sent{State: command.Undelivered}
			c.gates["a"].since = time.Time{}
			c.gates["a"].seen.Upgrade = &wire.Upgrade{Package: old}
		}
	}
	n := 0
	for _, a := range c.asked {
		if a == "a" {
			n++
		}
	}
	if g := c.gate("a"); g.State != Refused || g.Why != WhyUnreached || n != mostTries || c.r.State != Finished {
		t.Errorf("%+v, asked %d times, %s", g, n, c.r.State)
	}
}

// A collector that was off, or could not hear, blames no gate for its silence meanwhile.
func TestNobodyIsBlamedWhileNobodyListens(t *testing.T) {
	c := newCounty([]string{"a"})
	c.turn(time.Minute)
	c.turn(time.Second)
	c.gates["a"].seen = Seen{}
	c.now = c.now.Add(24 * time.Hour)
	w := c.world()
	w.Since = c.now
	if r, _ := Step(c.r, w); r.State != Running || r.Waves[0].Gates[0].State == Unheard {
		t.Errorf("%+v", r)
	}
	w.Now = c.now.Add(Silent)
	if r, _ := Step(c.r, w); r.State != Stopped || r.Why != WhySilent {
		t.Errorf("after %s: %+v", Silent, r)
	}
}
